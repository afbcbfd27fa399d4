//! Slows down whoever guesses passwords, and as few others as can be.
//!
//! Failures are counted three ways, each count empties with time:
//!
//! - by address and name. The one that people meet; a stranger elsewhere cannot lock anybody out with it.
//! - by address, whatever the name, so that nobody tries one password on every name. High enough for a class
//!   behind one router.
//! - by name, whatever the address, so that nobody with many addresses has five tries at each of them. It makes
//!   wait for seconds only, and nobody where they have signed in before: a thousand strangers cannot lock a person
//!   out of their usual places either.
//!
//! A try is counted before the password is checked, and given back if it was right: many at once get no more tries
//! than one after the other. A try that has to wait costs nothing, and does not make the wait longer.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use shared::names::UserName;

use crate::clock::Clock;

/// How many failures a count takes at once, and the seconds after which one of them is forgotten.
#[derive(Clone, Copy)]
struct Limit {
    most: i64,
    seconds: i64,
}

const PAIR: Limit = Limit { most: 5, seconds: 30 };
const ADDRESS: Limit = Limit { most: 300, seconds: 3 };
const NAME: Limit = Limit { most: 100, seconds: 10 };

/// Counts of each kind that are remembered, and places where somebody signed in: a few MiB in all.
const REMEMBERED: usize = 20_000;

/// Failures counted so far.
pub struct Throttle {
    counts: Mutex<Counts>,
    clock: Clock,
}

struct Counts {
    pairs: Failures<(IpAddr, UserName)>,
    addresses: Failures<IpAddr>,
    names: Failures<UserName>,
    /// When somebody last signed in at an address.
    signed_in: HashMap<(IpAddr, UserName), i64>,
}

/// There were too many failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// After so many seconds there is room for one more try.
    pub seconds: i64,
}

/// A try that may be made now. Already counted as a failure: it stays one unless something else is said, also when
/// whoever tries hangs up before the answer, as the password is checked all the same.
#[must_use = "a try is a failure until something else is said"]
pub struct Attempt<'a> {
    throttle: &'a Throttle,
    pair: Option<(IpAddr, UserName)>,
    address: IpAddr,
    /// Unless it does not count for the name as a whole.
    name: Option<UserName>,
}

impl Throttle {
    /// Nothing counted yet.
    pub fn new(clock: Clock) -> Self {
        Self {
            counts: Mutex::new(Counts {
                pairs: Failures::new(PAIR),
                addresses: Failures::new(ADDRESS),
                names: Failures::new(NAME),
                signed_in: HashMap::new(),
            }),
            clock,
        }
    }

    /// Makes room for one try. What was typed may be no name at all: that counts for the address alone.
    pub fn attempt(&self, address: IpAddr, name: Option<&UserName>) -> Result<Attempt<'_>, Wait> {
        let address = counted_as(address);
        let pair = name.map(|name| (address, name.clone()));
        let now = self.clock.now();
        let mut counts = self.lock();
        let is_usual = pair.as_ref().is_some_and(|pair| counts.signed_in.contains_key(pair));
        let name = name.filter(|_| !is_usual).cloned();
        let waits = [
            pair.as_ref().map_or(0, |pair| counts.pairs.wait_seconds(pair, now)),
            counts.addresses.wait_seconds(&address, now),
            name.as_ref().map_or(0, |name| counts.names.wait_seconds(name, now)),
        ];
        let seconds = waits.into_iter().max().unwrap_or(0);
        if seconds > 0 {
            return Err(Wait { seconds });
        }
        counts.addresses.add(address, now);
        if let Some(pair) = &pair {
            counts.pairs.add(pair.clone(), now);
        }
        if let Some(name) = &name {
            counts.names.add(name.clone(), now);
        }
        Ok(Attempt {
            throttle: self,
            pair,
            address,
            name,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Attempt<'_> {
    /// The right password: this name's failures at this address are forgotten, and no others.
    pub fn succeeded(self) {
        let now = self.throttle.clock.now();
        if let Some(pair) = &self.pair {
            let mut counts = self.throttle.lock();
            counts.pairs.empty_at.remove(pair);
            make_room(&mut counts.signed_in);
            counts.signed_in.insert(pair.clone(), now);
        }
        self.give_back();
    }

    /// Neither right nor wrong: the password could not be checked, or something more is asked for.
    pub fn give_back(self) {
        let now = self.throttle.clock.now();
        let mut counts = self.throttle.lock();
        counts.addresses.take_away(&self.address, now);
        if let Some(pair) = &self.pair {
            counts.pairs.take_away(pair, now);
        }
        if let Some(name) = &self.name {
            counts.names.take_away(name, now);
        }
    }
}

/// Counts of one kind. A count is kept as the time at which it will be empty.
struct Failures<K> {
    limit: Limit,
    empty_at: HashMap<K, i64>,
}

impl<K: Eq + Hash> Failures<K> {
    fn new(limit: Limit) -> Self {
        Self {
            limit,
            empty_at: HashMap::new(),
        }
    }

    /// Until there is room for one more; 0 or less if there is.
    fn wait_seconds(&self, key: &K, now: i64) -> i64 {
        let Limit { most, seconds } = self.limit;
        let empty_at = self.empty_at.get(key).copied().unwrap_or(now);
        // No count holds more than the most, unless the clock was set back.
        (empty_at - now).min(most * seconds) - (most - 1) * seconds
    }

    fn add(&mut self, key: K, now: i64) {
        make_room(&mut self.empty_at);
        let Limit { most, seconds } = self.limit;
        let empty_at = self.empty_at.entry(key).or_insert(now);
        *empty_at = (*empty_at).clamp(now, now + (most - 1) * seconds) + seconds;
    }

    fn take_away(&mut self, key: &K, now: i64) {
        if let Some(empty_at) = self.empty_at.get_mut(key) {
            *empty_at -= self.limit.seconds;
            if *empty_at <= now {
                self.empty_at.remove(key);
            }
        }
    }
}

/// Where there are too many, forgets half of them, the emptiest first (of the places of sign-ins, the oldest). Whoever
/// wants a full count forgotten has to fill as many others as high, and what that could win by address and name, the
/// count by name still holds.
fn make_room<K: Eq + Hash>(times: &mut HashMap<K, i64>) {
    if times.len() < REMEMBERED {
        return;
    }
    let half = REMEMBERED / 2;
    let mut sorted: Vec<i64> = times.values().copied().collect();
    let (_, &mut middle, later) = sorted.select_nth_unstable(half);
    let mut room = half - later.iter().filter(|time| **time > middle).count();
    times.retain(|_, time| match (*time).cmp(&middle) {
        Ordering::Greater => true,
        Ordering::Less => false,
        Ordering::Equal => {
            let stays = room > 0;
            room -= usize::from(stays);
            stays
        }
    });
}

/// The address that a failure counts for: a network of IPv6 (/64) is what one person has, and an IPv4 address is the
/// same in either form.
fn counted_as(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests;
