//! Slurm's key, and the only code that signs with it.

use std::collections::BTreeSet;

use jsonwebtoken::{EncodingKey, Header};
use secrecy::SecretString;
use serde::Serialize;
use shared::names::UserName;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::key;
use super::order::{Order, Token, Whom};
use crate::cause::Cause;
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::Secret;

/// The log's target with one line for each signature and each refusal. No filter hides it.
pub const AUDIT: &str = "slipway::signatures";

/// For whom, and for how long.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a token lives.
    pub lifetime_seconds: u32,
    /// For these names nothing is ever signed.
    pub blocked: BTreeSet<UserName>,
    /// For this name nothing is signed as if it were a person's.
    pub service_user: UserName,
    /// Whether people may have names that Slurm could read as a uid ([`UserName::is_numeric`]). Never the service
    /// user, whose requests name no job that could be compared.
    pub numeric_names: bool,
}

impl Limits {
    /// Those of a configuration.
    pub fn of(config: &Config) -> Self {
        Self {
            lifetime_seconds: config.slurm.token_seconds,
            blocked: config.sign_in.blocked.clone(),
            service_user: config.slurm.service_user.clone(),
            numeric_names: config.identity.numeric_names,
        }
    }

    /// Why nothing is signed for this.
    fn refusal(&self, whom: &Whom) -> Option<String> {
        let user = match whom {
            Whom::Service => &self.service_user,
            Whom::Person { user, .. } if *user == self.service_user => {
                return Some(format!("{user} is the service user, and nobody's to act as"));
            }
            Whom::Person { user, .. } => user,
        };
        let numeric_allowed = self.numeric_names && matches!(whom, Whom::Person { .. });
        if user.is_numeric() && !numeric_allowed {
            return Some(format!(
                "{user} reads as a number, which Slurm could take for the uid of another user (identity.numeric_names)"
            ));
        }
        self.blocked.contains(user).then(|| format!("{user} is a blocked name"))
    }
}

/// Signs tokens for Slurm (`rest_auth/jwt`), within limits, and writes down each.
pub struct Signer {
    key: EncodingKey,
    header: Header,
    limits: Limits,
    clock: Clock,
}

/// Slurm's claims: `sun` is the user that Slurm will act for.
#[derive(Serialize)]
struct Claims<'a> {
    sun: &'a str,
    iat: i64,
    exp: i64,
}

impl Signer {
    /// With an RSA key in PEM (RS256, where Slurm has `jwks=`), or Slurm's own secret (HS256).
    /// Says what is wrong with the key, for the person who configured it.
    pub fn new(secret: &Secret, key_id: Option<String>, limits: Limits, clock: Clock) -> Result<Self, String> {
        let (key, algorithm) = key::read(secret, key_id.as_deref())?;
        let header = Header {
            kid: key_id,
            ..Header::new(algorithm)
        };
        Ok(Self {
            key,
            header,
            limits,
            clock,
        })
    }

    /// Signs, or says why not.
    pub(super) fn sign(&self, order: &Order) -> Result<Token, String> {
        let (user, purpose, by) = match &order.whom {
            Whom::Service => (&self.limits.service_user, "questions", "service"),
            Whom::Person { user, purpose } => (user, purpose.words(), "person"),
        };
        let refused = |why: String| {
            tracing::warn!(
                target: AUDIT, sun = %user, purpose, by, request.id = %order.cause, why,
                "refused to sign a token for Slurm"
            );
            why
        };
        if let Some(why) = self.limits.refusal(&order.whom) {
            return Err(refused(why));
        }
        let now = self.clock.now();
        let claims = Claims {
            sun: user.as_str(),
            iat: now,
            exp: now + i64::from(self.limits.lifetime_seconds),
        };
        let text = jsonwebtoken::encode(&self.header, &claims, &self.key)
            .map_err(|e| refused(format!("the key does not sign: {e}")))?;
        tracing::info!(
            target: AUDIT, sun = %user, purpose, by, until = time_of_day(claims.exp), request.id = %order.cause,
            "signed a token for Slurm"
        );
        Ok(Token {
            text: SecretString::from(text),
            until: claims.exp,
        })
    }
}

/// Writes down that a job is not whose it was submitted for: what was signed for one was taken for another.
pub(crate) fn audit_owner(user: &UserName, job_id: u64, why: &str) {
    tracing::warn!(
        target: AUDIT, sun = %user, job.id = job_id, request.id = %Cause::current(), why,
        "a job is not its person's, and is cancelled"
    );
}

fn time_of_day(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    time.and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_else(|| seconds.to_string())
}
