//! Time limits for data in transit: a minimum rate for transfers, and a deadline for whole request bodies.
//!
//! A limit counts only the time in which Slipway waits for the client. A slow Jupyter server, a server that has nothing
//! to send and a request that is being worked on are never the client's fault.

mod body;

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::config::Server;

pub use body::{DeadlineBody, PacedBody, TooSlow};

/// The least that a client has to send or take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinRate {
    /// Bytes in each window.
    pub bytes: u64,
    /// The time over which they are counted.
    pub window: Duration,
}

impl MinRate {
    /// As configured; nothing where it is switched off.
    pub fn of(server: &Server) -> Option<Self> {
        let bytes = server.min_bytes_per_second.saturating_mul(server.min_rate_seconds);
        (bytes > 0).then_some(Self {
            bytes,
            window: Duration::from_secs(server.min_rate_seconds),
        })
    }
}

/// Measures one transfer. Without a minimum rate it does nothing.
///
/// A timer exists only once the client has kept Slipway waiting, and is not touched again until it fires.
#[derive(Debug)]
pub struct RateCheck {
    rate: Option<MinRate>,
    window: Option<Window>,
    timer: Option<Pin<Box<Sleep>>>,
}

/// What is counted, from the first moment at which the client kept Slipway waiting.
#[derive(Debug, Default)]
struct Window {
    bytes: u64,
    /// Until the last progress.
    waited: Duration,
    /// The wait that is going on now.
    since: Option<Instant>,
}

impl RateCheck {
    /// For one transfer.
    pub fn new(rate: Option<MinRate>) -> Self {
        Self {
            rate,
            window: None,
            timer: None,
        }
    }

    /// The client has sent or taken so many bytes.
    pub fn record(&mut self, bytes: u64) {
        if let Some(window) = &mut self.window {
            window.bytes = window.bytes.saturating_add(bytes);
            if window.since.is_some() {
                window.stop_waiting(Instant::now());
            }
        }
    }

    /// Nothing waits for the client any more: counting starts afresh with its next wait.
    pub fn reset(&mut self) {
        self.window = None;
    }

    /// To be called while the client keeps Slipway waiting. Ready once the client has been slower than the minimum rate
    /// for a whole window; else the task is woken when that has to be looked at again.
    pub fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(rate) = self.rate else {
            return Poll::Pending;
        };
        let window = self.window.get_or_insert_default();
        let Some(end) = window.wait(rate, Instant::now()) else {
            return Poll::Ready(());
        };
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(end)));
        // It may be set for an earlier moment, never for a later one.
        while timer.as_mut().poll(cx).is_ready() {
            timer.as_mut().reset(end);
        }
        Poll::Pending
    }
}

impl Window {
    fn stop_waiting(&mut self, now: Instant) {
        if let Some(since) = self.since.take() {
            self.waited += now.duration_since(since);
        }
    }

    /// Waits for the client, now. Answers until when it may go on so, or nothing if it was too slow.
    fn wait(&mut self, rate: MinRate, now: Instant) -> Option<Instant> {
        let since = *self.since.get_or_insert(now);
        let waited = self.waited + now.duration_since(since);
        if let Some(left) = rate.window.checked_sub(waited).filter(|left| !left.is_zero()) {
            return Some(now + left);
        }
        let is_fast = self.bytes >= rate.bytes;
        *self = Self {
            since: Some(now),
            ..Self::default()
        };
        is_fast.then(|| now + rate.window)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const RATE: MinRate = MinRate {
        bytes: 30 * 1024,
        window: Duration::from_secs(30),
    };

    /// A transfer, and what the time is.
    struct Transfer {
        window: Window,
        now: Instant,
    }

    impl Transfer {
        fn new() -> Self {
            Self {
                window: Window::default(),
                now: Instant::now(),
            }
        }

        /// Waits so long for the client. Whether it may go on.
        fn waits(&mut self, time: Duration) -> bool {
            let end = self.now + time;
            while let Some(until) = self.window.wait(RATE, self.now) {
                self.now = until.min(end);
                if until > end {
                    return true;
                }
            }
            false
        }

        fn takes(&mut self, bytes: u64) {
            self.window.bytes += bytes;
            self.window.stop_waiting(self.now);
        }
    }

    #[test]
    fn a_transfer_ends_after_a_window_below_the_minimum_rate() {
        let mut transfer = Transfer::new();
        assert!(transfer.waits(29 * SECOND));
        transfer.takes(RATE.bytes - 1);
        assert!(!transfer.waits(SECOND));
    }

    #[test]
    fn a_transfer_at_the_minimum_rate_goes_on_until_it_stalls() {
        let mut transfer = Transfer::new();
        for second in 0..600 {
            assert!(transfer.waits(SECOND), "it ended after {second} s");
            transfer.takes(1100);
        }
        assert!(!transfer.waits(60 * SECOND));
    }

    #[test]
    fn a_byte_now_and_then_does_not_keep_a_transfer() {
        let mut transfer = Transfer::new();
        let seconds = (0..).take_while(|_| {
            transfer.takes(1);
            transfer.waits(SECOND)
        });
        assert_eq!(seconds.count(), 29);
    }

    #[test]
    fn time_in_which_nothing_is_waited_for_does_not_count() {
        let mut transfer = Transfer::new();
        for _ in 0..10 {
            assert!(transfer.waits(2 * SECOND));
            transfer.takes(1);
            transfer.now += 100 * SECOND;
        }
        assert!(transfer.waits(9 * SECOND));
        assert!(
            !transfer.waits(SECOND),
            "the client was waited for for thirty seconds in all"
        );
    }
}
