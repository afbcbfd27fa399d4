//! Rate limits of signed-in people: starts and changes per minute, event streams per session.
//!
//! The limits of sign-ins are in [`super::throttle`]: there the client is not known yet.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use shared::names::UserName;

use crate::config::Limits;

type PerPerson<C> = RateLimiter<UserName, HashMapStateStore<UserName>, C, NoOpMiddleware<<C as Clock>::Instant>>;

/// A limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitError {
    /// Too many starts; the next one is possible after so many seconds.
    Starts(i64),
    /// Too many changes; the next one is possible after so many seconds.
    Changes(i64),
    /// Too many event streams of this session are open.
    Streams,
}

/// The limits of every signed-in person. Memory: one entry per person who was active in the last minute, one per
/// session with open streams.
pub struct RateLimits<C: Clock = DefaultClock> {
    starts: PerPerson<C>,
    changes: PerPerson<C>,
    streams: Streams,
    clock: C,
}

impl RateLimits {
    /// As configured.
    pub fn new(limits: &Limits) -> Self {
        Self::with_clock(limits, &DefaultClock::default())
    }
}

impl<C: Clock + Clone> RateLimits<C> {
    fn with_clock(limits: &Limits, clock: &C) -> Self {
        let per_person = |per_minute: u32| {
            let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
            PerPerson::new(quota, HashMapStateStore::default(), clock.clone())
        };
        Self {
            starts: per_person(limits.starts_per_minute),
            changes: per_person(limits.changes_per_minute),
            streams: Streams {
                max: limits.event_streams_per_session,
                open: Arc::default(),
            },
            clock: clock.clone(),
        }
    }

    /// Counts a start that is about to be sent to Slurm.
    pub fn count_start(&self, user: &UserName) -> Result<(), LimitError> {
        self.count(&self.starts, user).map_err(LimitError::Starts)
    }

    /// Counts a request that changes something.
    pub fn count_change(&self, user: &UserName) -> Result<(), LimitError> {
        self.count(&self.changes, user).map_err(LimitError::Changes)
    }

    /// Counts an event stream of a session until the guard is dropped.
    pub fn open_stream(&self, session: &str) -> Result<OpenStream, LimitError> {
        self.streams.open(session).ok_or(LimitError::Streams)
    }

    /// Forgets people who have not used up anything. Called once a minute.
    pub fn forget_idle(&self) {
        self.starts.retain_recent();
        self.changes.retain_recent();
    }

    fn count(&self, limiter: &PerPerson<C>, user: &UserName) -> Result<(), i64> {
        limiter.check_key(user).map_err(|not_until| {
            let wait = not_until.wait_time_from(self.clock.now());
            // Rounded up: a client that waits so long is not refused again.
            i64::try_from(wait.as_secs()).unwrap_or(i64::MAX).saturating_add(1)
        })
    }
}

/// Open streams by the id of their session.
struct Streams {
    max: u32,
    open: Arc<Mutex<HashMap<String, u32>>>,
}

impl Streams {
    fn open(&self, session: &str) -> Option<OpenStream> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.get(session).copied().unwrap_or(0);
        if count >= self.max {
            return None;
        }
        open.insert(session.to_owned(), count + 1);
        Some(OpenStream {
            session: session.to_owned(),
            open: Arc::clone(&self.open),
        })
    }
}

/// An event stream that counts for its session until this is dropped.
#[must_use = "the stream counts for as long as this lives"]
pub struct OpenStream {
    session: String,
    open: Arc<Mutex<HashMap<String, u32>>>,
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.session) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn user(name: &str) -> UserName {
        UserName::new(name).unwrap()
    }

    fn limits(clock: &FakeRelativeClock) -> RateLimits<FakeRelativeClock> {
        RateLimits::with_clock(&Limits::default(), clock)
    }

    #[test]
    fn the_seventh_start_of_a_minute_waits_ten_seconds_and_nobody_else_does() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        let (ada, bob) = (user("ada"), user("bob"));
        for _ in 0..6 {
            assert_eq!(limits.count_start(&ada), Ok(()));
        }
        let Err(LimitError::Starts(seconds)) = limits.count_start(&ada) else {
            panic!("a seventh start was allowed")
        };
        assert!((10..=11).contains(&seconds), "{seconds}");
        assert_eq!(limits.count_start(&bob), Ok(()));
        assert_eq!(limits.count_change(&ada), Ok(()), "changes have a limit of their own");
        clock.advance(Duration::from_secs(seconds.unsigned_abs()));
        assert_eq!(limits.count_start(&ada), Ok(()), "after the wait that was announced");
        assert!(limits.count_start(&ada).is_err());
    }

    #[test]
    fn idle_people_take_no_memory() {
        let clock = FakeRelativeClock::default();
        let limits = limits(&clock);
        for n in 0..1000 {
            assert_eq!(limits.count_change(&user(&format!("p{n}"))), Ok(()));
        }
        assert_eq!(limits.changes.len(), 1000);
        clock.advance(Duration::from_mins(2));
        limits.forget_idle();
        assert_eq!(limits.changes.len(), 0);
    }

    #[test]
    fn a_session_has_its_streams_and_gets_one_back_when_one_ends() {
        let limits = limits(&FakeRelativeClock::default());
        let mut open: Vec<_> = (0..12).map(|_| limits.open_stream("a").unwrap()).collect();
        assert!(limits.open_stream("a").is_err());
        assert!(limits.open_stream("b").is_ok());
        open.pop();
        open.push(limits.open_stream("a").unwrap());
        assert!(limits.open_stream("a").is_err());
        drop(open);
        assert!(limits.streams.open.lock().unwrap().is_empty());
    }
}
