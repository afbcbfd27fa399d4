//! What Slurm has to give, and to whom. Memory is MiB, times are seconds since 1970, lengths are minutes.

use std::collections::BTreeMap;

/// The most that one job may have; `None` where nothing is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobLimits {
    /// Minutes.
    pub time: Option<u64>,
    /// Cores.
    pub cores: Option<u64>,
    /// MiB.
    pub memory: Option<u64>,
    /// GPUs of whatever type.
    pub gpus: Option<u64>,
    /// GPUs by type.
    pub gpus_of: BTreeMap<String, u64>,
}

/// A person's right to charge a compute account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Association {
    /// The compute account.
    pub account: String,
    /// Slurm takes it where none is named.
    pub is_default: bool,
    /// It holds in this partition only.
    pub partition: Option<String>,
    /// What it allows one job: the least of its limits for one job and of those for all together.
    pub limits: JobLimits,
    /// The classes of service (QOS) that may be asked for.
    pub qos: Vec<String>,
    /// The one that Slurm takes where none is named.
    pub default_qos: Option<String>,
    /// No job can be submitted with it: a limit is 0.
    pub closed: bool,
}

/// A class of service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Qos {
    /// Its name.
    pub name: String,
    /// What it allows one job: the least of its limits for one job, one person and all together.
    pub limits: JobLimits,
    /// The least that a job has to ask for.
    pub least: JobLimits,
    /// Its limits go before those of a partition's own QOS (`OverPartQOS`).
    pub over_partition: bool,
    /// Its time goes before the partition's (`PartitionTimeLimit`).
    pub over_partition_time: bool,
}

/// A partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Partition {
    /// Its name.
    pub name: String,
    /// It takes jobs and starts them.
    pub up: bool,
    /// Slurm takes it where none is named; not told by every version.
    pub is_default: bool,
    /// The longest job, in minutes.
    pub time_max: Option<u64>,
    /// The most cores of one node.
    pub cores_max: Option<u64>,
    /// The most memory of one node.
    pub memory_max: Option<u64>,
    /// The most memory for each core; Slurm gives a job more cores instead.
    pub memory_per_core_max: Option<u64>,
    /// It gives no less than this many nodes to a job.
    pub least_nodes: u64,
    /// Compute accounts that may use it; empty: every one.
    pub accounts: Vec<String>,
    /// Compute accounts that may not.
    pub denied_accounts: Vec<String>,
    /// Classes of service that may use it; empty: every one.
    pub qos: Vec<String>,
    /// Classes of service that may not.
    pub denied_qos: Vec<String>,
    /// The partition's own QOS, whose limits hold for every job in it.
    pub own_qos: Option<String>,
    /// It is shown to nobody who does not know it (`Hidden`).
    pub hidden: bool,
}

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// The address to reach it at.
    pub address: String,
    /// In service: jobs can be started on it, now or when it is free.
    pub usable: bool,
    /// Kept free for a job that waits already.
    pub planned: bool,
    /// Cores for jobs.
    pub cores: u64,
    /// Memory for jobs: what the system keeps is not counted.
    pub memory: u64,
    /// GPUs and parts of them by name: `h100`, `a100_1g.5gb`, `gpu` without a type, `shard`, `shard:h100`.
    pub gpus: BTreeMap<String, u32>,
    /// Cores that no job has.
    pub free_cores: u64,
    /// Memory that no job has.
    pub free_memory: u64,
    /// Of [`Node::gpus`], what no job has; none is left out.
    pub free_gpus: BTreeMap<String, u32>,
    /// What it is or has, in words that a job can ask for.
    pub features: Vec<String>,
    /// The partitions it is in.
    pub partitions: Vec<String>,
    /// The reservation that holds it now.
    pub reservation: Option<String>,
}

/// Nodes set aside for some people, for a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reservation {
    /// Its name.
    pub name: String,
    /// When it begins.
    pub starts_at: i64,
    /// When it ends.
    pub ends_at: i64,
    /// The names of its nodes.
    pub nodes: Vec<String>,
    /// The partition it is in, if only one.
    pub partition: Option<String>,
    /// People it is for; none named: everybody; with `-` before each: everybody but these. Where there are
    /// [`Reservation::accounts`] too, a job has to be allowed by both.
    pub users: Vec<String>,
    /// Compute accounts it is for, in the same way. A job in it has to charge one that is allowed.
    pub accounts: Vec<String>,
    /// For maintenance: nothing runs in it.
    pub maintenance: bool,
}
