//! Whose request this is: `rest_auth/jwt` with an HS256 key, a set of RS256 keys, or both.

use std::path::Path;

use axum::http::HeaderMap;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::clock::now;
use crate::config::ClusterConfig;

/// The keys that tokens are checked with.
pub(crate) struct Keys {
    hs256: Option<DecodingKey>,
    rs256: Option<JwkSet>,
}

/// What the headers of a request say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Caller {
    /// A good token for this user.
    Known(String),
    /// A token that is expired, badly signed, for somebody else, …
    Refused,
    /// No token at all.
    Nobody,
}

#[derive(Deserialize)]
struct Claims {
    sun: Option<String>,
    username: Option<String>,
    exp: u64,
}

impl Keys {
    pub(crate) fn read(config: &ClusterConfig) -> std::io::Result<Self> {
        let read = |path: &Path| {
            std::fs::read(path)
                .map_err(|error| std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        };
        let hs256 = config
            .key
            .as_deref()
            .map(read)
            .transpose()?
            .map(|key| DecodingKey::from_secret(&key));
        let rs256 = config.jwks.as_deref().map(read).transpose()?;
        let rs256 = rs256
            .map(|text| serde_json::from_slice(&text))
            .transpose()
            .map_err(std::io::Error::other)?;
        Ok(Self { hs256, rs256 })
    }

    /// Both headers, or the token alone, or `Authorization: Bearer`.
    pub(crate) fn caller(&self, headers: &HeaderMap) -> Caller {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let bearer = header("authorization").and_then(|value| value.strip_prefix("Bearer "));
        let Some(token) = header("x-slurm-user-token").or(bearer) else {
            return Caller::Nobody;
        };
        match (self.subject(token), header("x-slurm-user-name")) {
            (Some(user), None) => Caller::Known(user),
            (Some(user), Some(name)) if user == name => Caller::Known(user),
            _ => Caller::Refused,
        }
    }

    /// The `sun` of a token that is good now: `exp` is required, `iat` is not looked at, nor are other claims.
    fn subject(&self, token: &str) -> Option<String> {
        let header = decode_header(token).ok()?;
        let key = match header.alg {
            Algorithm::HS256 => self.hs256.clone()?,
            Algorithm::RS256 => DecodingKey::from_jwk(self.rs256.as_ref()?.find(&header.kid?)?).ok()?,
            _ => return None,
        };
        let mut validation = Validation::new(header.alg);
        validation.validate_exp = false; // By our own clock, which may be ahead.
        validation.validate_aud = false;
        let claims: Claims = decode(token, &key, &validation).ok()?.claims;
        claims.sun.or(claims.username).filter(|_| claims.exp >= now())
    }
}
