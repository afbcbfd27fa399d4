//! People's servers: starting, stopping, finding again, and the way to each.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::names::UserName;
use shared::options::UserOptions;
use shared::server::{EndCause, Phase, StateView};
use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::comment::JobComment;
use super::keys::tls_config;
use super::{JobKeys, Known, Policy, Submission, batch, derive};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys;
use crate::proxy::Target;
use crate::slurm::{Client, Job, SlurmError};
use crate::store::{Kind, Store};

/// How often and how long a job is looked for whose submission's answer was lost.
const SEARCH_EVERY: Duration = Duration::from_secs(2);
const SEARCHES: usize = 10;

/// A person's server.
pub struct Server {
    /// Whose.
    pub user: UserName,
    /// What was asked for.
    pub options: UserOptions,
    pub(super) nonce: String,
    pub(super) key: String,
    pub(super) known: watch::Sender<Known>,
    pub(super) target: RwLock<Option<Arc<Target>>>,
    /// When the job was last looked at in detail.
    pub(super) looked_at: std::sync::atomic::AtomicI64,
}

/// What the store keeps of a server: enough to reach it while Slurm is away.
#[derive(Serialize, Deserialize)]
pub(super) struct KeptServer {
    user: UserName,
    options: UserOptions,
    nonce: String,
    key: String,
    asked_at: i64,
    job_id: u64,
    job: Option<Job>,
    address: Option<std::net::SocketAddr>,
    ready: bool,
}

/// What pressing Start did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Started {
    /// There is a new job.
    New,
    /// One was on its way already.
    AlreadyPending,
}

/// Why pressing Start did nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpawnError {
    /// There is a server.
    #[error("a server is already running")]
    AlreadyRunning,
    /// The last one is still being stopped.
    #[error("the last server is still being stopped")]
    Stopping,
    /// Slurm said no, or nothing.
    #[error(transparent)]
    Slurm(#[from] SlurmError),
    /// A defect.
    #[error("{0}")]
    Internal(String),
}

/// All servers, and everything needed to start and watch them.
pub struct Spawner {
    pub(super) config: Arc<Config>,
    pub(super) slurm: Arc<Client>,
    pub(super) keys: JobKeys,
    pub(super) store: Store,
    pub(super) clock: Clock,
    servers: RwLock<HashMap<UserName, Arc<Server>>>,
    /// People whose jobs were looked up since this Slipway started.
    pub(super) looked_up: RwLock<std::collections::HashSet<UserName>>,
    pub(super) wake: Notify,
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
}

impl Server {
    fn new(user: UserName, options: UserOptions, nonce: String, key: String, known: Known) -> Self {
        Self {
            user,
            options,
            nonce,
            key,
            known: watch::Sender::new(known),
            target: RwLock::default(),
            looked_at: std::sync::atomic::AtomicI64::new(0),
        }
    }

    /// A server from a job that Slurm told of; nothing if the job is not one of Slipway's.
    pub(super) fn from_job(user: &UserName, job: Job) -> Option<Self> {
        let comment = JobComment::read(&job.comment)?;
        let mut known = Known {
            submission: Submission::Accepted(job.id),
            ..Known::asked(job.submitted_at)
        };
        known.learn(job);
        Some(Self::new(
            user.clone(),
            comment.options,
            comment.nonce,
            comment.key,
            known,
        ))
    }

    /// Where it is in its life.
    pub fn phase(&self) -> Phase {
        self.known.borrow().phase()
    }

    /// Follows every change.
    pub fn watch(&self) -> watch::Receiver<Known> {
        self.known.subscribe()
    }

    /// The way to it, once Jupyter has answered and until the job is over.
    pub fn target(&self) -> Option<Arc<Target>> {
        let open = matches!(self.phase(), Phase::Ready | Phase::Stopping);
        if open {
            self.target.read().unwrap_or_else(PoisonError::into_inner).clone()
        } else {
            None
        }
    }

    pub(super) fn job_id(&self) -> Option<u64> {
        match self.known.borrow().submission {
            Submission::Accepted(id) => Some(id),
            _ => None,
        }
    }

    pub(super) fn set_target(&self, target: Option<Arc<Target>>) {
        *self.target.write().unwrap_or_else(PoisonError::into_inner) = target;
    }

