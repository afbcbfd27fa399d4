//! Requests to slurmrestd, by whom they are made: for a person, or for the service user.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use http::HeaderValue;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use shared::names::UserName;

use super::outage::{Area, Outages};
use super::token::Purpose;
use super::wire::{Answer, CancelPending, Submit, Touch};
use super::{ApiVersion, Association, Job, JobDescription, JobState, Node, Partition, SlurmError, Tokens};
use crate::clock::Clock;
use crate::config;

/// slurmrestd itself waits 9 s for a slurmctld that is away; nobody here waits that long.
const TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// slurmrestd 24.11 takes URLs of 75 kB and refuses those of 105 kB; this many ids are 30 kB at most.
const STATES_AT_ONCE: usize = 1500;
/// Clocks that are further apart than this, in seconds, are named in the log.
const SKEW_SECONDS: i64 = 10;

/// Where slurmrestd listens.
struct Endpoint {
    /// As it was configured.
    url: String,
    base: String,
    http: reqwest::Client,
}

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
        self.probe(caller, method, area, path, body).await
    }

    /// The same, however long Slurm has been away.
    async fn probe(
        &self,
        caller: Caller<'_>,
        method: Method,
        area: Area,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> Result<Answer, SlurmError> {
        let result = match self.version().await {
            Ok(version) => {
                self.send(caller, method, &format!("{}/{version}/{path}", area.path()), body)
                    .await
            }
            Err(error) => Err(error),
        };
        self.note(area, result)
    }

    /// Keeps the record of whether Slurm answers; after an outage it may be another release.
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

/// A token as it is sent; no log of a library's shows it.
fn header_value(token: &SecretString) -> Result<HeaderValue, SlurmError> {
    let mut value = HeaderValue::from_str(token.expose_secret())
        .map_err(|_| SlurmError::SignerAway("what it signed is no token".into()))?;
    value.set_sensitive(true);
    Ok(value)
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
        Ok(Self {
            url: url.to_owned(),
            base,
            http,
        })
    }
}

impl AsService<'_> {
    async fn get(self, area: Area, path: &str) -> Result<Answer, SlurmError> {
        self.client
            .ask(Caller::Service, Method::GET, area, path, None::<&()>)
            .await
    }

    async fn probe(self, area: Area, path: &str) -> Result<Answer, SlurmError> {
        self.client
            .probe(Caller::Service, Method::GET, area, path, None::<&()>)
            .await
    }

    /// Whether slurmctld answers; the quick way to know, and to find out that it is back. The version that
    /// was agreed on.
    pub async fn ping(self) -> Result<ApiVersion, SlurmError> {
        self.client.tokens.look_for_signer().await?;
        let answer = self.probe(Area::Controller, "ping").await?;
        if !answer.is_responding() {
            return self.client.note(
                Area::Controller,
                Err(SlurmError::Unreachable {
                    cause: "slurmctld does not respond".into(),
                    sent: false,
                }),
            );
        }
        self.client.version().await
    }

    /// Whether the accounting database answers.
    pub async fn ping_database(self) -> Result<(), SlurmError> {
        let answer = self.probe(Area::Database, "ping").await?;
        if answer.is_responding() {
            return Ok(());
        }
        let cause = "slurmdbd does not respond".into();
        self.client
            .note(Area::Database, Err(SlurmError::Unreachable { cause, sent: false }))
    }

    /// slurmctld's clock, in seconds since 1970. From then on [`Client::now`] goes by it.
    pub async fn clock(self) -> Result<Option<i64>, SlurmError> {
        let asked_at = self.client.clock.now();
        let told = self.get(Area::Controller, "diag").await?.clock();
        if let Some(told) = told {
            let ahead = told - asked_at.midpoint(self.client.clock.now());
            // Both are whole seconds, and the answer took a while.
            let ahead = if ahead.abs() > 1 { ahead } else { 0 };
            let before = self.client.ahead.swap(ahead, Ordering::Relaxed);
            if (ahead - before).abs() > SKEW_SECONDS {
                tracing::warn!(
                    ahead_s = ahead,
                    "Slurm's clock and this machine's are apart: tokens and times will be wrong by that much"
                );
            }
        }
        Ok(told)
    }

    /// Every node.
    pub async fn nodes(self) -> Result<Vec<Node>, SlurmError> {
        self.get(Area::Controller, "nodes").await.map(Answer::nodes)
    }

    /// One node.
    pub async fn node(self, name: &str) -> Result<Node, SlurmError> {
        let nodes = self.get(Area::Controller, &format!("node/{name}")).await?.nodes();
        nodes.into_iter().next().ok_or(SlurmError::NotFound)
    }

    /// Every partition.
    pub async fn partitions(self) -> Result<Vec<Partition>, SlurmError> {
        self.get(Area::Controller, "partitions").await.map(Answer::partitions)
    }

    /// The states of these jobs, in as few requests as can be; a job that Slurm has forgotten is missing.
    pub async fn states(self, ids: &[u64]) -> Result<BTreeMap<u64, JobState>, SlurmError> {
        let mut states = BTreeMap::new();
        for some in ids.chunks(STATES_AT_ONCE) {
            let query: Vec<_> = some.iter().map(|id| format!("job_id={id}")).collect();
            let path = format!("jobs/state/?{}", query.join("&"));
            states.append(&mut self.get(Area::Controller, &path).await?.states());
        }
        Ok(states)
    }

    /// One job.
    pub async fn job(self, id: u64) -> Result<Job, SlurmError> {
        self.get(Area::Controller, &format!("job/{id}")).await?.job()
    }

    /// One job from the accounting database, which remembers it after slurmctld has forgotten it.
    pub async fn past_job(self, id: u64) -> Result<Job, SlurmError> {
        self.get(Area::Database, &format!("job/{id}")).await?.job()
    }
}

