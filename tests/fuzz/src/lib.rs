//! What the fuzz targets have in common: a session whose cookies are the same in every run, so that an input that once
//! was found is found again.

#![expect(clippy::expect_used, reason = "a target that cannot be set up ends the run")]

use std::path::Path;
use std::sync::{Arc, LazyLock};

use backend::auth::{Audience, Session, Sessions};
use backend::clock::Clock;
use backend::config::Config;
use backend::keys::Secret;
use http::{HeaderMap, HeaderName, HeaderValue};
use shared::names::UserName;

const NOW: i64 = 1_800_000_000;

/// Sessions with a key that everybody knows.
pub static SESSIONS: LazyLock<Sessions> = LazyLock::new(|| {
    let example = include_str!("../../../slipway.example.toml");
    let config = Config::parse(example, Path::new("/etc/slipway/slipway.toml")).expect("the example");
    let key = Secret {
        path: "key".into(),
        bytes: (0..48).collect::<Vec<u8>>().into(),
    };
    Sessions::new(&[key], &Arc::new(config), Clock::fixed(NOW))
});

/// The one session there is.
pub static ADA: LazyLock<Session> = LazyLock::new(|| Session {
    user: UserName::new("ada").expect("a name"),
    id: "AAAAAAAAAAAAAAAAAAAAAA".into(),
    authenticated_at: NOW - 3600,
    ends_at: NOW + 3600,
    idle_at: NOW + 3600,
});

/// The name and the value of the cookie that carries it, signed once: that takes longer than all the rest.
#[must_use]
pub fn cookie(audience: Audience) -> (&'static str, &'static str) {
    static COOKIES: LazyLock<[(String, String); 2]> = LazyLock::new(|| {
        [Audience::Hub, Audience::User].map(|audience| {
            let cookie = SESSIONS.cookie_of(audience, &ADA).expect("a cookie");
            (cookie.name().to_owned(), cookie.value().to_owned())
        })
    });
    let [hub, user] = &*COOKIES;
    let (name, value) = if audience == Audience::Hub { hub } else { user };
    (name, value)
}

/// The input with the real cookies in place of `{hub}` and `{user}`: seeds that can be read.
#[must_use]
pub fn with_cookies(data: &[u8]) -> Vec<u8> {
    let places: [(&[u8], _); 2] = [(b"{hub}", Audience::Hub), (b"{user}", Audience::User)];
    let mut rest = data;
    let mut filled = Vec::with_capacity(data.len());
    while let Some((first, after)) = rest.split_first() {
        match places.iter().find(|(place, _)| rest.starts_with(place)) {
            Some((place, audience)) => {
                filled.extend_from_slice(cookie(*audience).1.as_bytes());
                rest = &rest[place.len()..];
            }
            None => {
                filled.push(*first);
                rest = after;
            }
        }
    }
    filled
}

/// Header lines (`name: value`); those that are none are left out.
#[must_use]
pub fn header_lines(data: &[u8]) -> HeaderMap {
    let header = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon);
        let value = HeaderValue::from_bytes(value.strip_prefix(b":")?.trim_ascii()).ok()?;
        Some((HeaderName::from_bytes(name).ok()?, value))
    };
    data.split(|byte| *byte == b'\n').filter_map(header).collect()
}
