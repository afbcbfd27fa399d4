//! Signing in, however it is asked for: by the page or by a form without scripts.

use std::net::IpAddr;

use axum::response::AppendHeaders;
use axum_extra::extract::cookie::Cookie;
use http::{HeaderMap, header};
use secrecy::SecretString;
use shared::names::UserName;
use shared::sign_in::{AnswerRequest, ChallengeView, LoginRequest};

use crate::app::{App, AppState};
use crate::auth::{Audience, Denied, SignIn, Turn};
use crate::edge::is_same_site;
use crate::error::Error;

pub(super) type SetCookies = AppendHeaders<Vec<(header::HeaderName, String)>>;

/// What came of a step.
pub(super) enum Outcome {
    /// Signed in, with the cookies that say so.
    SignedIn(SignIn, SetCookies),
    /// Something more is asked.
    Asks(ChallengeView),
}

/// A form of another site must not sign anybody in as somebody else. Programs send neither header.
pub(super) fn refuse_other_sites(app: &AppState, headers: &HeaderMap) -> Result<(), Error> {
    let from_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if from_browser && !is_same_site(app, headers, Audience::Hub) {
        Err(Error::CrossSite)
    } else {
        Ok(())
    }
}

/// The first step.
pub(super) async fn begin(
    app: &App,
    login: LoginRequest,
    address: IpAddr,
    headers: &HeaderMap,
) -> Result<Outcome, Error> {
    // What is no name at all is answered like an unknown one.
    let user = app.config.sign_in.name(&login.username);
    let user = user.map_err(|_| Error::WrongPassword(String::new()))?;
    if let Some(seconds) = app.throttle.wait_seconds(&user, address) {
        return Err(Error::Throttled(seconds));
    }
    if login.password.is_empty() || is_blocked(app, &user) {
        app.throttle.failed(&user, address);
        return Err(Error::WrongPassword(String::new()));
    }
    let turn = app
        .conversations
        .begin(user.clone(), SecretString::from(login.password));
    conclude(app, &user, turn.await, address, headers)
}

/// Each further step.
pub(super) async fn go_on(
    app: &App,
    request: AnswerRequest,
    address: IpAddr,
    headers: &HeaderMap,
) -> Result<Outcome, Error> {
    let user = app.conversations.name(&request.state).ok_or(Error::SignInOver)?;
    if let Some(seconds) = app.throttle.wait_seconds(&user, address) {
        return Err(Error::Throttled(seconds));
    }
    let answer = request.answer.map(SecretString::from);
    let turn = app.conversations.go_on(&request.state, answer).await;
    let (user, turn) = turn.ok_or(Error::SignInOver)?;
    conclude(app, &user, turn, address, headers)
}

fn conclude(app: &App, user: &UserName, turn: Turn, address: IpAddr, headers: &HeaderMap) -> Result<Outcome, Error> {
    let known_as = match turn {
        Turn::Asks(challenge) => return Ok(Outcome::Asks(challenge)),
        Turn::Over(Ok(known_as)) => known_as,
        Turn::Over(Err(denied)) => {
            if matches!(denied, Denied::Wrong { .. }) {
                app.throttle.failed(user, address);
            }
            tracing::info!(%user, reason = %denied, "a sign-in was refused");
            return Err(denied.into());
        }
    };
    app.throttle.succeeded(user);
    // The source of accounts may know somebody by another name than they typed.
    if is_blocked(app, &known_as) {
        tracing::warn!(%user, %known_as, "a sign-in was refused: the name is blocked");
        return Err(Error::WrongPassword(String::new()));
    }
    let before = app.sign_ins.read(Audience::Hub, headers);
    let before = before.filter(|before| before.user == known_as);
    let sign_in = app.sign_ins.start(&known_as, before).map_err(Error::Internal)?;
    let cookies = app.sign_ins.cookies(Audience::Hub, &sign_in).map_err(Error::Internal)?;
    tracing::info!(user = %known_as, "signed in");
    Ok(Outcome::SignedIn(sign_in, set(&cookies)))
}

fn is_blocked(app: &App, user: &UserName) -> bool {
    app.config.sign_in.blocked.iter().any(|name| name == user.as_str())
}

pub(super) fn set(cookies: &[Cookie<'static>]) -> SetCookies {
    let line = |cookie: &Cookie<'static>| (header::SET_COOKIE, cookie.to_string());
    AppendHeaders(cookies.iter().map(line).collect())
}
