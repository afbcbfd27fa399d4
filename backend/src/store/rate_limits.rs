//! Rate limits of sign-ins, and sign-ins with a second factor that are over.

use super::{Store, StoreError};

pub(super) const TABLES: [&str; 2] = [
    "CREATE TABLE IF NOT EXISTS rate_limits (number INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL, \
     key BLOB NOT NULL, value INTEGER NOT NULL, UNIQUE (kind, key)) STRICT",
    "CREATE TABLE IF NOT EXISTS ended_sign_in_flows (id TEXT PRIMARY KEY, ends_at INTEGER NOT NULL) STRICT",
];

/// A row of the rate limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimitRow {
    /// What is counted.
    pub kind: i64,
    /// Whose: a keyed hash.
    pub key: Vec<u8>,
    /// A time, in seconds since 1970.
    pub value: i64,
}

impl Store {
    /// Changes rows, in one transaction. `apply` computes the value of a row from the one that is stored.
    pub async fn change_rate_limits<C: Sync>(
        &self,
        changes: &[(i64, [u8; 16], C)],
        apply: impl Fn(i64, &C, Option<i64>) -> i64 + Sync,
    ) -> Result<(), StoreError> {
        // Replicas change rows one after the other: a transaction that reads first could not be upgraded.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        for (kind, key, change) in changes {
            let stored: Option<(i64,)> = sqlx::query_as("SELECT value FROM rate_limits WHERE kind = ? AND key = ?")
                .bind(kind)
                .bind(key.as_slice())
                .fetch_optional(&mut *transaction)
                .await?;
            // Replacing gives the row a new number.
            sqlx::query("INSERT OR REPLACE INTO rate_limits (kind, key, value) VALUES (?, ?, ?)")
                .bind(kind)
                .bind(key.as_slice())
                .bind(apply(*kind, change, stored.map(|(value,)| value)))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The rows that changed after the one of this number, by whichever replica, and the number of the last.
    pub async fn rate_limits(&self, after: i64) -> Result<(i64, Vec<RateLimitRow>), StoreError> {
        let rows: Vec<(i64, i64, Vec<u8>, i64)> =
            sqlx::query_as("SELECT number, kind, key, value FROM rate_limits WHERE number > ? ORDER BY number")
                .bind(after)
                .fetch_all(&self.pool)
                .await?;
        let last = rows.last().map_or(after, |(number, ..)| *number);
        let rows = rows.into_iter();
        let rows = rows.map(|(_, kind, key, value)| RateLimitRow { kind, key, value });
        Ok((last, rows.collect()))
    }

    /// Removes the rows of a kind with a value below `before`, and all but the `max` highest.
    pub async fn prune_rate_limits(&self, kind: i64, before: i64, max: usize) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM rate_limits WHERE kind = ? AND value < ?")
            .bind(kind)
            .bind(before)
            .execute(&self.pool)
            .await?;
        let surplus = "DELETE FROM rate_limits WHERE number IN \
                       (SELECT number FROM rate_limits WHERE kind = ? ORDER BY value DESC LIMIT -1 OFFSET ?)";
        sqlx::query(surplus)
            .bind(kind)
            .bind(i64::try_from(max).unwrap_or(i64::MAX))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Remembers that a sign-in with several steps is over, for the replica at which it began.
    pub async fn end_flow(&self, id: &str, ends_at: i64) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO ended_sign_in_flows (id, ends_at) VALUES (?, ?) ON CONFLICT (id) DO NOTHING")
            .bind(id)
            .bind(ends_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Whether a sign-in was ended at another replica.
    pub async fn is_flow_over(&self, id: &str) -> Result<bool, StoreError> {
        let row: Option<(i64,)> = sqlx::query_as("SELECT ends_at FROM ended_sign_in_flows WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.is_some())
    }

    /// Forgets sign-ins a while after their end.
    pub async fn prune_flows(&self, now: i64) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM ended_sign_in_flows WHERE ends_at < ?")
            .bind(now - 60)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}
