//! Sessions: web sign-ins, carried by signed tokens in two cookies, one for the hub and one for the user's own server.
//!
//! What runs in a user's server is not trusted by the hub: it sees only requests whose cookies were taken out by the
//! proxy, and even a stolen cookie of `/user/<name>/` opens nothing under `/hub/`: only the cookie that was shown is
//! renewed. Whether a session is idle is judged by its last use with either cookie, which the server knows; so the hub's
//! cookie needs no renewal while its user works in Jupyter.
//!
//! The cookies are valid without the store. The store adds what they cannot carry: ends of sessions, last uses across
//! restarts and replicas, and where a session comes from.

mod credential;
mod recheck;
mod registry;
mod sync;
mod token;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shared::names::UserName;
use tokio::sync::{Notify, watch};

use self::credential::Fingerprints;
pub use self::recheck::recheck_accounts_until_drained;
use self::registry::{Registry, Use};
use self::sync::{Cursors, PendingEnd};
pub use self::sync::{SESSION_AUDIT, sync_until_drained};
use self::token::TokenKeys;
use super::cookies::cookies;
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{self, Secret};
use crate::store::{EndReason, SessionEnds, SessionRow};

/// A cookie is renewed when this many seconds of its idle time are gone.
const RENEW_AFTER: i64 = 60;
/// Sessions of one user; of more, those that were not used for the longest time are ended.
const MAX_PER_USER: usize = 100;
/// Characters of a browser's name that are kept.
const USER_AGENT_LENGTH: usize = 200;

/// For which part of the site a cookie is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// `/hub/`.
    Hub,
    /// `/user/<name>/`.
    User,
}

/// A session as its cookie tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Who signed in.
    pub user: UserName,
    /// What a sign-out revokes.
    pub id: String,
    /// When the user proved who they are, in seconds since 1970; 0 in cookies of releases that did not record it.
    pub authenticated_at: i64,
    /// When the session ends whatever happens, in seconds since 1970.
    pub ends_at: i64,
    /// When it ends without another request, as far as the cookie tells, in seconds since 1970.
    pub idle_at: i64,
}

impl Session {
    /// Enough of the id to find its lines in a log.
    pub fn short_id(&self) -> &str {
        sync::short(&self.id)
    }
}

/// What is recorded of a sign-in besides the user.
#[derive(Clone, Debug, Default)]
pub struct SignInDetails {
    /// Where from.
    pub address: Option<IpAddr>,
    /// The browser, from its `User-Agent` header.
    pub user_agent: Option<String>,
    /// What changes when the user's password does, where the provider tells.
    pub credential: Option<SecretString>,
}

/// The cookie that a connection has shown last, if it was valid: its signature is not verified again.
#[derive(Default)]
pub struct Seen(Mutex<Option<Shown>>);

struct Shown {
    audience: Audience,
    token: Box<[u8]>,
    session: Arc<Session>,
}

/// Starts, authenticates, renews and revokes sessions.
pub struct Sessions {
    tokens: TokenKeys,
    fingerprints: Fingerprints,
    config: Arc<Config>,
    lifetime_seconds: i64,
    idle_seconds: i64,
    registry: Registry,
    /// Changes with each revocation.
    revocations: watch::Sender<()>,
    /// Ends of sessions that the store has not taken yet.
    pending_ends: Mutex<Vec<PendingEnd>>,
    cursors: Mutex<Cursors>,
    /// There is a session that has no row yet.
    wake: Notify,
    base: String,
    secure: bool,
    /// Whether users' servers have a host name of their own, whose cookie only a hand-off sets.
    split: bool,
    clock: Clock,
}

impl Sessions {
    /// With the keys, the one that signs first.
    pub fn new(keys: &[Secret], config: &Arc<Config>, clock: Clock) -> Self {
        Self {
            tokens: TokenKeys::new(keys),
            fingerprints: Fingerprints::new(keys),
            lifetime_seconds: i64::from(config.sign_in.lifetime_hours) * 3600,
            idle_seconds: i64::from(config.sign_in.idle_hours) * 3600,
            registry: Registry::default(),
            revocations: watch::Sender::default(),
            pending_ends: Mutex::default(),
            cursors: Mutex::default(),
            wake: Notify::new(),
            base: config.server.base(),
            secure: config.server.is_https(),
            split: config.server.is_split(),
            config: Arc::clone(config),
            clock,
        }
    }

