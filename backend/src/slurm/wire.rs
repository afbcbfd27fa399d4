//! slurmrestd's JSON, v0.0.42 to v0.0.45: only what Slipway reads, everything optional that any version
//! leaves out. `slurm/README.md` of the project's notes compares the versions field by field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::error::number as errno;
use super::{ApiVersion, Association, Job, JobDescription, JobLimits, JobState, Node, Partition, SlurmError};

/// Slurm's optional number. `set` with 0 also means "not known" where a time is meant.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Number {
    set: bool,
    infinite: bool,
    #[serde(rename = "number")]
    value: f64,
}

impl Number {
    #[expect(clippy::cast_possible_truncation, reason = "Slurm's integers, sent as JSON numbers")]
    fn get(self) -> Option<i64> {
        (self.set && !self.infinite).then_some(self.value as i64)
    }

    fn time(self) -> Option<i64> {
        self.get().filter(|time| *time > 0)
    }
}

/// [`Number`] as it is sent.
#[derive(Serialize)]
struct Amount {
    set: bool,
    infinite: bool,
    number: u64,
}

impl Amount {
    fn of(number: u64) -> Self {
        Self {
            set: true,
            infinite: false,
            number,
        }
    }
}

fn positive(number: Option<i64>) -> Option<u64> {
    number.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0)
}

/// One error of an answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorItem {
    description: String,
    error_number: i64,
    error: String,
}

