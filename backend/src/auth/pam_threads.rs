//! Admission to PAM: how many transactions run at a time, and how they are shared out.
//!
//! A module that waits (for a phone, for a directory) blocks its thread and cannot be interrupted. An address may have
//! as many threads as [`SHARE`] times what is still free, so a few addresses cannot take all of them: one alone gets four
//! fifths, five leave room for others, and whoever comes from an address without a thread is admitted as long as one is
//! free ("dynamic thresholds" of shared-buffer switches).

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};

use shared::names::UserName;

use super::Denied;
use crate::client_network::network_of;

/// Transactions at a time.
const MAX: usize = 256;
/// An address may have this many times the threads that are free.
const SHARE: usize = 4;
/// Of one name at one address.
const MAX_PER_PAIR: usize = 4;
/// Of one name from all addresses. More than one address has, so that a stranger who tries a name elsewhere does not
/// keep its owner out.
const MAX_PER_NAME: usize = 8;
/// When to try again after an address had too many, in seconds.
const RETRY_SECONDS: i64 = 5;

/// The threads that run.
#[derive(Default)]
pub(super) struct Threads(Mutex<Running>);

#[derive(Default)]
struct Running {
    total: usize,
    addresses: HashMap<IpAddr, usize>,
    names: HashMap<UserName, usize>,
    pairs: HashMap<(IpAddr, UserName), usize>,
}

/// One of the threads, until it is dropped.
pub(super) struct Thread {
    all: Arc<Threads>,
    pair: (IpAddr, UserName),
}

impl Threads {
    /// Takes a thread for a name that is tried from an address. [`Denied::Busy`] where this address has its share, and
    /// [`Denied::Unavailable`] where none is free, or the name has enough.
    pub(super) fn acquire(all: &Arc<Self>, user: &UserName, address: Option<IpAddr>) -> Result<Thread, Denied> {
        let address = address.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), network_of);
        let pair = (address, user.clone());
        let mut running = all.0.lock().unwrap_or_else(PoisonError::into_inner);
        if running.total >= MAX {
            return Err(Denied::Unavailable(format!("{MAX} transactions with PAM are running")));
        }
        for (own, max) in [
            (count(&running.pairs, &pair), MAX_PER_PAIR),
            (count(&running.names, user), MAX_PER_NAME),
        ] {
            if own >= max {
                let cause = format!("{max} transactions of {user} with PAM are running");
                return Err(Denied::Unavailable(cause));
            }
        }
        if count(&running.addresses, &address) >= SHARE * (MAX - running.total) {
            let seconds = RETRY_SECONDS;
            return Err(Denied::Busy { seconds });
        }
        running.total += 1;
        *running.addresses.entry(address).or_default() += 1;
        *running.names.entry(user.clone()).or_default() += 1;
        *running.pairs.entry(pair.clone()).or_default() += 1;
        let all = Arc::clone(all);
        Ok(Thread { all, pair })
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        let mut running = self.all.0.lock().unwrap_or_else(PoisonError::into_inner);
        running.total -= 1;
        release(&mut running.addresses, &self.pair.0);
        release(&mut running.names, &self.pair.1);
        release(&mut running.pairs, &self.pair);
    }
}

fn count<K: Eq + Hash>(counts: &HashMap<K, usize>, key: &K) -> usize {
    counts.get(key).copied().unwrap_or(0)
}

fn release<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(own) = counts.get_mut(key) {
        *own -= 1;
        if *own == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: usize) -> UserName {
        UserName::new(format!("u{n}")).unwrap()
    }

    fn address(n: u8) -> IpAddr {
        [192, 0, 2, n].into()
    }

    /// As many as this address gets, each for another name.
    fn as_many_as_possible(all: &Arc<Threads>, address: IpAddr) -> Vec<Thread> {
        (1..=MAX)
            .map_while(|n| Threads::acquire(all, &name(n), Some(address)).ok())
            .collect()
    }

    #[test]
    fn an_address_gets_most_of_the_threads_and_leaves_some_to_others() {
        let all = Arc::<Threads>::default();
        let class = as_many_as_possible(&all, address(1));
        assert_eq!(class.len(), 205);
        let busy = Threads::acquire(&all, &name(0), Some(address(1))).err();
        assert_eq!(busy, Some(Denied::Busy { seconds: RETRY_SECONDS }));
        assert!(Threads::acquire(&all, &name(0), Some(address(2))).is_ok());
        drop(class);
        assert_eq!(all.0.lock().unwrap().addresses.len(), 0);
    }

    #[test]
    fn five_addresses_that_take_all_they_get_keep_nobody_else_out() {
        let all = Arc::<Threads>::default();
        let mut names = 0..;
        let mut held = Vec::new();
        for _ in 0..300 {
            for n in 1..=5 {
                held.extend(Threads::acquire(&all, &name(names.next().unwrap()), Some(address(n))).ok());
            }
        }
        assert!(held.len() < MAX, "all are taken");
        assert!(Threads::acquire(&all, &UserName::new("ada").unwrap(), Some(address(99))).is_ok());
    }

    #[test]
    fn a_stranger_elsewhere_does_not_take_all_threads_of_a_name() {
        let all = Arc::<Threads>::default();
        let ada = UserName::new("ada").unwrap();
        let held: Vec<_> = (0..=MAX_PER_PAIR)
            .filter_map(|_| Threads::acquire(&all, &ada, Some(address(1))).ok())
            .collect();
        assert_eq!(held.len(), MAX_PER_PAIR);
        assert!(Threads::acquire(&all, &ada, Some(address(2))).is_ok());
    }
}
