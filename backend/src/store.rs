//! What has to be remembered across restarts: sessions and which of them were ended, last choices, and the way to
//! running servers. SQLite. Losing it loses no running server: everything else is in Slurm.

mod file_system;
mod rate_limits;
mod sessions;

use std::path::Path;
use std::time::Duration;

use rustix::fs::{Access, access};
use rustix::io::Errno;
use serde::Serialize;
use serde::de::DeserializeOwned;
use shared::names::UserName;
use sqlx::Connection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use self::rate_limits::RateLimitRow;
pub use self::sessions::{EndCursor, EndReason, SessionEnds, SessionRow, SessionWrite, UserRevocation};
use crate::{keys, permissions};

/// A store that somebody else has locked holds nobody up for longer.
const PATIENCE: Duration = Duration::from_secs(1);
/// How many servers of before are kept for a person.
const PAST: i64 = 20;

/// The store. Its errors are for the log: whoever calls goes on without it.
#[derive(Clone)]
pub struct Store {
    pool: SqlitePool,
}

/// Why the store did not do something.
#[derive(Debug, thiserror::Error)]
#[error("the store: {0}")]
pub struct StoreError(String);

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self(error.to_string())
    }
}

/// What is kept for a person, by kind.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// The last options.
    Choice,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Choice => "choice",
        }
    }
}

