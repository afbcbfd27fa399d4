//! Sign-ins: signed tokens in two cookies, one for the hub and one for the person's own server.
//!
//! What runs in a person's server is not trusted by the hub: it sees only requests whose cookies were
//! taken out by the proxy, and even a stolen cookie of `/user/<name>/` opens nothing under `/hub/`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use shared::names::UserName;
use tokio::sync::watch;

use crate::clock::Clock;
use crate::config;
use crate::keys::{self, Secret, key_id};

/// A cookie is renewed when this many seconds of its idle life are gone.
const RENEW_AFTER: i64 = 60;

/// For which part of the site a cookie is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// `/hub/`.
    Hub,
    /// `/user/<name>/`.
    User,
}

/// A sign-in: who, which one, until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Who.
    pub user: UserName,
    /// Which sign-in: what a sign-out revokes.
    pub id: String,
    /// Until when at the latest, in seconds since 1970.
    pub ends_at: i64,
    /// Until when without another request, in seconds since 1970.
    pub idle_at: i64,
}

/// What a connection has shown last and was good.
#[derive(Default)]
pub struct Seen(Mutex<Option<Shown>>);

struct Shown {
    audience: Audience,
    token: Box<[u8]>,
    /// What the token says.
    sign_in: Arc<SignIn>,
}

/// The claims of a cookie. Never `sun` or `username`: Slurm would take those for its own.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserName,
    aud: Audience,
    sid: String,
    /// The end without another request.
    exp: i64,
    /// The end whatever happens.
    end: i64,
}

/// Makes, reads and revokes sign-ins.
pub struct SignIns {
    signer: EncodingKey,
    /// The name of the key that signs.
    key_id: String,
    /// The keys that are believed, by their names.
    verifiers: HashMap<String, DecodingKey>,
    lifetime_seconds: i64,
    idle_seconds: i64,
    /// Ids that signed out, with the time at which they would have ended anyhow.
    revoked: RwLock<HashMap<String, i64>>,
    /// Changes with each revocation.
    revocations: watch::Sender<()>,
    base: String,
    secure: bool,
    /// Whether people's servers have a host name of their own, whose cookie only a hand-off sets.
    split: bool,
    clock: Clock,
}

impl SignIns {
    /// With the keys, the one that signs first, and the sign-ins that were revoked before.
    pub fn new(keys: &[Secret], config: &config::Config, revoked: HashMap<String, i64>, clock: Clock) -> Self {
        let signer = keys.first().map_or(&[][..], Secret::expose);
        let verifier = |key: &Secret| (key_id(key.expose()), DecodingKey::from_secret(key.expose()));
        Self {
            signer: EncodingKey::from_secret(signer),
            key_id: key_id(signer),
            verifiers: keys.iter().map(verifier).collect(),
            lifetime_seconds: i64::from(config.sign_in.lifetime_hours) * 3600,
            idle_seconds: i64::from(config.sign_in.idle_hours) * 3600,
            revoked: RwLock::new(revoked),
            revocations: watch::Sender::default(),
            base: config.server.base(),
            secure: config.server.is_https(),
            split: config.server.is_split(),
            clock,
        }
    }

    /// A new sign-in. Somebody who signs in again goes on with the sign-in there was: signing out then ends both.
    pub fn start(&self, user: &UserName, before: Option<SignIn>) -> Result<SignIn, String> {
        let id: [u8; 16] = keys::random().map_err(|e| e.to_string())?;
        let id = before.map_or_else(|| URL_SAFE_NO_PAD.encode(id), |before| before.id);
        let ends_at = self.clock.now() + self.lifetime_seconds;
        Ok(self.active(SignIn {
            user: user.clone(),
            id,
            ends_at,
            idle_at: ends_at,
        }))
    }

    fn active(&self, sign_in: SignIn) -> SignIn {
        let idle_at = sign_in.ends_at.min(self.clock.now() + self.idle_seconds);
        SignIn { idle_at, ..sign_in }
    }

