//! The only file that talks HTTP.

use futures_util::StreamExt;
use gloo_net::eventsource::futures::EventSource;
use gloo_net::http::{Method, RequestBuilder};
use js_sys::{JSON, Object, Reflect};
use shared::api::{ErrorCode, ErrorView, SiteView, UserView};
use shared::names::UserName;
use shared::options::OptionsView;
use shared::raw::{RawOptions, RawValue};
use shared::server::ProgressEvent;
use shared::sign_in::ChallengeView;
use wasm_bindgen::JsValue;

use crate::json::{Json, Read};
use crate::paths::routes;
use crate::task::spawn;

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
    parse(send(Method::GET, routes().api("site"), None).await?)
}

/// Who is signed in.
pub(crate) async fn user() -> Result<UserView, Failure> {
    parse(send(Method::GET, routes().api("user"), None).await?)
}

/// A person with their server, also one that has ended.
pub(crate) async fn user_with_server(name: &UserName) -> Result<UserView, Failure> {
    let url = format!("{}?include_stopped_servers", routes().api_user(name));
    parse(send(Method::GET, url, None).await?)
}

/// What this person may choose now.
pub(crate) async fn options() -> Result<OptionsView, Failure> {
    parse(send(Method::GET, routes().api("options"), None).await?)
}

/// What came of a step of signing in.
pub(crate) enum Turn {
    /// Signed in; the server has set the cookie.
    SignedIn(Box<UserView>),
    /// Something more is asked.
    Asks(ChallengeView),
}

impl Read for Turn {
    fn read(json: &Json) -> Option<Self> {
        match ChallengeView::read(json) {
            Some(challenge) => Some(Self::Asks(challenge)),
            None => UserView::read(json).map(|user| Self::SignedIn(Box::new(user))),
        }
    }
}

/// Signs in.
pub(crate) async fn log_in(username: &str, password: &str) -> Result<Turn, Failure> {
    let body = body([("username", username), ("password", password)]);
    parse(send(Method::POST, routes().api("login"), body).await?)
}

/// Goes on with an answer, or waits for what happens elsewhere.
pub(crate) async fn answer(state: &str, answer: Option<&str>) -> Result<Turn, Failure> {
    let fields = [("state", Some(state)), ("answer", answer)];
    let body = body(fields.into_iter().filter_map(|(name, value)| Some((name, value?))));
    parse(send(Method::POST, routes().api("login/answer"), body).await?)
}

/// Gives up a sign-in that is under way.
pub(crate) async fn cancel(state: &str) -> Result<(), Failure> {
    let body = body([("state", state)]);
    send(Method::POST, routes().api("login/cancel"), body).await.map(drop)
}

/// Signs out, and stops the server too if that is wanted.
pub(crate) async fn log_out(stop_server: bool) -> Result<(), Failure> {
    let body = if stop_server {
        JsValue::from("{\"stop_server\":true}")
    } else {
        JsValue::from("{}")
    };
    send(Method::POST, routes().api("logout"), Some(body)).await.map(drop)
}

/// Starts a person's server.
pub(crate) async fn start(name: &UserName, options: &RawOptions) -> Result<(), Failure> {
    send(Method::POST, routes().api_server(name), body(texts(options)))
        .await
        .map(drop)
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

/// Follows a start. Events come until the answer is dropped or the server ends them.
pub(crate) fn progress(name: &UserName, on_event: impl Fn(ProgressEvent) + 'static) -> Option<EventSource> {
    let mut source = EventSource::new(&routes().api_progress(name)).ok()?;
    let mut events = source.subscribe("message").ok()?;
    spawn(async move {
        while let Some(Ok((_, message))) = events.next().await {
            let text = message.data().as_string().unwrap_or_default();
            if let Some(event) = json(&text).as_ref().and_then(Read::read) {
                on_event(event);
            }
        }
    });
    Some(source)
}

/// A body of texts as JSON; more a page never sends.
fn body<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<JsValue> {
    let object = Object::new();
    for (name, value) in fields {
        Reflect::set(&object, &name.into(), &value.into()).ok()?;
    }
    JSON::stringify(&object).ok().map(JsValue::from)
}

fn texts(options: &RawOptions) -> impl Iterator<Item = (&str, &str)> {
    options.0.iter().filter_map(|(name, value)| match value {
        RawValue::Text(text) => Some((name.as_str(), text.as_str())),
        RawValue::Number(_) | RawValue::Null | RawValue::Other => None,
    })
}

/// The answer's JSON; nothing where it has no body.
async fn send(method: Method, url: String, body: Option<JsValue>) -> Result<Json, Failure> {
    let request = RequestBuilder::new(&url)
        .method(method)
        .header("Accept", "application/json");
    let request = match body {
        Some(body) => request.header("Content-Type", "application/json").body(body),
        None => request.build(),
    };
    let Ok(request) = request else {
        return Err(Failure::NotUnderstood);
    };
    let response = request.send().await.map_err(|_| Failure::NoServer)?;
    let text = response.text().await.map_err(|_| Failure::NoServer)?;
    let json = json(&text).ok_or(Failure::NotUnderstood)?;
    if response.ok() {
        return Ok(json);
    }
    Err(ErrorView::read(&json).map_or(Failure::NotUnderstood, |error| Failure::Api(Box::new(error))))
}

fn json(text: &str) -> Option<Json> {
    if text.is_empty() {
        return Some(Json::Nothing);
    }
    JSON::parse(text).ok().map(|value| Json::from_js(&value))
}

fn parse<T: Read>(json: Json) -> Result<T, Failure> {
    T::read(&json).ok_or(Failure::NotUnderstood)
}