impl Store {
    /// Opens the file, or makes it with mode 0600.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        refuse_network_file_system(path)?;
        if !path.exists() {
            keys::write_private(path, b"").map_err(|e| StoreError(e.to_string()))?;
        }
        Self::open_existing(path).await
    }

    /// Opens a file that has to be there, for commands that run beside `slipway serve`. Creates no database; SQLite gives
    /// the files that it makes beside it (`-wal`, `-shm`) the owner of the database, also when root opens it.
    pub async fn open_existing(path: &Path) -> Result<Self, StoreError> {
        refuse_network_file_system(path)?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .busy_timeout(PATIENCE)
            .synchronous(SqliteSynchronous::Normal);
        check_owner(path)?;
        // By a connection of its own: making the file takes a busy disk longer than anybody should wait for one later.
        let mut maker = SqliteConnection::connect_with(&options).await?;
        for table in sessions::TABLES.into_iter().chain(rate_limits::TABLES).chain([
            "CREATE TABLE IF NOT EXISTS hand_offs (code TEXT PRIMARY KEY, document TEXT NOT NULL, ends_at INTEGER NOT NULL) \
             STRICT",
            "CREATE TABLE IF NOT EXISTS kept (user TEXT NOT NULL, kind TEXT NOT NULL, document TEXT NOT NULL, \
             PRIMARY KEY (user, kind)) STRICT",
            "CREATE TABLE IF NOT EXISTS past (nonce TEXT PRIMARY KEY, user TEXT NOT NULL, asked_at INTEGER NOT NULL, \
             document TEXT NOT NULL) STRICT",
            "CREATE INDEX IF NOT EXISTS past_of_user ON past (user, asked_at)",
            "CREATE TABLE IF NOT EXISTS servers (user TEXT PRIMARY KEY, nonce TEXT NOT NULL, record TEXT NOT NULL) STRICT",
        ]) {
            sqlx::query(table).execute(&mut maker).await?;
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(8)
            .acquire_timeout(PATIENCE)
            .connect_with(options)
            .await?;
        maker.close().await?;
        Ok(Self { pool })
    }

    /// Closes all connections: the last one that closes a database takes its `-wal` and `-shm` files along.
    pub async fn close(self) {
        self.pool.close().await;
    }

    /// Keeps something until it is taken with its code, or its time is over.
    pub async fn put_hand_off(
        &self,
        code: &str,
        document: &(impl Serialize + Sync),
        ends_at: i64,
        now: i64,
    ) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM hand_offs WHERE ends_at <= ?")
            .bind(now)
            .execute(&self.pool)
            .await?;
        sqlx::query("INSERT INTO hand_offs (code, document, ends_at) VALUES (?, ?, ?)")
            .bind(code)
            .bind(text(document)?)
            .bind(ends_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What was kept under a code, once.
    pub async fn take_hand_off<T: DeserializeOwned>(&self, code: &str, now: i64) -> Result<Option<T>, StoreError> {
        let delete = "DELETE FROM hand_offs WHERE code = ? AND ends_at > ? RETURNING document";
        let row: Option<(String,)> = sqlx::query_as(delete)
            .bind(code)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|(document,)| serde_json::from_str(&document).ok()))
    }

    /// Keeps something for a person, in place of what was kept before.
    pub async fn keep(&self, user: &UserName, kind: Kind, value: &(impl Serialize + Sync)) -> Result<(), StoreError> {
        let document = text(value)?;
        let insert = "INSERT OR REPLACE INTO kept (user, kind, document) VALUES (?, ?, ?)";
        sqlx::query(insert)
            .bind(user.as_str())
            .bind(kind.name())
            .bind(document)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What was kept for a person; nothing where it cannot be read any more.
    pub async fn kept<T: DeserializeOwned>(&self, user: &UserName, kind: Kind) -> Result<Option<T>, StoreError> {
        let select = "SELECT document FROM kept WHERE user = ? AND kind = ?";
        let row: Option<(String,)> = sqlx::query_as(select)
            .bind(user.as_str())
            .bind(kind.name())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|(document,)| serde_json::from_str(&document).ok()))
    }

    /// Keeps how a server of this person's ended, and forgets what is older than their last [`PAST`].
    pub async fn add_past(
        &self,
        user: &UserName,
        nonce: &str,
        asked_at: i64,
        document: &(impl Serialize + Sync),
    ) -> Result<(), StoreError> {
        sqlx::query("INSERT OR REPLACE INTO past (nonce, user, asked_at, document) VALUES (?, ?, ?, ?)")
            .bind(nonce)
            .bind(user.as_str())
            .bind(asked_at)
            .bind(text(document)?)
            .execute(&self.pool)
            .await?;
        let old = "DELETE FROM past WHERE user = ?1 AND nonce NOT IN \
                   (SELECT nonce FROM past WHERE user = ?1 ORDER BY asked_at DESC LIMIT ?2)";
        sqlx::query(old)
            .bind(user.as_str())
            .bind(PAST)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// A person's servers of before, the last one first; without those that cannot be read any more.
    pub async fn past<T: DeserializeOwned>(&self, user: &UserName) -> Result<Vec<T>, StoreError> {
        let rows: Vec<(String,)> = sqlx::query_as("SELECT document FROM past WHERE user = ? ORDER BY asked_at DESC")
            .bind(user.as_str())
            .fetch_all(&self.pool)
            .await?;
        Ok(rows
            .into_iter()
            .filter_map(|(document,)| serde_json::from_str(&document).ok())
            .collect())
    }

    /// Records that a server of this person is being started, if none is recorded: of several Slipways that
    /// share the store, one is told nothing, and the others what that one recorded.
    pub async fn claim_server<T>(&self, user: &UserName, nonce: &str, record: &T) -> Result<Option<T>, StoreError>
    where
        T: Serialize + DeserializeOwned + Sync,
    {
        let insert = "INSERT INTO servers (user, nonce, record) VALUES (?, ?, ?) ON CONFLICT (user) DO NOTHING";
        let done = sqlx::query(insert)
            .bind(user.as_str())
            .bind(nonce)
            .bind(text(record)?)
            .execute(&self.pool)
            .await?;
        if done.rows_affected() == 1 {
            return Ok(None);
        }
        let there = self.server(user).await?;
        there
            .map(Some)
            .ok_or_else(|| StoreError("a server is recorded there that cannot be read".into()))
    }

    /// Keeps what is known of a server; what is recorded of another one of the same person stays.
    pub async fn keep_server(
        &self,
        user: &UserName,
        nonce: &str,
        record: &(impl Serialize + Sync),
    ) -> Result<(), StoreError> {
        let insert = "INSERT INTO servers (user, nonce, record) VALUES (?, ?, ?) \
                      ON CONFLICT (user) DO UPDATE SET record = excluded.record WHERE servers.nonce = excluded.nonce";
        sqlx::query(insert)
            .bind(user.as_str())
            .bind(nonce)
            .bind(text(record)?)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Forgets a server that is over.
    pub async fn forget_server(&self, user: &UserName, nonce: &str) -> Result<(), StoreError> {
        sqlx::query("DELETE FROM servers WHERE user = ? AND nonce = ?")
            .bind(user.as_str())
            .bind(nonce)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// What is recorded of a person's server; nothing where it cannot be read any more.
    pub async fn server<T: DeserializeOwned>(&self, user: &UserName) -> Result<Option<T>, StoreError> {
        let row: Option<(String,)> = sqlx::query_as("SELECT record FROM servers WHERE user = ?")
            .bind(user.as_str())
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.and_then(|(record,)| serde_json::from_str(&record).ok()))
    }

    /// What is recorded of everybody's. Records that cannot be read, of another release, are dropped: those
    /// servers are found in Slurm.
    pub async fn servers<T: DeserializeOwned>(&self) -> Result<Vec<T>, StoreError> {
        let rows: Vec<(String, String)> = sqlx::query_as("SELECT nonce, record FROM servers")
            .fetch_all(&self.pool)
            .await?;
        let mut servers = Vec::new();
        for (nonce, record) in rows {
            match serde_json::from_str(&record) {
                Ok(server) => servers.push(server),
                Err(error) => {
                    tracing::warn!(%error, "the record of a server cannot be read");
                    sqlx::query("DELETE FROM servers WHERE nonce = ?")
                        .bind(nonce)
                        .execute(&self.pool)
                        .await?;
                }
            }
        }
        Ok(servers)
    }
}

fn refuse_network_file_system(path: &Path) -> Result<(), StoreError> {
    match path.parent().and_then(file_system::network_file_system) {
        None => Ok(()),
        Some(kind) => Err(StoreError(format!(
            "{} is on a network file system ({kind}), on which SQLite can lose data: name a file on a local disk",
            path.display()
        ))),
    }
}

/// Refuses files of another user with the command that mends it: SQLite would only say that it cannot open them.
fn check_owner(path: &Path) -> Result<(), StoreError> {
    for suffix in ["", "-wal", "-shm"] {
        let mut file = path.as_os_str().to_owned();
        file.push(suffix);
        let file = Path::new(&file);
        // Not by opening it: closing a file of SQLite's ends the locks that this process has on it.
        if let Err(error) = access(file, Access::READ_OK | Access::WRITE_OK)
            && error == Errno::ACCESS
        {
            let error = error.into();
            let hint = permissions::owner_hint(file, &error);
            return Err(StoreError(format!("{}: {error}{hint}", file.display())));
        }
    }
    Ok(())
}

fn text(value: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|e| StoreError(e.to_string()))
}
