//! The one task that asks Slurm about jobs, however many people wait (one request for all states).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use shared::server::{EndCause, Phase};

use super::comment::JobComment;
use super::{Server, Spawner, Wish};
use crate::cause::Cause;
use crate::slurm::{Job, JobState, SlurmError};

/// While a start is fresh or a job's port is awaited: what a person would notice.
const SOON: Duration = Duration::from_millis(500);
/// A start is fresh for this long.
const FRESH_SECONDS: i64 = 5;
/// While somebody waits or looks at the page of a server, or Slurm is away.
const WAITING: Duration = Duration::from_secs(2);
/// While servers only run, or there is none: an outage is noticed before somebody has to wait for it.
const CALM: Duration = Duration::from_secs(15);
/// A waiting job's reason changes without its state: looked at this often while somebody watches it, so that it is told
/// within half a minute …
const REASON_SECONDS: i64 = 27;
/// … or this often while it has none yet.
const NO_REASON_SECONDS: i64 = 3;
/// Reasons asked in each second, however many people watch.
const REASONS_A_SECOND: i64 = 3;
/// Details of this many jobs are asked at a time.
const AT_ONCE: usize = 8;
/// How often Slurm's clock is compared with ours.
const CLOCK_SECONDS: i64 = 600;

/// What the poller remembers from one round to the next.
#[derive(Default)]
struct Rounds {
    reasons_at: i64,
    clock_at: Option<i64>,
}

impl Spawner {
    /// Runs until shutdown.
    pub async fn poll_until_shutdown(self: Arc<Self>) {
        Cause::task("poller").during(self.poll_for_ever()).await;
    }

