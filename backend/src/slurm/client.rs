//! Requests to slurmrestd, by whom they are made: for a person, or for the service user.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use reqwest::Method;
use secrecy::ExposeSecret;
use serde::Serialize;
use shared::names::UserName;

use super::wire::{Answer, CancelPending, Submit};
use super::{ApiVersion, Association, Job, JobDescription, JobState, Node, Partition, Signer, SlurmError};
use crate::clock::Clock;
use crate::config;

/// slurmrestd itself waits 9 s for a slurmctld that is away; nobody here waits that long.
const TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Where slurmrestd listens.
struct Endpoint {
    base: String,
    http: reqwest::Client,
}

/// A client for one cluster. Every request says for whom it is: [`Client::person`] or [`Client::service`].
pub struct Client {
    endpoints: Vec<Endpoint>,
    /// The endpoint that answered last.
    preferred: AtomicUsize,
    signer: Signer,
    service_user: UserName,
    version: RwLock<Option<ApiVersion>>,
    /// When Slurm stopped answering; 0 while it answers.
    silent_since: AtomicI64,
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

impl Client {
    /// For the configured addresses. Says what is wrong with them, for the person who configured them.
    pub fn new(config: &config::Slurm, signer: Signer, clock: Clock) -> Result<Self, String> {
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
            signer,
            service_user: config.service_user.clone(),
            version: RwLock::new(None),
            silent_since: AtomicI64::new(0),
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

    /// Since when Slurm has not answered; nothing while it does.
    pub fn silent_since(&self) -> Option<i64> {
        Some(self.silent_since.load(Ordering::Relaxed)).filter(|since| *since > 0)
    }

    /// Keeps the record of whether Slurm answers. An answer that we cannot use is an answer.
    fn note<T>(&self, result: Result<T, SlurmError>) -> Result<T, SlurmError> {
        match &result {
            Err(SlurmError::Unreachable { cause, .. }) => {
                let now = self.clock.now();
                if self
                    .silent_since
                    .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
                {
                    tracing::warn!(cause, "Slurm stopped answering");
                }
                *self.version.write().unwrap_or_else(PoisonError::into_inner) = None;
            }
            _ => {
                let since = self.silent_since.swap(0, Ordering::Relaxed);
                if since > 0 {
                    tracing::info!(silent_s = self.clock.now() - since, "Slurm answers again");
                }
            }
        }
        result
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
                    &self.service_user,
                    Method::GET,
                    &format!("slurm/{version}/ping"),
                    None::<&()>,
                )
                .await
            {
                Err(SlurmError::NotFound) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    *self.version.write().unwrap_or_else(PoisonError::into_inner) = Some(version);
                    tracing::info!(%version, "speaking with slurmrestd");
                    return Ok(version);
                }
            }
        }
        Err(SlurmError::Version(ApiVersion::known_text()))
    }

    /// One request: `area` is `slurm` or `slurmdb`, `path` what follows the version.
    async fn ask(
        &self,
        user: &UserName,
        method: Method,
        area: &str,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, SlurmError> {
        let result = match self.version().await {
            Ok(version) => self.send(user, method, &format!("{area}/{version}/{path}"), body).await,
            Err(error) => Err(error),
        };
        self.note(result)
    }

    /// Sends to the endpoint that answered last, and to the others in turn while none can be connected to.
    async fn send(
        &self,
        user: &UserName,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, SlurmError> {
        let token = self.signer.sign(user)?;
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
                .header("X-SLURM-USER-TOKEN", token.expose_secret());
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

async fn receive(request: reqwest::RequestBuilder) -> Result<Answer, SlurmError> {
    let lost = |error: reqwest::Error| SlurmError::Unreachable {
        sent: !error.is_connect(),
        cause: chain(&error),
    };
    let response = request.send().await.map_err(lost)?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(lost)?;
    Answer::read(status, &body)
}

/// An error with what caused it, without the address: that is configuration, and the message may be shown.
fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        "connection failed".to_owned()
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Endpoint {
    fn new(url: &str, ca: Option<&[reqwest::Certificate]>) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT);
        let base = match url.strip_prefix("unix://") {
            Some(path) => {
                builder = builder.unix_socket(path);
                "http://localhost".to_owned()
            }
            None => url.trim_end_matches('/').to_owned(),
        };
        if let Some(ca) = ca {
            builder = builder.tls_certs_only(ca.iter().cloned());
        }
        let http = builder.build().map_err(|e| format!("slurm.urls: {url}: {e}"))?;
        Ok(Self { base, http })
    }
}

impl AsService<'_> {
    async fn get(self, area: &str, path: &str) -> Result<Answer, SlurmError> {
        self.client
            .ask(&self.client.service_user, Method::GET, area, path, None::<&()>)
            .await
    }

    /// Whether slurmctld answers; the quick way to know. The version that was agreed on.
    pub async fn ping(self) -> Result<ApiVersion, SlurmError> {
        let answer = self.get("slurm", "ping").await?;
        if !answer.is_responding() {
            return self.client.note(Err(SlurmError::Unreachable {
                cause: "slurmctld does not respond".into(),
                sent: false,
            }));
        }
        self.client.version().await
    }

    /// slurmctld's clock, in seconds since 1970.
    pub async fn clock(self) -> Result<Option<i64>, SlurmError> {
        Ok(self.get("slurm", "diag").await?.clock())
    }

    /// Every node.
    pub async fn nodes(self) -> Result<Vec<Node>, SlurmError> {
        self.get("slurm", "nodes").await.map(Answer::nodes)
    }

    /// Every partition.
    pub async fn partitions(self) -> Result<Vec<Partition>, SlurmError> {
        self.get("slurm", "partitions").await.map(Answer::partitions)
    }

    /// The states of these jobs, in one request however many; a job that Slurm has forgotten is missing.
    pub async fn states(self, ids: &[u64]) -> Result<BTreeMap<u64, JobState>, SlurmError> {
        let query: Vec<_> = ids.iter().map(|id| format!("job_id={id}")).collect();
        self.get("slurm", &format!("jobs/state/?{}", query.join("&")))
            .await
            .map(Answer::states)
    }

    /// One job.
    pub async fn job(self, id: u64) -> Result<Job, SlurmError> {
        self.get("slurm", &format!("job/{id}")).await?.job()
    }

    /// One job from the accounting database, which remembers it after slurmctld has forgotten it.
    pub async fn past_job(self, id: u64) -> Result<Job, SlurmError> {
        self.get("slurmdb", &format!("job/{id}")).await?.job()
    }
}

