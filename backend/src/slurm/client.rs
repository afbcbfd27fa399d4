//! Requests to slurmrestd, by whom they are made: for a person, or for the service user.

mod endpoint;
mod person;
mod service;

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};

use reqwest::Method;
use secrecy::SecretString;
use serde::Serialize;
use shared::names::UserName;

use self::endpoint::{Endpoint, header_value, receive};
use super::outage::{Area, Outages};
use super::token::Purpose;
use super::wire::Answer;
use super::{ApiVersion, SlurmError, Tokens};
use crate::clock::Clock;
use crate::config;

/// A client for one cluster. Every request says for whom it is: [`Client::person`] or [`Client::service`].
pub struct Client {
    endpoints: Vec<Endpoint>,
    /// The endpoint that answered last.
    preferred: AtomicUsize,
    tokens: Tokens,
    service_user: UserName,
    version: RwLock<Option<ApiVersion>>,
    outages: Outages,
    /// How far slurmctld's clock is ahead of ours, in seconds.
    ahead: AtomicI64,
    clock: Clock,
}

/// What is done for a person, with a token of theirs.
#[derive(Clone, Copy)]
pub struct AsPerson<'a> {
    client: &'a Client,
    user: &'a UserName,
}

/// Questions that concern nobody in particular, with the service user's token.
#[derive(Clone, Copy)]
pub struct AsService<'a> {
    client: &'a Client,
}

/// In whose name one request is made.
#[derive(Clone, Copy)]
enum Caller<'a> {
    Service,
    Person(&'a UserName, Purpose),
}

