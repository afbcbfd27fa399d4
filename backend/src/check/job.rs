//! The hops that are the job's: submitted, running, ended.

use std::sync::Arc;
use std::time::Duration;

use shared::options::SpawnRequest;
use shared::server::{Phase, StateView};
use tokio::time::{Instant, timeout};

use super::report::{Outcome, hop, say};
use super::{Check, advice};
use crate::slurm::SlurmError;
use crate::spawner::{Once, Server, SpawnError, Started};

/// How long Slurm may take for what it does at once: to take a job, to end one.
const PATIENCE: Duration = Duration::from_mins(1);

impl Check<'_> {
    /// Slurm takes the job.
    pub(super) async fn submit(&self, request: SpawnRequest) -> Result<(String, Arc<Server>), String> {
        self.clear_away().await?;
        let spawner = &self.app.spawner;
        let options = &request.options;
        let what = format!(
            "{} core, {} MiB, {} minute, charged to {}",
            options.cores.get(),
            options.memory.get(),
            options.time.get(),
            request.charge.as_str()
        );
        let account = request.charge.clone();
        match spawner.start(self.user, request, Once::default()).await {
            Ok(Started::New) => {}
            Err(SpawnError::Slurm(SlurmError::Refused { message, code })) => {
                return Err(advice::refused(&message, code, &self.app.config.job, account.as_str()));
            }
            Err(SpawnError::Slurm(error)) => return Err(advice::slurm(&error, &self.app.config.slurm)),
            Err(SpawnError::Internal(cause)) => return Err(cause),
            Ok(Started::AlreadyPending) | Err(SpawnError::AlreadyRunning | SpawnError::Stopping) => {
                return Err(format!("another check for {} is under way: try again", self.user));
            }
        }
        let server = spawner.server(self.user).ok_or("the start was not noted")?;
        let known = |state: &StateView| state.job_id.is_some() || state.phase == Phase::Ended;
        let state = self.until(&server, PATIENCE, known).await;
        match state.and_then(|state| state.job_id) {
            Some(id) => Ok((format!("Slurm made job {id} for {} ({what})", self.user), server)),
            None => Err(self.explain(&server, "before it was made")),
        }
    }

    /// Ends what a check left behind that was killed.
    async fn clear_away(&self) -> Result<(), String> {
        let Some(server) = self.app.spawner.find(self.user).await.filter(|server| server.is_live()) else {
            return Ok(());
        };
        let text = self.stop(&server).await?;
        say(
            Outcome::Note,
            "job",
            &format!("a check of before was still there; {text}"),
        );
        Ok(())
    }

    /// The job gets its node; Slurm's reasons are named while it waits. Giving it up is the spawner's part.
    pub(super) async fn wait_in_the_queue(&self, server: &Server) -> Result<(String, ()), String> {
        let asked_at = Instant::now();
        let patience = self.app.config.job.start_timeout() + PATIENCE;
        let mut told = None;
        loop {
            let news = |state: &StateView| state.phase != Phase::Queued || state.reason != told;
            let left = patience.saturating_sub(asked_at.elapsed());
            let Some(state) = self.until(server, left, news).await else {
                return Err("Slurm does not say what becomes of the job: see slurmctld's log".to_owned());
            };
            match state.phase {
                Phase::Queued => {
                    told = state.reason;
                    let reason = told.as_deref().unwrap_or("none given");
                    say(Outcome::Note, "queue", &format!("it waits; Slurm's reason: {reason}"));
                }
                Phase::Ended if state.node.is_none() => return Err(self.explain(server, "before it ran")),
                // Or it has been there and is over already: the next hop says why.
                _ => {
                    let node = state.node.as_deref().unwrap_or("its node");
                    let seconds = asked_at.elapsed().as_secs();
                    return Ok((format!("it got {node} after {seconds} s"), ()));
                }
            }
        }
    }

    /// The last hop, tried whatever happened before: no job is left.
    pub(super) async fn end(&self) -> Result<(), String> {
        match self.app.spawner.server(self.user).filter(|server| server.is_live()) {
            Some(server) => hop("end", async { Ok((self.stop(&server).await?, ())) }).await,
            None => Ok(()),
        }
    }

    async fn stop(&self, server: &Server) -> Result<String, String> {
        let stopped = self.app.spawner.stop(self.user).await;
        let over = self.until(server, PATIENCE, |state| state.phase == Phase::Ended).await;
        let id = self.app.spawner.state(server).job_id;
        match (stopped, over, id) {
            (_, Some(_), Some(id)) => Ok(format!("job {id} was cancelled, and Slurm says that it is over")),
            (_, Some(_), None) => Ok("no job was made".to_owned()),
            (Err(error), None, _) => Err(format!(
                "{}; {}",
                advice::slurm(&error, &self.app.config.slurm),
                by_hand(id)
            )),
            (Ok(()), None, _) => Err(format!("Slurm does not say that the job is over; {}", by_hand(id))),
        }
    }

    /// Waits until what is known of the server is as asked; nothing if that takes longer.
    async fn until(&self, server: &Server, patience: Duration, is: impl Fn(&StateView) -> bool) -> Option<StateView> {
        let mut changes = server.watch();
        let found = async {
            loop {
                let state = self.app.spawner.state(server);
                if is(&state) {
                    return Some(state);
                }
                changes.changed().await.ok()?;
            }
        };
        timeout(patience, found).await.ok().flatten()
    }

    /// Where the server is in its life, and its job's id.
    pub(super) fn now(&self, server: &Server) -> (Phase, Option<u64>) {
        let state = self.app.spawner.state(server);
        (state.phase, state.job_id)
    }

    /// Why the job did not do what was awaited of it, and what to do.
    pub(super) fn explain(&self, server: &Server, awaited: &str) -> String {
        let state = self.app.spawner.state(server);
        match state.end {
            Some(end) => advice::end(state.job_id, &end, awaited, &self.app.config),
            None => format!("the time for it was over {awaited}, and Slurm does not say why"),
        }
    }
}

fn by_hand(id: Option<u64>) -> String {
    let job = id.map_or_else(|| "JOB".to_owned(), |id| id.to_string());
    format!("end it by hand: scancel {job}")
}
