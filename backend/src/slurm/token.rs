//! The tokens with which Slipway speaks to Slurm, each for one name and a few minutes.
//!
//! This module alone holds Slurm's key. Nothing else can sign, and it signs for no blocked name.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use secrecy::SecretString;
use serde::Serialize;
use shared::names::UserName;

use super::SlurmError;
use crate::clock::Clock;
use crate::keys::Secret;

/// Signs tokens for Slurm (`rest_auth/jwt`).
pub struct Signer {
    key: EncodingKey,
    header: Header,
    lifetime_seconds: i64,
    blocked: Vec<String>,
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
    pub fn new(
        secret: &Secret,
        key_id: Option<String>,
        lifetime_seconds: u32,
        blocked: Vec<String>,
        clock: Clock,
    ) -> Result<Self, String> {
        let bytes = secret.expose();
        let (key, algorithm) = if bytes.starts_with(b"-----BEGIN") {
            let key = EncodingKey::from_rsa_pem(bytes)
                .map_err(|e| format!("{}: not an RSA key: {e}", secret.path.display()))?;
            if key_id.is_none() {
                return Err(
                    "slurm.key_id is missing: with a key pair it has to be the `kid` in Slurm's jwks.json".into(),
                );
            }
            (key, Algorithm::RS256)
        } else {
            (EncodingKey::from_secret(bytes), Algorithm::HS256)
        };
        let header = Header {
            kid: key_id,
            ..Header::new(algorithm)
        };
        Ok(Self {
            key,
            header,
            lifetime_seconds: lifetime_seconds.into(),
            blocked,
            clock,
        })
    }

    pub(super) fn sign(&self, user: &UserName) -> Result<SecretString, SlurmError> {
        if self.blocked.iter().any(|blocked| blocked == user.as_str()) {
            return Err(SlurmError::TokenRefused(format!("{user} is a blocked name")));
        }
        let now = self.clock.now();
        let claims = Claims {
            sun: user.as_str(),
            iat: now,
            exp: now + self.lifetime_seconds,
        };
        tracing::debug!(target: "slipway::signatures", user = %user, exp = claims.exp, "signed a token for Slurm");
        jsonwebtoken::encode(&self.header, &claims, &self.key)
            .map(SecretString::from)
            .map_err(|e| SlurmError::TokenRefused(format!("could not sign: {e}")))
    }
}
