//! Servers of before: how each ended, from the store, and from Slurm's accounting what the store does not know.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use shared::names::UserName;
use shared::server::{EndView, PastServer};

use super::life::{Known, Submission};
use super::{Server, Spawner, Wish};
use crate::cause::Cause;
use crate::slurm::{Job, JobState};

/// Nobody waits longer for what only Slurm's accounting remembers.
const PATIENCE: Duration = Duration::from_secs(2);
/// How far back Slurm's accounting is asked, in seconds.
const BACK: i64 = 14 * 24 * 3600;
/// How many are listed.
const LISTED: usize = 10;
/// The accounting database knows who cancelled a job a moment after it has ended: it is asked so often …
const TRIES: u32 = 5;
/// … each time after this.
const TRY_AGAIN: Duration = Duration::from_secs(1);

impl Spawner {
    /// How this server ended goes into the person's history.
    pub(super) async fn remember(&self, server: &Server) {
        let Some(past) = past(server) else { return };
        let kept = self
            .store
            .add_past(&server.user, &server.nonce, past.asked_at, &past)
            .await;
        if let Err(error) = kept {
            tracing::debug!(user = %server.user, %error, "how a server ended will not be listed");
        }
    }

    /// The last servers of a person, the latest first; the one that there is now is not among them.
    pub async fn history(&self, user: &UserName) -> Vec<PastServer> {
        let (kept, accounting) = tokio::join!(self.store.past::<PastServer>(user), self.past_jobs(user));
        let mut all = kept.unwrap_or_else(|error| {
            tracing::debug!(%user, %error, "servers of before are listed without the store");
            Vec::new()
        });
        for job in accounting {
            let known = all.iter_mut().find(|past| past.job_id == Some(job.id));
            match (known, of_job(&job)) {
                (Some(known), Some(job)) => known.ended_at = known.ended_at.or(job.ended_at),
                (None, Some(job)) => all.push(job),
                (_, None) => {}
            }
        }
        all.sort_by_key(|past| Reverse((past.asked_at, past.job_id)));
        all.truncate(LISTED);
        all
    }

    async fn past_jobs(&self, user: &UserName) -> Vec<Job> {
        let since = self.slurm.now() - BACK;
        let person = self.slurm.person(user);
        let asked = person.past_jobs(&self.config.job.name, since);
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(Ok(jobs)) => jobs,
            Ok(Err(error)) => {
                tracing::debug!(%user, %error, "servers of before are listed without Slurm's accounting");
                Vec::new()
            }
            Err(_) => Vec::new(),
        }
    }

    /// Finds out who cancelled a job, if it was not cancelled through Slipway: only the accounting database knows.
    pub(super) fn ask_who_cancelled(self: &Arc<Self>, server: &Arc<Server>) {
        let by_others = {
            let known = server.known.borrow();
            let is_cancelled = matches!(&known.job, Some(job) if job.state == JobState::Ended("CANCELLED".into())
                && job.cancelled_by.is_none());
            is_cancelled && !known.gave_up && known.wish != Wish::Stop
        };
        let Some(id) = server.job_id().filter(|_| by_others) else {
            return;
        };
        let (this, server) = (Arc::clone(self), Arc::clone(server));
        let ask = async move {
            for _ in 0..TRIES {
                if let Ok(past) = this.slurm.person(&server.user).past_job(id).await
                    && server.is_mine(&past)
                    && past.cancelled_by.is_some()
                {
                    server.known.send_modify(|known| {
                        if let Some(job) = &mut known.job {
                            job.cancelled_by = past.cancelled_by;
                        }
                    });
                    return this.remember(&server).await;
                }
                tokio::select! { () = tokio::time::sleep(TRY_AGAIN) => {}, () = this.shutdown.cancelled() => return }
            }
        };
        self.tasks.spawn(Cause::carried(ask));
    }
}

fn past(server: &Server) -> Option<PastServer> {
    let known = server.known.borrow();
    let job = known.job.as_ref();
    Some(PastServer {
        asked_at: known.asked_at,
        job_id: server.job_id(),
        started_at: job.and_then(|job| job.started_at),
        ended_at: job.and_then(|job| job.ends_at),
        options: Some(server.options.clone()),
        end: known.end()?,
    })
}

/// A job that only the accounting database remembers. Whether Jupyter had answered is not in it: a job that had
/// started most likely had.
fn of_job(job: &Job) -> Option<PastServer> {
    let known = Known {
        submission: Submission::Accepted(job.id),
        ready: job.started_at.is_some(),
        job: Some(job.clone()),
        ..Known::asked(job.submitted_at)
    };
    let end = known.end()?;
    Some(PastServer {
        asked_at: job.submitted_at,
        job_id: Some(job.id),
        started_at: job.started_at,
        ended_at: job.ends_at,
        options: None,
        end: EndView { log: None, ..end },
    })
}
