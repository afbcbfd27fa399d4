//! Rate limiting of sign-ins: slows down guessing of passwords and second factors, and affects others as little as
//! possible.
//!
//! Attempts are counted in four ways; each count decays with time:
//!
//! - by address and name. The one that people meet; a stranger elsewhere cannot lock anybody out with it.
//! - by address, whatever the name, against one password tried on every name. High enough for a class behind one
//!   router.
//! - by name, whatever the address, so that many addresses do not get five attempts each. It makes wait for seconds
//!   only, and not where the name has signed in before: a thousand strangers cannot lock a person out of their usual
//!   places either.
//! - second factors by name, whatever the address, so that a stolen password does not send one push after the other
//!   to a phone. Not where the name has signed in before.
//!
//! What counts:
//!
//! - An attempt is counted when it arrives, before the password is checked: many at once get no more than one after the
//!   other. It stays counted unless it is given back, also when the client hangs up before the answer (whether the
//!   password was checked or skipped by then) or when the check takes longer than a request waits.
//! - A sign-in that is asked for a second factor stays counted until it succeeds: not answering, cancelling and wrong
//!   answers count. Its first answer is covered by that count; each further one, and each step that has to begin the
//!   conversation anew (another replica, an old state used again), counts as one more attempt.
//! - Given back: everything that a sign-in counted for once it succeeds, or is right but refused (inactive, expired
//!   password); an attempt for which the source of accounts is away or the queue has no room, as nothing was learnt
//!   from it.
//! - An attempt that is told to wait costs nothing, and does not make the wait longer.
//!
//! Counts are kept in memory, written to the store and read from it once a second ([`Throttle::synchronize`]), so they
//! survive a restart and hold for all replicas that share the store.

mod counts;
mod replication;

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Mutex, MutexGuard, PoisonError};

use aws_lc_rs::hmac;
use shared::names::UserName;

use self::counts::{Count, Counts, Key};
use super::seal;
use crate::client_network::network_of;
use crate::clock::Clock;
use crate::keys::Secret;

/// Counts so far.
pub struct Throttle {
    counts: Mutex<Counts>,
    clock: Clock,
    /// Names that strangers typed are stored as a keyed hash only.
    hash_key: hmac::Key,
    /// The number of the last row that was read from the store.
    last_row: AtomicI64,
    /// Whether the store cannot be used.
    is_alone: AtomicBool,
}

/// There were too many failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// After so many seconds there is room for one more attempt.
    pub seconds: i64,
}

/// An attempt that may be made now, counted already. To drop it leaves it counted.
#[derive(Debug)]
#[must_use = "an attempt stays counted until it is given back"]
pub struct Attempt {
    /// By address and name.
    pair: Option<Key>,
    address: Key,
    /// Unless it does not count for the name as a whole.
    name: Option<Key>,
    /// Counted as a second factor of the name.
    second_factor: Option<Key>,
}

impl Throttle {
    /// Nothing counted yet. Replicas with the same secret understand each other's counts.
    pub fn new(secret: &Secret, clock: Clock) -> Result<Self, String> {
        let key: [u8; 32] = seal::derive(secret, "slipway sign-in rate limits 1")?;
        Ok(Self {
            counts: Mutex::default(),
            clock,
            hash_key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            last_row: AtomicI64::new(0),
            is_alone: AtomicBool::new(false),
        })
    }

    /// Makes room for one attempt. What was typed may be no name at all: that counts for the address alone.
    pub fn attempt(&self, address: IpAddr, name: Option<&UserName>) -> Result<Attempt, Wait> {
        let address = network_of(address);
        let pair = name.map(|name| self.key(Count::Pair, Some(address), Some(name)));
        let address = self.key(Count::Address, Some(address), None);
        let now = self.clock.now();
        let mut counts = self.lock();
        let is_usual = pair.is_some_and(|pair| counts.has_signed_in(&pair));
        let name = name.filter(|_| !is_usual);
        let second_factor = name.map(|name| self.key(Count::SecondFactor, None, Some(name)));
        let name = name.map(|name| self.key(Count::Name, None, Some(name)));
        let limited = [
            (Count::Pair, pair),
            (Count::Address, Some(address)),
            (Count::Name, name),
            (Count::SecondFactor, second_factor),
        ];
        let waits = limited.map(|(count, key)| key.map_or(0, |key| counts.wait_seconds(count, &key, now)));
        let seconds = waits.into_iter().max().unwrap_or(0);
        if seconds > 0 {
            return Err(Wait { seconds });
        }
        for (count, key) in &limited[..3] {
            if let Some(key) = key {
                counts.add(*count, *key, now);
            }
        }
        Ok(Attempt {
            pair,
            address,
            name,
            second_factor: None,
        })
    }

    /// The attempt led to a second factor: it counts as one of this name, unless it is made where the name has signed
    /// in before.
    pub fn add_second_factor(&self, attempt: &mut Attempt, name: &UserName) {
        if attempt.name.is_none() || attempt.second_factor.is_some() {
            return;
        }
        let key = self.key(Count::SecondFactor, None, Some(name));
        self.lock().add(Count::SecondFactor, key, self.clock.now());
        attempt.second_factor = Some(key);
    }

    /// The sign-in that these attempts belong to succeeded: its name's failures at its address are forgotten, and no
    /// others.
    pub fn succeeded(&self, attempts: impl IntoIterator<Item = Attempt>) {
        let now = self.clock.now();
        for attempt in attempts {
            if let Some(pair) = attempt.pair {
                let mut counts = self.lock();
                counts.clear(Count::Pair, pair, now);
                counts.note_sign_in(pair, now);
            }
            self.give_back([Attempt { pair: None, ..attempt }]);
        }
    }

    /// Neither right nor wrong: the password could not be checked, or it is right and the account may not come in.
    pub fn give_back(&self, attempts: impl IntoIterator<Item = Attempt>) {
        let now = self.clock.now();
        let mut counts = self.lock();
        for attempt in attempts {
            for (count, key) in [
                (Count::Pair, attempt.pair),
                (Count::Address, Some(attempt.address)),
                (Count::Name, attempt.name),
                (Count::SecondFactor, attempt.second_factor),
            ] {
                if let Some(key) = key {
                    counts.take_away(count, &key, now);
                }
            }
        }
    }

    fn key(&self, count: Count, address: Option<IpAddr>, name: Option<&UserName>) -> Key {
        let mut hash = hmac::Context::with_key(&self.hash_key);
        hash.update(&[count as u8]);
        match address {
            Some(IpAddr::V4(address)) => hash.update(&address.octets()),
            Some(IpAddr::V6(address)) => hash.update(&address.octets()),
            None => {}
        }
        hash.update(b"\0");
        hash.update(name.map_or("", UserName::as_str).as_bytes());
        let mut key = Key::default();
        for (byte, hashed) in key.iter_mut().zip(hash.sign().as_ref()) {
            *byte = *hashed;
        }
        key
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
