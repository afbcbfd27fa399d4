//! The tokens with which Slipway speaks to Slurm, each for one name and a few minutes.
//!
//! [`signer`] alone holds Slurm's key: it signs for allowed names only, and writes down each signature. It is
//! part of this process, or, behind a socket, of one that only signs ([`process`], reached by [`remote`]).

mod key;
mod order;
mod process;
mod remote;
mod signer;

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, PoisonError};

use secrecy::SecretString;
use shared::names::UserName;
use tokio::sync::Notify;

pub(super) use order::Purpose;
pub use process::{answer_line, sign_for_others};
pub use remote::decode_reply;
pub(crate) use signer::audit_owner;
pub use signer::{AUDIT, Limits, Signer};

use self::order::{Order, Token, Whom};
use self::remote::Remote;
use super::SlurmError;
use crate::cause::Cause;
use crate::clock::Clock;

/// Where tokens come from.
pub struct Tokens {
    source: Source,
    /// The service user's last token and when it was signed: good for many questions, it is one signature.
    service: Mutex<Option<(i64, Token)>>,
    /// Since when nobody signs; 0 while somebody does. An outage apart from Slurm's: with the service user's last
    /// token Slurm may answer still, but nothing can be done for anybody.
    away_since: AtomicI64,
    /// Wakes whoever finds out when that is over.
    pub(super) went_away: Notify,
    clock: Clock,
}

enum Source {
    Here(Box<Signer>),
    Remote(Remote),
}

impl Tokens {
    /// Signed here.
    pub fn signed_here(signer: Signer, clock: Clock) -> Self {
        Self::of(Source::Here(Box::new(signer)), clock)
    }

    /// Signed by the process that listens on this socket; it need not be there yet.
    pub fn signed_by(socket: &Path, clock: Clock) -> Self {
        Self::of(Source::Remote(Remote::new(socket)), clock)
    }

    fn of(source: Source, clock: Clock) -> Self {
        Self {
            source,
            service: Mutex::default(),
            away_since: AtomicI64::new(0),
            went_away: Notify::new(),
            clock,
        }
    }

    /// Whether they are signed in another process.
    pub(super) fn are_signed_elsewhere(&self) -> bool {
        matches!(self.source, Source::Remote(_))
    }

    /// A token for one request of this person's.
    pub(super) async fn person(&self, user: &UserName, purpose: Purpose) -> Result<SecretString, SlurmError> {
        let user = user.clone();
        Ok(self.order(Whom::Person { user, purpose }).await?.text)
    }

    /// A token for the service user's questions: the last one, for the first half of its life. And whether it is new.
    pub(super) async fn service(&self) -> Result<(SecretString, bool), SlurmError> {
        let now = self.clock.now();
        if let Some((signed_at, token)) = &*self.service.lock().unwrap_or_else(PoisonError::into_inner)
            && (*signed_at..signed_at.midpoint(token.until)).contains(&now)
        {
            return Ok((token.text.clone(), false));
        }
        let token = self.order(Whom::Service).await?;
        let text = token.text.clone();
        *self.service.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, token));
        Ok((text, true))
    }

    /// The service user's next token is signed anew.
    pub(super) fn forget(&self) {
        *self.service.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// Since when nobody signs; nothing while somebody does.
    pub(super) fn away_since(&self) -> Option<i64> {
        Some(self.away_since.load(Ordering::Relaxed)).filter(|since| *since > 0)
    }

    /// While the signer is away nobody waits for it but the poller, which finds out when it is back.
    pub(super) fn refuse(&self) -> Result<(), SlurmError> {
        match self.away_since() {
            None => Ok(()),
            Some(since) => Err(SlurmError::SignerAway(format!(
                "no answer for {} s",
                self.clock.now() - since
            ))),
        }
    }

    /// Finds out whether a signer that was away is back.
    pub(super) async fn look_for_signer(&self) -> Result<(), SlurmError> {
        if self.away_since().is_some() {
            self.forget();
            self.service().await?;
        }
        Ok(())
    }

    async fn order(&self, whom: Whom) -> Result<Token, SlurmError> {
        let cause = Cause::current();
        let order = Order { whom, cause };
        let result = match &self.source {
            Source::Here(signer) => signer.sign(&order).map_err(SlurmError::NotSigned),
            Source::Remote(remote) => remote.sign(&order).await,
        };
        self.note(&result);
        result
    }

    /// Keeps the record of whether somebody signs.
    fn note(&self, result: &Result<Token, SlurmError>) {
        let (since, now) = (&self.away_since, self.clock.now());
        if let Err(SlurmError::SignerAway(cause)) = result {
            let is_news = since
                .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok();
            if is_news {
                tracing::warn!(cause, "the signer of Slurm's tokens does not answer");
                self.went_away.notify_one();
            }
            return;
        }
        let since = since.swap(0, Ordering::Relaxed);
        if since > 0 {
            tracing::info!(silent_s = now - since, "the signer of Slurm's tokens answers again");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use secrecy::ExposeSecret;

    use super::*;

    #[tokio::test]
    async fn the_service_user_has_one_token_for_half_its_life_and_people_one_for_each_request() {
        let folder = tempfile::tempdir().unwrap();
        let secret = crate::keys::Secret::read_or_create(&folder.path().join("key")).unwrap();
        let (clock, ada) = (Clock::fixed(1_000), UserName::new("ada").unwrap());
        let limits = Limits {
            lifetime_seconds: 120,
            blocked: BTreeSet::new(),
            service_user: UserName::new("slipway").unwrap(),
            numeric_names: false,
        };
        let tokens = Tokens::signed_here(
            Signer::new(&secret, None, limits, clock.clone()).unwrap(),
            clock.clone(),
        );
        let service = async || tokens.service().await.unwrap().0.expose_secret().to_owned();
        let person = async || {
            let token = tokens.person(&ada, Purpose::ReadJob).await.unwrap();
            token.expose_secret().to_owned()
        };
        let (first, first_of_ada) = (service().await, person().await);
        clock.advance(Duration::from_secs(59));
        assert_eq!(service().await, first);
        assert_ne!(person().await, first_of_ada);
        clock.advance(Duration::from_secs(1));
        let second = service().await;
        assert_ne!(second, first);
        clock.advance(Duration::from_secs(1));
        tokens.forget();
        assert_ne!(service().await, second, "Slurm refused that one");
    }
}