impl<'a> AsPerson<'a> {
    fn to(self, purpose: Purpose) -> Caller<'a> {
        Caller::Person(self.user, purpose)
    }

    /// One of the person's jobs; whatever the service user may see, they see their own.
    pub async fn job(self, id: u64) -> Result<Job, SlurmError> {
        self.client
            .ask(
                self.to(Purpose::ReadJob),
                Method::GET,
                Area::Controller,
                &format!("job/{id}"),
                None::<&()>,
            )
            .await?
            .job()
    }

    /// The numbers of the person's jobs of this name that are not over, from slurmctld alone. No question of
    /// the API selects jobs by owner, but signals do, and say to which jobs they were sent: so this sends one
    /// that every program ignores, to job steps only.
    pub async fn ids_of(self, job_name: &str) -> Result<Vec<u64>, SlurmError> {
        let body = Touch {
            job_name,
            user_name: self.user.as_str(),
            signal: "URG",
            flags: ["VERBOSE"],
        };
        self.client
            .ask(
                self.to(Purpose::FindJobs),
                Method::DELETE,
                Area::Controller,
                "jobs/",
                Some(&body),
            )
            .await
            .map(Answer::touched)
    }

    /// Submits a job. [`SlurmError::Unreachable`] with `sent` leaves open whether there is one.
    pub async fn submit(self, job: &JobDescription) -> Result<u64, SlurmError> {
        self.client
            .ask(
                self.to(Purpose::SubmitJob),
                Method::POST,
                Area::Controller,
                "job/submit",
                Some(&Submit::new(job)),
            )
            .await?
            .submitted()
    }

    /// Cancels one of the person's jobs, whatever its state; one that is over already is no error.
    pub async fn cancel(self, id: u64) -> Result<(), SlurmError> {
        match self
            .client
            .ask(
                self.to(Purpose::CancelJob),
                Method::DELETE,
                Area::Controller,
                &format!("job/{id}"),
                None::<&()>,
            )
            .await
        {
            Ok(answer) => answer.cancelled(),
            Err(SlurmError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Cancels this job of the person's, of this name, if it still is pending, and not if it has just started.
    pub async fn cancel_pending(self, id: u64, job_name: &str) -> Result<(), SlurmError> {
        let body = CancelPending {
            jobs: [id.to_string()],
            job_name,
            job_state: "PENDING",
            user_name: self.user.as_str(),
        };
        self.client
            .ask(
                self.to(Purpose::CancelJob),
                Method::DELETE,
                Area::Controller,
                "jobs/",
                Some(&body),
            )
            .await?
            .cancelled()
    }

    /// The compute accounts the person may charge.
    pub async fn associations(self) -> Result<Vec<Association>, SlurmError> {
        let path = format!("associations?user={}", self.user);
        self.client
            .ask(
                self.to(Purpose::ReadAccounts),
                Method::GET,
                Area::Database,
                &path,
                None::<&()>,
            )
            .await
            .map(Answer::associations)
    }

    /// The person's jobs that are waiting or running, as the accounting database knows them: some seconds
    /// late, and without the comment.
    pub async fn live_jobs(self) -> Result<Vec<Job>, SlurmError> {
        let path = format!("jobs/?users={}&state=PENDING&state=RUNNING", self.user);
        self.client
            .ask(
                self.to(Purpose::ReadJob),
                Method::GET,
                Area::Database,
                &path,
                None::<&()>,
            )
            .await
            .map(Answer::jobs)
    }

    /// Changes the comment of one of the person's jobs.
    pub async fn set_comment(self, id: u64, comment: &str) -> Result<(), SlurmError> {
        let body = serde_json::json!({ "comment": comment });
        self.client
            .ask(
                self.to(Purpose::CommentJob),
                Method::POST,
                Area::Controller,
                &format!("job/{id}"),
                Some(&body),
            )
            .await
            .map(drop)
    }
}
