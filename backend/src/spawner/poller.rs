//! The one task that asks Slurm about jobs, however many people wait (one request for all states).

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::StreamExt;
use shared::server::Phase;

use super::comment::JobComment;
use super::{Server, Spawner};
use crate::slurm::{Job, JobState, SlurmError};
use crate::store::Kind;

/// While a start is fresh or a job's port is awaited: what a person would notice.
const SOON: Duration = Duration::from_millis(500);
/// A start is fresh for this long.
const FRESH_SECONDS: i64 = 10;
/// While somebody waits.
const WAITING: Duration = Duration::from_secs(2);
/// While servers only run, or Slurm is away.
const RUNNING: Duration = Duration::from_secs(15);
/// A waiting job's reason changes without its state: looked at this often.
const REASON_SECONDS: i64 = 15;
/// Details of this many jobs are asked at a time.
const AT_ONCE: usize = 8;

impl Spawner {
    /// Runs until shutdown.
    pub async fn poll_until_shutdown(self: Arc<Self>) {
        loop {
            let pause = self.poll().await;
            tokio::select! {
                () = self.shutdown.cancelled() => return,
                () = self.wake.notified() => {}
                () = tokio::time::sleep_until(tokio::time::Instant::now() + pause) => {}
            }
        }
    }

    /// One round; answers how long to wait for the next.
    async fn poll(self: &Arc<Self>) -> Duration {
        let live: Vec<_> = self
            .servers()
            .into_iter()
            .filter(|s| s.phase().is_live() && s.job_id().is_some())
            .collect();
        if live.is_empty() {
            // Nobody waits: only find out when Slurm is back, to say so.
            if self.slurm.silent_since().is_some() {
                let _ = self.slurm.service().ping().await;
                return WAITING;
            }
            return RUNNING;
        }
        let ids: Vec<u64> = live.iter().filter_map(|server| server.job_id()).collect();
        match self.slurm.service().states(&ids).await {
            Ok(states) => self.look_at(&live, &states).await,
            Err(error) => {
                tracing::debug!(%error, "states of jobs are not known now");
                let since = self.slurm.silent_since().unwrap_or_else(|| self.clock.now());
                for server in &live {
                    server
                        .known
                        .send_if_modified(|known| known.silent_since.replace(since) != Some(since));
                }
            }
        }
        self.pause(&live)
    }

    fn pause(&self, live: &[Arc<Server>]) -> Duration {
        let now = self.clock.now();
        let wanted = |server: &Arc<Server>| {
            let known = server.known.borrow();
            match known.phase() {
                _ if known.silent_since.is_some() => WAITING,
                Phase::Ready | Phase::Ended => RUNNING,
                Phase::Starting | Phase::Stopping => SOON,
                _ if now - known.asked_at < FRESH_SECONDS => SOON,
                _ => WAITING,
            }
        };
        live.iter().map(wanted).min().unwrap_or(RUNNING)
    }

    /// Looks closer at the jobs whose state changed, whose port is awaited or whose reason may have changed.
    async fn look_at(self: &Arc<Self>, live: &[Arc<Server>], states: &BTreeMap<u64, JobState>) {
        let now = self.clock.now();
        let due = live.iter().filter(|server| {
            let state = server.job_id().and_then(|id| states.get(&id));
            let known = server.known.borrow();
            let changed = state != known.job.as_ref().map(|job| &job.state) || known.silent_since.is_some();
            let port_awaited = known.phase() == Phase::Starting && !server.has_target();
            let old =
                known.phase() == Phase::Queued && now - server.looked_at.load(Ordering::Relaxed) >= REASON_SECONDS;
            changed || port_awaited || old
        });
        let looks = due.map(|server| self.look(server)).collect::<Vec<_>>();
        futures_util::stream::iter(looks)
            .buffer_unordered(AT_ONCE)
            .collect::<()>()
            .await;
        for server in live {
            self.give_up(server).await;
        }
    }

    async fn look(self: &Arc<Self>, server: &Arc<Server>) {
        let Some(id) = server.job_id() else { return };
        let job = match self.slurm.service().job(id).await {
            Err(SlurmError::NotFound) => self.slurm.service().past_job(id).await,
            job => job,
        };
        match job {
            Ok(job) if job.user != server.user.as_str() => {
                tracing::error!(user = %server.user, job.id = id, owner = job.user, "a job of ours belongs to somebody else");
            }
            Ok(job) => {
                server.looked_at.store(self.clock.now(), Ordering::Relaxed);
                self.learn(server, job).await;
            }
            // Neither slurmctld nor the database knows it: not known is not ended.
            Err(error) => tracing::debug!(job.id = id, %error, "a job's details are not known now"),
        }
    }

    async fn learn(self: &Arc<Self>, server: &Arc<Server>, job: Job) {
        let before = server.phase();
        let way = self.way(server, &job).await;
        server.known.send_if_modified(|known| {
            let was = known.clone();
            known.learn(job);
            *known != was
        });
        let after = server.phase();
        if after != before {
            tracing::info!(user = %server.user, job.id = server.job_id(), ?before, ?after, "a server's state changed");
        }
        match after {
            Phase::Ended => {
                server.set_target(None);
                if let Err(error) = self.store.forget(&server.user, Kind::Server).await {
                    tracing::debug!(%error, "an ended server stays in the store");
                }
            }
            Phase::Queued => server.set_target(None),
            Phase::Starting | Phase::Ready => {
                if let Some(address) = way {
                    self.open_way(server, address);
                    if server.has_target() && after == Phase::Starting {
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

    /// Node and port, if the job has told its port, by this start of it, and the way is not open yet.
    async fn way(&self, server: &Server, job: &Job) -> Option<SocketAddr> {
        if server.has_target() || job.state != JobState::Running {
            return None;
        }
        let comment = JobComment::read(&job.comment).filter(|comment| comment.nonce == server.nonce)?;
        let port = comment.port.filter(|_| comment.start == job.restarts)?;
        let node = job.node.as_deref()?;
        let address = self.address_of(node).await;
        if address.is_none() {
            tracing::warn!(node, "no address of this node lies inside the configured networks");
        }
        Some(SocketAddr::new(address?, port))
    }

    /// A node's address, from Slurm.
    async fn address_of(&self, node: &str) -> Option<IpAddr> {
        let nodes = self.slurm.service().nodes().await.ok()?;
        let address = nodes.into_iter().find(|found| found.name == node)?.address;
        let inside = |ip: &IpAddr| self.config.job.networks.iter().any(|network| network.contains(ip));
        match address.parse::<IpAddr>() {
            Ok(ip) => Some(ip).filter(inside),
            Err(_) => tokio::net::lookup_host((address.as_str(), 0))
                .await
                .ok()?
                .map(|a| a.ip())
                .find(inside),
        }
    }

    /// Cancels a start that has waited too long, if it still waits at that moment: Slurm decides.
    async fn give_up(&self, server: &Server) {
        let due = {
            let known = server.known.borrow();
            known.silent_since.is_none() && known.give_up_at(self.policy()).is_some_and(|at| at <= self.clock.now())
        };
        if !due {
            return;
        }
        server.known.send_modify(|known| known.gave_up = true);
        match self
            .slurm
            .person(&server.user)
            .cancel_pending(&self.config.job.name)
            .await
        {
            Ok(()) => {
                tracing::info!(user = %server.user, job.id = server.job_id(), "gave up a start that waited too long");
            }
            Err(error) => {
                tracing::warn!(user = %server.user, %error, "a start that waited too long could not be cancelled");
            }
        }
    }
}