/// What every JSON answer has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    errors: Vec<ErrorItem>,
    job_id: Option<u64>,
    jobs: Vec<WireJob>,
    nodes: Vec<WireNode>,
    partitions: Vec<WirePartition>,
    associations: Vec<WireAssociation>,
    pings: Vec<Ping>,
    status: Vec<CancelStatus>,
    statistics: Option<Statistics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ping {
    responding: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statistics {
    req_time: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CancelStatus {
    error: CancelError,
    job_id: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CancelError {
    code: i64,
    string: String,
}

/// A job of `job/{id}`, of `jobs/state` (text id, `state`) or of the accounting database (nested).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireJob {
    job_id: Id,
    name: String,
    user_name: String,
    user_id: Option<Id>,
    user: String,
    job_state: Vec<String>,
    state: DbState,
    state_reason: String,
    submit_time: Number,
    start_time: Number,
    end_time: Number,
    time: DbTime,
    nodes: serde_json::Value,
    batch_host: String,
    exit_code: ExitCode,
    comment: Comment,
    restart_cnt: u64,
    partition: String,
    submit_line: String,
    standard_output: String,
    stdout_expanded: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Number(u64),
    Text(String),
}

impl Default for Id {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Id {
    fn get(&self) -> Option<u64> {
        match self {
            Self::Number(id) => Some(*id),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

/// `jobs/state` has a list, the accounting database an object.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum DbState {
    Words(Vec<String>),
    Detailed {
        #[serde(default)]
        current: Vec<String>,
        #[serde(default)]
        reason: String,
    },
}

impl Default for DbState {
    fn default() -> Self {
        Self::Words(Vec::new())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct DbTime {
    submission: i64,
    start: i64,
    end: i64,
}

/// A text in `job/{id}`, an object in the accounting database.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Comment {
    Text(String),
    Detailed {
        #[serde(default)]
        job: String,
    },
}

impl Default for Comment {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ExitCode {
    status: Vec<String>,
    return_code: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireNode {
    name: String,
    address: String,
    state: Vec<String>,
    cores: u64,
    cpus: u64,
    effective_cpus: u64,
    real_memory: u64,
    specialized_memory: u64,
    gres: String,
    partitions: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WirePartition {
    name: String,
    partition: PartitionState,
    maximums: PartitionMaximums,
    flags: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PartitionState {
    state: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PartitionMaximums {
    time: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WireAssociation {
    account: String,
    is_default: bool,
    max: AssociationMax,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AssociationMax {
    jobs: AssociationJobs,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AssociationJobs {
    per: AssociationPer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AssociationPer {
    wall_clock: Number,
}

/// The body of `job/submit`.
#[derive(Serialize)]
pub(super) struct Submit<'a> {
    job: SubmitJob<'a>,
}

#[derive(Serialize)]
struct SubmitJob<'a> {
    name: &'a str,
    account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qos: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wckey: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<&'a str>,
    comment: &'a str,
    current_working_directory: &'a str,
    environment: Vec<String>,
    nodes: &'static str,
    tasks: u32,
    cpus_per_task: u32,
    memory_per_node: Amount,
    time_limit: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    tres_per_node: Option<&'a str>,
    standard_output: &'a str,
    requeue: bool,
    dependency: &'static str,
    script: &'a str,
}

impl<'a> Submit<'a> {
    pub(super) fn new(job: &'a JobDescription) -> Self {
        Self {
            job: SubmitJob {
                name: &job.name,
                account: job.account.as_str(),
                partition: job.partition.as_deref(),
                qos: job.qos.as_deref(),
                wckey: job.wckey.as_deref(),
                reservation: job.reservation.as_deref(),
                constraints: job.constraints.as_deref(),
                comment: &job.comment,
                current_working_directory: &job.directory,
                environment: job
                    .environment
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
                nodes: "1",
                tasks: 1,
                cpus_per_task: job.cores,
                memory_per_node: Amount::of(job.memory),
                time_limit: Amount::of(job.time.into()),
                tres_per_node: job.tres_per_node.as_deref(),
                standard_output: &job.output,
                requeue: false,
                // One job of this name for this person: what makes a second submission harmless.
                dependency: "singleton",
                script: job.script,
            },
        }
    }
}

/// The body of `DELETE jobs/`: one job, if it is that person's, of that name, and still pending.
#[derive(Serialize)]
pub(super) struct CancelPending<'a> {
    pub(super) jobs: [String; 1],
    pub(super) job_name: &'a str,
    pub(super) job_state: &'static str,
    pub(super) user_name: &'a str,
}

/// The body of `DELETE jobs/` with a signal that ends nothing.
#[derive(Serialize)]
pub(super) struct Touch<'a> {
    pub(super) job_name: &'a str,
    pub(super) user_name: &'a str,
    pub(super) signal: &'static str,
    /// Without `VERBOSE` only jobs that refused the signal are listed.
    pub(super) flags: [&'static str; 1],
}

impl Answer {
    /// Reads an answer; the status alone is never believed. A refusal is an error here, except that a
    /// submission with a job id went through whatever else is said.
    pub(super) fn read(status: u16, body: &[u8]) -> Result<Self, SlurmError> {
        let Ok(answer) = serde_json::from_slice::<Self>(body) else {
            return Err(Self::not_json(status, body));
        };
        match answer.errors.first() {
            Some(_) if answer.job_id.is_some_and(|id| id > 0) => Ok(answer),
            Some(error) => Err(error.meaning()),
            // slurmrestd says so of partitions when slurmctld is away: 502 and no error at all.
            None if status >= 500 => Err(SlurmError::Unreachable {
                cause: format!("status {status}"),
                sent: true,
            }),
            None if status >= 400 => Err(SlurmError::NotUnderstood(format!("status {status} without an error"))),
            None => Ok(answer),
        }
    }

    fn not_json(status: u16, body: &[u8]) -> SlurmError {
        let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
        match status {
            401 | 403 => SlurmError::TokenRefused(text),
            // No such path, that is: an unknown job is answered in JSON.
            404 => SlurmError::Version(ApiVersion::known_text()),
            502..=504 => SlurmError::Unreachable {
                cause: format!("status {status}"),
                sent: true,
            },
            _ => SlurmError::NotUnderstood(format!("status {status}: {text}")),
        }
    }

    /// slurmctld answers behind slurmrestd.
    pub(super) fn is_responding(&self) -> bool {
        self.pings.iter().any(|ping| ping.responding)
    }

    pub(super) fn submitted(self) -> Result<u64, SlurmError> {
        self.job_id
            .filter(|id| *id > 0)
            .ok_or_else(|| SlurmError::NotUnderstood("no job id".into()))
    }

    /// What a cancel said of each job: gone already is as good as cancelled.
    pub(super) fn cancelled(self) -> Result<(), SlurmError> {
        let refused = self
            .status
            .into_iter()
            .map(|status| status.error)
            .find(|error| error.code != 0);
        match refused {
            None => Ok(()),
            Some(error) if [errno::ALREADY_DONE, errno::INVALID_JOB_ID].contains(&error.code) => Ok(()),
            Some(error) => Err(SlurmError::Refused {
                message: error.string,
                code: error.code,
            }),
        }
    }

    /// The jobs that a signal was meant for. What became of it in each is no state of that job.
    pub(super) fn touched(self) -> Vec<u64> {
        let ids = self.status.into_iter().map(|status| positive(status.job_id.get()));
        ids.flatten().collect()
    }

    pub(super) fn job(self) -> Result<Job, SlurmError> {
        self.jobs.into_iter().next().map(Job::from).ok_or(SlurmError::NotFound)
    }

    pub(super) fn jobs(self) -> Vec<Job> {
        self.jobs.into_iter().map(Job::from).collect()
    }

    pub(super) fn states(self) -> BTreeMap<u64, JobState> {
        let state = |job: WireJob| Some((job.job_id.get()?, JobState::from_slurm(job.words())));
        self.jobs.into_iter().filter_map(state).collect()
    }

    pub(super) fn nodes(self) -> Vec<Node> {
        self.nodes.into_iter().map(Node::from).collect()
    }

    pub(super) fn partitions(self) -> Vec<Partition> {
        self.partitions.into_iter().map(Partition::from).collect()
    }

    pub(super) fn associations(self) -> Vec<Association> {
        self.associations.into_iter().map(Association::from).collect()
    }

    pub(super) fn clock(&self) -> Option<i64> {
        self.statistics
            .as_ref()
            .and_then(|statistics| statistics.req_time.time())
    }
}

impl ErrorItem {
    fn meaning(&self) -> SlurmError {
        let text = if self.error.is_empty() {
            &self.description
        } else {
            &self.error
        };
        match self.error_number {
            errno::AUTHENTICATION => SlurmError::TokenRefused(text.clone()),
            errno::DATABASE if self.description.contains("authentication") => SlurmError::TokenRefused(text.clone()),
            errno::INVALID_JOB_ID => SlurmError::NotFound,
            errno::DATABASE | errno::NOT_PERMITTED => SlurmError::Unreachable {
                cause: text.clone(),
                sent: true,
            },
            code if errno::COMMUNICATION.contains(&code) || errno::CUT_OFF.contains(&code) => SlurmError::Unreachable {
                cause: text.clone(),
                sent: !errno::NOT_SENT.contains(&code),
            },
            // What `job/{id}` says when slurmctld is away. A submit plugin's refusal has the same number.
            errno::UNSPECIFIED if self.description.starts_with("Unable to query") => SlurmError::Unreachable {
                cause: self.description.clone(),
                sent: true,
            },
            code => SlurmError::Refused {
                message: text.clone(),
                code,
            },
        }
    }
}

impl WireJob {
    fn words(&self) -> &[String] {
        match &self.state {
            _ if !self.job_state.is_empty() => &self.job_state,
            DbState::Words(words) | DbState::Detailed { current: words, .. } => words,
        }
    }
}

impl From<WireJob> for Job {
    fn from(job: WireJob) -> Self {
        let known = |time: i64| Some(time).filter(|time| *time > 0);
        let nodes = job.nodes.as_str().unwrap_or_default().to_owned();
        let node = [&job.batch_host, &nodes]
            .into_iter()
            .find(|name| !name.is_empty() && *name != "None assigned");
        Self {
            id: job.job_id.get().unwrap_or(0),
            state: JobState::from_slurm(job.words()),
            user: if job.user_name.is_empty() {
                job.user
            } else {
                job.user_name
            },
            uid: job.user_id.and_then(|id| id.get()?.try_into().ok()),
            name: job.name,
            reason: match job.state {
                DbState::Detailed { reason, .. } => reason,
                DbState::Words(_) => job.state_reason,
            },
            submitted_at: job.submit_time.time().or(known(job.time.submission)).unwrap_or(0),
            started_at: job.start_time.time().or(known(job.time.start)),
            ends_at: job.end_time.time().or(known(job.time.end)),
            node: node.cloned(),
            exit_code: job
                .exit_code
                .return_code
                .get()
                .filter(|_| job.exit_code.status.iter().any(|s| s == "ERROR")),
            comment: match job.comment {
                Comment::Text(text) | Comment::Detailed { job: text } => text,
            },
            restarts: job.restart_cnt,
            partition: job.partition,
            submit_line: job.submit_line,
            output: if job.stdout_expanded.is_empty() {
                job.standard_output
            } else {
                job.stdout_expanded
            },
        }
    }
}

impl From<WireNode> for Node {
    fn from(node: WireNode) -> Self {
        // Words of `node.state` that keep jobs away for longer than another job would.
        let out = [
            "DOWN",
            "DRAIN",
            "FAIL",
            "MAINTENANCE",
            "NOT_RESPONDING",
            "POWERED_DOWN",
            "UNKNOWN",
            "ERROR",
            "INVALID_REG",
        ];
        let cpus = [node.effective_cpus, node.cpus, node.cores]
            .into_iter()
            .find(|n| *n > 0)
            .unwrap_or(0);
        Self {
            usable: !node.state.is_empty() && !node.state.iter().any(|word| out.contains(&word.as_str())),
            cores: cpus,
            memory: node.real_memory.saturating_sub(node.specialized_memory),
            gpus: gpus(&node.gres),
            name: node.name,
            address: node.address,
            partitions: node.partitions,
            ..Self::default()
        }
    }
}

/// GPUs by type from a node's `gres`: `gpu:h100:4(S:0-1),gpu:a100_1g.10gb:2`; untyped ones have no name
/// that a person could choose and are left out.
fn gpus(gres: &str) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for item in gres.split(',') {
        let item = item.split('(').next().unwrap_or_default();
        if let ["gpu", name, count] = item.split(':').collect::<Vec<_>>()[..]
            && let Ok(count) = count.parse::<u32>()
        {
            let all: &mut u32 = found.entry(name.to_owned()).or_default();
            *all = all.saturating_add(count);
        }
    }
    found
}

impl From<WirePartition> for Partition {
    fn from(partition: WirePartition) -> Self {
        Self {
            up: partition.partition.state.iter().any(|word| word == "UP"),
            is_default: partition.flags.iter().any(|flag| flag == "DEFAULT"),
            time_max: positive(partition.maximums.time.get()),
            name: partition.name,
            ..Self::default()
        }
    }
}

impl From<WireAssociation> for Association {
    fn from(association: WireAssociation) -> Self {
        Self {
            is_default: association.is_default,
            limits: JobLimits {
                time: positive(association.max.jobs.per.wall_clock.get()),
                ..JobLimits::default()
            },
            account: association.account,
            ..Self::default()
        }
    }
}

/// Reads one answer as the client would, down to its last number, for tests: what kind of thing it turned out to be.
pub fn decode_exchange(status: u16, body: &[u8]) -> Result<&'static str, SlurmError> {
    let answer = Answer::read(status, body)?;
    let _ = (answer.clock(), answer.is_responding());
    Ok(match answer {
        Answer { job_id: Some(_), .. } => "submitted",
        Answer {
            statistics: Some(_), ..
        } => "diag",
        Answer { ref pings, .. } if !pings.is_empty() => "ping",
        Answer { ref jobs, .. } if !jobs.is_empty() => of_kind(answer.jobs(), "jobs"),
        Answer { ref nodes, .. } if !nodes.is_empty() => of_kind(answer.nodes(), "nodes"),
        Answer { ref partitions, .. } if !partitions.is_empty() => of_kind(answer.partitions(), "partitions"),
        Answer { ref associations, .. } if !associations.is_empty() => of_kind(answer.associations(), "associations"),
        Answer { ref status, .. } if !status.is_empty() => of_kind(answer.touched(), "cancel"),
        _ => "nothing",
    })
}

/// The kind of what has been read.
fn of_kind<T>(_read: T, kind: &'static str) -> &'static str {
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_gpus_than_there_can_be_are_as_many_as_can_be() {
        let body = br#"{"nodes":[{"gres":"gpu:h100:4294967295,gpu:h100:2"}]}"#;
        let [node] = &Answer::read(200, body).unwrap().nodes()[..] else {
            panic!("one node was sent")
        };
        assert_eq!(node.gpus["h100"], u32::MAX);
    }
}