    /// Starts a session. A user who signs in again goes on with the session there was: signing out then ends both.
    pub fn start(&self, user: &UserName, before: Option<Session>, details: &SignInDetails) -> Result<Session, String> {
        let random: [u8; 16] = keys::random().map_err(|e| e.to_string())?;
        let now = self.clock.now();
        let created_at = before.as_ref().map_or(now, |before| self.created_at(before));
        if before.is_none() {
            self.end_superfluous(user);
        }
        let session = self.active(Session {
            user: user.clone(),
            id: before.map_or_else(|| URL_SAFE_NO_PAD.encode(random), |before| before.id),
            authenticated_at: self.registry.authentication_time(user, now),
            ends_at: now + self.lifetime_seconds,
            idle_at: 0,
        });
        let credential = details.credential.as_ref();
        self.registry.enter(SessionRow {
            created_at,
            address: details.address.map(|address| address.to_string()),
            user_agent: details.user_agent.as_deref().and_then(clean_user_agent),
            credential: credential.and_then(|credential| self.fingerprints.of(user, credential)),
            ..self.row(&session)
        });
        self.wake.notify_one();
        Ok(session)
    }

    /// A row with what a cookie tells.
    fn row(&self, session: &Session) -> SessionRow {
        let provider = if self.config.sign_in.pam_service.is_some() {
            "pam"
        } else {
            "users_file"
        };
        SessionRow {
            id: session.id.clone(),
            user: session.user.clone(),
            provider: provider.into(),
            provider_subject: None,
            provider_sid: None,
            created_at: self.created_at(session),
            authenticated_at: session.authenticated_at,
            last_used_at: self.clock.now(),
            ends_at: session.ends_at,
            address: None,
            user_agent: None,
            credential: None,
        }
    }

    fn created_at(&self, session: &Session) -> i64 {
        let known = self.registry.sessions_of(&session.user);
        match known.iter().find(|row| row.id == session.id) {
            Some(row) => row.created_at,
            None if session.authenticated_at > 0 => session.authenticated_at,
            None => session.ends_at - self.lifetime_seconds,
        }
    }

    /// Makes room for one more session of a user.
    fn end_superfluous(&self, user: &UserName) {
        let mut rows = self.registry.sessions_of(user);
        if rows.len() < MAX_PER_USER {
            return;
        }
        rows.sort_by_key(|row| row.last_used_at);
        let superfluous = rows.len() + 1 - MAX_PER_USER;
        for row in rows.into_iter().take(superfluous) {
            self.end_later(row, EndReason::TooMany);
        }
    }

    fn active(&self, session: Session) -> Session {
        let idle_at = session.ends_at.min(self.clock.now() + self.idle_seconds);
        Session { idle_at, ..session }
    }

