//! Slurm's nouns as the rest of Slipway sees them. Times are seconds since 1970, memory is MiB.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use shared::names::AccountName;

/// The state of a job: what Slurm's base state and flags (`job_state` in its API) mean for whoever waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum JobState {
    /// In the queue, for the first time or again.
    Pending,
    /// On a node, or about to be (`CONFIGURING`).
    Running,
    /// On a node and held still there: its processes are stopped.
    Suspended,
    /// Over; Slurm's word for how.
    Ended(String),
}

/// Base states after which a job is over (`slurm/slurm.h`, `enum job_states`).
const OVER: [&str; 9] = [
    "COMPLETED",
    "CANCELLED",
    "FAILED",
    "TIMEOUT",
    "NODE_FAIL",
    "PREEMPTED",
    "BOOT_FAIL",
    "DEADLINE",
    "OUT_OF_MEMORY",
];

/// Flags of a job that goes back to the queue, whatever ended it there.
const REQUEUED: [&str; 4] = ["REQUEUED", "REQUEUE_HOLD", "SPECIAL_EXIT", "REQUEUE_FED"];

impl JobState {
    /// From Slurm's words for a job, of which there may be several at once. `COMPLETING` is over for a
    /// person: nothing can be done in it any more. A word that we do not know ends nothing.
    pub fn from_slurm(words: &[impl AsRef<str>]) -> Self {
        let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_ref()));
        if has(&["REVOKED"]) {
            // Another cluster of the federation runs it.
            return Self::Ended("REVOKED".into());
        }
        if has(&["PENDING"]) || has(&REQUEUED) {
            return Self::Pending;
        }
        let over = words.iter().map(AsRef::as_ref).find(|word| OVER.contains(word));
        match over {
            Some(word) => Self::Ended(word.to_owned()),
            None if has(&["COMPLETING"]) => Self::Ended("COMPLETING".into()),
            None if has(&["SUSPENDED", "STOPPED"]) => Self::Suspended,
            None => Self::Running,
        }
    }

    /// On a node.
    pub fn is_on_node(&self) -> bool {
        matches!(self, Self::Running | Self::Suspended)
    }
}

/// In the place of a signal, Slurm's number for a job whose output file could not be opened (`ESLURMD_…`, shown as
/// `0:53` by sacct): its folder, the home, is not on the node, or not the person's to write to.
pub const NO_OUTPUT: i64 = 53;

/// Slurm's reason for a job that its owner holds (`WAIT_HELD_USER`), also by submitting it held.
pub const HELD_BY_USER: &str = "JobHeldUser";

/// A job as `GET job/{id}` or the accounting database tells it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its number, which Slurm uses again after a long time.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Its owner.
    pub user: String,
    /// Its owner's number, where Slurm tells it.
    #[serde(default)]
    pub uid: Option<u32>,
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
    /// What Slurm names as the signal that ended it; [`NO_OUTPUT`] is none.
    #[serde(default)]
    pub signal: Option<i64>,
    /// Its comment; written by its owner, so nothing in it is trusted but the port.
    pub comment: String,
    /// How often it was started again.
    pub restarts: u64,
    /// Its output file.
    pub output: String,
    /// The partition it is in, or the partitions it may be in.
    #[serde(default)]
    pub partition: String,
    /// Who cancelled it, where the accounting database knows it.
    #[serde(default)]
    pub cancelled_by: Option<String>,
    /// The command that made it, where the accounting database knows it; none made it through the API.
    #[serde(default)]
    pub submit_line: String,
}

/// A job to submit: typed values only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDescription {
    /// The job's name.
    pub name: String,
    /// The compute account.
    pub account: AccountName,
    /// Partitions, separated by commas, if not Slurm's default.
    pub partition: Option<String>,
    /// The class of service, if not Slurm's default.
    pub qos: Option<String>,
    /// The workload characterization key.
    pub wckey: Option<String>,
    /// The reservation.
    pub reservation: Option<String>,
    /// The features that its node must have, joined with `&`.
    pub constraints: Option<String>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_base_state_has_its_meaning_whatever_flags_stand_beside_it() {
        let ended = |word: &str| JobState::Ended(word.into());
        let mut table = vec![
            ("PENDING", JobState::Pending),
            ("RUNNING", JobState::Running),
            ("SUSPENDED", JobState::Suspended),
        ];
        table.extend(OVER.map(|word| (word, ended(word))));
        let harmless = [
            "LAUNCH_FAILED",
            "RESIZING",
            "CONFIGURING",
            "RECONFIG_FAIL",
            "POWER_UP_NODE",
            "RESV_DEL_HOLD",
            "SIGNALING",
            "STAGE_OUT",
            "UPDATE_DB",
        ];
        for (base, state) in &table {
            assert_eq!(JobState::from_slurm(&[base]), *state);
            for flag in harmless {
                assert_eq!(JobState::from_slurm(&[*base, flag]), *state, "{base} {flag}");
                assert_eq!(JobState::from_slurm(&[flag, *base]), *state, "{flag} {base}");
            }
            for flag in REQUEUED {
                assert_eq!(
                    JobState::from_slurm(&[*base, flag, "COMPLETING"]),
                    JobState::Pending,
                    "{base} {flag}"
                );
            }
            assert_eq!(JobState::from_slurm(&[base, "REVOKED"]), ended("REVOKED"), "{base}");
        }
        for word in OVER {
            assert_eq!(JobState::from_slurm(&[word, "COMPLETING"]), ended(word));
        }
    }

    #[test]
    fn some_words_mean_something_together_and_unknown_ones_end_nothing() {
        let ended = |word: &str| JobState::Ended(word.into());
        for (words, state) in [
            (&["CONFIGURING"][..], JobState::Running),
            (&["RUNNING", "STOPPED"], JobState::Suspended),
            (&["RUNNING", "COMPLETING"], ended("COMPLETING")),
            (&["COMPLETING"], ended("COMPLETING")),
            (&["RUNNING", "SIGNALING", "CONFIGURING"], JobState::Running),
            (&["COMPLETED", "STAGE_OUT", "COMPLETING"], ended("COMPLETED")),
            (&["OF_A_LATER_SLURM"], JobState::Running),
            (&[], JobState::Running),
        ] {
            assert_eq!(JobState::from_slurm(words), state, "{words:?}");
        }
    }
}
