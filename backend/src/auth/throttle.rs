//! Slows down whoever guesses passwords: a count of failures for each name and each address, which
//! empties with time. In bounded memory.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use shared::names::UserName;

use crate::clock::Clock;

/// Failures that a name may have at once, and the seconds after which one of them is forgotten.
const NAME: (i64, i64) = (5, 30);
/// The same for an address, behind which there may be a whole campus.
const ADDRESS: (i64, i64) = (100, 3);
/// Names and addresses remembered; the emptiest are forgotten first.
const REMEMBERED: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Name(UserName),
    Address(IpAddr),
}

/// Failures counted so far. A count is kept as the time at which it will be empty.
pub struct Throttle {
    empty_at: Mutex<HashMap<Key, i64>>,
    clock: Clock,
}

impl Throttle {
    /// Nothing counted yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            empty_at: Mutex::default(),
            clock,
        }
    }

    /// How many seconds to wait before the next try; nothing if it may be made now.
    pub fn wait_seconds(&self, user: &UserName, address: IpAddr) -> Option<i64> {
        let counts = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        let wait = |key: &Key, (most, seconds): (i64, i64)| {
            let empty_at = counts.get(key).copied().unwrap_or(now);
            empty_at - now - (most - 1) * seconds
        };
        let longest = wait(&Key::Name(user.clone()), NAME).max(wait(&Key::Address(address), ADDRESS));
        (longest > 0).then_some(longest)
    }

    /// Counts a failure.
    pub fn failed(&self, user: &UserName, address: IpAddr) {
        let mut counts = self.empty_at.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        if counts.len() >= REMEMBERED {
            counts.retain(|_, empty_at| *empty_at > now);
            let mut times: Vec<_> = counts.values().copied().collect();
            times.sort_unstable();
            if let Some(middle) = times.get(REMEMBERED / 2).copied() {
                counts.retain(|_, empty_at| *empty_at > middle);
            }
        }
        for (key, (_, seconds)) in [(Key::Name(user.clone()), NAME), (Key::Address(address), ADDRESS)] {
            let empty_at = counts.entry(key).or_insert(now);
            *empty_at = (*empty_at).max(now) + seconds;
        }
    }

    /// Forgets a name's failures: the right password was given.
    pub fn succeeded(&self, user: &UserName) {
        self.empty_at
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&Key::Name(user.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn five_failures_make_a_name_wait_and_time_or_the_right_password_ends_it() {
        let clock = Clock::fixed(1_000);
        let throttle = Throttle::new(clock.clone());
        let (ada, bob) = (UserName::new("ada").unwrap(), UserName::new("bob").unwrap());
        let here = IpAddr::from([127, 0, 0, 1]);
        for _ in 0..5 {
            assert_eq!(throttle.wait_seconds(&ada, here), None);
            throttle.failed(&ada, here);
        }
        assert_eq!(throttle.wait_seconds(&ada, here), Some(30));
        assert_eq!(throttle.wait_seconds(&bob, here), None, "somebody else has to wait too");
        clock.advance(Duration::from_secs(30));
        assert_eq!(throttle.wait_seconds(&ada, here), None);
        throttle.failed(&ada, here);
        throttle.succeeded(&ada);
        assert_eq!(throttle.wait_seconds(&ada, here), None);
    }

    #[test]
    fn an_address_that_tries_many_names_waits_and_memory_stays_bounded() {
        let throttle = Throttle::new(Clock::fixed(1_000));
        let there = IpAddr::from([192, 0, 2, 1]);
        for n in 0..REMEMBERED + 10 {
            throttle.failed(&UserName::new(format!("u{n}")).unwrap(), there);
        }
        assert!(throttle.wait_seconds(&UserName::new("new").unwrap(), there).is_some());
        assert!(throttle.empty_at.lock().unwrap().len() <= REMEMBERED);
    }
}
