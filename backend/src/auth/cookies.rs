//! Sign-ins: signed tokens in two cookies, one for the hub and one for the person's own server.
//!
//! What runs in a person's server is not trusted by the hub: it sees only requests whose cookies were
//! taken out by the proxy, and even a stolen cookie of `/user/<name>/` opens nothing under `/hub/`.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use axum_extra::extract::cookie::{Cookie, SameSite};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, header};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use shared::names::UserName;

use crate::clock::Clock;
use crate::config;
use crate::keys::{self, Secret};

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
    /// Until when, in seconds since 1970.
    pub ends_at: i64,
}

/// The claims of a cookie. Never `sun` or `username`: Slurm would take those for its own.
#[derive(Serialize, Deserialize)]
struct Claims {
    sub: UserName,
    aud: Audience,
    sid: String,
    iat: i64,
    exp: i64,
}

/// Makes, reads and revokes sign-ins.
pub struct SignIns {
    signer: EncodingKey,
    verifier: DecodingKey,
    lifetime_seconds: i64,
    /// Ids that signed out, with the time at which they would have ended anyhow.
    revoked: RwLock<HashMap<String, i64>>,
    base: String,
    secure: bool,
    clock: Clock,
}

impl SignIns {
    /// With the key that signs, and the sign-ins that were revoked before.
    pub fn new(key: &Secret, config: &config::Config, revoked: HashMap<String, i64>, clock: Clock) -> Self {
        Self {
            signer: EncodingKey::from_secret(key.expose()),
            verifier: DecodingKey::from_secret(key.expose()),
            lifetime_seconds: i64::from(config.sign_in.lifetime_hours) * 3600,
            revoked: RwLock::new(revoked),
            base: config.server.base(),
            secure: config.server.is_https(),
            clock,
        }
    }

    /// A new sign-in, and the cookies that carry it.
    pub fn start(&self, user: &UserName) -> Result<(SignIn, Vec<Cookie<'static>>), String> {
        let id: [u8; 16] = keys::random().map_err(|e| e.to_string())?;
        let now = self.clock.now();
        let sign_in = SignIn {
            user: user.clone(),
            id: URL_SAFE_NO_PAD.encode(id),
            ends_at: now + self.lifetime_seconds,
        };
        let cookies = vec![
            self.signed(Audience::Hub, &sign_in)?,
            self.signed(Audience::User, &sign_in)?,
        ];
        Ok((sign_in, cookies))
    }

