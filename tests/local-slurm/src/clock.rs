//! The only place that asks what time it is.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since 1970, as Slurm's fields carry them.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that the rest of the crate is given"
)]
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}