    /// The cookies that carry a sign-in on, where the present ones of this part have aged.
    pub fn renewed(&self, audience: Audience, sign_in: &SignIn) -> Vec<Cookie<'static>> {
        let active = self.active(sign_in.clone());
        if active.idle_at - sign_in.idle_at < RENEW_AFTER.min(self.idle_seconds / 2) {
            return Vec::new();
        }
        self.cookies(audience, &active).unwrap_or_default()
    }

    /// The cookies that carry a sign-in to the parts of the site that this part's host can set cookies for.
    pub fn cookies(&self, from: Audience, sign_in: &SignIn) -> Result<Vec<Cookie<'static>>, String> {
        let audiences = [Audience::Hub, Audience::User].into_iter();
        audiences
            .filter(|audience| !self.split || *audience == from)
            .map(|audience| self.signed(audience, sign_in))
            .collect()
    }

    /// The cookie of a person's server, for a sign-in that was handed over from the hub's host name.
    pub fn handed_over(&self, user: UserName, id: String, ends_at: i64) -> Result<Cookie<'static>, String> {
        let idle_at = ends_at;
        let sign_in = SignIn {
            user,
            id,
            ends_at,
            idle_at,
        };
        if self.is_over(&sign_in) {
            return Err("it is over".into());
        }
        self.signed(Audience::User, &self.active(sign_in))
    }

    /// The cookie that carries a sign-in to one part of the site.
    pub fn signed(&self, audience: Audience, sign_in: &SignIn) -> Result<Cookie<'static>, String> {
        let claims = Claims {
            sub: sign_in.user.clone(),
            aud: audience,
            sid: sign_in.id.clone(),
            exp: sign_in.idle_at,
            end: sign_in.ends_at,
        };
        let header = Header {
            kid: Some(self.key_id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let life = sign_in.idle_at - self.clock.now();
        jsonwebtoken::encode(&header, &claims, &self.signer)
            .map(|token| self.cookie(audience, &sign_in.user, token, life))
            .map_err(|e| e.to_string())
    }

    /// The sign-in that a request carries for this part of the site. Two cookies of one name are none:
    /// somebody else's page may have planted one.
    pub fn read(&self, audience: Audience, headers: &HeaderMap) -> Option<SignIn> {
        let sign_in = self.verify(audience, self.token(audience, headers)?)?;
        self.is_good(&sign_in).then_some(sign_in)
    }

    /// The same for one request of many on a connection: a signature that was verified on it is not verified again.
    pub fn read_again(&self, audience: Audience, headers: &HeaderMap, seen: &Seen) -> Option<Arc<SignIn>> {
        let token = self.token(audience, headers)?;
        let mut seen = seen.0.lock().unwrap_or_else(PoisonError::into_inner);
        // In a time that does not tell how much of it is right: behind a proxy others may use this connection too.
        let same = |shown: &&Shown| shown.audience == audience && verify_slices_are_equal(&shown.token, token).is_ok();
        let sign_in = match seen.as_ref().filter(same) {
            Some(shown) => Arc::clone(&shown.sign_in),
            None => {
                let sign_in = Arc::new(self.verify(audience, token)?);
                *seen = Some(Shown {
                    audience,
                    token: token.into(),
                    sign_in: Arc::clone(&sign_in),
                });
                sign_in
            }
        };
        self.is_good(&sign_in).then_some(sign_in)
    }

    fn is_good(&self, sign_in: &SignIn) -> bool {
        sign_in.idle_at > self.clock.now() && !self.is_over(sign_in)
    }

    fn token<'a>(&self, audience: Audience, headers: &'a HeaderMap) -> Option<&'a [u8]> {
        let name = self.name(audience).as_bytes();
        let mut tokens = cookies(headers).filter_map(|(found, value)| (found == name).then_some(value));
        let token = tokens.next()?;
        tokens.next().is_none().then_some(token)
    }

    /// What a token says, if one of our keys has signed it for this part of the site.
    fn verify(&self, audience: Audience, token: &[u8]) -> Option<SignIn> {
        let key_id = jsonwebtoken::decode_header(token).ok()?.kid?;
        let verifier = self.verifiers.get(&key_id)?;
        let mut rules = Validation::new(Algorithm::HS256);
        // The injected clock decides, below; the audience is a claim of our own type.
        rules.validate_exp = false;
        rules.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token, verifier, &rules).ok()?.claims;
        let sign_in = SignIn {
            user: claims.sub,
            id: claims.sid,
            ends_at: claims.end,
            idle_at: claims.exp,
        };
        (claims.aud == audience).then_some(sign_in)
    }

    /// Ends a sign-in everywhere; answers the cookies that make the browser forget it.
    pub fn end(&self, sign_in: &SignIn) -> Vec<Cookie<'static>> {
        self.learn([(sign_in.id.clone(), sign_in.ends_at)]);
        [Audience::Hub, Audience::User]
            .map(|audience| self.cookie(audience, &sign_in.user, String::new(), 0))
            .into()
    }

    /// Sign-ins that were ended, here or by another replica.
    pub fn learn(&self, ended: impl IntoIterator<Item = (String, i64)>) {
        let now = self.clock.now();
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.retain(|_, ends_at| *ends_at > now);
        let before = revoked.len();
        revoked.extend(ended);
        if revoked.len() > before {
            self.revocations.send_replace(());
        }
    }

    /// Whether a sign-in has come to its end or was ended; being idle is not an end of what goes on.
    pub fn is_over(&self, sign_in: &SignIn) -> bool {
        let revoked = self.revoked.read().unwrap_or_else(PoisonError::into_inner);
        revoked.contains_key(&sign_in.id) || sign_in.ends_at <= self.clock.now()
    }

    /// Returns when a sign-in is over.
    pub async fn over(&self, sign_in: &SignIn) {
        let mut revocations = self.revocations.subscribe();
        while !self.is_over(sign_in) {
            let left = u64::try_from(sign_in.ends_at - self.clock.now()).unwrap_or_default();
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

/// Every cookie of a request, as name and value. In bytes: somebody else's page of this host may have set one with
/// others than ASCII, which is no reason to overlook the rest.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&[u8], &[u8])> {
    cookie_pairs(headers).filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        Some((&pair[..equals], &pair[equals + 1..]))
    })
}

/// Every cookie of a request, whole: there are some without a name.
pub fn cookie_pairs(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs.map(<[u8]>::trim_ascii).filter(|pair| !pair.is_empty())
}

#[cfg(test)]
mod tests;
