//! The limits among Slurm's reasons: whose limit, on what, and whether on what is used at once or over time.

/// Whose limit it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of each single job (`PerJob`, and the least that a class of service asks of one, `QOSMin…`).
    Job,
    /// Of a job on one node (`PerNode`).
    Node,
    /// Of all jobs of one person (`PerUser`, and an association's own `AssocMaxJobs…`).
    Person,
    /// Of all jobs of a compute account (`AssocGrp…`, `PerAccount`).
    Account,
    /// Of all jobs of a class of service, whoever's they are (`QOSGrp…`).
    Class,
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Cores.
    Cores,
    /// Memory.
    Memory,
    /// GPUs: Slurm's GRES, whatever else a site may count among these.
    Gpus,
    /// Nodes.
    Nodes,
    /// The time of jobs.
    Time,
    /// Software licences.
    Licences,
    /// Slurm's burst buffers.
    Storage,
    /// The sum by which Slurm charges (TRES `billing`).
    Billing,
    /// Energy.
    Energy,
    /// Something that Slurm does not name.
    Other,
    /// The number of jobs that run.
    RunningJobs,
    /// The number of jobs that run or wait.
    QueuedJobs,
}

/// A limit that holds a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Whose.
    pub whose: Whose,
    /// On what.
    pub resource: Resource,
}

/// What of the resource is limited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Measure {
    /// What is used at once.
    Now,
    /// What was used and is being used, amount by time (`Minutes`).
    Spent,
    /// What running jobs may still use, amount by time (`RunMinutes`).
    Ahead,
}

/// How the words begin. Where a beginning does not say whose limit it is, what follows `Per` does.
const BEGINNINGS: &[(&str, Option<Whose>)] = &[
    ("AssocGrp", Some(Whose::Account)),
    ("Association", Some(Whose::Account)),
    ("AssocMax", None),
    ("QOSGrp", Some(Whose::Class)),
    ("QOSMax", None),
    ("QOS", Some(Whose::Class)),
    ("Max", None),
];

impl Limit {
    /// Reads a word such as `AssocGrpCPURunMinutesLimit`: the limit, and the key of its text.
    pub(super) fn from_slurm(word: &str) -> Option<(Self, &'static str)> {
        if let Some(rest) = word.strip_prefix("QOSMin") {
            let resource = Resource::from_slurm(rest.strip_suffix("NotSatisfied").unwrap_or(rest))?;
            let whose = Whose::Job;
            return Some((Self { whose, resource }, "job_little"));
        }
        let (whose, rest) = BEGINNINGS
            .iter()
            .find_map(|(beginning, whose)| Some((*whose, word.strip_prefix(beginning)?)))?;
        let rest = rest.strip_suffix("Limit").unwrap_or(rest);
        let (whose, rest) = match (whose, rest.split_once("Per")) {
            (Some(whose), None) => (whose, rest),
            (None, None) => (Whose::Person, rest),
            (None, Some((rest, "Job"))) => (Whose::Job, rest),
            (None, Some((rest, "Node"))) => (Whose::Node, rest),
            (None, Some((rest, "User"))) => (Whose::Person, rest),
            (None, Some((rest, "Account"))) => (Whose::Account, rest),
            _ => return None,
        };
        let (rest, measure) = [
            ("RunMinutes", Measure::Ahead),
            ("RunMins", Measure::Ahead),
            ("Minutes", Measure::Spent),
        ]
        .into_iter()
        .find_map(|(end, measure)| Some((rest.strip_suffix(end)?, measure)))
        .unwrap_or((rest, Measure::Now));
        let resource = Resource::from_slurm(rest)?;
        Some((Self { whose, resource }, key(whose, resource, measure)?))
    }
}

fn key(whose: Whose, resource: Resource, measure: Measure) -> Option<&'static str> {
    use Resource::{QueuedJobs, RunningJobs, Time};
    Some(match (whose, measure, resource) {
        (Whose::Person, Measure::Now, RunningJobs | QueuedJobs) => "person_jobs",
        (Whose::Account, Measure::Now, RunningJobs | QueuedJobs) => "account_jobs",
        (Whose::Class, Measure::Now, RunningJobs | QueuedJobs) => "class_jobs",
        (_, _, RunningJobs | QueuedJobs) => return None,
        (Whose::Job, Measure::Now, _) => "job_much",
        (Whose::Job, Measure::Spent, _) => "job_hours",
        (Whose::Node, Measure::Now, _) => "node_much",
        (Whose::Person, Measure::Ahead, _) => "person_hours",
        (Whose::Account, Measure::Ahead, _) => "account_hours",
        (Whose::Class, Measure::Ahead, _) => "class_hours",
        // Time together is used up like any amount by time (GrpWall in sacctmgr(1)).
        (Whose::Account, Measure::Spent, _) | (Whose::Account, Measure::Now, Time) => "account_spent",
        (Whose::Class, Measure::Spent, _) | (Whose::Class, Measure::Now, Time) => "class_spent",
        (Whose::Person, Measure::Now, _) => "person_now",
        (Whose::Account, Measure::Now, _) => "account_now",
        (Whose::Class, Measure::Now, _) => "class_now",
        (Whose::Job | Whose::Node | Whose::Person, _, _) => return None,
    })
}

impl Resource {
    fn from_slurm(word: &str) -> Option<Self> {
        Some(match word {
            "Cpu" | "CPU" => Self::Cores,
            "Mem" | "Memory" => Self::Memory,
            "GRES" => Self::Gpus,
            "Node" => Self::Nodes,
            "Wall" | "WallDuration" | "Time" => Self::Time,
            "License" => Self::Licences,
            "BB" => Self::Storage,
            "Billing" => Self::Billing,
            "Energy" => Self::Energy,
            "Unknown" | "Resource" => Self::Other,
            "Job" | "Jobs" => Self::RunningJobs,
            "SubmitJob" | "SubmitJobs" => Self::QueuedJobs,
            _ => return None,
        })
    }

    /// The key of its name.
    pub(super) fn key(self) -> &'static str {
        match self {
            Self::Cores => "name_cores",
            Self::Memory => "name_memory",
            Self::Gpus => "name_gpus",
            Self::Nodes => "name_nodes",
            Self::Time => "name_time",
            Self::Licences => "name_licences",
            Self::Storage => "name_storage",
            Self::Billing => "name_billing",
            Self::Energy => "name_energy",
            Self::Other => "name_other",
            Self::RunningJobs => "name_running",
            Self::QueuedJobs => "name_queued",
        }
    }
}
