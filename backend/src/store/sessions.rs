//! SQL of sessions: their rows, the ends that every replica has to hear of, and who has used which session when.
//!
//! `sign_in_ends` lists ended sessions by id, `user_revocations` all sessions of a user up to a time, which includes
//! sessions whose row was never stored. Replicas read both by their number, as a queue. The statements are portable SQL
//! with numbered placeholders.

use shared::names::UserName;
use sqlx::{Sqlite, Transaction};

use super::{Store, StoreError};

/// The tables of this module. `sign_in_ends` is as in earlier releases, whose processes read it during a handover.
pub(super) const TABLES: [&str; 4] = [
    "CREATE TABLE IF NOT EXISTS sign_in_ends (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, \
     ends_at INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS user_revocations (number INTEGER PRIMARY KEY AUTOINCREMENT, user_name TEXT NOT NULL, \
     through INTEGER NOT NULL, keep_until INTEGER NOT NULL) STRICT",
    "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, user_name TEXT NOT NULL, provider TEXT NOT NULL, \
     provider_subject TEXT, provider_sid TEXT, created_at INTEGER NOT NULL, authenticated_at INTEGER NOT NULL, \
     last_used_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, address TEXT, user_agent TEXT, credential TEXT, \
     updated_at INTEGER NOT NULL, ended_at INTEGER, end_reason TEXT) STRICT",
    "CREATE INDEX IF NOT EXISTS sessions_of_user ON sessions (user_name)",
];

/// No cookie of a session is valid for longer: the greatest `sign_in.lifetime_hours`, in seconds.
const LONGEST_LIFETIME: i64 = 744 * 3600;

/// A row of `sessions`. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The session's id, as its cookies carry it.
    pub id: String,
    /// Who signed in.
    pub user: UserName,
    /// What authenticated the user: `users_file` or `pam`.
    pub provider: String,
    /// The provider's own id of the user, if it has one (OpenID Connect: `sub`).
    pub provider_subject: Option<String>,
    /// The provider's own id of the session, if it has one (OpenID Connect: `sid`).
    pub provider_sid: Option<String>,
    /// When the session began.
    pub created_at: i64,
    /// When the user last proved who they are; 0 where the cookie of an earlier release does not say it.
    pub authenticated_at: i64,
    /// When the session was last used.
    pub last_used_at: i64,
    /// When it ends whatever happens.
    pub ends_at: i64,
    /// The address that the user signed in from.
    pub address: Option<String>,
    /// The browser that the user signed in with, shortened and in plain ASCII.
    pub user_agent: Option<String>,
    /// Changes when the user's password changes, where the provider tells.
    pub credential: Option<String>,
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The user signed out.
    SignedOut,
    /// The user ended it from another session.
    EndedByUser,
    /// `slipway sign-out`.
    Administrator,
    /// The provider says that there is no such account, or that it is not active.
    AccountClosed,
    /// `sign_in.blocked` names the user.
    NameBlocked,
    /// The password is another one now.
    PasswordChanged,
    /// The user has too many sessions, and this one was not used for the longest time.
    TooMany,
}

impl EndReason {
    /// As it is stored and logged.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::EndedByUser => "ended_by_user",
            Self::Administrator => "administrator",
            Self::AccountClosed => "account_closed",
            Self::NameBlocked => "name_blocked",
            Self::PasswordChanged => "password_changed",
            Self::TooMany => "too_many",
        }
    }
}

/// All sessions of a user that began at a time or before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRevocation {
    /// Whose sessions.
    pub user: UserName,
    /// The last second whose sign-ins are revoked, since 1970.
    pub through: i64,
    /// Until when a revoked cookie could still be shown.
    pub keep_until: i64,
}

impl UserRevocation {
    /// Of all sessions that a user has begun up to a time.
    pub fn new(user: UserName, through: i64) -> Self {
        Self {
            user,
            through,
            keep_until: through + LONGEST_LIFETIME,
        }
    }
}

/// How far a replica has read the ends of sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EndCursor {
    session: i64,
    user: i64,
}

/// Ends of sessions that a replica has not read before.
#[derive(Debug, Default)]
pub struct SessionEnds {
    /// Ids, each with the time until which its cookies would have been valid.
    pub sessions: Vec<(String, i64)>,
    /// Users.
    pub users: Vec<UserRevocation>,
}

