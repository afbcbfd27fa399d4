//! Counts of attempts in bounded memory, and what has changed since they were last written to the store.

use std::cmp::Ordering;
use std::collections::HashMap;

/// A keyed hash of an address, a name or both.
pub(super) type Key = [u8; 16];

/// What is counted. The numbers are part of the store and of the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Count {
    /// By address and name.
    Pair = 0,
    /// By address.
    Address = 1,
    /// By name.
    Name = 2,
    /// Second factors, by name.
    SecondFactor = 3,
}

impl Count {
    pub(super) const ALL: [Self; 4] = [Self::Pair, Self::Address, Self::Name, Self::SecondFactor];

    pub(super) fn limit(self) -> Limit {
        match self {
            Self::Pair => PAIR,
            Self::Address => ADDRESS,
            Self::Name => NAME,
            Self::SecondFactor => SECOND_FACTOR,
        }
    }
}

/// How many attempts a count takes at once, and the seconds after which one of them is forgotten.
#[derive(Clone, Copy)]
pub(super) struct Limit {
    pub(super) max: i64,
    pub(super) seconds: i64,
}

impl Limit {
    /// The seconds after which a full count is empty.
    pub(super) fn full(self) -> i64 {
        self.max * self.seconds
    }
}

pub(super) const PAIR: Limit = Limit { max: 5, seconds: 30 };
pub(super) const ADDRESS: Limit = Limit { max: 300, seconds: 3 };
pub(super) const NAME: Limit = Limit { max: 100, seconds: 10 };
pub(super) const SECOND_FACTOR: Limit = Limit { max: 6, seconds: 60 };

/// Counts of each kind that are remembered, and places where somebody signed in: a few MiB in all.
pub(super) const REMEMBERED: usize = 20_000;
/// Changes that are remembered while the store is away.
const MAX_CHANGES: usize = 5 * REMEMBERED;

/// All counts. A count is kept as the time at which it will be empty.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) empty_at: [HashMap<Key, i64>; 4],
    /// When a name last signed in at an address, by the key of the pair.
    pub(super) signed_in: HashMap<Key, i64>,
    pub(super) changes: HashMap<(Row, Key), Change>,
}

/// What a row of the store is about: a count, or the time of a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Row {
    Count(Count),
    SignedIn,
}

/// How a row changes. Changes of several replicas add up, whatever their order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Change {
    /// Whether the count starts from nothing.
    pub(super) is_cleared: bool,
    /// When the first of these attempts was made, or the sign-in.
    pub(super) from: i64,
    /// The seconds by which the count empties later.
    pub(super) seconds: i64,
}

impl Counts {
    /// Until there is room for one more; 0 or less if there is.
    pub(super) fn wait_seconds(&self, count: Count, key: &Key, now: i64) -> i64 {
        let limit = count.limit();
        let empty_at = self.empty_at[count as usize].get(key).copied().unwrap_or(now);
        // No count holds more than its maximum, unless the clock was set back.
        (empty_at - now).min(limit.full()) - (limit.max - 1) * limit.seconds
    }

    pub(super) fn add(&mut self, count: Count, key: Key, now: i64) {
        let Limit { max, seconds } = count.limit();
        let all = &mut self.empty_at[count as usize];
        make_room(all);
        let empty_at = all.entry(key).or_insert(now);
        *empty_at = (*empty_at).clamp(now, now + (max - 1) * seconds) + seconds;
        self.change(Row::Count(count), key, now, seconds);
    }

    pub(super) fn take_away(&mut self, count: Count, key: &Key, now: i64) {
        let seconds = count.limit().seconds;
        let all = &mut self.empty_at[count as usize];
        let Some(empty_at) = all.get_mut(key) else { return };
        *empty_at -= seconds;
        if *empty_at <= now {
            all.remove(key);
        }
        self.change(Row::Count(count), *key, now, -seconds);
    }

