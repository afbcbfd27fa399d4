//! Signing in, however it is asked for: by the page or by a form without scripts.

use std::net::IpAddr;

use axum::response::AppendHeaders;
use axum_extra::extract::cookie::Cookie;
use http::header;
use secrecy::SecretString;
use shared::names::UserName;
use shared::sign_in::{AnswerRequest, ChallengeView, LoginRequest};

use super::Visitor;
use crate::app::App;
use crate::auth::{Attempt, Audience, Denied, SignIn, Turn};
use crate::error::Error;
use crate::log::{Kind, Sent};

pub(super) type SetCookies = AppendHeaders<Vec<(header::HeaderName, String)>>;

/// What came of a step.
pub(super) enum Outcome {
    /// Signed in, with the cookies that say so.
    SignedIn(SignIn, SetCookies),
    /// Something more is asked.
    Asks(ChallengeView),
}

/// The first step.
pub(super) async fn begin(app: &App, login: LoginRequest, visitor: &Visitor) -> Result<Outcome, Error> {
    // What is no name at all is answered like an unknown one.
    let typed = app.config.sign_in.name(&login.username).ok();
    if typed
        .as_ref()
        .is_some_and(|user| app.config.is_refused_as_numeric(user))
    {
        // The form of the name says so: nothing is given away about accounts.
        return Err(refused(app, typed.as_ref(), visitor.address, Error::NumericName));
    }
    let attempt = attempt(app, visitor, typed.as_ref())?;
    let user = typed.as_ref().filter(|user| app.config.may_sign_in(user));
    let turn = app.conversations.begin(user, login.password).await;
    conclude(app, typed.as_ref(), attempt, turn, visitor)
}

/// Each further step.
pub(super) async fn go_on(app: &App, request: AnswerRequest, visitor: &Visitor) -> Result<Outcome, Error> {
    let user = app.conversations.name(&request.state).ok_or(Error::SignInOver)?;
    let attempt = attempt(app, visitor, Some(&user))?;
    let answer = request.answer.map(SecretString::from);
    let turn = app.conversations.go_on(&request.state, answer).await;
    let turn = turn.ok_or(Error::SignInOver)?;
    conclude(app, Some(&user), attempt, turn, visitor)
}

fn attempt<'a>(app: &'a App, visitor: &Visitor, user: Option<&UserName>) -> Result<Attempt<'a>, Error> {
    let attempt = app.throttle.attempt(visitor.address, user);
    attempt.map_err(|wait| refused(app, user, visitor.address, Error::Throttled(wait.seconds)))
}

fn conclude(
    app: &App,
    user: Option<&UserName>,
    attempt: Attempt<'_>,
    turn: Turn,
    visitor: &Visitor,
) -> Result<Outcome, Error> {
    let known_as = match turn {
        Turn::Asks(challenge) => {
            attempt.give_back();
            return Ok(Outcome::Asks(challenge));
        }
        // The source of accounts may know somebody by another name than they typed.
        Turn::Over(Ok(known_as)) if app.config.may_sign_in(&known_as) => known_as,
        Turn::Over(Ok(_)) => return Err(refused(app, user, visitor.address, Error::WrongPassword(String::new()))),
        Turn::Over(Err(denied)) => {
            if !matches!(denied, Denied::Wrong { .. }) {
                attempt.give_back();
            }
            return Err(refused(app, user, visitor.address, denied.into()));
        }
    };
    attempt.succeeded();
    let before = app.sign_ins.read(Audience::Hub, &visitor.headers);
    let before = before.filter(|before| before.user == known_as);
    let sign_in = app.sign_ins.start(&known_as, before).map_err(Error::Internal)?;
    let cookies = app.sign_ins.cookies(Audience::Hub, &sign_in).map_err(Error::Internal)?;
    tracing::info!(user = %known_as, address = %visitor.address, "signed in");
    Ok(Outcome::SignedIn(sign_in, set(&cookies)))
}

/// Notes why somebody was not let in, as often as the log has room for.
fn refused(app: &App, user: Option<&UserName>, address: IpAddr, error: Error) -> Error {
    if app.log.allows(Kind::RefusedSignIn, address) {
        let user = user.map(tracing::field::display);
        let text = error.to_string();
        let reason = Sent(error.private_cause().unwrap_or(&text));
        tracing::info!(user, %address, %reason, "a sign-in was refused");
    }
    error
}

pub(super) fn set(cookies: &[Cookie<'static>]) -> SetCookies {
    let line = |cookie: &Cookie<'static>| (header::SET_COOKIE, cookie.to_string());
    AppendHeaders(cookies.iter().map(line).collect())
}
