//! The signed tokens in session cookies: JWT with HS256.

use std::collections::HashMap;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use shared::names::UserName;

use super::{Audience, Session};
use crate::keys::{Secret, key_id};

/// The claims of a token. Never `sun` or `username`: Slurm would accept those as its own.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserName,
    aud: Audience,
    sid: String,
    /// As in OpenID Connect Core, section 2. Releases that did not record sessions did not write it.
    #[serde(default)]
    auth_time: i64,
    /// The end without another request.
    exp: i64,
    /// The end whatever happens.
    end: i64,
}

/// Signs with one key, and accepts the signatures of several.
pub(super) struct TokenKeys {
    signer: EncodingKey,
    key_id: String,
    /// By their names.
    verifiers: HashMap<String, DecodingKey>,
}

impl TokenKeys {
    /// With the keys, the one that signs first.
    pub(super) fn new(keys: &[Secret]) -> Self {
        let signer = keys.first().map_or(&[][..], Secret::expose);
        let verifier = |key: &Secret| (key_id(key.expose()), DecodingKey::from_secret(key.expose()));
        Self {
            signer: EncodingKey::from_secret(signer),
            key_id: key_id(signer),
            verifiers: keys.iter().map(verifier).collect(),
        }
    }

    pub(super) fn sign(&self, audience: Audience, session: &Session) -> Result<String, String> {
        let claims = Claims {
            sub: session.user.clone(),
            aud: audience,
            sid: session.id.clone(),
            auth_time: session.authenticated_at,
            exp: session.idle_at,
            end: session.ends_at,
        };
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        jsonwebtoken::encode(&header, &claims, &self.signer).map_err(|e| e.to_string())
    }

    /// What a token says, if one of the keys has signed it for this part of the site. Its times are not compared here.
    pub(super) fn verify(&self, audience: Audience, token: &[u8]) -> Option<Session> {
        let key_id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let verifier = self.verifiers.get(&key_id)?;
        let mut rules = Validation::new(Algorithm::HS256);
        // The injected clock decides; the audience is a claim of our own type.
        rules.validate_exp = false;
        rules.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token, verifier, &rules).ok()?.claims;
        let session = Session {
            user: claims.sub,
            id: claims.sid,
            authenticated_at: claims.auth_time,
            ends_at: claims.end,
            idle_at: claims.exp,
        };
        (claims.aud == audience).then_some(session)
    }
}
