//! A person's server as the API shows it: its state, how it ends, and the events while it starts.

use serde::{Deserialize, Serialize};

use crate::api::ErrorView;
use crate::options::UserOptions;
use crate::reason::Why;

/// Where a server is in its life. Derived from Slurm's job, a probe and the clock; never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The request is on its way to Slurm.
    Submitting,
    /// The job waits in Slurm's queue.
    Queued,
    /// The job runs; Jupyter does not answer yet.
    Starting,
    /// Jupyter answers.
    Ready,
    /// The job is being ended.
    Stopping,
    /// The job is over, or there never was one.
    Ended,
}

impl Phase {
    /// There is a job, or may be one.
    pub fn is_live(self) -> bool {
        self != Self::Ended
    }

    /// On the way to being ready.
    pub fn is_pending(self) -> bool {
        matches!(self, Self::Submitting | Self::Queued | Self::Starting)
    }
}

/// Why a server is no more, or never was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "cause", rename_all = "snake_case")]
pub enum EndCause {
    /// It did not start in time, and the job was cancelled while it still waited.
    GaveUp {
        /// Slurm's last reason for the wait.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// Cancelled: by the person, here or with `scancel`, or by an administrator.
    Cancelled,
    /// Slurm refused the job.
    Refused {
        /// Slurm's own words, in English.
        message: String,
        /// Slurm's error number.
        code: i64,
    },
    /// Slurm could not be reached, and no job was made.
    Unreachable,
    /// Slurm's answer was lost, and no job of this start was found.
    Lost,
    /// There is no Jupyter where the site's configuration says it is.
    JupyterMissing,
    /// The site's set-up lines failed.
    SetupFailed,
    /// A module that the site's set-up lines load is not there.
    ModuleMissing,
    /// The person's home is not on the node, or they may not write to it.
    HomeMissing,
    /// Nothing more can be written to the person's home: its quota is used up, or its file system is full.
    HomeFull,
    /// The node has no room for temporary files.
    NoFolder,
    /// The path of the folder for the sockets of kernels is too long on that node.
    SocketPathTooLong,
    /// No free port in the configured range on that node.
    NoPort,
    /// The job could not tell its port through Slurm.
    PortNotTold,
    /// Jupyter ended by itself with an error.
    JupyterFailed {
        /// Its exit code.
        exit_code: i64,
    },
    /// Jupyter ended by itself without an error (File > Shut Down).
    Finished,
    /// The job's time was over.
    TimeLimit,
    /// The job used more memory than it had asked for.
    OutOfMemory,
    /// The node failed.
    NodeFailed,
    /// The job had to make room for another.
    Preempted,
    /// Anything else.
    Other {
        /// Slurm's word for the job's state.
        slurm_state: String,
    },
}

/// The end of a server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndView {
    /// Why.
    #[serde(flatten)]
    pub cause: EndCause,
    /// What Slurm's reason for the wait, or its refusal, means.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// It was ready before: "it ended", not "it did not start".
    pub was_ready: bool,
    /// Who cancelled the job, where that was not asked of Slipway: a user name of the cluster's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled_by: Option<String>,
    /// The job's output file, where there was a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// A server of before, as `GET /hub/api/users/{name}/history` lists them, the last one first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastServer {
    /// When Start was pressed, or the job was submitted.
    pub asked_at: i64,
    /// Slurm's number of its job, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<u64>,
    /// When the job started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// When it was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<i64>,
    /// What was asked for; nothing where only Slurm's accounting remembers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub options: Option<UserOptions>,
    /// How it ended.
    pub end: EndView,
}

/// The state of a server. Times are seconds since 1970, by Slurm's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateView {
    /// Where it is in its life.
    pub phase: Phase,
    /// The time of this answer, to count from.
    pub now: i64,
    /// Slurm's job id, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<u64>,
    /// The node, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Slurm's reason for the wait (`Priority`, `Resources`, …).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What that means, while it waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<Why>,
    /// When Slurm told that reason: it is asked now and then only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<i64>,
    /// Slurm holds the job still on its node: nothing in it answers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub suspended: bool,
    /// When its time is over, another one like it is started.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub next: bool,
    /// Why the next one, which was wanted, did not start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_failed: Option<ErrorView>,
    /// When the job was submitted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub submitted_at: Option<i64>,
    /// When Slurm expects to start it, where it says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_start_at: Option<i64>,
    /// When the reservation begins that the job waits for; nothing once it has begun.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub begins_at: Option<i64>,
    /// When the wait is given up; nothing once the person keeps waiting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub give_up_at: Option<i64>,
    /// When the job started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_at: Option<i64>,
    /// When its time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<i64>,
    /// How it ended, when it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<EndView>,
    /// Slurm has not answered since then: all of this is as of that time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slurm_silent_since: Option<i64>,
}

/// What JupyterHub says of a server, and [`StateView`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServerView {
    /// Always empty: one server for each person.
    pub name: String,
    /// Jupyter answers.
    pub ready: bool,
    /// There is no job any more.
    pub stopped: bool,
    /// `spawn` or `stop` while one of these is under way.
    pub pending: Option<String>,
    /// The path of the server.
    pub url: String,
    /// The path of its progress events.
    pub progress_url: String,
    /// When it started (RFC 3339).
    pub started: Option<String>,
    /// When it was last used (RFC 3339).
    pub last_activity: Option<String>,
    /// What was asked for.
    pub user_options: Option<UserOptions>,
    /// Slipway's own.
    pub state: StateView,
}

/// One event of `GET …/server/progress`: JupyterHub's fields, and the state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ProgressEvent {
    /// 0 to 100; 100 with the last event.
    pub progress: u8,
    /// What is happening, in English, for clients that show text.
    pub message: String,
    /// The last event of a start that succeeded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready: Option<bool>,
    /// The last event of a start that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<bool>,
    /// Where to go, with `ready`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Slipway's own.
    pub state: StateView,
}
