//! Closed accounts and changed passwords: everybody who has a session is looked up with the provider again and again.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use shared::names::UserName;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use super::super::Denied;
use super::Sessions;
use crate::app::App;
use crate::cause::Cause;
use crate::store::{EndReason, SessionRow};

/// Accounts that are looked up at a time.
const CONCURRENCY: usize = 8;

/// When an account is looked up next.
struct Check {
    due: Instant,
    is_running: bool,
    /// The provider has said once that the account is closed.
    is_suspected: bool,
}

/// What a look-up came to.
struct Outcome {
    user: UserName,
    account: Result<(), Denied>,
}

/// Looks up the account of each user with a session every `sign_in.recheck_seconds`, spread over that time, until the
/// last request has ended. An account that is closed loses its sessions. Only a definite answer counts, and only if it is
/// the same twice: a provider that is restarted must not sign everybody out.
pub async fn recheck_accounts_until_drained(app: Arc<App>) {
    let period = Duration::from_secs(app.config.sign_in.recheck_seconds);
    let again = (period / 8).max(Duration::from_secs(1));
    let mut checks: HashMap<UserName, Check> = HashMap::new();
    let mut running = JoinSet::new();
    let mut every = tokio::time::interval(again / 4);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last_warning: Option<Instant> = None;
    loop {
        tokio::select! {
            _ = every.tick() => enter_new_users(&app.sessions, &mut checks, period),
            Some(outcome) = running.join_next() => {
                let Ok(Outcome { user, account }) = outcome else {
                    // A look-up panicked. Whose it was is not known: all are looked up when they are due.
                    for check in checks.values_mut() {
                        check.is_running = false;
                    }
                    continue;
                };
                let Some(check) = checks.get_mut(&user) else { continue };
                check.is_running = false;
                check.due = Instant::now() + period;
                match account {
                    Ok(()) => {
                        check.is_suspected = false;
                        app.sessions.compare_credential(&app, &user).await;
                    }
                    Err(Denied::Inactive { .. }) if check.is_suspected => {
                        checks.remove(&user);
                        // What could not be stored is told in the log, and tried again.
                        let _ = app.sessions.end_all_of(&app.store, &user, EndReason::AccountClosed).await;
                    }
                    Err(Denied::Inactive { .. }) => {
                        check.is_suspected = true;
                        check.due = Instant::now() + again;
                    }
                    // The password has to be changed before the next sign-in; the account is active.
                    Err(Denied::PasswordExpired { .. }) => check.is_suspected = false,
                    Err(error) => {
                        check.due = Instant::now() + again;
                        if last_warning.is_none_or(|warned| warned.elapsed() >= period) {
                            last_warning = Some(Instant::now());
                            tracing::warn!(%user, %error, "cannot recheck accounts; their sessions stay valid; retrying");
                        }
                    }
                }
            }
            () = app.drained.cancelled() => return,
        }
        let now = Instant::now();
        let free = CONCURRENCY.saturating_sub(running.len());
        let mut due: Vec<_> = checks
            .iter_mut()
            .filter(|(_, check)| !check.is_running && check.due <= now)
            .collect();
        due.sort_by_key(|(_, check)| check.due);
        for (user, check) in due.into_iter().take(free) {
            check.is_running = true;
            running.spawn(Cause::task("recheck").during(look_up(Arc::clone(&app), user.clone())));
        }
    }
}

/// Users who have signed in were looked up then. Many at once, after a start, are spread over the whole time.
fn enter_new_users(sessions: &Sessions, checks: &mut HashMap<UserName, Check>, period: Duration) {
    let mut users = sessions.registry.users();
    checks.retain(|user, _| users.remove(user));
    let count = u32::try_from(users.len()).unwrap_or(u32::MAX).max(1);
    for (user, nth) in users.into_iter().zip(1..) {
        let check = Check {
            due: Instant::now() + period / count * nth,
            is_running: false,
            is_suspected: false,
        };
        checks.insert(user, check);
    }
}

async fn look_up(app: Arc<App>, user: UserName) -> Outcome {
    // Some PAM rules decide by the client's address: the one of the session that was used last.
    let sessions = app.sessions.registry.sessions_of(&user);
    let last = sessions.into_iter().max_by_key(|row| row.last_used_at);
    let address = last.and_then(|row| row.address?.parse().ok());
    Outcome {
        account: app.conversations.is_active(&user, address).await,
        user,
    }
}

impl Sessions {
    /// Ends the sessions that began with another password, where the provider tells. A session whose password is not
    /// known, because only its cookie was seen here, is compared from now on.
    async fn compare_credential(&self, app: &App, user: &UserName) {
        let is_other = |row: &SessionRow, credential: &SecretString| {
            let stored = row.credential.as_deref();
            stored.is_some_and(|stored| !self.fingerprints.matches(stored, user, credential))
        };
        let Some(credential) = app.conversations.credential(user) else {
            return;
        };
        if self
            .registry
            .sessions_of(user)
            .iter()
            .any(|row| is_other(row, &credential))
        {
            // At another replica, the user may have signed in again with the new password.
            self.list(&app.store, user).await;
        }
        // Read again, and compared without a pause: a sign-in meanwhile was with the present password.
        let Some(credential) = app.conversations.credential(user) else {
            return;
        };
        for row in self.registry.sessions_of(user) {
            if is_other(&row, &credential) {
                self.end_later(row, EndReason::PasswordChanged);
            } else if row.credential.is_none()
                && let Some(fingerprint) = self.fingerprints.of(user, &credential)
            {
                self.registry.set_credential(&row.id, fingerprint);
            }
        }
    }
}
