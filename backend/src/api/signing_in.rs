//! Signing in, however it is asked for: by the page or by a form without scripts.

use std::cell::Cell;
use std::net::IpAddr;

use axum::response::AppendHeaders;
use axum_extra::extract::cookie::Cookie;
use http::header;
use secrecy::SecretString;
use shared::names::UserName;
use shared::sign_in::{AnswerRequest, ChallengeKind, ChallengeView, LoginRequest};

use super::Visitor;
use crate::app::App;
use crate::auth::{
    Attempt, Audience, Challenge, Denied, Flow, Pending, SESSION_AUDIT, Session, SignInDetails, Turn, user_agent,
};
use crate::error::Error;
use crate::log::Sent;

pub(super) type SetCookies = AppendHeaders<Vec<(header::HeaderName, String)>>;

/// What came of a step.
pub(super) enum Outcome {
    /// Signed in, with the cookies that say so.
    SignedIn(Session, SetCookies),
    /// Something more is asked.
    Asks(ChallengeView),
}

/// The first step.
pub(super) async fn begin(app: &App, login: LoginRequest, visitor: &Visitor) -> Result<Outcome, Error> {
    // What is no name at all is answered like an unknown one.
    let typed = app.config.sign_in.name(&login.username).ok();
    let mut step = Step::new(app, visitor, typed.as_ref());
    if typed
        .as_ref()
        .is_some_and(|user| app.config.is_refused_as_numeric(user))
    {
        // The form of the name says so: nothing is given away about accounts.
        return Err(step.refused(Error::NumericName));
    }
    let attempt = step.attempt()?;
    let user = typed.as_ref().filter(|user| app.config.may_sign_in(user));
    // Read before the password is checked: one that is changed meanwhile ends the session that it began.
    step.credential = typed.as_ref().and_then(|user| app.conversations.credential(user));
    let turn = app.conversations.begin(user, login.password, visitor.address).await;
    step.conclude(vec![attempt], turn)
}

/// Each further step.
pub(super) async fn go_on(app: &App, request: AnswerRequest, visitor: &Visitor) -> Result<Outcome, Error> {
    let flow = app.conversations.flow(&request.state).ok_or(Error::SignInOver)?;
    let mut step = Step::new(app, visitor, Some(&flow.user));
    step.credential = app.conversations.credential(&flow.user);
    // The attempt that began it covers waiting and the first answer (`auth::Throttle`).
    let is_known = app.pending_sign_ins.contains(&flow.id);
    let is_covered = is_known && flow.is_held && (request.answer.is_none() || flow.answers == 0);
    let mut attempts = Vec::new();
    if !is_covered {
        attempts.push(step.attempt()?);
    }
    let answer = request.answer.map(SecretString::from);
    let turn = app.conversations.go_on(&request.state, answer, visitor.address).await;
    let turn = turn.ok_or_else(|| step.refused(Error::SignInOver))?;
    if matches!(turn, Turn::Over(_)) {
        if let Some(pending) = app.pending_sign_ins.remove(&flow.id) {
            attempts.extend(pending.attempts);
        }
        if !is_known {
            end_elsewhere(app, &flow).await;
        }
    }
    step.conclude(attempts, turn)
}

/// Cancels a sign-in at its user's request. Its attempts stay counted.
pub(super) fn give_up(app: &App, state: &str) {
    let flow = app.conversations.cancel(state);
    if let Some(pending) = flow.and_then(|flow| app.pending_sign_ins.remove(&flow.id)) {
        pending.log_unanswered("cancelled");
    }
}

/// Tells the replica at which a sign-in began that it is over.
async fn end_elsewhere(app: &App, flow: &Flow) {
    if let Err(error) = app.store.end_flow(&flow.id, flow.ends_at).await {
        tracing::debug!(%error, "another replica may log that this sign-in was not answered");
    }
}

/// One request of a sign-in. Dropped before its answer is known (the client hung up), it is logged.
struct Step<'a> {
    app: &'a App,
    address: IpAddr,
    visitor: &'a Visitor,
    user: Option<&'a UserName>,
    /// See [`crate::auth::Authenticator::credential`].
    credential: Option<SecretString>,
    is_answered: Cell<bool>,
}

