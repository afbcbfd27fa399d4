//! What this process knows of sessions, in memory: when each was last used, and which were revoked. A request reads
//! nothing else and writes one number; [`super::sync`] carries both to the store and back.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use shared::names::UserName;

use super::Session;
use crate::store::{SessionEnds, SessionRow, SessionWrite};

/// The use of a session is written at most once in so many seconds.
const WRITE_EVERY: i64 = 60;

/// What came of a request that showed the cookie of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The session is active, and this is its last use now.
    Active,
    /// It was ended, or has come to its end.
    Ended,
    /// It was not used for too long.
    Idle,
    /// This process knows nothing of it: its cookie alone decides.
    Unknown,
}

#[derive(Default)]
pub(super) struct Registry(RwLock<State>);

#[derive(Default)]
struct State {
    known: HashMap<String, Known>,
    /// Ids, each with the time until which its cookies would have been valid.
    revoked: HashMap<String, i64>,
    /// Users whose sessions are revoked if they began at this time or before.
    revoked_users: HashMap<UserName, Revocation>,
}

#[derive(Clone, Copy)]
struct Revocation {
    through: i64,
    keep_until: i64,
}

struct Known {
    last_used_at: AtomicI64,
    row: SessionRow,
    /// Whether this process has authenticated the user.
    is_own: bool,
    /// What the store has of it; nothing while it has no row.
    stored: Option<Stored>,
}

#[derive(Clone, Copy)]
struct Stored {
    last_used_at: i64,
    written_at: i64,
}

impl Known {
    fn last_used_at(&self) -> i64 {
        self.last_used_at.load(Ordering::Relaxed)
    }

    fn row(&self) -> SessionRow {
        SessionRow {
            last_used_at: self.last_used_at(),
            ..self.row.clone()
        }
    }
}

impl State {
    fn is_revoked(&self, id: &str, user: &UserName, authenticated_at: i64) -> bool {
        let through = self.revoked_users.get(user).map(|revocation| revocation.through);
        self.revoked.contains_key(id) || through.is_some_and(|through| authenticated_at <= through)
    }

    fn has_ended(&self, session: &Session, now: i64) -> bool {
        session.ends_at <= now || self.is_revoked(&session.id, &session.user, session.authenticated_at)
    }

    fn insert(&mut self, row: SessionRow, is_own: bool, stored: Option<Stored>) {
        let known = Known {
            last_used_at: AtomicI64::new(row.last_used_at),
            row,
            is_own,
            stored,
        };
        self.known.insert(known.row.id.clone(), known);
    }
}

impl Registry {
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses a session, if it may be used. Its cookie's own idle time counts as well: a use at another replica, or before
    /// a store was lost, is known from nothing else.
    pub(super) fn use_session(&self, session: &Session, now: i64, idle_seconds: i64) -> Use {
        let state = self.read();
        if state.has_ended(session, now) {
            return Use::Ended;
        }
        let Some(known) = state.known.get(&session.id) else {
            return Use::Unknown;
        };
        let last_used_at = known.last_used_at();
        if session.idle_at.max(last_used_at + idle_seconds) <= now {
            return Use::Idle;
        }
        if last_used_at < now {
            known.last_used_at.fetch_max(now, Ordering::Relaxed);
        }
        Use::Active
    }

    /// Whether a session has come to its end or was revoked. Being idle ends nothing that is under way.
    pub(super) fn has_ended(&self, session: &Session, now: i64) -> bool {
        self.read().has_ended(session, now)
    }

    /// Until when a user's sign-ins are revoked.
    pub(super) fn revoked_through(&self, user: &UserName) -> Option<i64> {
        self.read().revoked_users.get(user).map(|revocation| revocation.through)
    }

    /// A time at which a user can sign in without being taken for one of the sessions that were revoked before.
    pub(super) fn authentication_time(&self, user: &UserName, now: i64) -> i64 {
        self.revoked_through(user).map_or(now, |through| now.max(through + 1))
    }

    /// Enters a session that has begun here, or gone on by signing in again.
    pub(super) fn enter(&self, row: SessionRow) {
        self.write().insert(row, true, None);
    }

