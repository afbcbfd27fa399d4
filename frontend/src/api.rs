//! The server's API as functions.

use shared::api::{BoardView, ErrorCode, ErrorView, SiteView, UserView};
use shared::names::UserName;
use shared::options::OptionsView;
use shared::raw::{RawOptions, RawValue};
use shared::server::{PastServer, ProgressEvent};
use shared::sign_in::ChallengeView;

pub(crate) use crate::http::Events;
use crate::http::{Method, body, fetch};
use crate::json::{Json, Read};
use crate::paths::routes;
use crate::takeover;

/// Why a call has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The server says why.
    Api(Box<ErrorView>),
    /// No server could be reached.
    NoServer,
    /// Something answered, but not in the API's words.
    NotUnderstood,
}

impl Failure {
    /// The kind of failure, where the server told it.
    pub(crate) fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Api(error) => Some(error.code),
            Self::NoServer | Self::NotUnderstood => None,
        }
    }
}

/// What everybody may know.
pub(crate) async fn site() -> Result<SiteView, Failure> {
    parse(&first("site", routes().api("site")).await?)
}

/// The words of a language.
pub(crate) async fn catalogue(url: String) -> Option<Vec<String>> {
    send(Method::GET, url, None).await.ok()?.parse()
}

/// Slurm's reasons in a language: a key, what it means and what to do, each.
pub(crate) async fn reasons(url: String) -> Option<Vec<Vec<String>>> {
    send(Method::GET, url, None).await.ok()?.parse()
}

/// Who is signed in.
pub(crate) async fn user() -> Result<UserView, Failure> {
    parse(&first("user", routes().api("user")).await?)
}

/// A person with their server, also one that has ended. One that runs is answered when it does not any more, or after so
/// many seconds.
pub(crate) async fn user_with_server(name: &UserName, wait: u8) -> Result<UserView, Failure> {
    let url = format!(
        "{}?include_stopped_servers&wait_seconds={wait}",
        routes().api_user(name)
    );
    parse(&first("server", url).await?)
}

/// What this person may choose now.
pub(crate) async fn options() -> Result<OptionsView, Failure> {
    parse(&first("options", routes().api("options")).await?)
}

/// How the people of an event are doing.
pub(crate) async fn board(event: &str) -> Result<BoardView, Failure> {
    parse(&send(Method::GET, routes().api(&format!("events/{event}")), None).await?)
}

/// What came of a step of signing in.
pub(crate) enum Turn {
    /// Signed in; the server has set the cookie.
    SignedIn(Box<UserView>),
    /// Something more is asked.
    Asks(ChallengeView),
}

fn turn(json: &Json) -> Result<Turn, Failure> {
    match json.parse() {
        Some(challenge) => Ok(Turn::Asks(challenge)),
        None => parse(json).map(|user| Turn::SignedIn(Box::new(user))),
    }
}

/// Signs in.
pub(crate) async fn log_in(username: &str, password: &str) -> Result<Turn, Failure> {
    let body = body([("username", username), ("password", password)]);
    turn(&send(Method::POST, routes().api("login"), body).await?)
}

