//! Questions that concern nobody in particular, with the service user's token.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use reqwest::Method;

use super::super::outage::Area;
use super::super::wire::Answer;
use super::super::{ApiVersion, Job, JobState, Node, Partition, Qos, Reservation, SlurmError};
use super::{AsService, Caller};

/// slurmrestd 24.11 takes URLs of 75 kB and refuses those of 105 kB; this many ids are 30 kB at most.
const STATES_AT_ONCE: usize = 1500;
/// Clocks that are further apart than this, in seconds, are named in the log.
const SKEW_SECONDS: i64 = 10;

impl AsService<'_> {
    async fn get(self, area: Area, path: &str) -> Result<Answer, SlurmError> {
        self.client
            .ask(Caller::Service, Method::GET, area, path, None::<&()>)
            .await
    }

    /// Whether the daemon behind slurmrestd answers, which may itself answer for one that is away.
    async fn ping_daemon(self, area: Area, name: &str) -> Result<(), SlurmError> {
        let answer = self
            .client
            .try_ask(Caller::Service, Method::GET, area, "ping", None::<&()>)
            .await;
        let result = match answer {
            Ok(answer) if !answer.is_responding() => Err(SlurmError::Unreachable {
                // slurmrestd says the same of both.
                cause: format!("{name} does not respond, or takes no token of ours"),
                sent: false,
            }),
            answer => answer.map(drop),
        };
        self.client.note(area, result)
    }

    /// Whether slurmctld answers; the quick way to know, and to find out that it is back. The version that
    /// was agreed on.
    pub async fn ping(self) -> Result<ApiVersion, SlurmError> {
        self.client.tokens.look_for_signer().await?;
        self.ping_daemon(Area::Controller, "slurmctld").await?;
        self.client.version().await
    }

    /// Whether the accounting database answers.
    pub async fn ping_database(self) -> Result<(), SlurmError> {
        self.ping_daemon(Area::Database, "slurmdbd").await
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

    /// Every reservation that the service user may see.
    pub async fn reservations(self) -> Result<Vec<Reservation>, SlurmError> {
        self.get(Area::Controller, "reservations")
            .await
            .map(Answer::reservations)
    }

    /// Every class of service.
    pub async fn qos(self) -> Result<Vec<Qos>, SlurmError> {
        self.get(Area::Database, "qos").await.map(Answer::qos)
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