    /// Enters a session of which this process has only seen the cookie. Answers whether it may be used.
    pub(super) fn adopt(&self, row: SessionRow) -> bool {
        let mut state = self.write();
        let is_revoked = state.is_revoked(&row.id, &row.user, row.authenticated_at);
        if !is_revoked && !state.known.contains_key(&row.id) {
            state.insert(row, false, None);
        }
        !is_revoked
    }

    /// Takes over what the store has of sessions, by whichever process it was written.
    pub(super) fn merge(&self, rows: Vec<SessionRow>, now: i64) {
        let mut state = self.write();
        for row in rows {
            if state.is_revoked(&row.id, &row.user, row.authenticated_at) {
                continue;
            }
            let mut stored = Stored {
                last_used_at: row.last_used_at,
                written_at: now,
            };
            match state.known.get_mut(&row.id) {
                // What this process is about to write is newer.
                Some(known) if known.is_own && known.stored.is_none() => {
                    known.last_used_at.fetch_max(row.last_used_at, Ordering::Relaxed);
                }
                Some(known) => {
                    known.last_used_at.fetch_max(row.last_used_at, Ordering::Relaxed);
                    stored.written_at = known.stored.map_or(now, |before| before.written_at);
                    known.stored = Some(stored);
                    known.row = row;
                }
                None => state.insert(row, false, Some(stored)),
            }
        }
    }

    /// What the store has to be told now; `at_once` also what was written a moment ago.
    pub(super) fn writes(&self, now: i64, at_once: bool) -> Vec<SessionWrite> {
        let is_due = |known: &&Known| {
            known.stored.is_none_or(|stored| {
                let is_newer = known.last_used_at() > stored.last_used_at;
                is_newer && (at_once || now - stored.written_at >= WRITE_EVERY)
            })
        };
        let write = |known: &Known| SessionWrite {
            row: known.row(),
            is_own: known.is_own,
        };
        self.read().known.values().filter(is_due).map(write).collect()
    }

    /// Notes that these were written.
    pub(super) fn written(&self, writes: &[SessionWrite], now: i64) {
        let mut state = self.write();
        for SessionWrite { row, .. } in writes {
            if let Some(known) = state.known.get_mut(&row.id)
                && known.row.authenticated_at == row.authenticated_at
                && known.row.credential == row.credential
            {
                known.stored = Some(Stored {
                    last_used_at: row.last_used_at,
                    written_at: now,
                });
            }
        }
    }

    /// Applies ends of sessions. Answers whether any of them is news.
    pub(super) fn revoke(&self, ends: SessionEnds) -> bool {
        let mut state = self.write();
        let mut is_news = false;
        for (id, ends_at) in ends.sessions {
            state.known.remove(&id);
            let before = state.revoked.get(&id).copied();
            is_news |= before.is_none();
            state.revoked.insert(id, ends_at.max(before.unwrap_or_default()));
        }
        for end in ends.users {
            let before = state.revoked_users.get(&end.user).map(|before| before.through);
            if before.is_some_and(|before| before >= end.through) {
                continue;
            }
            is_news = true;
            let through = end.through;
            let is_left = |row: &SessionRow| row.user != end.user || row.authenticated_at > through;
            state.known.retain(|_, known| is_left(&known.row));
            let revocation = Revocation {
                through,
                keep_until: end.keep_until,
            };
            state.revoked_users.insert(end.user, revocation);
        }
        is_news
    }

    /// Forgets what no cookie can refer to any more.
    pub(super) fn forget_expired(&self, now: i64) {
        let mut state = self.write();
        state.known.retain(|_, known| known.row.ends_at > now);
        state.revoked.retain(|_, ends_at| *ends_at > now);
        state.revoked_users.retain(|_, revocation| revocation.keep_until > now);
    }

    /// Everybody who has a session.
    pub(super) fn users(&self) -> HashSet<UserName> {
        self.read().known.values().map(|known| known.row.user.clone()).collect()
    }

    /// A user's sessions.
    pub(super) fn sessions_of(&self, user: &UserName) -> Vec<SessionRow> {
        let state = self.read();
        let own = state.known.values().filter(|known| known.row.user == *user);
        own.map(Known::row).collect()
    }

    /// Notes what a session's password is, where that was not known when it began.
    pub(super) fn set_credential(&self, id: &str, credential: String) {
        if let Some(known) = self.write().known.get_mut(id) {
            known.row.credential = Some(credential);
            known.stored = None;
        }
    }
}
