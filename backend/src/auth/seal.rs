//! Texts that only this site can read, which a browser keeps for it: encrypted and signed (AES-256-GCM).

use aws_lc_rs::aead::{AES_256_GCM, Aad, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::keys::Secret;

/// The length of the nonce, which goes before the text.
const NONCE: usize = 12;

/// Seals with the first key, opens with any.
pub(super) struct Seal(Vec<RandomizedNonceKey>);

struct KeyLength;

impl KeyType for KeyLength {
    fn len(&self) -> usize {
        AES_256_GCM.key_len()
    }
}

impl Seal {
    /// With keys derived for one purpose from secrets, the present one first.
    pub(super) fn new(secrets: &[Secret], purpose: &str) -> Result<Self, String> {
        let key = |secret: &Secret| {
            RandomizedNonceKey::new(&AES_256_GCM, &derive(secret, purpose)?).map_err(|_| not_derived(secret))
        };
        Ok(Self(secrets.iter().map(key).collect::<Result<_, _>>()?))
    }

    /// Nothing only where the cryptographic library fails.
    pub(super) fn seal(&self, value: &impl Serialize) -> Option<String> {
        let mut text = serde_json::to_vec(value).ok()?;
        let nonce = self.0.first()?.seal_in_place_append_tag(Aad::empty(), &mut text).ok()?;
        Some(URL_SAFE_NO_PAD.encode([nonce.as_ref().as_slice(), &text].concat()))
    }

    /// Nothing for what was not sealed here.
    pub(super) fn open<T: DeserializeOwned>(&self, sealed: &str) -> Option<T> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_first_chunk::<NONCE>()?;
        self.0.iter().find_map(|key| {
            let mut text = text.to_vec();
            let opened = key.open_in_place(nonce.into(), Aad::empty(), &mut text).ok()?;
            serde_json::from_slice(opened).ok()
        })
    }
}

/// A key for one purpose (HKDF-SHA256).
pub(super) fn derive(secret: &Secret, purpose: &str) -> Result<[u8; 32], String> {
    let mut bytes = [0; 32];
    Salt::new(HKDF_SHA256, b"slipway")
        .extract(secret.expose())
        .expand(&[purpose.as_bytes()], KeyLength)
        .and_then(|key| key.fill(&mut bytes))
        .map_err(|_| not_derived(secret))?;
    Ok(bytes)
}

fn not_derived(secret: &Secret) -> String {
    format!("{}: no key could be derived", secret.path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sealed_is_opened_here_alone_also_after_a_new_key() {
        let folder = tempfile::tempdir().unwrap();
        let [old, new] = ["old", "new"].map(|name| Secret::read_or_create(&folder.path().join(name)).unwrap());
        let before = Seal::new(std::slice::from_ref(&old), "test").unwrap();
        let after = Seal::new(&[new.clone(), old.clone()], "test").unwrap();
        let sealed = before.seal(&("ada", 7)).unwrap();
        assert!(!sealed.contains("ada"));
        assert_eq!(after.open::<(String, u32)>(&sealed), Some(("ada".into(), 7)));
        let of_new = after.seal(&("ada", 8)).unwrap();
        assert_eq!(before.open::<(String, u32)>(&of_new), None, "opened without its key");
        let other = Seal::new(&[old], "another purpose").unwrap();
        assert_eq!(other.open::<(String, u32)>(&sealed), None, "keys are for one purpose");
        let mut forged = sealed.into_bytes();
        forged[30] ^= 1;
        assert_eq!(before.open::<(String, u32)>(&String::from_utf8(forged).unwrap()), None);
    }
}
