//! A job: what was asked for, and what has become of it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::resources::{Allocation, Request};

/// Slurm's base states, as far as they occur here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are Slurm's; `squeue`'s manual explains them")]
pub enum JobState {
    Pending,
    Running,
    Completed,
    Failed,
    Cancelled,
    Timeout,
    NodeFail,
    Preempted,
    OutOfMemory,
}

impl JobState {
    const ALL: [(Self, &'static str); 9] = [
        (Self::Pending, "PENDING"),
        (Self::Running, "RUNNING"),
        (Self::Completed, "COMPLETED"),
        (Self::Failed, "FAILED"),
        (Self::Cancelled, "CANCELLED"),
        (Self::Timeout, "TIMEOUT"),
        (Self::NodeFail, "NODE_FAIL"),
        (Self::Preempted, "PREEMPTED"),
        (Self::OutOfMemory, "OUT_OF_MEMORY"),
    ];

    /// The name in `job_state`.
    pub fn name(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(state, _)| *state == self)
            .map_or("", |(_, name)| name)
    }

    /// The state of this name, in any case.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .find(|(_, known)| known.eq_ignore_ascii_case(name))
            .map(|(state, _)| *state)
    }

    /// The reason Slurm leaves on a job that ended this way by an outside hand.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Self::Timeout => "TimeLimit",
            Self::NodeFail => "NodeDown",
            Self::OutOfMemory => "OutOfMemory",
            _ => "None",
        }
    }
}

/// How a job's script ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Exit {
    #[default]
    Success,
    Code(i32),
    Signal(i32),
}

/// What a person asked for.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of Slurm's own")]
pub(crate) struct Submission {
    pub(crate) user: String,
    pub(crate) uid: u32,
    pub(crate) account: String,
    /// No account was named.
    pub(crate) default_account: bool,
    pub(crate) association: u32,
    pub(crate) partition: String,
    /// No partition was named.
    pub(crate) default_partition: bool,
    pub(crate) name: String,
    pub(crate) comment: String,
    pub(crate) script: String,
    pub(crate) directory: String,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) standard_output: String,
    /// Empty: where standard output goes.
    pub(crate) standard_error: String,
    pub(crate) tasks: usize,
    /// The number of tasks was in the request.
    pub(crate) tasks_given: bool,
    pub(crate) cpus_per_task: Option<usize>,
    pub(crate) request: Request,
    /// MiB per CPU, when memory was asked for that way.
    pub(crate) memory_per_cpu: Option<u64>,
    /// Memory was in the request, and not the partition's default.
    pub(crate) memory_given: bool,
    pub(crate) tres_per_node: String,
    /// Minutes; `u32::MAX` for no limit.
    pub(crate) time_limit: u32,
    pub(crate) singleton: bool,
    pub(crate) requeue: bool,
    pub(crate) hold: bool,
    pub(crate) extra: String,
    /// Empty for none.
    pub(crate) reservation: String,
    /// Empty: the association's.
    pub(crate) qos: String,
    /// Empty for none.
    pub(crate) wckey: String,
    /// Features that the node must have.
    pub(crate) constraints: Vec<String>,
}

/// A job that Slurm knows.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: u32,
    pub(crate) asked: Submission,
    pub(crate) state: JobState,
    /// Ended, and its processes are not gone yet.
    pub(crate) completing: bool,
    pub(crate) reason: String,
    pub(crate) description: String,
    pub(crate) submitted: u64,
    /// Not before this time; later than `submitted` after a failed node.
    pub(crate) begin: u64,
    pub(crate) started: Option<u64>,
    pub(crate) ended: Option<u64>,
    /// When, and on which node, it may start.
    pub(crate) expected: Option<(u64, usize)>,
    /// Kept after the end: Slurm goes on showing where a job ran.
    pub(crate) allocation: Option<Allocation>,
    pub(crate) exit: Exit,
    pub(crate) restarts: u32,
    /// Who cancelled it.
    pub(crate) cancelled_by: String,
    pub(crate) failed_node: String,
}

