//! Where people's servers have a host name of their own, the sign-in is handed over to it: by a code that is good
//! once, in the browser that asked for it, for the server of that person alone.
//!
//! 1. The servers' host sends a navigation without a sign-in to the hub, and keeps a secret in a cookie.
//! 2. The hub, where the person is signed in, sends it back with a code that is bound to that secret.
//! 3. The servers' host takes the code and sets the cookie of that person's server.

use axum::extract::{Query, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use percent_encoding::utf8_percent_encode;
use serde::{Deserialize, Serialize};
use shared::names::UserName;

use crate::app::{App, AppState};
use crate::auth::{Audience, Session, cookies};
use crate::edge::NEXT;
use crate::error::Error;
use crate::keys;

/// The page of the third step, below a person's own path.
pub const LAST_STEP: &str = "slipway-hand-off";
/// How long a code is good, in seconds: a redirect takes less.
const CODE_LIFE: i64 = 30;
/// How long a browser may take for all of it, logging in included.
const SECRET_LIFE: time::Duration = time::Duration::minutes(10);
/// The beginning of its cookie's name: each tab has one of its own, as several are opened at once in the morning.
const COOKIE: &str = "slipway-hand-off";

/// What a code stands for.
#[derive(Serialize, Deserialize)]
struct HandOff {
    user: UserName,
    #[serde(rename = "sign_in")]
    session: String,
    #[serde(default)]
    authenticated_at: i64,
    ends_at: i64,
    /// The hash of the browser's secret.
    state: String,
}

/// Query of the second step.
#[derive(Deserialize)]
pub struct Asked {
    next: String,
    state: String,
}

/// Query of the third step.
#[derive(Debug, Deserialize)]
pub struct Given {
    /// Where it leads.
    pub next: String,
    /// The code.
    pub code: String,
}

impl Given {
    /// From the query of a request.
    pub fn parse(query: &str) -> Option<Self> {
        let uri = http::Uri::builder().path_and_query(format!("/?{query}")).build().ok()?;
        let Query(given) = Query::try_from_uri(&uri).ok()?;
        Some(given)
    }
}

/// Whether a request carries the secret of the browser that began a hand-off, in one cookie of its name and no more;
/// `state` is the secret's hash.
pub fn holds_secret(headers: &HeaderMap, state: &str) -> bool {
    let name = cookie_of(state);
    let mut secrets = cookies(headers).filter(|(cookie, _)| *cookie == name.as_bytes());
    let (Some((_, secret)), None) = (secrets.next(), secrets.next()) else {
        return false;
    };
    hash(secret) == state
}

/// Whether a cookie of this name is the secret of a hand-off: the proxy takes it out of what it passes on.
pub fn owns(cookie: &[u8]) -> bool {
    cookie.starts_with(COOKIE.as_bytes())
}

/// The cookie of one hand-off.
fn cookie_of(state: &str) -> String {
    format!("{COOKIE}-{}", state.get(..8).unwrap_or_default())
}

/// The first step: from a path of a person's server, whoever it is, to the hub and back.
pub fn begin(app: &App, next: &str) -> Response {
    let (Some(owner), Ok(secret)) = (owner(app, next), random()) else {
        return Error::NotFound.into_response();
    };
    let state = hash(&secret);
    let target = format!("{}?next={}&state={state}", app.hub_url("hand-off"), encoded(next));
    let cookie = secret_cookie(app, &owner, &state, secret, SECRET_LIFE);
    let cookies = AppendHeaders([(header::SET_COOKIE, cookie.to_string())]);
    (cookies, Redirect::to(&target)).into_response()
}

/// The second step: `GET /hub/hand-off`. Nothing happens at the servers' host without the secret of the browser that
/// began, so a link of another site leads nowhere.
pub async fn give(
    State(app): State<AppState>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Result<Response, Error> {
    let server = &app.config.server;
    let next = app.routes.own_path(&asked.next).filter(|_| server.is_split());
    let next = next.ok_or(Error::NotFound)?;
    let owner = owner(&app, next).ok_or(Error::NotFound)?;
    let session = app.sessions.authenticate(Audience::Hub, &headers);
    let session = session.ok_or(Error::NotSignedIn)?;
    if session.user != owner {
        // The page says whose it is.
        return Ok(Redirect::to(&page_of(&app, next)).into_response());
    }
    app.limits.count_change(&session.user)?;
    let code = random()?;
    let hand_off = HandOff {
        user: session.user,
        session: session.id,
        authenticated_at: session.authenticated_at,
        ends_at: session.ends_at,
        state: asked.state,
    };
    let now = app.clock.now();
    app.store
        .put_hand_off(&hash(&code), &hand_off, now + CODE_LIFE, now)
        .await
        .map_err(|e| Error::Internal(e.to_string()))?;
    let last = app.routes.server(&owner, LAST_STEP);
    let target = format!("{}{last}?next={}&code={code}", server.user_origin(), encoded(next));
    Ok(Redirect::to(&target).into_response())
}

/// The third step, below the person's own path on the servers' host.
pub async fn take(app: &App, owner: &str, query: Option<&str>, headers: &HeaderMap) -> Result<Response, Error> {
    let given = query.and_then(Given::parse).filter(|_| app.config.server.is_split());
    let given = given.ok_or(Error::NotFound)?;
    let next = app.routes.own_path(&given.next).ok_or(Error::NotFound)?;
    let taken: Option<HandOff> = app
        .store
        .take_hand_off(&hash(&given.code), app.clock.now())
        .await
        .map_err(|e| Error::Internal(e.to_string()))?;
    let is_theirs = |hand_off: &HandOff| holds_secret(headers, &hand_off.state) && hand_off.user.as_str() == owner;
    // Another browser's code, or one that was used: the page offers to begin anew.
    let Some(hand_off) = taken.filter(is_theirs) else {
        return Ok(Redirect::to(&page_of(app, next)).into_response());
    };
    let forget = secret_cookie(
        app,
        &hand_off.user,
        &hand_off.state,
        String::new(),
        time::Duration::ZERO,
    );
    let session = Session {
        user: hand_off.user,
        id: hand_off.session,
        authenticated_at: hand_off.authenticated_at,
        ends_at: hand_off.ends_at,
        idle_at: hand_off.ends_at,
    };
    let cookie = app.sessions.accept_hand_off(session).map_err(|_| Error::NotSignedIn)?;
    let cookies = AppendHeaders([cookie, forget].map(|cookie| (header::SET_COOKIE, cookie.to_string())));
    Ok((cookies, Redirect::to(next)).into_response())
}

/// The page of the hub that says what is the matter with a path of a person's server.
pub fn page_of(app: &App, path: &str) -> String {
    app.hub_url(path.strip_prefix(app.routes.base()).unwrap_or_default())
}

/// Whose server a path leads to.
fn owner(app: &App, path: &str) -> Option<UserName> {
    let rest = path.strip_prefix(app.routes.base())?.strip_prefix("user/")?;
    UserName::new(rest.split(['/', '?']).next()?).ok()
}

fn secret_cookie(app: &App, user: &UserName, state: &str, secret: String, life: time::Duration) -> Cookie<'static> {
    Cookie::build((cookie_of(state), secret))
        .path(app.routes.server(user, ""))
        .http_only(true)
        .secure(app.config.server.is_https())
        .same_site(SameSite::Lax)
        .max_age(life)
        .build()
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NEXT).to_string()
}

fn random() -> Result<String, Error> {
    let bytes: [u8; 32] = keys::random().map_err(|e| Error::Internal(e.to_string()))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// What is kept of a secret or a code.
pub fn hash(secret: impl AsRef<[u8]>) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_ref());
    URL_SAFE_NO_PAD.encode(digest)
}
