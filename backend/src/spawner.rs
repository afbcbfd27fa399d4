//! From options to a running server: one Slurm job for each person, watched until Jupyter answers.
//!
//! Slurm is the database. What is kept here is a cache of what Slurm said, and the way to the node.

mod activity;
mod batch;
mod comment;
mod find;
mod history;
mod keys;
mod life;
mod next;
mod poller;
mod probe;
mod record;
mod server;
mod start;
mod stop;
mod way;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use shared::names::UserName;
use shared::server::{Phase, StateView};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use comment::decode_comment;
pub use keys::{JobKeys, ServerIdentity};
pub use life::{Known, Policy, Submission, Wish, derive};
pub use next::Next;
pub use server::Server;
pub use start::{Once, SpawnError, Started};

use self::record::Record;
use crate::config::Config;
use crate::slurm::Client;
use crate::store::Store;

/// All servers, and everything needed to start and watch them.
pub struct Spawner {
    config: Arc<Config>,
    slurm: Arc<Client>,
    keys: JobKeys,
    store: Store,
    servers: RwLock<HashMap<UserName, Arc<Server>>>,
    /// People of whom Slurm was asked, since this Slipway started, whether they have a server.
    looked_up: RwLock<HashSet<UserName>>,
    /// Servers that are over, and whose people want another one.
    next: next::Wanted,
    /// Wakes the poller.
    wake: Notify,
    tasks: TaskTracker,
    shutdown: CancellationToken,
}

impl Spawner {
    /// With nothing known yet but what the store kept.
    pub async fn new(
        config: Arc<Config>,
        slurm: Arc<Client>,
        keys: JobKeys,
        store: Store,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let kept = store.servers::<Record>().await.unwrap_or_else(|error| {
            tracing::error!(%error, "running servers will be looked up in Slurm instead");
            Vec::new()
        });
        let spawner = Arc::new(Self {
            config,
            slurm,
            keys,
            store,
            servers: RwLock::default(),
            looked_up: RwLock::default(),
            next: next::Wanted::default(),
            wake: Notify::new(),
            tasks: TaskTracker::new(),
            shutdown,
        });
        for record in kept {
            spawner.revive(record);
        }
        spawner
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
        let now = self.slurm.now();
        if server.asked(now) && server.phase() == Phase::Ready {
            self.wake.notify_one(); // What is known may be as old as the poller's calm pace.
        }
        derive(&server.known.borrow(), self.policy(), now)
    }

    /// The same for somebody who only looks on: it is no reason to ask Slurm more often.
    pub fn peek(&self, server: &Server) -> StateView {
        derive(&server.known.borrow(), self.policy(), self.slurm.now())
    }

    /// Everybody's servers, also those that another Slipway started.
    pub async fn everybody(self: &Arc<Self>) -> Vec<Arc<Server>> {
        match self.store.servers::<Record>().await {
            Ok(kept) => {
                let unknown = |record: &Record| self.server(&record.user).is_none();
                for record in kept.into_iter().filter(unknown) {
                    self.revive(record);
                }
            }
            Err(error) => tracing::debug!(%error, "servers that another Slipway started are not listed"),
        }
        self.servers()
    }

    /// A person's server, running or the last one that ended, as far as this Slipway knows.
    pub fn server(&self, user: &UserName) -> Option<Arc<Server>> {
        self.servers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(user)
            .cloned()
    }

    /// What is known of a server does not fit what was seen: Slurm is asked at once.
    pub fn doubt(&self, server: &Server) {
        if server.miss(self.slurm.now()) {
            self.wake.notify_one();
        }
    }

    fn servers(&self) -> Vec<Arc<Server>> {
        self.servers
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// Keeps what is needed to reach a server after a restart, and from another Slipway.
    async fn keep(&self, server: &Server) {
        self.keep_record(server, &Record::of(server)).await;
    }

    async fn keep_record(&self, server: &Server, record: &Record) {
        if let Err(error) = self.store.keep_server(&server.user, &server.nonce, record).await {
            tracing::warn!(user = %server.user, %error, "a restart will have to look this server up in Slurm");
        }
    }

    async fn forget(&self, user: &UserName, nonce: &str) {
        if let Err(error) = self.store.forget_server(user, nonce).await {
            tracing::debug!(%user, %error, "a server that is over stays in the store");
        }
    }
}