    async fn poll_for_ever(self: Arc<Self>) {
        let mut rounds = Rounds::default();
        loop {
            let pause = self.poll(&mut rounds).await;
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = self.wake.notified() => {}
                () = self.slurm.outage() => {}
                () = tokio::time::sleep_until(tokio::time::Instant::now() + pause) => {}
            }
        }
    }

    /// One round; answers how long to wait for the next.
    async fn poll(self: &Arc<Self>, rounds: &mut Rounds) -> Duration {
        let live: Vec<_> = self.servers().into_iter().filter(|s| s.is_live()).collect();
        let with_job: Vec<_> = live.iter().filter(|s| s.job_id().is_some()).collect();
        // A ping tells within milliseconds what any other question would take nine seconds for.
        if with_job.is_empty() || self.slurm.silent_since().is_some() {
            if self.slurm.service().ping().await.is_err() {
                self.tell_silence(&live);
                return WAITING;
            }
            rounds.clock_at = rounds.clock_at.filter(|_| self.slurm.silent_since().is_none());
        }
        if self.slurm.database_silent_since().is_some() {
            let _ = self.slurm.service().ping_database().await;
        }
        self.compare_clocks(rounds).await;
        if !with_job.is_empty() {
            let ids: Vec<u64> = with_job.iter().filter_map(|server| server.job_id()).collect();
            match self.slurm.service().states(&ids).await {
                Ok(states) => self.look_at(&with_job, &states, rounds).await,
                Err(error) => {
                    tracing::debug!(%error, "states of jobs are not known now");
                    self.tell_silence(&live);
                }
            }
        }
        if self.slurm.database_silent_since().is_some() {
            WAITING
        } else {
            self.pause(&live)
        }
    }

    async fn compare_clocks(&self, rounds: &mut Rounds) {
        let now = self.slurm.now();
        // A clock that was set back has to be compared again.
        let is_compared = |at| (0..CLOCK_SECONDS).contains(&(now - at));
        if !rounds.clock_at.is_some_and(is_compared) && self.slurm.service().clock().await.is_ok() {
            rounds.clock_at = Some(now);
        }
    }

    /// Slurm does not answer: what is known stays, and is shown with its age.
    fn tell_silence(&self, live: &[Arc<Server>]) {
        let (outage, now) = (self.slurm.silent_since(), self.slurm.now());
        for server in live {
            server.known.send_if_modified(|known| {
                let since = outage.or(known.silent_since).unwrap_or(now);
                known.silent_since.replace(since) != Some(since)
            });
        }
    }

    fn pause(&self, live: &[Arc<Server>]) -> Duration {
        let now = self.slurm.now();
        let wanted = |server: &Arc<Server>| {
            let known = server.known.borrow();
            match known.phase() {
                _ if known.silent_since.is_some() => WAITING,
                // Its page is open, and has to say so when it ends.
                Phase::Ready if server.is_looked_at(now) => WAITING,
                Phase::Ready | Phase::Ended => CALM,
                Phase::Starting | Phase::Stopping => SOON,
                _ if now - known.asked_at < FRESH_SECONDS => SOON,
                _ => WAITING,
            }
        };
        live.iter().map(wanted).min().unwrap_or(CALM)
    }

    /// Looks closer at the jobs whose state changed, whose port is awaited or whose reason may have changed.
    async fn look_at(self: &Arc<Self>, live: &[&Arc<Server>], states: &BTreeMap<u64, JobState>, rounds: &mut Rounds) {
        let mut due: Vec<Arc<Server>> = Vec::new();
        let mut reasons = Vec::new();
        let now = self.slurm.now();
        for server in live {
            let state = server.job_id().and_then(|id| states.get(&id));
            let known = server.known.borrow();
            let changed = state.is_none_or(|state| known.job.as_ref().map(|job| &job.state) != Some(state));
            let port_awaited = matches!(known.phase(), Phase::Starting | Phase::Ready) && server.way().is_none();
            let held = known.job.as_ref().is_some_and(|job| known.awaits_release(job));
            if changed || port_awaited || held || server.is_doubted() {
                due.push(Arc::clone(server));
            } else if known.phase() == Phase::Queued && server.is_watched(now) {
                let age = known.told_at.map_or(i64::MAX, |at| now - at);
                let old = if known.held_by.is_some() {
                    REASON_SECONDS
                } else {
                    NO_REASON_SECONDS
                };
                if age >= old {
                    reasons.push((age, Arc::clone(server)));
                }
            }
        }
        // The oldest first, and never more than a cluster would notice.
        let affordable = (now - rounds.reasons_at).clamp(0, 2) * REASONS_A_SECOND;
        if affordable > 0 && !reasons.is_empty() {
            rounds.reasons_at = now;
            reasons.sort_by_key(|(age, _)| -age);
            let affordable = usize::try_from(affordable).unwrap_or(0);
            due.extend(reasons.into_iter().take(affordable).map(|(_, server)| server));
        }
        let looks: Vec<_> = due.iter().map(|server| self.look(server)).collect();
        futures_util::stream::iter(looks)
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
        for server in live {
            server.known.send_if_modified(|known| known.hear(now));
            self.give_up(server).await;
            self.insist(server).await;
        }
    }

    /// Asks for one job in detail.
    pub(super) async fn look(self: &Arc<Self>, server: &Arc<Server>) {
        let Some(id) = server.job_id() else { return };
        let _turn = server.looking.lock().await;
        match self.job_of(server, id).await {
            Ok(Some(mut job)) => {
                match self.wrong_owner(server, &job) {
                    Some(why) => self.disown(server, id, &why).await,
                    None => self.release(server, &mut job).await,
                }
                self.learn(server, job).await;
            }
            Ok(None) => self.learn_of_the_end(server).await,
            Err(error) => tracing::debug!(job.id = id, %error, "a job's details are not known now"),
        }
    }

    /// A server's job; nothing if it is gone for sure.
    pub(super) async fn job_of(&self, server: &Server, id: u64) -> Result<Option<Job>, SlurmError> {
        let mine = |job: Job| server.is_mine(&job).then_some(job);
        match self.slurm.service().job(id).await {
            Err(SlurmError::NotFound) => {}
            job => return job.map(mine),
        }
        // It may only be that the service user may not see it: its owner always can.
        match self.slurm.person(&server.user).submitted_job(id).await {
            Err(SlurmError::NotFound) => {}
            job => return job.map(mine),
        }
        // slurmctld forgets jobs some minutes after their end; the database remembers how they ended.
        match self.slurm.service().past_job(id).await {
            Err(SlurmError::NotFound) => Ok(None),
            job => job.map(|job| mine(job).filter(|job| matches!(job.state, JobState::Ended(_)))),
        }
    }

    /// The job is over, and nobody knows how.
    async fn learn_of_the_end(self: &Arc<Self>, server: &Arc<Server>) {
        let slurm_state = "UNKNOWN".to_owned();
        let last = server.known.borrow().job.clone();
        match last {
            Some(last) => {
                let state = JobState::Ended(slurm_state);
                self.learn(server, Job { state, ..last }).await;
            }
            None => self.fail(server, EndCause::Other { slurm_state }).await,
        }
    }

    async fn learn(self: &Arc<Self>, server: &Arc<Server>, job: Job) {
        let before = server.phase();
        if server.known.borrow().was_requeued(&job) {
            server.set_target(None); // What answers there now, if anything does, is of the start before.
        }
        let is_newer = JobComment::read(&job.comment).is_some_and(|comment| comment.is_newer());
        let address = self.address(server, &job).await;
        let is_over = server.is_live() && matches!(job.state, JobState::Ended(_));
        let wants_next = is_over && self.wants_next(server).await;
        let now = self.slurm.now();
        server.known.send_if_modified(|known| {
            let was = known.clone();
            known.learn(job, now);
            if is_newer && known.wish == Wish::None {
                known.wish = Wish::KeepWaiting;
            }
            *known != was
        });
        server.believe();
        let after = server.phase();
        if after != before {
            tracing::info!(user = %server.user, job.id = server.job_id(), ?before, ?after, "a server's state changed");
        }
        match after {
            Phase::Ended => {
                server.set_target(None);
                self.remember(server).await;
                self.ask_who_cancelled(server);
                if wants_next {
                    self.start_next(server);
                }
                self.forget(&server.user, &server.nonce).await;
            }
            Phase::Queued => server.set_target(None),
            Phase::Starting | Phase::Ready => {
                if let Some(address) = address {
                    self.open_way(server, address);
                    if server.way().is_some() && after == Phase::Starting {
                        self.watch_start(Arc::clone(server));
                    }
                }
                if after != before {
                    self.keep(server).await;
                }
            }
            _ => {}
        }
    }
}