/// Goes on with an answer, or waits for what happens elsewhere.
pub(crate) async fn answer(state: &str, answer: Option<&str>) -> Result<Turn, Failure> {
    let fields = [("state", Some(state)), ("answer", answer)];
    let body = body(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
    turn(&send(Method::POST, routes().api("login/answer"), body).await?)
}

/// Gives up a sign-in that is under way.
pub(crate) async fn cancel(state: &str) -> Result<(), Failure> {
    let body = body([("state", state)]);
    send(Method::POST, routes().api("login/cancel"), body).await.map(drop)
}

/// Signs out, and stops the server too if that is wanted.
pub(crate) async fn log_out(stop_server: bool) -> Result<(), Failure> {
    let body = if stop_server { "{\"stop_server\":true}" } else { "{}" };
    send(Method::POST, routes().api("logout"), Some(body.to_owned()))
        .await
        .map(drop)
}

/// Starts a person's server; with what is wanted of this start alone, if anything.
pub(crate) async fn start(name: &UserName, options: &RawOptions, once: Option<&str>) -> Result<(), Failure> {
    let mut body = body(texts(options));
    if let Some(once) = once
        && let Some(options) = &body
    {
        body = Some(format!("{{\"user_options\":{options},\"{once}\":true}}"));
    }
    send(Method::POST, routes().api_server(name), body).await.map(drop)
}

/// A person's last servers, the latest first.
pub(crate) async fn history(name: &UserName) -> Result<Vec<PastServer>, Failure> {
    let url = format!("{}/history", routes().api_user(name));
    parse(&first("history", url).await?)
}

/// What support needs to know of a person's server.
pub(crate) async fn support(name: &UserName) -> Result<String, Failure> {
    let url = format!("{}/support", routes().api_server(name));
    good(fetch(Method::GET, &url, None).await)
}

/// Cancels another job of a person's.
pub(crate) async fn cancel_job(name: &UserName, id: u64) -> Result<(), Failure> {
    let url = format!("{}/jobs/{id}", routes().api_user(name));
    send(Method::DELETE, url, None).await.map(drop)
}

/// Stops a person's server, or cancels its start.
pub(crate) async fn stop(name: &UserName) -> Result<(), Failure> {
    send(Method::DELETE, routes().api_server(name), None).await.map(drop)
}

/// Keeps the start of a person's server from being given up.
pub(crate) async fn keep_waiting(name: &UserName) -> Result<(), Failure> {
    send(Method::POST, routes().api_keep_waiting(name), body([]))
        .await
        .map(drop)
}

/// Whether another server like it is started when the time of a person's is over.
pub(crate) async fn set_next(name: &UserName, wanted: bool) -> Result<(), Failure> {
    let method = if wanted { Method::PUT } else { Method::DELETE };
    send(method, routes().api_next(name), None).await.map(drop)
}

/// Follows a start.
pub(crate) fn progress(name: &UserName, on_event: impl Fn(ProgressEvent) + 'static) -> Option<Events> {
    Events::follow(&routes().api_progress(name), move |text| {
        if let Some(event) = Json::from_text(text).and_then(|json| json.parse()) {
            on_event(event);
        }
    })
}

fn texts(options: &RawOptions) -> impl Iterator<Item = (&str, &str)> {
    options.0.iter().filter_map(|(name, value)| match value {
        RawValue::Text(text) => Some((name.as_str(), text.as_str())),
        RawValue::Number(_) | RawValue::List(_) | RawValue::Null | RawValue::Other => None,
    })
}

/// What the document has brought along, for the first who asks; the server's answer for everybody else.
async fn first(name: &str, url: String) -> Result<Json, Failure> {
    let (text, _held) = takeover::answer(name).await;
    match text {
        Some(text) => Json::from_text(&text).ok_or(Failure::NotUnderstood),
        None => send(Method::GET, url, None).await,
    }
}

/// The answer's JSON; nothing where it has no body.
async fn send(method: Method, url: String, body: Option<String>) -> Result<Json, Failure> {
    let text = good(fetch(method, &url, body).await)?;
    Json::from_text(&text).ok_or(Failure::NotUnderstood)
}

/// The text of an answer that is good; else why there is none.
fn good(answer: Option<(bool, String)>) -> Result<String, Failure> {
    let (is_good, text) = answer.ok_or(Failure::NoServer)?;
    if is_good {
        return Ok(text);
    }
    let error = Json::from_text(&text).and_then(|json| json.parse::<ErrorView>());
    Err(error.map_or(Failure::NotUnderstood, |error| Failure::Api(Box::new(error))))
}

fn parse<T: Read>(json: &Json) -> Result<T, Failure> {
    json.parse().ok_or(Failure::NotUnderstood)
}