    /// Forgets a count.
    pub(super) fn clear(&mut self, count: Count, key: Key, now: i64) {
        let Some(empty_at) = self.empty_at[count as usize].remove(&key) else {
            return;
        };
        let row = (Row::Count(count), key);
        // A count that began after the last write is cleared by not writing it.
        let is_new = |change: &Change| !change.is_cleared && change.from + change.seconds == empty_at;
        if self.changes.get(&row).is_some_and(is_new) {
            self.changes.remove(&row);
            return;
        }
        let cleared = Change {
            is_cleared: true,
            from: now,
            seconds: 0,
        };
        self.changes.insert(row, cleared);
    }

    pub(super) fn has_signed_in(&self, pair: &Key) -> bool {
        self.signed_in.contains_key(pair)
    }

    pub(super) fn note_sign_in(&mut self, pair: Key, now: i64) {
        make_room(&mut self.signed_in);
        self.signed_in.insert(pair, now);
        let change = Change {
            from: now,
            ..Change::default()
        };
        self.changes.insert((Row::SignedIn, pair), change);
    }

    /// Takes over what the store has, with what was counted here since.
    pub(super) fn merge(&mut self, row: Row, key: Key, stored: i64, now: i64) {
        let limit = match row {
            Row::Count(count) => count.limit(),
            Row::SignedIn => {
                make_room(&mut self.signed_in);
                let at = self.signed_in.entry(key).or_insert(stored);
                *at = stored.max(*at);
                return;
            }
        };
        let change = self.changes.get(&(row, key));
        let empty_at = change.map_or(stored, |change| change.apply(Some(stored), limit));
        let Row::Count(count) = row else { return };
        let all = &mut self.empty_at[count as usize];
        if empty_at <= now {
            all.remove(&key);
        } else {
            make_room(all);
            all.insert(key, empty_at);
        }
    }

    fn change(&mut self, row: Row, key: Key, now: i64, seconds: i64) {
        if self.changes.len() >= MAX_CHANGES && !self.changes.contains_key(&(row, key)) {
            return;
        }
        let change = self.changes.entry((row, key)).or_insert(Change {
            from: now,
            ..Change::default()
        });
        if seconds > 0 && change.seconds > 0 && change.from + change.seconds <= now {
            // The store is away for so long that these attempts no longer count.
            (change.from, change.seconds) = (now, 0);
        }
        change.seconds += seconds;
        // An attempt that was given back before it was written needs no write.
        if !change.is_cleared && change.seconds == 0 {
            self.changes.remove(&(row, key));
        }
    }

    /// Keeps changes that could not be written, below those that were made since.
    pub(super) fn put_back(&mut self, changes: HashMap<(Row, Key), Change>) {
        for (at, earlier) in changes {
            if self.changes.len() >= MAX_CHANGES {
                return;
            }
            self.changes
                .entry(at)
                .and_modify(|later| {
                    if !later.is_cleared && at.0 != Row::SignedIn {
                        *later = Change {
                            is_cleared: earlier.is_cleared,
                            from: earlier.from,
                            seconds: earlier.seconds + later.seconds,
                        };
                    }
                })
                .or_insert(earlier);
        }
    }
}

impl Change {
    /// The time at which a count is empty after this change; 0 for a count that is gone.
    pub(super) fn apply(self, stored: Option<i64>, limit: Limit) -> i64 {
        let before = stored.filter(|_| !self.is_cleared);
        match (before, self.seconds) {
            (before, 1..) => {
                let before = before.unwrap_or(self.from);
                (before.max(self.from) + self.seconds).min(self.from + limit.full())
            }
            (Some(before), seconds) => before + seconds,
            (None, _) => 0,
        }
    }
}

/// Where there are too many, forgets half of them, the emptiest first (of the places of sign-ins, the oldest). Whoever
/// wants a full count forgotten has to fill as many others as high, and what that could win by address and name, the
/// count by name still holds.
fn make_room(times: &mut HashMap<Key, i64>) {
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