impl AsPerson<'_> {
    /// Submits a job. [`SlurmError::Unreachable`] with `sent` leaves open whether there is one.
    pub async fn submit(self, job: &JobDescription) -> Result<u64, SlurmError> {
        self.client
            .ask(self.user, Method::POST, "slurm", "job/submit", Some(&Submit::new(job)))
            .await?
            .submitted()
    }

    /// Cancels one of the person's jobs, whatever its state; one that is over already is no error.
    pub async fn cancel(self, id: u64) -> Result<(), SlurmError> {
        match self
            .client
            .ask(self.user, Method::DELETE, "slurm", &format!("job/{id}"), None::<&()>)
            .await
        {
            Ok(answer) => answer.cancelled(),
            Err(SlurmError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Cancels the person's jobs of this name that still are pending, and no job that has just started.
    pub async fn cancel_pending(self, job_name: &str) -> Result<(), SlurmError> {
        let body = CancelPending {
            job_name,
            job_state: "PENDING",
            user_name: self.user.as_str(),
        };
        self.client
            .ask(self.user, Method::DELETE, "slurm", "jobs/", Some(&body))
            .await?
            .cancelled()
    }

    /// The compute accounts the person may charge.
    pub async fn associations(self) -> Result<Vec<Association>, SlurmError> {
        let path = format!("associations?user={}", self.user);
        self.client
            .ask(self.user, Method::GET, "slurmdb", &path, None::<&()>)
            .await
            .map(Answer::associations)
    }

    /// The person's jobs that are waiting or running, as the accounting database knows them: some seconds
    /// late, and without the comment.
    pub async fn live_jobs(self) -> Result<Vec<Job>, SlurmError> {
        let path = format!("jobs/?users={}&state=PENDING&state=RUNNING", self.user);
        self.client
            .ask(self.user, Method::GET, "slurmdb", &path, None::<&()>)
            .await
            .map(Answer::jobs)
    }

    /// Changes the comment of one of the person's jobs.
    pub async fn set_comment(self, id: u64, comment: &str) -> Result<(), SlurmError> {
        let body = serde_json::json!({ "comment": comment });
        self.client
            .ask(self.user, Method::POST, "slurm", &format!("job/{id}"), Some(&body))
            .await
            .map(drop)
    }
}
