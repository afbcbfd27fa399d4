//! slurmrestd's answers: whatever comes, it is understood or refused, and what an error says of it is short.
//!
//! An input is the HTTP status on a line of its own, and the body.

#![no_main]

use backend::slurm::{SlurmError, decode_exchange};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(0);
    let (status, body) = data.split_at(end);
    let status = std::str::from_utf8(status).ok().and_then(|status| status.parse().ok());
    let body = body.strip_prefix(b"\n").unwrap_or(body);
    if let Err(SlurmError::NotUnderstood(why)) = decode_exchange(status.unwrap_or(200), body) {
        assert!(why.chars().count() < 300, "{why}");
    }
});
