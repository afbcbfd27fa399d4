//! Sessions and the store: ends are written at once and read from other processes each second; uses are written behind,
//! off the path of any request.

use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use shared::names::UserName;
use tokio::time::{Instant, MissedTickBehavior};

use super::{Session, Sessions};
use crate::app::App;
use crate::store::{EndCursor, EndReason, SessionEnds, SessionRow, Store, StoreError, UserRevocation};

/// The target of one log line for each start and end of a session, which no filter turns off.
pub const SESSION_AUDIT: &str = "slipway::sessions";

/// How often a replica reads which sessions others have ended.
const READ_ENDS_EVERY: Duration = Duration::from_secs(1);
/// How often it writes uses of sessions, and reads those of others.
const SYNC_USES_EVERY: Duration = Duration::from_secs(5);
/// How often it forgets sessions that have expired.
const FORGET_EVERY: Duration = Duration::from_mins(30);
/// New sessions are collected for so long, to be written together.
const COLLECT: Duration = Duration::from_millis(100);
/// Rows are read again that were written so many seconds before the last reading.
const OVERLAP: i64 = 5;

/// How far this process has read what others wrote.
#[derive(Clone, Copy, Default)]
pub(super) struct Cursors {
    ends: EndCursor,
    written_since: i64,
}

/// An end that the store has not taken yet.
#[derive(Clone)]
pub(super) enum PendingEnd {
    Session {
        id: String,
        ends_at: i64,
        reason: EndReason,
    },
    User {
        user: UserName,
        through: i64,
        reason: EndReason,
    },
}

impl PendingEnd {
    async fn store(&self, store: &Store, now: i64) -> Result<u64, StoreError> {
        match self {
            Self::Session { id, ends_at, reason } => store.end_session(id, *ends_at, *reason, now).await.map(|()| 1),
            Self::User { user, through, reason } => store.end_sessions_of(user, *through, *reason, now).await,
        }
    }
}

impl Sessions {
    /// Reads what the store has of sessions, once before the first request.
    pub async fn load(&self, store: &Store) -> Result<(), StoreError> {
        let (cursor, ends) = store.session_ends(EndCursor::default()).await?;
        self.cursors().ends = cursor;
        self.apply_revocations(ends);
        self.read_uses(store).await
    }

    /// Ends a session: here at once, at other replicas within two seconds. An error says that it could not be stored; it
    /// is tried again until it is.
    pub async fn end(&self, store: &Store, session: &Session, reason: EndReason) -> Result<(), StoreError> {
        let ends_at = session.ends_at;
        audit_end(&session.user, &session.id, None, reason);
        let end = self.revoke(session.id.clone(), ends_at, reason);
        self.store_end(store, end).await.map(drop)
    }

    /// The same for a session of the store or of the registry.
    pub async fn end_row(&self, store: &Store, row: SessionRow, reason: EndReason) -> Result<(), StoreError> {
        audit_end(&row.user, &row.id, row.address.as_deref(), reason);
        let end = self.revoke(row.id, row.ends_at, reason);
        self.store_end(store, end).await.map(drop)
    }

    /// Ends a session here, and leaves the store to the next round.
    pub(super) fn end_later(&self, row: SessionRow, reason: EndReason) {
        audit_end(&row.user, &row.id, row.address.as_deref(), reason);
        let end = self.revoke(row.id, row.ends_at, reason);
        self.pending().push(end);
    }

    /// Ends all sessions of a user, also those that the store knows nothing of. Answers how many the store knows.
    pub async fn end_all_of(&self, store: &Store, user: &UserName, reason: EndReason) -> Result<u64, StoreError> {
        let rows = self.registry.sessions_of(user);
        let newest = rows.iter().map(|row| row.authenticated_at).max();
        let through = newest.unwrap_or_default().max(self.clock.now());
        tracing::info!(target: SESSION_AUDIT, %user, reason = reason.as_str(), "all sessions of a user ended");
        self.apply_revocations(SessionEnds {
            sessions: Vec::new(),
            users: vec![UserRevocation::new(user.clone(), through)],
        });
        let user = user.clone();
        self.store_end(store, PendingEnd::User { user, through, reason }).await
    }

    /// A user's sessions, of the store and of this process, the last used first; without those that are idle for too
    /// long.
    pub async fn list(&self, store: &Store, user: &UserName) -> Vec<SessionRow> {
        let now = self.clock.now();
        match store.sessions_of(user, now).await {
            Ok(rows) => self.registry.merge(rows, now),
            Err(error) => tracing::warn!(%user, %error, "cannot read sessions from the store; listing those in memory"),
        }
        let mut rows = self.registry.sessions_of(user);
        rows.retain(|row| row.ends_at > now && row.last_used_at + self.idle_seconds > now);
        rows.sort_by_key(|row| std::cmp::Reverse(row.last_used_at));
        rows
    }

    /// Writes what this process alone knows, before it ends.
    pub async fn flush(&self, store: &Store) {
        self.retry_ends(store).await;
        if let Err(error) = self.write_uses(store, true).await {
            tracing::warn!(%error, "cannot store when sessions were last used");
        }
    }