    /// The cookie that carries a sign-in to one part of the site.
    pub fn signed(&self, audience: Audience, sign_in: &SignIn) -> Result<Cookie<'static>, String> {
        let (user, now) = (&sign_in.user, self.clock.now());
        let claims = Claims {
            sub: user.clone(),
            aud: audience,
            sid: sign_in.id.clone(),
            iat: now,
            exp: sign_in.ends_at,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signer)
            .map(|token| self.cookie(audience, user, token, sign_in.ends_at - now))
            .map_err(|e| e.to_string())
    }

    /// The sign-in that a request carries for this part of the site. Two cookies of one name are none:
    /// somebody else's page may have planted one.
    pub fn read(&self, audience: Audience, headers: &HeaderMap) -> Option<SignIn> {
        let name = self.name(audience);
        let values: Vec<_> = cookies(headers)
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value)
            .collect();
        let [token] = values[..] else { return None };
        let mut rules = Validation::new(Algorithm::HS256);
        // The injected clock decides, below; the audience is a claim of our own type.
        rules.validate_exp = false;
        rules.validate_aud = false;
        let claims = jsonwebtoken::decode::<Claims>(token, &self.verifier, &rules)
            .ok()?
            .claims;
        let revoked = self
            .revoked
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&claims.sid);
        (claims.aud == audience && claims.exp > self.clock.now() && !revoked).then_some(SignIn {
            user: claims.sub,
            id: claims.sid,
            ends_at: claims.exp,
        })
    }

    /// Ends a sign-in everywhere; answers the cookies that make the browser forget it.
    pub fn end(&self, sign_in: &SignIn) -> Vec<Cookie<'static>> {
        let now = self.clock.now();
        let mut revoked = self.revoked.write().unwrap_or_else(PoisonError::into_inner);
        revoked.retain(|_, ends_at| *ends_at > now);
        revoked.insert(sign_in.id.clone(), sign_in.ends_at);
        [Audience::Hub, Audience::User]
            .map(|audience| self.cookie(audience, &sign_in.user, String::new(), 0))
            .into()
    }

    /// Whether a sign-in has ended or been ended.
    pub fn is_over(&self, sign_in: &SignIn) -> bool {
        let revoked = self
            .revoked
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains_key(&sign_in.id);
        revoked || sign_in.ends_at <= self.clock.now()
    }

    /// Whether a cookie of this name is ours: the proxy takes it out of what it passes on.
    pub fn owns(&self, cookie: &str) -> bool {
        [Audience::Hub, Audience::User]
            .iter()
            .any(|audience| cookie == self.name(*audience))
    }

    fn name(&self, audience: Audience) -> &'static str {
        match (audience, self.secure) {
            (Audience::Hub, true) => "__Secure-slipway-hub",
            (Audience::Hub, false) => "slipway-hub",
            (Audience::User, true) => "__Secure-slipway-user",
            (Audience::User, false) => "slipway-user",
        }
    }

    fn cookie(&self, audience: Audience, user: &UserName, value: String, max_age_seconds: i64) -> Cookie<'static> {
        let path = match audience {
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

/// Every cookie of a request, as name and value.
pub fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let lines = headers
        .get_all(header::COOKIE)
        .into_iter()
        .filter_map(|value| value.to_str().ok());
    lines
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn sign_ins(clock: &Clock) -> SignIns {
        let folder = tempfile::tempdir().unwrap();
        let key = Secret::read_or_create(&folder.path().join("key")).unwrap();
        let example = include_str!("../../../slipway.example.toml");
        let config = config::Config::parse(example, std::path::Path::new("/x/y.toml")).unwrap();
        SignIns::new(&key, &config, HashMap::new(), clock.clone())
    }

    fn request(cookies: &[&Cookie<'_>]) -> HeaderMap {
        let line: Vec<_> = cookies.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
        HeaderMap::from_iter([(header::COOKIE, line.join("; ").parse().unwrap())])
    }

    #[test]
    fn each_cookie_is_good_for_its_own_part_only() {
        let clock = Clock::fixed(1_000);
        let sign_ins = sign_ins(&clock);
        let (sign_in, cookies) = sign_ins.start(&UserName::new("ada").unwrap()).unwrap();
        let [hub, user] = &cookies[..] else {
            panic!("{cookies:?}")
        };
        assert_eq!((hub.path(), user.path()), (Some("/hub/"), Some("/user/ada/")));
        assert_eq!(sign_ins.read(Audience::Hub, &request(&[hub])), Some(sign_in));
        let mut swapped = hub.clone();
        swapped.set_value(user.value().to_owned());
        assert_eq!(sign_ins.read(Audience::Hub, &request(&[&swapped])), None);
        assert_eq!(
            sign_ins.read(Audience::Hub, &request(&[hub, hub])),
            None,
            "a cookie was planted"
        );
        for cookie in [hub, user] {
            assert!(cookie.http_only() == Some(true) && cookie.secure() == Some(true));
            assert_eq!(cookie.same_site(), Some(SameSite::Lax));
        }
    }

    #[test]
    fn a_sign_in_ends_with_its_time_or_when_it_is_ended() {
        let clock = Clock::fixed(1_000);
        let sign_ins = sign_ins(&clock);
        let ada = UserName::new("ada").unwrap();
        let (first, first_cookies) = sign_ins.start(&ada).unwrap();
        let (_, second_cookies) = sign_ins.start(&ada).unwrap();
        sign_ins.end(&first);
        assert_eq!(sign_ins.read(Audience::Hub, &request(&[&first_cookies[0]])), None);
        assert!(sign_ins.read(Audience::Hub, &request(&[&second_cookies[0]])).is_some());
        clock.advance(Duration::from_hours(24));
        assert_eq!(sign_ins.read(Audience::Hub, &request(&[&second_cookies[0]])), None);
    }

    #[test]
    fn nothing_in_a_cookie_is_a_claim_of_slurms() {
        let (_, cookies) = sign_ins(&Clock::fixed(1_000))
            .start(&UserName::new("ada").unwrap())
            .unwrap();
        let payload = cookies[0].value().split('.').nth(1).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        assert_eq!(claims.get("sun"), None);
        assert_eq!(claims.get("username"), None);
    }

    #[test]
    fn a_token_without_signature_or_with_another_algorithm_is_none() {
        let clock = Clock::fixed(1_000);
        let sign_ins = sign_ins(&clock);
        let (_, cookies) = sign_ins.start(&UserName::new("ada").unwrap()).unwrap();
        let payload = cookies[0].value().split('.').nth(1).unwrap();
        for header in [
            r#"{"alg":"none","typ":"JWT"}"#,
            r#"{"alg":"HS256","typ":"JWT"}"#,
            r#"{"alg":"RS256","typ":"JWT"}"#,
        ] {
            let mut forged = cookies[0].clone();
            forged.set_value(format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(header)));
            assert_eq!(sign_ins.read(Audience::Hub, &request(&[&forged])), None, "{header}");
        }
    }
}