impl<'a> Step<'a> {
    fn new(app: &'a App, visitor: &'a Visitor, user: Option<&'a UserName>) -> Self {
        Self {
            app,
            address: visitor.address,
            visitor,
            user,
            credential: None,
            is_answered: Cell::new(false),
        }
    }

    fn attempt(&self) -> Result<Attempt, Error> {
        let attempt = self.app.throttle.attempt(self.address, self.user);
        attempt.map_err(|wait| self.refused(Error::Throttled(wait.seconds)))
    }

    fn conclude(mut self, attempts: Vec<Attempt>, turn: Turn) -> Result<Outcome, Error> {
        self.is_answered.set(true);
        let throttle = &self.app.throttle;
        let known_as = match turn {
            Turn::Asks(challenge) => return Ok(Outcome::Asks(self.keep(attempts, challenge))),
            // The provider may know the user by another name than was typed.
            Turn::Over(Ok(known_as)) if self.app.config.may_sign_in(&known_as) => known_as,
            Turn::Over(Ok(_)) => return Err(self.refused(Error::WrongPassword(String::new()))),
            Turn::Over(Err(denied)) => {
                if !matches!(denied, Denied::Wrong { .. } | Denied::Cancelled) {
                    throttle.give_back(attempts);
                }
                return Err(self.refused(denied.into()));
            }
        };
        throttle.succeeded(attempts);
        self.sign_in(&known_as)
    }

    /// Keeps a sign-in that asks for a second factor, or that takes longer than a request waits; its attempts stay counted.
    fn keep(&self, attempts: Vec<Attempt>, challenge: Challenge) -> ChallengeView {
        let Challenge { view, flow } = challenge;
        let (user, address) = (self.user.unwrap_or(&flow.user), self.address);
        let asked = view.kind != ChallengeKind::Wait || !view.message.is_empty();
        let pending = Pending {
            user: user.clone(),
            address,
            attempts,
            asked,
        };
        let is_first = self.app.pending_sign_ins.add(&flow, pending, &self.app.throttle);
        if is_first {
            tracing::info!(%user, %address, kind = ?view.kind, "second factor asked for");
        }
        view
    }

    fn sign_in(&mut self, user: &UserName) -> Result<Outcome, Error> {
        let sessions = &self.app.sessions;
        let before = sessions.authenticate(Audience::Hub, &self.visitor.headers);
        let before = before.filter(|before| before.user == *user);
        let details = SignInDetails {
            address: Some(self.address),
            user_agent: user_agent(&self.visitor.headers),
            credential: self.credential.take(),
        };
        let session = sessions.start(user, before, &details).map_err(Error::Internal)?;
        let cookies = sessions.cookies(&session).map_err(Error::Internal)?;
        tracing::info!(
            target: SESSION_AUDIT, %user, address = %self.address, session = session.short_id(), "signed in"
        );
        Ok(Outcome::SignedIn(session, set(&cookies)))
    }

    /// Logs why a sign-in was refused, and returns the error.
    fn refused(&self, error: Error) -> Error {
        self.is_answered.set(true);
        let text = error.to_string();
        self.log("a sign-in was refused", error.private_cause().unwrap_or(&text));
        error
    }

    fn log(&self, event: &str, reason: &str) {
        let user = self.user.map(tracing::field::display);
        let (address, reason) = (self.address, Sent(reason));
        tracing::info!(user, %address, %reason, "{event}");
    }
}

impl Drop for Step<'_> {
    fn drop(&mut self) {
        if !self.is_answered.get() {
            self.log("a sign-in was abandoned", "the client hung up before the answer");
        }
    }
}

pub(super) fn set(cookies: &[Cookie<'static>]) -> SetCookies {
    let line = |cookie: &Cookie<'static>| (header::SET_COOKIE, cookie.to_string());
    AppendHeaders(cookies.iter().map(line).collect())
}
