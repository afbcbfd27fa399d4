//! The ends that Slipway itself brings about: Stop, and giving up a start that waits too long.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use shared::names::UserName;
use shared::server::Phase;

use super::record::Record;
use super::{Known, Server, Spawner, Wish};
use crate::cause::Cause;
use crate::slurm::{Job, SlurmError, audit_owner};

/// A job that is still there so many seconds after its cancelling was sent is cancelled again.
const AGAIN_SECONDS: i64 = 5;

impl Spawner {
    /// Ends a person's server, or the start of one. Asked twice is asked once; asked while Slurm is away it is
    /// done when Slurm is back, by this Slipway or the next.
    pub async fn stop(self: &Arc<Self>, user: &UserName) -> Result<(), SlurmError> {
        self.find_surely(user).await?;
        let Some(server) = self.server(user).filter(|server| server.is_live()) else {
            return Ok(());
        };
        let before = server.known.borrow().wish;
        server.known.send_modify(|known| known.wish = Wish::Stop);
        let result = match server.job_id() {
            Some(id) => self.cancel(&server, id).await,
            None => Ok(()), // It is cancelled as soon as it has a number.
        };
        match result {
            Err(error) if !error.is_outage() => {
                server.known.send_modify(|known| known.wish = before);
                if server.phase() == Phase::Starting && server.way().is_some() {
                    self.watch_start(Arc::clone(&server)); // It ended with the wish to stop.
                }
                Err(error)
            }
            _ => {
                self.keep(&server).await;
                self.wake.notify_one();
                Ok(())
            }
        }
    }

    /// Why a job of ours must not go on.
    pub(super) fn wrong_owner(&self, server: &Server, job: &Job) -> Option<String> {
        server.wrong_owner(job, self.config.identity.min_uid)
    }

    /// Lets a job begin that was submitted held, now that Slurm has told its owner ([`Spawner::wrong_owner`]): no job runs
    /// before that, whatever Slurm took its person's name for. What Slurm does not take now is sent again by the poller.
    pub(super) async fn release(&self, server: &Server, job: &mut Job) {
        let awaits = server.known.borrow().awaits_release(job) && server.phase() != Phase::Stopping;
        // Without a uid there is nothing to compare with identity.min_uid.
        if !awaits || job.uid.is_none() {
            return;
        }
        // For the request that started it, also after a restart.
        let request = server.known.borrow().request.clone();
        let cause = request
            .and_then(|id| Cause::try_from(id).ok())
            .unwrap_or_else(Cause::current);
        match cause.during(self.slurm.person(&server.user).release(job)).await {
            Ok(()) => {
                tracing::info!(user = %server.user, job.id = job.id, "released a job");
                server.known.send_modify(|known| {
                    known.released = true;
                    known.held_by = None;
                });
                job.reason = "None".into();
                self.keep(server).await;
            }
            Err(error) => {
                if !error.is_outage() {
                    server
                        .known
                        .send_modify(|known| known.held_by = Some(job.reason.clone()));
                }
                if server.is_new_obstacle(&error.to_string()) {
                    tracing::warn!(user = %server.user, job.id = job.id, %error, "cannot release a job; retrying");
                }
            }
        }
    }

    /// Ends a job that Slurm has as somebody else's, and shuts the way to it: by its number and with the person's token,
    /// which Slurm took for that owner when it was submitted. What Slurm does not take now is sent again by the poller.
    pub(super) async fn disown(&self, server: &Server, id: u64, why: &str) {
        server.set_target(None);
        if server.phase() == Phase::Stopping || !server.is_live() {
            return;
        }
        audit_owner(&server.user, id, why);
        server.known.send_modify(|known| known.wish = Wish::Stop);
        if let Err(error) = self.cancel(server, id).await {
            tracing::error!(user = %server.user, job.id = id, %error, "a job that is not its person's goes on");
        }
        self.keep(server).await;
    }

    async fn cancel(&self, server: &Server, id: u64) -> Result<(), SlurmError> {
        let person = self.slurm.person(&server.user);
        let result = match self.job_of(server, id).await {
            Ok(Some(_)) => person.cancel_submitted(id).await,
            // Numbers start again: a job that is not this server's is left alone.
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        server.cancelled_at.store(self.slurm.now(), Ordering::Relaxed);
        result
    }

    /// Cancels what was asked to stop and is still there: the first time, or what Slurm did not take before.
    pub(super) async fn insist(&self, server: &Server) {
        let since = self.slurm.now() - server.cancelled_at.load(Ordering::Relaxed);
        if server.phase() != Phase::Stopping || (0..AGAIN_SECONDS).contains(&since) {
            return;
        }
        if let Some(id) = server.job_id()
            && let Err(error) = self.cancel(server, id).await
        {
            tracing::warn!(user = %server.user, job.id = id, %error, "a job could not be cancelled");
        }
    }

    /// The person would rather wait than have the start given up. Says whether there is one that waits.
    pub async fn keep_waiting(self: &Arc<Self>, user: &UserName) -> bool {
        let Some(server) = self.find(user).await else {
            return false;
        };
        let waits = server.known.send_if_modified(|known| {
            let waits = matches!(known.phase(), Phase::Submitting | Phase::Queued) && !known.gave_up;
            if waits {
                known.wish = Wish::KeepWaiting;
            }
            waits
        });
        if waits {
            self.keep(&server).await;
        }
        waits
    }

    /// Cancels a start that has waited too long, if it still waits at that moment: Slurm decides.
    pub(super) async fn give_up(&self, server: &Server) {
        let is_due = |known: &Known| {
            let at = known.give_up_at(self.policy());
            known.silent_since.is_none() && at.is_some_and(|at| at <= self.slurm.now())
        };
        // The person may have told another Slipway that they would rather wait.
        if !is_due(&server.known.borrow()) || self.waits_elsewhere(server).await {
            return;
        }
        let Some(id) = server.job_id() else { return };
        // Or this one, a moment ago.
        let gives_up = server.known.send_if_modified(|known| {
            let due = is_due(known);
            known.gave_up |= due;
            due
        });
        if !gives_up {
            return;
        }
        let person = self.slurm.person(&server.user);
        match person.cancel_pending(id, &self.config.job.name).await {
            Ok(()) => {
                tracing::info!(user = %server.user, job.id = id, "gave up a start that waited too long");
            }
            Err(error) => {
                server.known.send_modify(|known| known.gave_up = false);
                tracing::warn!(user = %server.user, job.id = id, %error, "a start that waited too long could not be cancelled");
            }
        }
    }

    async fn waits_elsewhere(&self, server: &Server) -> bool {
        let record = self.store.server::<Record>(&server.user).await.ok().flatten();
        let waits = record.is_some_and(|record| record.nonce == server.nonce && record.wish == Wish::KeepWaiting);
        if waits {
            server.known.send_modify(|known| known.wish = Wish::KeepWaiting);
        }
        waits
    }
}