    /// The cookie to set anew, if the one that this part of the site was shown has aged. The other part's cookie is never
    /// set here: what shows the server's cookie alone must not get the hub's.
    pub fn renew(&self, audience: Audience, session: &Session) -> Option<Cookie<'static>> {
        let active = self.active(session.clone());
        if active.idle_at - session.idle_at < RENEW_AFTER.min(self.idle_seconds / 2) {
            return None;
        }
        self.cookie_of(audience, &active).ok()
    }

    /// The cookies that the hub sets for a session: both, unless users' servers have a host name of their own.
    pub fn cookies(&self, session: &Session) -> Result<Vec<Cookie<'static>>, String> {
        let session = &self.active(session.clone());
        let audiences = [Audience::Hub, Audience::User].into_iter();
        audiences
            .filter(|audience| !self.split || *audience == Audience::Hub)
            .map(|audience| self.cookie_of(audience, session))
            .collect()
    }

    /// The cookie of a user's server, for a session that was handed over from the hub's host name.
    pub fn accept_hand_off(&self, session: Session) -> Result<Cookie<'static>, String> {
        if self.has_ended(&session) {
            return Err("the session has ended".into());
        }
        self.cookie_of(Audience::User, &self.active(session))
    }

    /// The cookie of one part of the site. The browser keeps it until the session ends; whether the session is idle is
    /// decided here.
    pub fn cookie_of(&self, audience: Audience, session: &Session) -> Result<Cookie<'static>, String> {
        let token = self.tokens.sign(audience, session)?;
        let max_age = session.ends_at - self.clock.now();
        Ok(self.cookie(audience, &session.user, token, max_age))
    }

    /// The session whose cookie a request carries for this part of the site; this is a use of it. Two cookies of one name
    /// are none: another page of this host may have planted one.
    pub fn authenticate(&self, audience: Audience, headers: &HeaderMap) -> Option<Session> {
        let session = self.verify(audience, self.token(audience, headers)?)?;
        self.accept(&session, headers).then_some(session)
    }

    /// The same for one request of many on a connection: a signature that was verified on it is not verified again.
    pub fn authenticate_again(&self, audience: Audience, headers: &HeaderMap, seen: &Seen) -> Option<Arc<Session>> {
        let token = self.token(audience, headers)?;
        let session = {
            let mut seen = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
            // In constant time: behind a proxy, other users may share this connection.
            let same =
                |shown: &&Shown| shown.audience == audience && verify_slices_are_equal(&shown.token, token).is_ok();
            match seen.as_ref().filter(same) {
                Some(shown) => Arc::clone(&shown.session),
                None => {
                    let session = Arc::new(self.verify(audience, token)?);
                    *seen = Some(Shown {
                        audience,
                        token: token.into(),
                        session: Arc::clone(&session),
                    });
                    session
                }
            }
        };
        self.accept(&session, headers).then_some(session)
    }

    fn accept(&self, session: &Session, headers: &HeaderMap) -> bool {
        let now = self.clock.now();
        match self.registry.use_session(session, now, self.idle_seconds) {
            Use::Active => true,
            Use::Ended | Use::Idle => false,
            Use::Unknown if session.idle_at <= now => false,
            Use::Unknown => {
                let is_active = self.registry.adopt(SessionRow {
                    user_agent: user_agent(headers).as_deref().and_then(clean_user_agent),
                    ..self.row(session)
                });
                self.wake.notify_one();
                is_active
            }
        }
    }

    fn token<'a>(&self, audience: Audience, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        let name = self.name(audience).as_bytes();
        let mut tokens = cookies(headers).filter_map(|(found, value)| (found == name).then_some(value));
        let token = tokens.next()?;
        tokens.next().is_none().then_some(token)
    }

    /// What a token says, if one of our keys has signed it for this part of the site, for somebody who may sign in.
    fn verify(&self, audience: Audience, token: &[u8]) -> Option<Session> {
        let session = self.tokens.verify(audience, token)?;
        self.config.may_sign_in(&session.user).then_some(session)
    }

    /// The cookies that make a browser forget a session.
    pub fn removal_cookies(&self, user: &UserName) -> Vec<Cookie<'static>> {
        [Audience::Hub, Audience::User]
            .map(|audience| self.cookie(audience, user, String::new(), 0))
            .into()
    }

    /// Applies ends of sessions that this process or another one has made.
    pub fn apply_revocations(&self, ends: SessionEnds) {
        if self.registry.revoke(ends) {
            self.revocations.send_replace(());
        }
    }

    /// Whether a session has come to its end or was ended; being idle ends nothing that is under way.
    pub fn has_ended(&self, session: &Session) -> bool {
        self.registry.has_ended(session, self.clock.now())
    }

    /// Returns when a session has ended.
    pub async fn wait_until_ended(&self, session: &Session) {
        let mut revocations = self.revocations.subscribe();
        while !self.has_ended(session) {
            let left = u64::try_from(session.ends_at - self.clock.now()).unwrap_or_default();
            tokio::select! {
                _ = revocations.changed() => {}
                () = tokio::time::sleep(std::time::Duration::from_secs(left.min(3_600))) => {}
            }
        }
    }

    /// Whether a cookie of this name is ours: the proxy takes it out of what it passes on.
    pub fn owns(&self, cookie: &[u8]) -> bool {
        [Audience::Hub, Audience::User]
            .iter()
            .any(|audience| cookie == self.name(*audience).as_bytes())
    }

    fn name(&self, audience: Audience) -> &'static str {
        match (audience, self.secure) {
            // Another host of the same domain cannot plant a cookie of this name.
            (Audience::Hub, true) if self.split => "__Host-slipway-hub",
            (Audience::Hub, true) => "__Secure-slipway-hub",
            (Audience::Hub, false) => "slipway-hub",
            (Audience::User, true) => "__Secure-slipway-user",
            (Audience::User, false) => "slipway-user",
        }
    }

    fn cookie(&self, audience: Audience, user: &UserName, value: String, max_age_seconds: i64) -> Cookie<'static> {
        let path = match audience {
            Audience::Hub if self.split && self.secure => "/".to_owned(),
            Audience::Hub => format!("{}hub/", self.base),
            Audience::User => format!("{}user/{user}/", self.base),
        };
        Cookie::build((self.name(audience), value))
            .path(path)
            .http_only(true)
            .secure(self.secure)
            .same_site(SameSite::Lax)
            .max_age(time::Duration::seconds(max_age_seconds))
            .build()
    }
}

/// The `User-Agent` header, as it was sent.
pub fn user_agent(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(header::USER_AGENT)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Shortened, and without anything but plain ASCII: it is shown and logged.
fn clean_user_agent(sent: &str) -> Option<String> {
    let plain = |c: char| if c.is_ascii_graphic() || c == ' ' { c } else { '?' };
    let clean: String = sent.chars().take(USER_AGENT_LENGTH).map(plain).collect();
    (!clean.trim().is_empty()).then(|| clean.trim().to_owned())
}

#[cfg(test)]
mod tests;
