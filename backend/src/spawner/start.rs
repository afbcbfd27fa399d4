//! Starting a server: exactly one job, whatever is clicked, lost or killed.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use shared::names::UserName;
use shared::options::SpawnRequest;
use shared::server::{EndCause, Phase};

use super::comment::JobComment;
use super::record::Record;
use super::{Known, Server, Spawner, Submission, Wish, batch};
use crate::cause::Cause;
use crate::keys;
use crate::look::Language;
use crate::slurm::{JobDescription, SlurmError};

/// How often a job is looked for whose submission's answer was lost.
const SEARCH_EVERY: Duration = Duration::from_secs(2);
/// Nobody waits longer for a look at a job that was made.
const PATIENCE: Duration = Duration::from_secs(2);
/// A submission that Slurm has not carried out so many seconds after it was sent never will be …
const SURE_SECONDS: i64 = 20;
/// … if Slurm then answered so many questions without knowing its job.
const SEARCHES: usize = 3;

/// What somebody wants of one start, and never has proposed again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Once {
    /// Jupyter does not see the person's own settings: what is broken there cannot keep it from starting.
    pub fresh_settings: bool,
    /// It waits however long that takes.
    pub keep_waiting: bool,
    /// Jupyter opens in this language, where it has it and the person has chosen none there.
    pub language: Option<Language>,
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

impl Spawner {
    /// Starts a server: one job, and never a second while there is one. Three walls: the servers known here,
    /// the record in the store that Slipways share, and Slurm, which runs one job of our name at a time.
    ///
    /// What the person wants of this start alone comes with it.
    pub async fn start(
        self: &Arc<Self>,
        user: &UserName,
        request: SpawnRequest,
        once: Once,
    ) -> Result<Started, SpawnError> {
        // What Slurm said before may be over: an administrator can start a job anew that had ended.
        self.forget_look_up(user);
        self.find_surely(user).await?;
        let nonce: [u8; 16] = keys::random().map_err(|e| SpawnError::Internal(e.to_string()))?;
        let nonce = nonce
            .iter()
            .fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let key = self.keys.current().to_owned();
        let comment = JobComment {
            language: once.language,
            ..JobComment::new(nonce.clone(), key.clone(), request.clone())
        };
        let description = batch::describe(&self.config, &self.keys, user, &request, &comment, once.fresh_settings)
            .map_err(|e| SpawnError::Internal(e.to_string()))?;
        let known = Known {
            begins_at: request.begins_at,
            language: once.language,
            request: Some(Cause::current().to_string()),
            wish: if once.keep_waiting {
                Wish::KeepWaiting
            } else {
                Wish::None
            },
            ..Known::asked(self.slurm.now())
        };
        let server = Arc::new(Server::new(user.clone(), request.options, nonce, key, known));
        if let Some(already) = self.enter(&server)? {
            return Ok(already);
        }
        // On a task of its own: the job is followed even if the browser that asked for it goes away.
        let this = Arc::clone(self);
        let submission = self.tasks.spawn(Cause::carried(async move {
            this.claim_and_submit(server, description).await
        }));
        submission
            .await
            .unwrap_or_else(|e| Err(SpawnError::Internal(e.to_string())))
    }

    /// Puts a new server in the place of one that is over. Looked at and put in under one lock: two clicks at
    /// once make one job.
    fn enter(&self, server: &Arc<Server>) -> Result<Option<Started>, SpawnError> {
        let mut servers = self.servers.write().unwrap_or_else(PoisonError::into_inner);
        match servers.get(&server.user).map(|server| server.phase()) {
            Some(Phase::Ready) => Err(SpawnError::AlreadyRunning),
            Some(Phase::Stopping) => Err(SpawnError::Stopping),
            Some(phase) if phase.is_pending() => Ok(Some(Started::AlreadyPending)),
            _ => {
                servers.insert(server.user.clone(), Arc::clone(server));
                Ok(None)
            }
        }
    }

    async fn claim_and_submit(
        self: Arc<Self>,
        server: Arc<Server>,
        description: JobDescription,
    ) -> Result<Started, SpawnError> {
        let record = Record::of(&server);
        match self.store.claim_server(&server.user, &server.nonce, &record).await {
            Ok(None) => {}
            Ok(Some(other)) => {
                // Another Slipway was first: its server is followed here too.
                self.forget_look_up(&server.user);
                server
                    .known
                    .send_modify(|known| known.submission = Submission::Failed(EndCause::Lost));
                self.revive(other);
                return Ok(Started::AlreadyPending);
            }
            Err(error) => {
                tracing::warn!(user = %server.user, %error, "a start goes on without the store");
            }
        }
        self.submit(server, description).await
    }

