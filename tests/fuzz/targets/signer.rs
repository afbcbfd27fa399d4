//! The lines of the signer's socket, both ways. Whatever `slipway serve` sends, the answer is one line; what it signs is
//! for the name that was asked for, never for a blocked one, and for no longer than configured. Whatever a signer
//! sends, what is said of it quotes nothing of a line that is none.

#![no_main]
#![expect(clippy::unwrap_used, reason = "an answer that cannot be read is a finding")]

use std::collections::BTreeSet;
use std::sync::LazyLock;

use backend::clock::Clock;
use backend::keys::Secret;
use backend::slurm::{Limits, Signer, SlurmError, answer_line, decode_reply};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shared::names::UserName;

const NOW: i64 = 1_800_000_000;
const LIFETIME: u32 = 120;

static SIGNER: LazyLock<Signer> = LazyLock::new(|| {
    let key = Secret {
        path: "key".into(),
        bytes: (0..48).collect::<Vec<u8>>().into(),
    };
    let limits = Limits {
        lifetime_seconds: LIFETIME,
        blocked: BTreeSet::from([UserName::new("root").unwrap()]),
        service_user: UserName::new("slipway").unwrap(),
        numeric_names: false,
    };
    Signer::new(&key, None, limits, Clock::fixed(NOW)).unwrap()
});

fuzz_target!(|line: &str| {
    let reply = answer_line(&SIGNER, line);
    assert!(!reply.contains('\n'), "{reply:?}");
    let reply: Value = serde_json::from_str(&reply).unwrap();
    if let Some(token) = reply["signed"]["token"].as_str() {
        let order: Value = serde_json::from_str(line).unwrap();
        let claims = token.split('.').nth(1).unwrap();
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        assert_eq!(claims["exp"], NOW + i64::from(LIFETIME));
        match order["whom"]["person"]["user"].as_str() {
            Some(user) => {
                assert_eq!(claims["sun"], user);
                assert!(!["root", "slipway"].contains(&user), "signed for {user}");
            }
            None => assert_eq!(claims["sun"], "slipway"),
        }
    }
    if let Err(SlurmError::SignerAway(why)) = decode_reply(line)
        && serde_json::from_str::<Value>(line).is_err()
    {
        assert_eq!(why, "an answer that is none of `slipway sign`");
    }
});
