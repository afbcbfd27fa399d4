//! Counts that survive a restart and hold for all replicas: written to the store, and read from it.
//!
//! Each replica counts in memory and writes what it added, not what it has: the counts of two replicas add up. What
//! other replicas wrote is read by the number of the row, which grows with each change.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use super::Throttle;
use super::counts::{Change, Count, Counts, Key, REMEMBERED, Row};
use crate::store::{RateLimitRow, Store, StoreError};

/// How long an empty count stays in the store, in seconds: every replica has read it by then.
const EMPTY_SECONDS: i64 = 60;
/// How long a place where somebody signed in is remembered, in seconds.
const PLACE_SECONDS: i64 = 90 * 24 * 3600;

impl Throttle {
    /// Writes what was counted here, and reads what was counted elsewhere. Where the store cannot be used, counting
    /// goes on in memory, and what was not written is written later.
    pub async fn synchronize(&self, store: &Store) {
        let result = self.exchange(store).await;
        let was_alone = self.is_alone.swap(result.is_err(), Ordering::Relaxed);
        match result {
            Ok(()) if was_alone => tracing::info!("rate limits of sign-ins are shared through the store again"),
            Err(error) if !was_alone => tracing::warn!(
                %error,
                "cannot share rate limits of sign-ins through the store; counting in memory, retrying every second"
            ),
            _ => {}
        }
    }

    /// Removes rows that say nothing any more.
    pub async fn prune(&self, store: &Store) {
        let now = self.clock.now();
        let rows = Count::ALL.map(|count| (Row::Count(count).number(), now - EMPTY_SECONDS));
        let rows = rows.into_iter().chain([(Row::SignedIn.number(), now - PLACE_SECONDS)]);
        for (kind, before) in rows {
            if let Err(error) = store.prune_rate_limits(kind, before, REMEMBERED).await {
                tracing::debug!(%error, "cannot remove old rate limits from the store");
            }
        }
        if let Err(error) = store.prune_flows(now).await {
            tracing::debug!(%error, "cannot remove old sign-ins from the store");
        }
    }

    async fn exchange(&self, store: &Store) -> Result<(), StoreError> {
        let changes = std::mem::take(&mut self.lock().changes);
        if !changes.is_empty() {
            let written = store.change_rate_limits(&rows(&changes), apply).await;
            if let Err(error) = written {
                self.lock().put_back(changes);
                return Err(error);
            }
            tracing::debug!(changes = changes.len(), "rate limits written to the store");
        }
        let (last, rows) = store.rate_limits(self.last_row.load(Ordering::Relaxed)).await?;
        let now = self.clock.now();
        let mut counts = self.lock();
        for row in &rows {
            merge(&mut counts, row, now);
        }
        drop(counts);
        if !rows.is_empty() {
            tracing::debug!(rows = rows.len(), last, "rate limits read from the store");
        }
        self.last_row.store(last, Ordering::Relaxed);
        Ok(())
    }
}

fn rows(changes: &HashMap<(Row, Key), Change>) -> Vec<(i64, Key, Change)> {
    let rows = changes.iter();
    rows.map(|((row, key), change)| (row.number(), *key, *change)).collect()
}

/// The value of a row after a change.
fn apply(kind: i64, change: &Change, stored: Option<i64>) -> i64 {
    match Row::of(kind) {
        Some(Row::Count(count)) => change.apply(stored, count.limit()),
        Some(Row::SignedIn) | None => change.from.max(stored.unwrap_or(0)),
    }
}

/// Ignores what another release has written.
fn merge(counts: &mut Counts, row: &RateLimitRow, now: i64) {
    if let (Some(kind), Ok(key)) = (Row::of(row.kind), Key::try_from(row.key.as_slice())) {
        counts.merge(kind, key, row.value, now);
    }
}

impl Row {
    fn number(self) -> i64 {
        match self {
            Self::Count(count) => count as i64,
            Self::SignedIn => 4,
        }
    }

    fn of(number: i64) -> Option<Self> {
        match number {
            4 => Some(Self::SignedIn),
            number => {
                let count = Count::ALL.into_iter().find(|count| *count as i64 == number);
                count.map(Self::Count)
            }
        }
    }
}
