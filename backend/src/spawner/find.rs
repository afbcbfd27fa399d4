//! Finding people's servers again: those of before a restart, and of a Slipway beside this one.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use shared::names::UserName;
use shared::server::Phase;

use super::comment::JobComment;
use super::record::Record;
use super::{Server, Spawner, Wish};
use crate::slurm::{Job, SlurmError};

/// A page does not wait longer for Slurm to say whether there is a server.
const PATIENCE: Duration = Duration::from_secs(2);

impl Spawner {
    /// A person's server, running or the last one that ended. Where none is known to run, the store is asked
    /// and, once, Slurm: see [`Spawner::is_unknown`].
    pub async fn find(self: &Arc<Self>, user: &UserName) -> Option<Arc<Server>> {
        if let Some(server) = self.server(user).filter(|server| server.is_live()) {
            return Some(server);
        }
        self.adopt(user).await;
        if self.is_unknown(user) {
            match tokio::time::timeout(PATIENCE, self.look_up(user)).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!(%user, %error, "could not look for a server of before"),
                Err(_) => tracing::debug!(%user, "a look for a server of before takes long"),
            }
        }
        self.server(user)
    }

    /// Slurm has not said yet whether this person has a server: none is known, and one may run.
    pub fn is_unknown(&self, user: &UserName) -> bool {
        let looked_up = self.looked_up.read().unwrap_or_else(PoisonError::into_inner);
        !looked_up.contains(user) && !self.server(user).is_some_and(|server| server.is_live())
    }

    /// Slurm is asked again whether this person has a server.
    pub(super) fn forget_look_up(&self, user: &UserName) {
        let mut looked_up = self.looked_up.write().unwrap_or_else(PoisonError::into_inner);
        looked_up.remove(user);
    }

    /// [`Spawner::find`], for whoever must not go on without knowing.
    pub(super) async fn find_surely(self: &Arc<Self>, user: &UserName) -> Result<(), SlurmError> {
        self.find(user).await;
        if self.is_unknown(user) {
            self.look_up(user).await?;
        }
        Ok(())
    }

    /// Takes over what the store has of a person's server, if it is none that is over here.
    async fn adopt(self: &Arc<Self>, user: &UserName) {
        let record = match self.store.server::<Record>(user).await {
            Ok(Some(record)) => record,
            Ok(None) => return,
            Err(error) => {
                return tracing::debug!(%user, %error, "a server of another Slipway may be in the store");
            }
        };
        if let Some(known) = self.server(user).filter(|known| known.nonce == record.nonce) {
            // It has ended, and the store did not take that; or another request was quicker to take it over.
            if !known.is_live() {
                self.forget(user, &record.nonce).await;
            }
            return;
        }
        tracing::info!(%user, job.id = record.job_id, "took over a server from the store");
        let server = self.revive(record);
        if server.job_id().is_some() && tokio::time::timeout(PATIENCE, self.look(&server)).await.is_err() {
            tracing::debug!(%user, "a look at a server of before takes long");
        }
    }

    /// Puts a server from the store among those that are followed.
    pub(super) fn revive(self: &Arc<Self>, record: Record) -> Arc<Server> {
        let (server, address) = record.revive();
        let now = self.slurm.now();
        server.known.send_modify(|known| known.heard_again_at = Some(now));
        if let Some(address) = address {
            self.open_way(&server, address);
        }
        if server.way().is_none() {
            // Of another configuration, say: it is looked for again.
            server.known.send_modify(|known| known.ready = false);
        }
        let server = self.settle(server);
        server.doubt();
        // Whoever sent this request may have been killed before Slurm's answer came, Stop pressed or not.
        if server.job_id().is_none() {
            self.search_later(&server);
        } else if server.phase() == Phase::Starting && server.way().is_some() {
            self.watch_start(Arc::clone(&server));
        }
        self.wake.notify_one();
        server
    }

    /// Puts a server in, unless another request has put one in meanwhile.
    fn settle(&self, server: Server) -> Arc<Server> {
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        match servers.get(&server.user).filter(|there| there.is_live()) {
            Some(there) => Arc::clone(there),
            None => {
                let server = Arc::new(server);
                servers.insert(server.user.clone(), Arc::clone(&server));
                server
            }
        }
    }

    /// Asks Slurm whether there is a job of ours that this Slipway does not know.
    async fn look_up(&self, user: &UserName) -> Result<(), SlurmError> {
        let mut jobs = self.our_jobs(user).await?;
        // Slurm may have taken the name for the uid of somebody else, who has a server.
        jobs.retain(|job| job.user == user.as_str());
        // Of two, which our jobs' name prevents, the one that runs.
        let job = jobs.into_iter().max_by_key(|job| job.state.is_on_node());
        if let Some(server) = job.and_then(|job| Server::from_job(user, job, self.slurm.now())) {
            tracing::info!(%user, job.id = server.job_id(), "found a server again");
            let overdue = server.known.borrow().give_up_at(self.policy());
            if overdue.is_some_and(|at| at <= self.slurm.now()) {
                // It has waited for longer than anybody does who has not said so.
                server.known.send_modify(|known| known.wish = Wish::KeepWaiting);
            }
            let server = self.settle(server);
            server.doubt();
            self.keep(&server).await;
            self.wake.notify_one();
        }
        let mut looked_up = self.looked_up.write().unwrap_or_else(PoisonError::into_inner);
        looked_up.insert(user.clone());
        Ok(())
    }

    /// A person's jobs of our name that are not over, with a comment of ours: as far as Slurm takes the name for them. The
    /// caller compares the owner, or what was submitted.
    pub(super) async fn our_jobs(&self, user: &UserName) -> Result<Vec<Job>, SlurmError> {
        let person = self.slurm.person(user);
        let mut jobs = Vec::new();
        for id in person.ids_of(&self.config.job.name).await? {
            match person.submitted_job(id).await {
                Ok(job) if JobComment::read(&job.comment).is_some() => jobs.push(job),
                Ok(_) | Err(SlurmError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(jobs)
    }
}
