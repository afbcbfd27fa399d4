//! Fingerprints of passwords' hashes: a session ends when the fingerprint of its user is another one. Keyed, so that the
//! store tells nothing about the hash.

use aws_lc_rs::hmac::{HMAC_SHA256, Key, sign};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use shared::names::UserName;

use crate::keys::Secret;

/// What the keys are derived for, from the keys that sign cookies.
const PURPOSE: &[u8] = b"slipway session credential 1";
/// Bytes of a fingerprint.
const LENGTH: usize = 16;

/// Makes fingerprints with the first key, and compares with all: a new key ends no session.
pub(super) struct Fingerprints(Vec<Key>);

impl Fingerprints {
    pub(super) fn new(secrets: &[Secret]) -> Self {
        let derive = |secret: &Secret| {
            let derived = sign(&Key::new(HMAC_SHA256, secret.expose()), PURPOSE);
            Key::new(HMAC_SHA256, derived.as_ref())
        };
        Self(secrets.iter().map(derive).collect())
    }

    /// The fingerprint to store.
    pub(super) fn of(&self, user: &UserName, credential: &SecretString) -> Option<String> {
        self.0.first().map(|key| fingerprint(key, user, credential))
    }

    /// Whether a stored fingerprint is of this credential.
    pub(super) fn matches(&self, stored: &str, user: &UserName, credential: &SecretString) -> bool {
        self.0.iter().any(|key| fingerprint(key, user, credential) == stored)
    }
}

fn fingerprint(key: &Key, user: &UserName, credential: &SecretString) -> String {
    let message = [user.as_str().as_bytes(), b"\0", credential.expose_secret().as_bytes()].concat();
    URL_SAFE_NO_PAD.encode(&sign(key, &message).as_ref()[..LENGTH])
}
