//! "Start the next one when this one ends": once, with the same options, for as long as it has to wait.
//!
//! Slipway does it, and not a second job that depends on the first: Slurm's limits count jobs that wait, and there would
//! be two servers of one person.

use std::sync::Arc;

use shared::api::ErrorView;
use shared::names::UserName;
use shared::options::UserOptions;
use shared::server::{EndCause, Phase};
use tokio::sync::{Mutex, mpsc};

use super::record::Record;
use super::{Known, Server, Spawner, Wish};
use crate::look::Language;

/// After so many seconds nobody expects another one any more: no Slipway has run meanwhile.
const TOO_LATE: i64 = 600;

/// Another server, as the one that is over.
pub struct Next {
    /// Whose.
    pub user: UserName,
    /// With what.
    pub options: UserOptions,
    /// Jupyter's language.
    pub language: Option<Language>,
}

/// Who wants another server, from the poller to whom starts it.
pub(super) struct Wanted {
    sender: mpsc::UnboundedSender<Next>,
    receiver: Mutex<mpsc::UnboundedReceiver<Next>>,
}

impl Default for Wanted {
    fn default() -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            sender,
            receiver: Mutex::new(receiver),
        }
    }
}

impl Spawner {
    /// When this server's time is over, another one is wanted, or not. Says whether there is one that runs.
    pub async fn set_next(self: &Arc<Self>, user: &UserName, wanted: bool) -> bool {
        let Some(server) = self.find(user).await else {
            return false;
        };
        let mut runs = false;
        server.known.send_if_modified(|known| {
            let before = known.wish;
            runs = matches!(known.phase(), Phase::Starting | Phase::Ready);
            if runs {
                known.wish = if wanted { Wish::Next } else { Wish::None };
            }
            known.wish != before
        });
        if runs {
            self.keep(&server).await;
        }
        runs
    }

    /// Waits for the next server that is over and whose person wants another one; answers what it had.
    pub async fn next_wanted(&self) -> Option<Next> {
        self.next.receiver.lock().await.recv().await
    }

    /// Whether another one is wanted in the place of this server, which is about to be known as over. Asked before: then
    /// anybody who looks for it makes the store forget it, and the person may have told another Slipway.
    pub(super) async fn wants_next(&self, server: &Server) -> bool {
        match self.store.server::<Record>(&server.user).await {
            // Without a record of this server another Slipway has seen to its end.
            Ok(record) => record.is_some_and(|record| record.nonce == server.nonce && record.wish == Wish::Next),
            Err(_) => server.known.borrow().wish == Wish::Next,
        }
    }

    /// The next one of this person's did not start: the one that is over says so for as long as it is shown.
    pub fn next_failed(&self, user: &UserName, why: ErrorView) {
        let Some(server) = self.server(user) else { return };
        server.known.send_if_modified(|known| {
            // A start that Slurm refused is one of its own, and says itself why.
            let is_over = known.end().is_some_and(|end| end.was_ready);
            if is_over {
                known.next_failed = Some(why);
            }
            is_over
        });
    }

    /// A server is over in whose place another one is wanted, if it ended in such a way.
    pub(super) fn start_next(&self, server: &Server) {
        let next = Next {
            user: server.user.clone(),
            options: server.options.clone(),
            language: server.known.borrow().language,
        };
        if is_over(&server.known.borrow(), self.slurm.now()) && self.next.sender.send(next).is_err() {
            tracing::error!(user = %server.user, "nobody starts the next server");
        }
    }
}

/// Its end was nobody's wish and none of its own doing, and it was a moment ago.
fn is_over(known: &Known, now: i64) -> bool {
    let end = known.end().filter(|end| end.was_ready);
    let of_itself = end.is_some_and(|end| {
        matches!(
            end.cause,
            EndCause::TimeLimit | EndCause::Preempted | EndCause::NodeFailed
        )
    });
    let ended_at = known.job.as_ref().and_then(|job| job.ends_at).unwrap_or(now);
    of_itself && now - ended_at < TOO_LATE
}