    pub(super) fn has_target(&self) -> bool {
        self.target.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

impl Spawner {
    /// With nothing known yet but what the store kept.
    pub async fn new(
        config: Arc<Config>,
        slurm: Arc<Client>,
        keys: JobKeys,
        store: Store,
        clock: Clock,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let kept = store
            .all_kept::<KeptServer>(Kind::Server)
            .await
            .unwrap_or_else(|error| {
                tracing::error!(%error, "running servers will be looked up in Slurm instead");
                Vec::new()
            });
        let spawner = Arc::new(Self {
            config,
            slurm,
            keys,
            store,
            clock,
            servers: RwLock::default(),
            looked_up: RwLock::default(),
            wake: Notify::new(),
            tasks: TaskTracker::new(),
            shutdown,
        });
        for kept in kept {
            spawner.restore(kept);
        }
        spawner
    }

    fn restore(&self, kept: KeptServer) {
        let known = Known {
            submission: Submission::Accepted(kept.job_id),
            job: kept.job,
            ready: kept.ready,
            ..Known::asked(kept.asked_at)
        };
        let server = Server::new(kept.user, kept.options, kept.nonce, kept.key, known);
        if let Some(address) = kept.address {
            self.open_way(&server, address);
        }
        self.insert(Arc::new(server));
    }

    fn insert(&self, server: Arc<Server>) {
        self.servers
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(server.user.clone(), server);
    }

    /// Waits until everything that was started in the background has ended.
    pub async fn drained(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// What the site decides about a server's life.
    pub fn policy(&self) -> Policy {
        Policy {
            start_timeout: self.config.job.start_timeout(),
        }
    }

    /// What is shown of a server now.
    pub fn state(&self, server: &Server) -> StateView {
        derive(&server.known.borrow(), self.policy(), self.clock.now())
    }

    /// A person's server, running or the last one that ended, as far as this Slipway knows.
    pub fn server(&self, user: &UserName) -> Option<Arc<Server>> {
        self.servers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(user)
            .cloned()
    }

    pub(super) fn servers(&self) -> Vec<Arc<Server>> {
        self.servers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// [`Spawner::server`], after asking Slurm once whether there is a job that this Slipway does not know:
    /// one from before a restart without a store, or of another replica.
    pub async fn find(&self, user: &UserName) -> Option<Arc<Server>> {
        let known = self.server(user);
        let asked = self
            .looked_up
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(user);
        if asked || known.as_ref().is_some_and(|server| server.phase().is_live()) {
            return known;
        }
        match self.search(user, None).await {
            Ok(found) => {
                self.looked_up
                    .write()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(user.clone());
                if let Some(job) = found
                    && let Some(server) = Server::from_job(user, job)
                {
                    tracing::info!(%user, job.id = server.job_id(), "found a server again");
                    self.insert(Arc::new(server));
                    self.wake.notify_one();
                }
            }
            Err(error) => tracing::warn!(%user, %error, "could not look for a server of before"),
        }
        self.server(user)
    }

    /// A live job of this person with our name, and with this nonce if one is given.
    async fn search(&self, user: &UserName, nonce: Option<&str>) -> Result<Option<Job>, SlurmError> {
        let jobs = self.slurm.person(user).live_jobs().await?;
        for candidate in jobs
            .into_iter()
            .filter(|job| job.name == self.config.job.name && job.user == user.as_str())
        {
            let job = match self.slurm.service().job(candidate.id).await {
                Ok(job) => job,
                Err(SlurmError::NotFound) => continue,
                Err(error) => return Err(error),
            };
            let comment = JobComment::read(&job.comment);
            if comment.is_some_and(|comment| nonce.is_none_or(|nonce| nonce == comment.nonce)) {
                return Ok(Some(job));
            }
        }
        Ok(None)
    }

    /// Starts a server: one job, and never a second while there is one.
    pub async fn start(self: &Arc<Self>, user: &UserName, options: UserOptions) -> Result<Started, SpawnError> {
        let nonce: [u8; 16] = keys::random().map_err(|e| SpawnError::Internal(e.to_string()))?;
        let nonce = nonce
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let key = self.keys.current().to_owned();
        let comment = JobComment::new(nonce.clone(), key.clone(), options.clone());
        let description = batch::describe(&self.config, &self.keys, user, &options, &comment)
            .map_err(|e| SpawnError::Internal(e.to_string()))?;
        let server = Arc::new(Server::new(
            user.clone(),
            options,
            nonce,
            key,
            Known::asked(self.clock.now()),
        ));
        {
            // Looked at and put in under one lock: two clicks at once make one job.
            let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
            match servers.get(user).map(|server| server.phase()) {
                Some(Phase::Ready) => return Err(SpawnError::AlreadyRunning),
                Some(Phase::Stopping) => return Err(SpawnError::Stopping),
                Some(phase) if phase.is_pending() => return Ok(Started::AlreadyPending),
                _ => servers.insert(user.clone(), Arc::clone(&server)),
            };
        }
        // On a task of its own: the job is followed even if the browser that asked for it goes away.
        let this = Arc::clone(self);
        let submission = self.tasks.spawn(async move { this.submit(server, description).await });
        submission
            .await
            .unwrap_or_else(|e| Err(SpawnError::Internal(e.to_string())))
    }

    async fn submit(
        self: Arc<Self>,
        server: Arc<Server>,
        description: crate::slurm::JobDescription,
    ) -> Result<Started, SpawnError> {
        let user = &server.user;
        match self.slurm.person(user).submit(&description).await {
            Ok(id) => {
                tracing::info!(%user, job.id = id, "submitted a job");
                self.accepted(&server, id).await;
                Ok(Started::New)
            }
            Err(error @ SlurmError::Unreachable { sent: true, .. }) => {
                tracing::warn!(%user, %error, "the answer to a submission was lost");
                let (this, server) = (Arc::clone(&self), Arc::clone(&server));
                self.tasks.spawn(async move { this.search_lost(&server).await });
                Ok(Started::New)
            }
            Err(error) => {
                tracing::warn!(%user, %error, "no job was made");
                let cause = match &error {
                    SlurmError::Refused { message, code } => EndCause::Refused {
                        message: message.clone(),
                        code: *code,
                    },
                    _ => EndCause::Unreachable,
                };
                server
                    .known
                    .send_modify(|known| known.submission = Submission::Failed(cause));
                Err(error.into())
            }
        }
    }

    async fn accepted(&self, server: &Server, id: u64) {
        server
            .known
            .send_modify(|known| known.submission = Submission::Accepted(id));
        self.keep(server).await;
        self.wake.notify_one();
        if server.known.borrow().stop_asked {
            self.cancel(server, id).await;
        }
    }

    /// Looks for the job of a submission whose answer was lost, until it is found or certainly is not there.
    async fn search_lost(&self, server: &Server) {
        let mut every = tokio::time::interval(SEARCH_EVERY);
        let mut answered = 0;
        while answered < SEARCHES {
            tokio::select! { _ = every.tick() => {}, () = self.shutdown.cancelled() => return }
            match self.search(&server.user, Some(&server.nonce)).await {
                Ok(Some(job)) => return self.accepted(server, job.id).await,
                Ok(None) => answered += 1,
                Err(error) => tracing::debug!(%error, "still looking for a lost job"),
            }
        }
        tracing::warn!(user = %server.user, "no job was found for a submission whose answer was lost");
        server
            .known
            .send_modify(|known| known.submission = Submission::Failed(EndCause::Lost));
    }

    /// Ends a person's server, or the start of one. Asked twice is asked once.
    pub async fn stop(&self, user: &UserName) -> Result<(), SlurmError> {
        let Some(server) = self.find(user).await.filter(|server| server.phase().is_live()) else {
            return Ok(());
        };
        server.known.send_modify(|known| known.stop_asked = true);
        let Some(id) = server.job_id() else { return Ok(()) };
        let result = self.slurm.person(user).cancel(id).await;
        if result.is_err() {
            server.known.send_modify(|known| known.stop_asked = false);
        }
        self.wake.notify_one();
        result
    }

    async fn cancel(&self, server: &Server, id: u64) {
        if let Err(error) = self.slurm.person(&server.user).cancel(id).await {
            tracing::warn!(user = %server.user, job.id = id, %error, "a job could not be cancelled");
        }
    }

    /// Opens the way to a server: an address inside the configured networks, and this job's key.
    pub(super) fn open_way(&self, server: &Server, address: std::net::SocketAddr) {
        let [first, last] = self.config.job.ports;
        let inside = self
            .config
            .job
            .networks
            .iter()
            .any(|network| network.contains(&address.ip()));
        if !inside || !(first..=last).contains(&address.port()) {
            tracing::warn!(user = %server.user, %address, "a job told an address outside the configured networks and ports");
            return;
        }
        let identities = self.keys.server(&server.key, &server.user, &server.nonce);
        match identities.and_then(|own| tls_config(&own, &self.keys.client(&server.key)?)) {
            Ok(tls) => server.set_target(Some(Arc::new(Target::new(address, tls)))),
            Err(error) => {
                tracing::error!(user = %server.user, key = server.key, %error, "is the secret of this job gone?");
            }
        }
    }

    /// Keeps what is needed to reach a server after a restart.
    pub(super) async fn keep(&self, server: &Server) {
        let known = server.known.borrow().clone();
        let Submission::Accepted(job_id) = known.submission else {
            return;
        };
        let address = server
            .target
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .map(|t| t.address());
        let kept = KeptServer {
            user: server.user.clone(),
            options: server.options.clone(),
            nonce: server.nonce.clone(),
            key: server.key.clone(),
            asked_at: known.asked_at,
            job_id,
            job: known.job,
            address,
            ready: known.ready,
        };
        if let Err(error) = self.store.keep(&server.user, Kind::Server, &kept).await {
            tracing::warn!(user = %server.user, %error, "a restart will have to look this server up in Slurm");
        }
    }
}