impl Client {
    /// For the configured addresses. Says what is wrong with them, for the person who configured them.
    pub fn new(config: &config::Slurm, tokens: Tokens, clock: Clock) -> Result<Self, String> {
        let ca = config.ca_file.as_ref().map(|path| {
            let bytes = std::fs::read(path).map_err(|e| format!("slurm.ca_file: {}: {e}", path.display()))?;
            reqwest::Certificate::from_pem_bundle(&bytes).map_err(|e| format!("slurm.ca_file: {}: {e}", path.display()))
        });
        let ca = ca.transpose()?;
        let endpoints = config
            .urls
            .iter()
            .map(|url| Endpoint::new(url, ca.as_deref()))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            endpoints,
            preferred: AtomicUsize::new(0),
            tokens,
            service_user: config.service_user.clone(),
            version: RwLock::new(None),
            outages: Outages::default(),
            ahead: AtomicI64::new(0),
            clock,
        })
    }

    /// Requests for a person.
    pub fn person<'a>(&'a self, user: &'a UserName) -> AsPerson<'a> {
        AsPerson { client: self, user }
    }

    /// Requests for nobody in particular.
    pub fn service(&self) -> AsService<'_> {
        AsService { client: self }
    }

    /// The configured address that answered last.
    pub fn address(&self) -> &str {
        let preferred = self.endpoints.get(self.preferred.load(Ordering::Relaxed));
        preferred.map_or("", |endpoint| &endpoint.url)
    }

    /// Whether the process that signs for us does so; nothing where tokens are signed here.
    pub async fn try_signer(&self) -> Option<Result<(), SlurmError>> {
        if !self.tokens.are_signed_elsewhere() {
            return None;
        }
        Some(self.tokens.service().await.map(drop))
    }

    /// Since when slurmctld has not answered, or could not be asked for want of a signer; nothing while it does.
    pub fn silent_since(&self) -> Option<i64> {
        self.outages.since(Area::Controller).or(self.tokens.away_since())
    }

    /// The same of the accounting database: people's compute accounts, and jobs of before.
    pub fn database_silent_since(&self) -> Option<i64> {
        self.outages.since(Area::Database)
    }

    /// Waits until Slurm stops answering.
    pub async fn outage(&self) {
        tokio::select! {
            () = self.outages.began.notified() => {}
            () = self.tokens.went_away.notified() => {}
        }
    }

    /// The time by Slurm's clock, as all times of jobs are; in seconds since 1970.
    pub fn now(&self) -> i64 {
        self.clock.now() + self.ahead.load(Ordering::Relaxed)
    }

    /// The highest version that both sides know: asked by ping, newest first, once and after an outage.
    async fn version(&self) -> Result<ApiVersion, SlurmError> {
        let known = *self.version.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(version) = known {
            return Ok(version);
        }
        for version in ApiVersion::KNOWN {
            match self
                .send(
                    Caller::Service,
                    Method::GET,
                    &format!("slurm/{version}/ping"),
                    None::<&()>,
                )
                .await
            {
                Err(SlurmError::Version(_)) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let mut known = self.version.write().unwrap_or_else(PoisonError::into_inner);
                    if known.replace(version) != Some(version) {
                        tracing::info!(%version, "speaking with slurmrestd");
                    }
                    return Ok(version);
                }
            }
        }
        Err(SlurmError::Version(ApiVersion::known_text()))
    }

    /// One request; `path` is what follows the version. Nobody waits for a Slurm that is known to be away.
    async fn ask(
        &self,
        caller: Caller<'_>,
        method: Method,
        area: Area,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, SlurmError> {
        self.tokens.refuse()?;
        self.outages.refuse(area, self.clock.now())?;
        let result = self.try_ask(caller, method, area, path, body).await;
        self.note(area, result)
    }

    /// One request, however long Slurm has been away; whoever sends it takes a note of what came of it.
    async fn try_ask(
        &self,
        caller: Caller<'_>,
        method: Method,
        area: Area,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, SlurmError> {
        let version = self.version().await?;
        self.send(caller, method, &format!("{}/{version}/{path}", area.path()), body)
            .await
    }

    /// Keeps the record of whether Slurm answers, which begins or ends an outage: once for each question, when it is
    /// known whether the daemon behind slurmrestd has answered it. After an outage it may be another release.
    fn note<T>(&self, area: Area, result: Result<T, SlurmError>) -> Result<T, SlurmError> {
        self.outages.note(area, &result, self.clock.now());
        let away = area == Area::Controller && matches!(result, Err(SlurmError::Unreachable { .. }));
        if away || matches!(result, Err(SlurmError::Version(_))) {
            *self.version.write().unwrap_or_else(PoisonError::into_inner) = None;
        }
        result
    }

    /// Sends with a token of the caller's.
    async fn send(
        &self,
        caller: Caller<'_>,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, SlurmError> {
        match caller {
            Caller::Person(user, purpose) => {
                let token = self.tokens.person(user, purpose).await?;
                self.send_as(user, &token, method, path, body).await
            }
            Caller::Service => {
                let (token, is_new) = self.tokens.service().await?;
                let result = self
                    .send_as(&self.service_user, &token, method.clone(), path, body)
                    .await;
                if is_new || !matches!(result, Err(SlurmError::TokenRefused(_))) {
                    return result;
                }
                // Where clocks are apart an older token ends sooner than we think; or Slurm has another key now.
                self.tokens.forget();
                let (token, _) = self.tokens.service().await?;
                self.send_as(&self.service_user, &token, method, path, body).await
            }
        }
    }

    /// Sends to the endpoint that answered last, and to the others in turn while none can be connected to.
    async fn send_as(
        &self,
        user: &UserName,
        token: &SecretString,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, SlurmError> {
        let token = header_value(token)?;
        let first = self.preferred.load(Ordering::Relaxed);
        let mut last = SlurmError::Unreachable {
            cause: "no address".into(),
            sent: false,
        };
        for turn in 0..self.endpoints.len() {
            let index = (first + turn) % self.endpoints.len();
            let endpoint = &self.endpoints[index];
            let mut request = endpoint
                .http
                .request(method.clone(), format!("{}/{path}", endpoint.base))
                .header("X-SLURM-USER-NAME", user.as_str())
                .header("X-SLURM-USER-TOKEN", token.clone());
            if let Some(body) = body {
                request = request.json(body);
            }
            match receive(request).await {
                // A request that may have arrived is not made a second time elsewhere, unless it only asks.
                Err(error @ SlurmError::Unreachable { sent, .. }) if !sent || method == Method::GET => last = error,
                result => {
                    self.preferred.store(index, Ordering::Relaxed);
                    return result;
                }
            }
        }
        Err(last)
    }
}