    async fn submit(self: Arc<Self>, server: Arc<Server>, description: JobDescription) -> Result<Started, SpawnError> {
        let user = &server.user;
        // Held until its owner has been compared: see `release`.
        match self.slurm.person(user).submit_held(&description).await {
            Ok(id) => {
                tracing::info!(%user, job.id = id, "submitted a job");
                self.accepted(&server, id).await;
                let verified = self.verify_owner(&server).await;
                // It cancels the job if Stop was pressed meanwhile.
                self.wake.notify_one();
                verified.map(|()| Started::New)
            }
            Err(error @ (SlurmError::Unreachable { sent: true, .. } | SlurmError::NotUnderstood(_))) => {
                tracing::warn!(%user, %error, "the answer to a submission was lost");
                self.search_later(&server);
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
                self.fail(&server, cause).await;
                Err(error.into())
            }
        }
    }

    /// Looks whether the new job is the person's, and releases it. Without an answer the poller does.
    async fn verify_owner(self: &Arc<Self>, server: &Arc<Server>) -> Result<(), SpawnError> {
        if tokio::time::timeout(PATIENCE, self.look(server)).await.is_err() {
            tracing::debug!(user = %server.user, "a look at a new job takes long");
        }
        let job = server.known.borrow().job.clone();
        match job.and_then(|job| self.wrong_owner(server, &job)) {
            Some(why) => Err(SpawnError::Internal(why)),
            None => Ok(()),
        }
    }

    /// There is no job, or none any more.
    pub(super) async fn fail(&self, server: &Server, cause: EndCause) {
        if matches!(cause, EndCause::Lost | EndCause::Unreachable) {
            self.forget_look_up(&server.user);
        }
        server
            .known
            .send_modify(|known| known.submission = Submission::Failed(cause));
        self.remember(server).await;
        self.forget(&server.user, &server.nonce).await;
    }

    async fn accepted(&self, server: &Server, id: u64) {
        server
            .known
            .send_modify(|known| known.submission = Submission::Accepted(id));
        self.keep(server).await;
    }

    /// Looks, in the background, for the job of a submission of which nobody knows what became of it.
    pub(super) fn search_later(self: &Arc<Self>, server: &Arc<Server>) {
        let (this, server) = (Arc::clone(self), Arc::clone(server));
        let search = async move { this.search(&server).await };
        self.tasks.spawn(Cause::carried(search));
    }

    /// Looks for it until it is found or certainly is not there. It may be another Slipway that sent it.
    async fn search(&self, server: &Server) {
        let mut every = tokio::time::interval(SEARCH_EVERY);
        let mut answered = 0;
        let sent_at = server.known.borrow().asked_at;
        let is_open = || server.known.borrow().submission == Submission::Sending;
        while is_open() && (answered < SEARCHES || self.slurm.now() - sent_at < SURE_SECONDS) {
            tokio::select! { _ = every.tick() => {}, () = self.shutdown.cancelled() => return }
            if let Ok(Some(record)) = self.store.server::<Record>(&server.user).await
                && record.nonce == server.nonce
                && let Some(id) = record.job_id
            {
                // Another Slipway has had the answer; what the person has asked of it since counts here too.
                server.known.send_modify(|known| {
                    known.submission = Submission::Accepted(id);
                    if known.wish == Wish::None {
                        known.wish = record.wish;
                    }
                });
                return self.wake.notify_one();
            }
            match self.our_jobs(&server.user).await {
                Ok(jobs) => {
                    let is_mine = |comment: &str| JobComment::read(comment).is_some_and(|c| c.nonce == server.nonce);
                    if let Some(job) = jobs.into_iter().find(|job| is_mine(&job.comment)) {
                        self.accepted(server, job.id).await;
                        return self.wake.notify_one();
                    }
                    answered += 1;
                }
                Err(error) => {
                    answered = 0;
                    tracing::debug!(%error, "still looking for a lost job");
                }
            }
        }
        if !is_open() {
            return;
        }
        tracing::warn!(user = %server.user, "no job was found for a submission whose answer was lost");
        self.fail(server, EndCause::Lost).await;
    }
}
