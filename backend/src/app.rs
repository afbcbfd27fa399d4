//! The application's state, built once.

use std::sync::Arc;
use std::time::Duration;

use shared::names::UserName;
use shared::routes::Routes;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assets::Assets;
use crate::auth::{Authenticator, Conversations, PendingSignIns, RateLimits, Sessions, Throttle, UsersFile};
use crate::clock::Clock;
use crate::config::Config;
use crate::keys::{self, Secret};
use crate::offer::Offers;
use crate::slurm::{Client, Limits, Signer, Tokens};
use crate::spawner::{JobKeys, Server, Spawner};
use crate::store::Store;

/// How often rate limits of sign-ins are written to the store and read from it.
const SHARE_EVERY: Duration = Duration::from_secs(1);
/// How often old ones are removed, in these intervals.
const PRUNE_TICKS: u64 = 60;

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
    /// Who is signing in.
    pub conversations: Conversations,
    /// Sign-ins that wait for a second factor.
    pub pending_sign_ins: PendingSignIns,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Rate limits of sign-ins.
    pub throttle: Throttle,
    /// How much a signed-in person may do.
    pub limits: RateLimits,
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
    /// Cancelled when Slipway ends: event streams end with it, and no new request is taken.
    pub shutdown: CancellationToken,
    /// Cancelled when whoever is still here then has had their time: tunnels end with it.
    pub drained: CancellationToken,
}

impl App {
    /// The address at which a browser opens something on a person's server: a path of this site, except
    /// where servers have another host name, or while the page comes from Trunk's port and the server from here.
    pub fn server_url(&self, user: &UserName, path: &str) -> String {
        let path = self.routes.server(user, path);
        let server = &self.config.server;
        if server.is_split() || server.development_origin.is_some() {
            format!("{}{path}", server.user_origin())
        } else {
            path
        }
    }

    /// The address that opens a server: what an event that is on wants opened, or else the chosen interface.
    pub fn opening_url(&self, server: &Server) -> String {
        let event = self
            .offers
            .events(&server.user)
            .into_iter()
            .rev()
            .find_map(|event| event.open.clone());
        let interface = || Some(self.config.interface(&server.options.interface)?.view().path);
        self.server_url(&server.user, &event.or_else(interface).unwrap_or_default())
    }

    /// The address of a page of the hub, as a person's server has to say it.
    pub fn hub_url(&self, page: &str) -> String {
        let path = self.routes.hub(page);
        let server = &self.config.server;
        if server.is_split() {
            format!("{}{path}", server.origin())
        } else {
            path
        }
    }

    /// Writes and reads rate limits of sign-ins, as long as this process answers requests.
    pub async fn share_rate_limits_until_drained(self: Arc<Self>) {
        let mut every = tokio::time::interval(SHARE_EVERY);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for tick in 0_u64.. {
            tokio::select! { _ = every.tick() => {}, () = self.drained.cancelled() => return }
            let now = self.clock.now();
            self.pending_sign_ins.log_expired(&self.store, now).await;
            self.throttle.synchronize(&self.store).await;
            if tick.is_multiple_of(PRUNE_TICKS) {
                self.throttle.prune(&self.store).await;
            }
        }
    }

    /// Reads keys, accounts and page, and opens the store. Does not wait for Slurm. An error says what
    /// stopped the start and what would be right.
    pub async fn build(config: Config, shutdown: CancellationToken) -> Result<AppState, String> {
        let text = |error: &dyn std::error::Error| error.to_string();
        let config = Arc::new(config);
        let clock = Clock::system();
        let mut sign_in_keys = vec![Secret::read_or_create(&config.sign_in.key_file).map_err(|e| text(&e))?];
        for path in &config.sign_in.previous_key_files {
            sign_in_keys.push(Secret::read(path).map_err(|e| text(&e))?);
        }
        let slurm_key = config.slurm.key_file.as_deref().map(Secret::read);
        let slurm_key = slurm_key.transpose().map_err(|e| text(&e))?;
        let mut job_keys = vec![Secret::read_or_create(&config.job.key_file).map_err(|e| text(&e))?];
        for path in &config.job.previous_key_files {
            job_keys.push(Secret::read(path).map_err(|e| text(&e))?);
        }
        let all: Vec<_> = slurm_key.iter().chain(&sign_in_keys).chain(&job_keys).collect();
        keys::refuse_equal(&all).map_err(|e| text(&e))?;

        let store = Store::open(&config.server.state)
            .await
            .map_err(|e| format!("server.state: {e}"))?;
        let sessions = Sessions::new(&sign_in_keys, &config, clock.clone());
        sessions.load(&store).await.map_err(|e| format!("server.state: {e}"))?;
        let tokens = match (&slurm_key, config.slurm.signer_socket()) {
            (Some(key), _) => {
                let (key_id, limits) = (config.slurm.key_id.clone(), Limits::of(&config));
                Tokens::signed_here(Signer::new(key, key_id, limits, clock.clone())?, clock.clone())
            }
            (None, Some(socket)) => Tokens::signed_by(socket, clock.clone()),
            (None, None) => return Err("slurm.key_file is missing".into()),
        };
        let slurm = Arc::new(Client::new(&config.slurm, tokens, clock.clone())?);
        let throttle = Throttle::new(&sign_in_keys[0], clock.clone())?;
        throttle.synchronize(&store).await;
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
            conversations: Conversations::new(authenticator(&config)?, &sign_in_keys, clock.clone())?,
            pending_sign_ins: PendingSignIns::default(),
            sessions,
            throttle,
            limits: RateLimits::new(&config.limits),
            offers: Offers::new(Arc::clone(&config), Arc::clone(&slurm), clock.clone()),
            spawner: spawner.await,
            slurm,
            store,
            clock,
            tunnels: TaskTracker::new(),
            shutdown,
            drained: CancellationToken::new(),
            config,
        }))
    }
}

/// Who somebody is says the users file, or PAM.
fn authenticator(config: &Arc<Config>) -> Result<Box<dyn Authenticator>, String> {
    #[cfg(feature = "pam")]
    if let Some(service) = &config.sign_in.pam_service {
        return Ok(Box::new(crate::auth::Pam::new(service, Arc::clone(config))));
    }
    let file = config.sign_in.users_file.as_ref();
    let users = UsersFile::open(file.ok_or("sign_in.users_file is missing")?)?;
    Ok(Box::new(users))
}