/// What is written of a session.
#[derive(Clone, Debug)]
pub struct SessionWrite {
    /// Its row as this process knows it.
    pub row: SessionRow,
    /// Whether this process has authenticated the user. Otherwise it has only seen the cookie, and a row that is there
    /// already is better than its own.
    pub is_own: bool,
}

/// A query of whole rows, in the order of [`Columns`].
macro_rules! select_sessions {
    ($condition:literal) => {
        concat!(
            "SELECT id, user_name, provider, provider_subject, provider_sid, created_at, authenticated_at, \
             last_used_at, ends_at, address, user_agent, credential FROM sessions WHERE ",
            $condition
        )
    };
}

/// Writes a row. What of it replaces a row that is there stands at the end.
macro_rules! insert_session {
    ($update:literal) => {
        concat!(
            "INSERT INTO sessions (id, user_name, provider, provider_subject, provider_sid, created_at, \
             authenticated_at, last_used_at, ends_at, address, user_agent, credential, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO UPDATE \
             SET updated_at = excluded.updated_at, last_used_at = \
             CASE WHEN excluded.last_used_at > sessions.last_used_at THEN excluded.last_used_at \
             ELSE sessions.last_used_at END, ",
            $update
        )
    };
}

/// The user has signed in here, for the first time or again.
const INSERT_OWN: &str = insert_session!(
    "authenticated_at = excluded.authenticated_at, ends_at = excluded.ends_at, address = excluded.address, \
     user_agent = excluded.user_agent, credential = excluded.credential \
     WHERE sessions.authenticated_at <= excluded.authenticated_at"
);
/// Only the cookie was seen here: what another process has written of the session stays.
const INSERT_SEEN: &str = insert_session!("credential = COALESCE(sessions.credential, excluded.credential)");

type Columns = (
    String,
    String,
    String,
    Option<String>,
    Option<String>,
    i64,
    i64,
    i64,
    i64,
    Option<String>,
    Option<String>,
    Option<String>,
);

/// Nothing where the name is none, of another release.
fn row(columns: Columns) -> Option<SessionRow> {
    let (id, user, provider, provider_subject, provider_sid, created_at, authenticated_at, last_used_at, ends_at, ..) =
        columns;
    let (address, user_agent, credential) = (columns.9, columns.10, columns.11);
    Some(SessionRow {
        id,
        user: UserName::new(&user).ok()?,
        provider,
        provider_subject,
        provider_sid,
        created_at,
        authenticated_at,
        last_used_at,
        ends_at,
        address,
        user_agent,
        credential,
    })
}

impl Store {
    /// Writes new and used sessions, all or none.
    pub async fn write_sessions(&self, writes: &[SessionWrite], now: i64) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        for write in writes {
            insert(&mut transaction, write, now).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// The sessions that were written at this time or later, and have not ended.
    pub async fn sessions_written_since(&self, since: i64, now: i64) -> Result<Vec<SessionRow>, StoreError> {
        let select = select_sessions!("updated_at >= $1 AND ends_at > $2 AND ended_at IS NULL");
        let rows: Vec<Columns> = sqlx::query_as(select)
            .bind(since)
            .bind(now)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().filter_map(row).collect())
    }

    /// A user's sessions that have not ended.
    pub async fn sessions_of(&self, user: &UserName, now: i64) -> Result<Vec<SessionRow>, StoreError> {
        let select = select_sessions!("user_name = $1 AND ends_at > $2 AND ended_at IS NULL");
        let rows: Vec<Columns> = sqlx::query_as(select)
            .bind(user.as_str())
            .bind(now)
            .fetch_all(&self.pool)
            .await?;
        Ok(rows.into_iter().filter_map(row).collect())
    }