impl Job {
    pub(crate) fn new(id: u32, asked: Submission, now: u64) -> Self {
        Self {
            id,
            asked,
            state: JobState::Pending,
            completing: false,
            reason: "None".into(),
            description: String::new(),
            submitted: now,
            begin: now,
            started: None,
            ended: None,
            expected: None,
            allocation: None,
            exit: Exit::Success,
            restarts: 0,
            cancelled_by: String::new(),
            failed_node: String::new(),
        }
    }

    /// `job_state`: the base state and its flags.
    pub(crate) fn states(&self) -> Vec<&'static str> {
        let mut states = vec![self.state.name()];
        if self.completing {
            states.push("COMPLETING");
        }
        states
    }

    pub(crate) fn is_pending(&self) -> bool {
        self.state == JobState::Pending
    }

    /// It still holds what it was given.
    pub(crate) fn holds_resources(&self) -> bool {
        self.state == JobState::Running || self.completing
    }

    /// It is in the way of a singleton that came later.
    pub(crate) fn is_alive(&self) -> bool {
        self.is_pending() || self.holds_resources()
    }

    /// How long it may run, given the seconds in a minute. `None` without a limit.
    pub(crate) fn limit(&self, minute_seconds: f64) -> Option<Duration> {
        let minutes = (self.asked.time_limit != u32::MAX).then_some(self.asked.time_limit)?;
        Some(Duration::from_secs_f64(f64::from(minutes) * minute_seconds))
    }

    /// `path` with Slurm's patterns filled in (`%j` job, `%x` name, `%u` user, `%N` node, `%%`), absolute.
    pub(crate) fn expand(&self, path: &str, node: &str) -> String {
        let mut text = String::with_capacity(path.len());
        let mut rest = path.chars();
        while let Some(c) = rest.next() {
            match (c, if c == '%' { rest.next() } else { None }) {
                ('%', Some('j' | 'J' | 'A')) => text.push_str(&self.id.to_string()),
                ('%', Some('x')) => text.push_str(&self.asked.name),
                ('%', Some('u')) => text.push_str(&self.asked.user),
                ('%', Some('N')) => text.push_str(node),
                ('%', Some('%')) => text.push('%'),
                ('%', Some(other)) => text.extend(['%', other]),
                (c, _) => text.push(c),
            }
        }
        self.expand_directory(&text)
    }

    /// `path`, absolute.
    pub(crate) fn expand_directory(&self, path: &str) -> String {
        if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("{}/{path}", self.asked.directory)
        }
    }

    /// The file that standard output goes to.
    pub(crate) fn output(&self, node: &str) -> String {
        self.expand(&self.asked.standard_output, node)
    }
}

#[cfg(test)]
pub(crate) fn sample(id: u32) -> Job {
    let asked = Submission {
        user: "alice".into(),
        uid: 2001,
        account: "def-alice_cpu".into(),
        default_account: false,
        association: 2,
        partition: "cpubase_interac".into(),
        default_partition: false,
        name: "job".into(),
        comment: String::new(),
        script: String::new(),
        directory: "/home/alice".into(),
        environment: BTreeMap::new(),
        standard_output: "slurm-%j.out".into(),
        standard_error: String::new(),
        tasks: 1,
        tasks_given: true,
        cpus_per_task: None,
        request: Request {
            cores: 1,
            memory: 100,
            gpus: Vec::new(),
        },
        memory_per_cpu: None,
        memory_given: true,
        tres_per_node: String::new(),
        time_limit: 10,
        singleton: false,
        requeue: false,
        hold: false,
        reservation: String::new(),
        qos: String::new(),
        wckey: String::new(),
        constraints: Vec::new(),
        extra: String::new(),
    };
    Job::new(id, asked, 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_names_are_expanded_as_slurm_does() {
        let job = sample(7);
        assert_eq!(job.output("c1"), "/home/alice/slurm-7.out");
        assert_eq!(job.expand("/tmp/%x-%u-%j-%N-%%-%q", "c1"), "/tmp/job-alice-7-c1-%-%q");
    }

    #[test]
    fn states_are_named_both_ways() {
        assert_eq!(JobState::from_name("node_fail"), Some(JobState::NodeFail));
        assert_eq!(JobState::OutOfMemory.name(), "OUT_OF_MEMORY");
        assert_eq!(JobState::from_name("NOPE"), None);
    }
}
