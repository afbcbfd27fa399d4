//! Why Slurm keeps a job waiting ([`Reason`]) and why it takes none ([`Refusal`]), in [`Words`] for people: what it
//! means for them, and what they can do.
//!
//! Slurm has some two hundred words for a wait (`src/common/job_state_reason.c`; squeue(1), JOB REASON CODES; told here
//! as 24.11 and 26.05 write them). Most are limits, which are read as what they are made of.

mod limit;
mod refusal;
mod words;

pub use self::limit::{Limit, Resource, Whose};
pub use self::refusal::Refusal;
pub use self::words::{Said, Why, Words};

/// Why a job waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    key: &'static str,
    hopeless: bool,
    limit: Option<Limit>,
    detail: &'a str,
}

/// The words that are no limits: the key of their text, whether the job waits in vain, Slurm's words.
const PLAIN: &[(&str, bool, &str)] = &[
    ("not_yet", false, "None FedJobLock"),
    ("priority", false, "Priority"),
    ("resources", false, "Resources"),
    ("busy", false, "MpiPortsBusy NvidiaImexChannels MaxPoweredUpNodes"),
    ("constraints", false, "Constraints"),
    ("no_such_node", true, "BadConstraints"),
    ("dependency", false, "Dependency"),
    ("dependency_never", true, "DependencyNeverSatisfied"),
    ("array", false, "JobArrayTaskLimit"),
    ("not_before", false, "BeginTime"),
    ("deadline", true, "DeadLine"),
    ("at_once", true, "SchedDefer"),
    ("held_by_you", false, "JobHeldUser"),
    ("held", false, "JobHeldAdmin JobHoldMaxRequeue"),
    ("preparing", false, "Prolog Cleaning"),
    ("licences", false, "Licenses"),
    ("storage", false, "BurstBufferResources BurstBufferStageIn"),
    ("no_storage", false, "BurstBufferOperation"),
    ("reservation", false, "Reservation"),
    ("no_reservation", true, "ReservationDeleted ReservationInvalid"),
    ("nodes_away", false, "ReqNodeNotAvail FrontEndDown"),
    ("failed", false, "NodeDown SystemFailure JobLaunchFailure"),
    ("partition_closed", false, "PartitionDown PartitionInactive"),
    ("time", true, "PartitionTimeLimit"),
    // Also when nodes are down that would have been enough.
    ("size", false, "PartitionNodeLimit"),
    ("memory", true, "MaxMemPerLimit"),
    ("partition_no", true, "PartitionConfig"),
    ("no_access", true, "AccountNotAllowed"),
    ("account", true, "InvalidAccount"),
    ("qos", true, "InvalidQOS QOSNotAllowed"),
    ("share", false, "QOSUsageThreshold"),
    ("policy", false, "AccountingPolicy"),
    ("end_error", false, "NonZeroExitCode"),
    ("end_stopped", false, "RaisedSignal InactiveLimit"),
    ("end_time", false, "TimeLimit"),
    ("end_memory", false, "OutOfMemory"),
];

impl<'a> Reason<'a> {
    /// Reads Slurm's word, as slurmrestd or squeue(1) write it, with what may stand around and behind it:
    /// `(ReqNodeNotAvail,_UnavailableNodes:n[1-4])`. A word of no known meaning is kept as it is.
    pub fn from_slurm(word: &'a str) -> Self {
        let word = word.trim();
        let inner = word
            .strip_prefix('(')
            .and_then(|word| word.strip_suffix(')'))
            .unwrap_or(word);
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric());
        let (head, more) = inner.split_at(end.unwrap_or(inner.len()));
        if word.is_empty() {
            return Self::plain("not_yet", false);
        }
        if head == "ReqNodeNotAvail" {
            return Self::nodes(more);
        }
        // What squeue shows of some jobs in the place of `Resources` (src/slurmctld/job_scheduler.c).
        if head == "Nodes" && more.get(1..).is_some_and(|more| more.starts_with("required")) {
            return Self::plain("nodes_away", false);
        }
        let plain = PLAIN
            .iter()
            .find(|(_, _, words)| words.split(' ').any(|word| word == head));
        if let Some((key, hopeless, _)) = plain {
            return Self::plain(key, *hopeless);
        }
        match Limit::from_slurm(head) {
            Some((limit, key)) => Self {
                key,
                hopeless: matches!(limit.whose, Whose::Job | Whose::Node),
                limit: Some(limit),
                detail: "",
            },
            None => Self {
                detail: word,
                ..Self::plain("other", false)
            },
        }
    }

    fn plain(key: &'static str, hopeless: bool) -> Self {
        Self {
            key,
            hopeless,
            limit: None,
            detail: "",
        }
    }

    /// What follows `ReqNodeNotAvail` (`src/slurmctld/node_scheduler.c`).
    fn nodes(more: &'a str) -> Self {
        let named = more
            .split_once("navailableNodes:")
            .or_else(|| more.split_once("Unavailable:"))
            .map_or("", |(_, nodes)| nodes.trim_end_matches(')').trim());
        if !named.is_empty() {
            Self {
                detail: named,
                ..Self::plain("nodes_named", false)
            }
        } else if more.contains("maintenance") {
            Self::plain("maintenance", false)
        } else {
            Self::plain("nodes_away", false)
        }
    }

    /// The job will never start as it is: waiting is of no use. Not so a job on hold, which somebody can let go,
    /// and not so where a wait may help, however long.
    pub fn hopeless(&self) -> bool {
        self.hopeless
    }

    /// The limit that holds the job, where it is one.
    pub fn limit(&self) -> Option<Limit> {
        self.limit
    }

    /// Whose limit holds the job, where it is one.
    pub fn whose(&self) -> Option<Whose> {
        self.limit.map(|limit| limit.whose)
    }

    /// The key of the text; `other` for a word of no known meaning.
    pub fn key(&self) -> &'static str {
        self.key
    }

    /// What Slurm says besides, for the text: the nodes that are away, or the whole word where it has no known
    /// meaning; empty otherwise.
    pub fn detail(&self) -> &'a str {
        self.detail
    }
}

#[cfg(test)]
mod tests;