    /// Revokes an id for as long as any cookie of it is valid: signing in again may have issued later ones.
    fn revoke(&self, id: String, ends_at: i64, reason: EndReason) -> PendingEnd {
        let ends_at = ends_at.max(self.clock.now() + self.lifetime_seconds);
        self.apply_revocations(SessionEnds {
            sessions: vec![(id.clone(), ends_at)],
            users: Vec::new(),
        });
        PendingEnd::Session { id, ends_at, reason }
    }

    async fn store_end(&self, store: &Store, end: PendingEnd) -> Result<u64, StoreError> {
        let stored = end.store(store, self.clock.now()).await;
        if let Err(error) = &stored {
            tracing::warn!(
                %error,
                "cannot store the end of a session; retrying; until then a restart and other replicas accept its cookies"
            );
            self.pending().push(end);
        }
        stored
    }

    fn pending(&self) -> MutexGuard<'_, Vec<PendingEnd>> {
        self.pending_ends.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cursors(&self) -> MutexGuard<'_, Cursors> {
        self.cursors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn retry_ends(&self, store: &Store) {
        let mut pending = std::mem::take(&mut *self.pending()).into_iter();
        while let Some(end) = pending.next() {
            if let Err(error) = end.store(store, self.clock.now()).await {
                tracing::debug!(%error, "cannot store the end of a session; retrying");
                self.pending().extend(std::iter::once(end).chain(pending));
                return;
            }
        }
    }

    async fn read_ends(&self, store: &Store) -> Result<(), StoreError> {
        let after = self.cursors().ends;
        let (cursor, ends) = store.session_ends(after).await?;
        self.cursors().ends = cursor;
        for end in &ends.users {
            if self
                .registry
                .revoked_through(&end.user)
                .is_none_or(|through| through < end.through)
            {
                let user = &end.user;
                tracing::info!(target: SESSION_AUDIT, %user, "all sessions of a user were ended by another process");
            }
        }
        self.apply_revocations(ends);
        Ok(())
    }

    async fn read_uses(&self, store: &Store) -> Result<(), StoreError> {
        let now = self.clock.now();
        let since = self.cursors().written_since;
        let rows = store.sessions_written_since(since, now).await?;
        self.cursors().written_since = now - OVERLAP;
        self.registry.merge(rows, now);
        Ok(())
    }

    async fn write_uses(&self, store: &Store, at_once: bool) -> Result<(), StoreError> {
        let now = self.clock.now();
        let writes = self.registry.writes(now, at_once);
        if !writes.is_empty() {
            store.write_sessions(&writes, now).await?;
            self.registry.written(&writes, now);
        }
        Ok(())
    }

    /// Nothing of a user whom the configuration does not let sign in goes on.
    async fn end_blocked(&self, store: &Store) {
        for user in self.registry.users() {
            if !self.config.may_sign_in(&user) {
                // The cookies are refused here in any case; this is for a predecessor that still serves.
                let _ = self.end_all_of(store, &user, EndReason::NameBlocked).await;
            }
        }
    }
}

/// Keeps sessions and the store in step, and forgets sign-ins that nobody goes on with, until the last request has ended.
pub async fn sync_until_drained(app: Arc<App>) {
    let (sessions, store) = (&app.sessions, &app.store);
    sessions.end_blocked(store).await;
    let mut every = tokio::time::interval(READ_ENDS_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut synced_at, mut forgot_at) = (Instant::now(), Instant::now());
    let mut failed = false;
    loop {
        tokio::select! {
            _ = every.tick() => {}
            () = sessions.wake.notified() => tokio::time::sleep(COLLECT).await,
            () = app.drained.cancelled() => return,
        }
        app.conversations.forget_old();
        sessions.retry_ends(store).await;
        let mut outcome = sessions.read_ends(store).await;
        if outcome.is_ok() {
            // New sessions are written at once.
            outcome = sessions.write_uses(store, false).await;
        }
        if outcome.is_ok() && synced_at.elapsed() >= SYNC_USES_EVERY {
            synced_at = Instant::now();
            outcome = sessions.read_uses(store).await;
        }
        if outcome.is_ok() && forgot_at.elapsed() >= FORGET_EVERY {
            forgot_at = Instant::now();
            sessions.registry.forget_expired(sessions.clock.now());
            outcome = store.forget_expired_sessions(sessions.clock.now()).await;
        }
        match outcome {
            Err(error) if !failed => {
                failed = true;
                tracing::warn!(%error, "cannot synchronise sessions with the store; cookies are still accepted; retrying");
            }
            Ok(()) if failed => {
                failed = false;
                tracing::info!("sessions are synchronised with the store again");
            }
            Err(_) | Ok(()) => {}
        }
    }
}

fn audit_end(user: &UserName, id: &str, address: Option<&str>, reason: EndReason) {
    let (session, reason) = (short(id), reason.as_str());
    tracing::info!(target: SESSION_AUDIT, %user, session, address, reason, "a session ended");
}

/// Enough of an id to find its lines in a log.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
