//! The only place that asks what time it is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

static AHEAD: AtomicU64 = AtomicU64::new(0);

/// Makes Slurm's clock go before everybody else's, by so many seconds, in every cluster of this process.
pub fn set_clock_ahead(seconds: u64) {
    AHEAD.store(seconds, Ordering::Relaxed);
}

/// Seconds since 1970, as Slurm's fields carry them.
#[expect(
    clippy::disallowed_methods,
    reason = "this is the clock that the rest of the crate is given"
)]
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() + AHEAD.load(Ordering::Relaxed))
}

/// Seconds since then.
pub(crate) fn age(since: u64) -> i64 {
    i64::try_from(now().saturating_sub(since)).unwrap_or(i64::MAX)
}
