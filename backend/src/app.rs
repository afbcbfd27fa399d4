//! The application's state, built once.

use std::sync::Arc;

use shared::names::UserName;
use shared::routes::Routes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assets::Assets;
use crate::auth::{Authenticator, SignIns, Throttle, UsersFile};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{self, Secret};
use crate::offer::Offers;
use crate::slurm::{Client, Signer};
use crate::spawner::{JobKeys, Spawner};
use crate::store::Store;

/// What every handler may need; cheap to clone.
pub type AppState = Arc<App>;

/// The whole of Slipway.
pub struct App {
    /// What the site configured.
    pub config: Arc<Config>,
    /// URLs under the configured base path.
    pub routes: Routes,
    /// The page.
    pub assets: Assets,
    /// Who may sign in.
    pub authenticator: Box<dyn Authenticator>,
    /// Who is signed in.
    pub sign_ins: SignIns,
    /// Who has to wait before the next try.
    pub throttle: Throttle,
    /// Slurm.
    pub slurm: Arc<Client>,
    /// What people may choose.
    pub offers: Offers,
    /// People's servers.
    pub spawner: Arc<Spawner>,
    /// What is remembered.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// WebSockets that were joined to a person's server.
    pub tunnels: TaskTracker,
    /// Cancelled when Slipway ends: event streams end with it.
    pub shutdown: CancellationToken,
}

impl App {
    /// The address at which a browser opens something on a person's server: a path of this site, except
    /// while the page comes from Trunk's port and the server from here.
    pub fn server_url(&self, user: &UserName, path: &str) -> String {
        let path = self.routes.server(user, path);
        match self.config.server.development_origin {
            Some(_) => format!("{}{path}", self.config.server.origin()),
            None => path,
        }
    }

    /// Reads keys, accounts and page, and opens the store. Does not wait for Slurm. An error says what
    /// stopped the start and what would be right.
    pub async fn build(config: Config, shutdown: CancellationToken) -> Result<AppState, String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let config = Arc::new(config);
        let clock = Clock::system();
        let sign_in_key = Secret::read_or_create(&config.sign_in.key_file).map_err(|e| text(&e))?;
        let slurm_key = Secret::read(&config.slurm.key_file).map_err(|e| text(&e))?;
        let mut job_keys = vec![Secret::read_or_create(&config.job.key_file).map_err(|e| text(&e))?];
        for path in &config.job.previous_key_files {
            job_keys.push(Secret::read(path).map_err(|e| text(&e))?);
        }
        let all: Vec<_> = [&sign_in_key, &slurm_key].into_iter().chain(&job_keys).collect();
        keys::refuse_equal(&all).map_err(|e| text(&e))?;

        let store = Store::open(&config.server.state)
            .await
            .map_err(|e| format!("server.state: {e}"))?;
        let ended = store.ended_sign_ins().await.map_err(|e| format!("server.state: {e}"))?;
        let signer = Signer::new(
            &slurm_key,
            config.slurm.key_id.clone(),
            config.slurm.token_seconds,
            config.sign_in.blocked.clone(),
            clock.clone(),
        )?;
        let slurm = Arc::new(Client::new(&config.slurm, signer, clock.clone())?);
        let spawner = Spawner::new(
            Arc::clone(&config),
            Arc::clone(&slurm),
            JobKeys::new(job_keys),
            store.clone(),
            shutdown.clone(),
        );
        Ok(Arc::new(Self {
            routes: Routes::new(config.server.base()),
            assets: Assets::load(&config)?,
            authenticator: Box::new(UsersFile::open(&config.sign_in.users_file)?),
            sign_ins: SignIns::new(&sign_in_key, &config, ended, clock.clone()),
            throttle: Throttle::new(clock.clone()),
            offers: Offers::new(Arc::clone(&config), Arc::clone(&slurm), clock.clone()),
            spawner: spawner.await,
            slurm,
            store,
            clock,
            tunnels: TaskTracker::new(),
            shutdown,
            config,
        }))
    }
}