    /// Ends one session; `ends_at` is the time until which its cookies would have been valid.
    pub async fn end_session(&self, id: &str, ends_at: i64, reason: EndReason, now: i64) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        forget_expired(&mut transaction, now).await?;
        sqlx::query("INSERT INTO sign_in_ends (id, ends_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING")
            .bind(id)
            .bind(ends_at)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("UPDATE sessions SET ended_at = $2, end_reason = $3 WHERE id = $1 AND ended_at IS NULL")
            .bind(id)
            .bind(now)
            .bind(reason.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Ends all sessions that a user has begun up to a time or that have a row, also those that have no row. Answers how many have one.
    pub async fn end_sessions_of(
        &self,
        user: &UserName,
        through: i64,
        reason: EndReason,
        now: i64,
    ) -> Result<u64, StoreError> {
        let mut transaction = self.pool.begin().await?;
        forget_expired(&mut transaction, now).await?;
        let (newest,): (Option<i64>,) =
            sqlx::query_as("SELECT MAX(authenticated_at) FROM sessions WHERE user_name = $1")
                .bind(user.as_str())
                .fetch_one(&mut *transaction)
                .await?;
        let through = through.max(newest.unwrap_or_default());
        sqlx::query("INSERT INTO user_revocations (user_name, through, keep_until) VALUES ($1, $2, $3)")
            .bind(user.as_str())
            .bind(through)
            .bind(through + LONGEST_LIFETIME)
            .execute(&mut *transaction)
            .await?;
        // By id as well: processes of earlier releases read nothing else.
        let by_id = "INSERT INTO sign_in_ends (id, ends_at) SELECT id, ends_at FROM sessions \
                     WHERE user_name = $1 AND authenticated_at <= $2 AND ended_at IS NULL AND ends_at > $3 \
                     ON CONFLICT (id) DO NOTHING";
        sqlx::query(by_id)
            .bind(user.as_str())
            .bind(through)
            .bind(now)
            .execute(&mut *transaction)
            .await?;
        let update = "UPDATE sessions SET ended_at = $3, end_reason = $4 \
                      WHERE user_name = $1 AND authenticated_at <= $2 AND ended_at IS NULL AND ends_at > $3";
        let ended = sqlx::query(update)
            .bind(user.as_str())
            .bind(through)
            .bind(now)
            .bind(reason.as_str())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(ended.rows_affected())
    }

    /// Deletes what no cookie can refer to any more.
    pub async fn forget_expired_sessions(&self, now: i64) -> Result<(), StoreError> {
        let mut transaction = self.pool.begin().await?;
        forget_expired(&mut transaction, now).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// What ended since the cursor, by whichever process, and the cursor behind it.
    pub async fn session_ends(&self, after: EndCursor) -> Result<(EndCursor, SessionEnds), StoreError> {
        let sessions: Vec<(i64, String, i64)> =
            sqlx::query_as("SELECT number, id, ends_at FROM sign_in_ends WHERE number > $1 ORDER BY number")
                .bind(after.session)
                .fetch_all(&self.pool)
                .await?;
        let users: Vec<(i64, String, i64, i64)> = sqlx::query_as(
            "SELECT number, user_name, through, keep_until FROM user_revocations WHERE number > $1 ORDER BY number",
        )
        .bind(after.user)
        .fetch_all(&self.pool)
        .await?;
        let cursor = EndCursor {
            session: sessions.last().map_or(after.session, |(number, ..)| *number),
            user: users.last().map_or(after.user, |(number, ..)| *number),
        };
        let user = |(_, name, through, keep_until): (i64, String, i64, i64)| {
            Some(UserRevocation {
                user: UserName::new(&name).ok()?,
                through,
                keep_until,
            })
        };
        let ends = SessionEnds {
            sessions: sessions.into_iter().map(|(_, id, ends_at)| (id, ends_at)).collect(),
            users: users.into_iter().filter_map(user).collect(),
        };
        Ok((cursor, ends))
    }
}

async fn insert(transaction: &mut Transaction<'_, Sqlite>, write: &SessionWrite, now: i64) -> Result<(), StoreError> {
    let row = &write.row;
    sqlx::query(if write.is_own { INSERT_OWN } else { INSERT_SEEN })
        .bind(&row.id)
        .bind(row.user.as_str())
        .bind(&row.provider)
        .bind(&row.provider_subject)
        .bind(&row.provider_sid)
        .bind(row.created_at)
        .bind(row.authenticated_at)
        .bind(row.last_used_at)
        .bind(row.ends_at)
        .bind(&row.address)
        .bind(&row.user_agent)
        .bind(&row.credential)
        .bind(now)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

async fn forget_expired(transaction: &mut Transaction<'_, Sqlite>, now: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM sign_in_ends WHERE ends_at <= $1",
        "DELETE FROM user_revocations WHERE keep_until <= $1",
        "DELETE FROM sessions WHERE ends_at <= $1",
    ] {
        sqlx::query(sql).bind(now).execute(&mut **transaction).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
