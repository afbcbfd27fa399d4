//! Slurm's nouns as the rest of Slipway sees them. Times are seconds since 1970, memory is MiB.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::names::AccountName;

/// The state of a job, one of Slurm's base states (`job_state` of slurm.conf's manual), flags apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// In the queue.
    Pending,
    /// On a node, or about to be (`CONFIGURING`), or held still on it (`SUSPENDED`).
    Running,
    /// Over; Slurm's word for how.
    Ended(String),
}

impl JobState {
    /// From Slurm's list of base state and flags. `COMPLETING` is over for a person: nothing can be done
    /// in it any more. `REQUEUED` beside anything is back in the queue.
    pub fn from_slurm(words: &[impl AsRef<str>]) -> Self {
        let has = |word: &str| words.iter().any(|w| w.as_ref() == word);
        if has("PENDING") || has("REQUEUED") || has("REQUEUE_HOLD") || has("SPECIAL_EXIT") {
            return Self::Pending;
        }
        let flags = [
            "COMPLETING",
            "CONFIGURING",
            "STAGE_OUT",
            "SIGNALING",
            "RESIZING",
            "STOPPED",
        ];
        let base = words.iter().map(AsRef::as_ref).find(|word| !flags.contains(word));
        match base {
            Some("RUNNING" | "SUSPENDED") if !has("COMPLETING") => Self::Running,
            None if has("CONFIGURING") => Self::Running,
            Some(word) => Self::Ended(word.to_owned()),
            None => Self::Ended("COMPLETING".into()),
        }
    }
}

/// A job as `GET job/{id}` or the accounting database tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number, which Slurm uses again after a long time.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub user: String,
    /// Where it is in its life.
    pub state: JobState,
    /// Slurm's reason for the wait or the end.
    pub reason: String,
    /// When it was submitted: with the id, its identity.
    pub submitted_at: i64,
    /// When it started, or is expected to.
    pub started_at: Option<i64>,
    /// When it ended, or its time is over.
    pub ends_at: Option<i64>,
    /// The node it runs on.
    pub node: Option<String>,
    /// The exit code of its script, once it has one.
    pub exit_code: Option<i64>,
    /// Its comment; written by its owner, so nothing in it is trusted but the port.
    pub comment: String,
    /// How often it was started again.
    pub restarts: u64,
    /// Its output file.
    pub output: String,
}

/// A job to submit: typed values only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDescription {
    /// The job's name.
    pub name: String,
    /// The compute account.
    pub account: AccountName,
    /// The partition, if not Slurm's default.
    pub partition: Option<String>,
    /// Minutes.
    pub time: u32,
    /// Cores on one node.
    pub cores: u32,
    /// MiB of the whole job.
    pub memory: u64,
    /// Slurm's words for the GPUs (`gres/gpu:h100:2`).
    pub tres_per_node: Option<String>,
    /// See [`Job::comment`].
    pub comment: String,
    /// Where it starts.
    pub directory: String,
    /// Its whole environment.
    pub environment: BTreeMap<String, String>,
    /// Its output file; `%j` is the id.
    pub output: String,
    /// The batch script.
    pub script: &'static str,
}

/// A person's right to charge a compute account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Association {
    /// The compute account.
    pub account: String,
    /// Slurm takes it where none is named.
    pub is_default: bool,
    /// The longest job, in minutes.
    pub time_max: Option<u64>,
}

/// A node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The address to reach it at.
    pub address: String,
    /// In service: jobs can be started on it, now or when it is free.
    pub usable: bool,
    /// Cores for jobs.
    pub cores: u64,
    /// Memory for jobs.
    pub memory: u64,
    /// GPUs by type.
    pub gpus: BTreeMap<String, u32>,
    /// The partitions it is in.
    pub partitions: Vec<String>,
}

/// A partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// It takes jobs and starts them.
    pub up: bool,
    /// Slurm takes it where none is named; not told by every version.
    pub is_default: bool,
    /// The longest job, in minutes.
    pub time_max: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_words_at_once_are_one_state() {
        let ended = |word: &str| JobState::Ended(word.into());
        for (words, state) in [
            (&["PENDING"][..], JobState::Pending),
            (&["RUNNING"], JobState::Running),
            (&["RUNNING", "CONFIGURING"], JobState::Running),
            (&["CONFIGURING"], JobState::Running),
            (&["SUSPENDED"], JobState::Running),
            (&["CANCELLED", "COMPLETING"], ended("CANCELLED")),
            (&["RUNNING", "COMPLETING"], ended("RUNNING")),
            (&["COMPLETING"], ended("COMPLETING")),
            (&["COMPLETED"], ended("COMPLETED")),
            (&["NODE_FAIL", "REQUEUED"], JobState::Pending),
            (&["OUT_OF_MEMORY"], ended("OUT_OF_MEMORY")),
            (&["TIMEOUT", "COMPLETING"], ended("TIMEOUT")),
            (&["COMPLETED", "STAGE_OUT"], ended("COMPLETED")),
            (&[], ended("COMPLETING")),
        ] {
            assert_eq!(JobState::from_slurm(words), state, "{words:?}");
        }
    }
}
