//! Jobs, as three parts of the API tell them.

use serde::Deserialize;

use super::Number;
use crate::slurm::{Job, JobState};

/// A job of `job/{id}`, of `jobs/state` (text id, `state`) or of the accounting database (nested).
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireJob {
    pub(super) job_id: Id,
    name: String,
    user_name: String,
    user_id: Option<Id>,
    user: String,
    job_state: Vec<String>,
    state: DbState,
    state_reason: String,
    state_description: String,
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
    kill_request_user: String,
    standard_output: String,
    stdout_expanded: String,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Id {
    Number(u64),
    Text(String),
}

impl Default for Id {
    fn default() -> Self {
        Self::Number(0)
    }
}

impl Id {
    pub(super) fn get(&self) -> Option<u64> {
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
    signal: Signal,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Signal {
    id: Number,
}

impl WireJob {
    pub(super) fn words(&self) -> &[String] {
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
                // Which nodes, or what they are kept for: there slurmctld's description says more than its reason.
                DbState::Words(_) if job.state_description.starts_with("ReqNodeNotAvail") => job.state_description,
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
            signal: job.exit_code.signal.id.get().filter(|signal| *signal > 0),
            comment: match job.comment {
                Comment::Text(text) | Comment::Detailed { job: text } => text,
            },
            restarts: job.restart_cnt,
            partition: job.partition,
            submit_line: job.submit_line,
            cancelled_by: Some(job.kill_request_user).filter(|name| !name.is_empty()),
            output: if job.stdout_expanded.is_empty() {
                job.standard_output
            } else {
                job.stdout_expanded
            },
        }
    }
}
