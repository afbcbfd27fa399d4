//! Slurm's scheduling, as a function of what is known and of the time: first come, first served in each
//! partition, and a later job may go first where that delays nobody (backfill).

use std::collections::{BTreeMap, HashSet};

use crate::config::{Behaviour, ClusterConfig, NodeConfig, ReservationConfig};
use crate::job::{Job, JobState};
use crate::resources::Free;

/// Whether a node takes jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum NodeState {
    #[default]
    Up,
    /// Its jobs finish; it takes no others.
    Drain,
    Down,
}

/// A node's own state.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    pub(crate) state: NodeState,
    pub(crate) reason: String,
    pub(crate) reason_since: u64,
    pub(crate) last_busy: u64,
}

/// Everything that slurmctld knows.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// In the order of the configuration.
    pub(crate) nodes: Vec<Node>,
    /// All jobs since the start, by id.
    pub(crate) jobs: BTreeMap<u32, Job>,
    /// The time of the last change.
    pub(crate) updated: u64,
    /// When the cluster started.
    pub(crate) since: u64,
}

impl State {
    /// What is free on each node.
    pub(crate) fn free(&self, config: &ClusterConfig) -> Vec<Free> {
        let mut free: Vec<Free> = config.nodes.iter().map(Free::whole).collect();
        for job in self.jobs.values().filter(|job| job.holds_resources()) {
            if let Some(allocation) = &job.allocation {
                free[allocation.node].take(allocation);
            }
        }
        free
    }

    /// The job, unless it ended long ago (`MinJobAge`).
    pub(crate) fn recent(&self, config: &ClusterConfig, id: u32, now: u64) -> Option<&Job> {
        self.jobs.get(&id).filter(|job| is_recent(config, job, now))
    }
}

/// The reservation that holds this node now, in a cluster that started then.
pub(crate) fn reservation<'a>(config: &'a ClusterConfig, since: u64, node: &str) -> Option<&'a ReservationConfig> {
    let age = crate::clock::age(since);
    let mut all = config.reservations.iter();
    all.find(|found| found.is_on(age) && found.nodes.iter().any(|name| name == node))
}

/// Whether slurmctld still knows this job.
pub(crate) fn is_recent(config: &ClusterConfig, job: &Job, now: u64) -> bool {
    job.is_alive() || job.ended.is_none_or(|ended| now < ended + config.min_job_age_seconds)
}

/// Starts what can start, and gives every other waiting job its reason. Answers with the jobs started.
pub(crate) fn schedule(config: &ClusterConfig, state: &mut State, now: u64) -> Vec<u32> {
    let mut free = state.free(config);
    let mut started = Vec::new();
    let mut blocked: HashSet<String> = HashSet::new();
    let mut promised: Vec<(usize, u64)> = Vec::new();
    let waiting: Vec<u32> = state
        .jobs
        .values()
        .filter(|job| job.is_pending())
        .map(|job| job.id)
        .collect();
    for id in waiting {
        let Some(job) = state.jobs.get(&id) else { continue };
        if let Some(reason) = not_yet(config, state, job, now) {
            wait(state, id, &reason, "", None);
            continue;
        }
        let partition = job.asked.partition.clone();
        let mut nodes = usable_nodes(config, state, &partition);
        nodes.retain(|node| may_have(config, state, job, &config.nodes[*node]));
        let end = job
            .limit(config.minute_seconds)
            .map_or(u64::MAX, |limit| now + limit.as_secs());
        let found = nodes
            .iter()
            .filter(|node| !promised.iter().any(|(promised, from)| promised == *node && *from < end))
            .find_map(|node| free[*node].fit(*node, &config.nodes[*node], &job.asked.request));
        if let Some(allocation) = found {
            free[allocation.node].take(&allocation);
            if let Some(job) = state.jobs.get_mut(&id) {
                job.allocation = Some(allocation);
                job.state = JobState::Running;
                job.reason = "None".into();
                job.description = String::new();
                job.started = Some(now);
                job.expected = None;
            }
            started.push(id);
        } else if blocked.insert(partition) {
            let expected = nodes
                .iter()
                .filter_map(|node| expect(config, state, &free, *node, job))
                .min();
            promised.extend(expected.map(|(time, node)| (node, time)));
            let description = if nodes.is_empty() {
                "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions"
            } else {
                ""
            };
            wait(state, id, "Resources", description, expected);
        } else {
            wait(state, id, "Priority", "", None);
        }
    }
    started
}

fn wait(state: &mut State, id: u32, reason: &str, description: &str, expected: Option<(u64, usize)>) {
    if let Some(job) = state.jobs.get_mut(&id) {
        job.reason = reason.into();
        job.description = description.into();
        job.expected = expected;
    }
}

/// Why this job may not start whatever is free, as Slurm's reason.
fn not_yet(config: &ClusterConfig, state: &State, job: &Job, now: u64) -> Option<String> {
    let asked = &job.asked;
    if asked.hold {
        return Some("JobHeldUser".into());
    }
    let user = config.user(&asked.user);
    if let Some(Behaviour::Waits { reason }) = user.map(|user| &user.behaviour) {
        return Some(reason.clone());
    }
    if job.begin > now {
        return Some("BeginTime".into());
    }
    if let Some(reservation) = config.reservations.iter().find(|found| found.name == asked.reservation)
        && !reservation.is_on(crate::clock::age(state.since))
    {
        return Some("Reservation".into());
    }
    let partition = config.partition(&asked.partition)?;
    if asked.time_limit > partition.max_minutes {
        return Some("PartitionTimeLimit".into());
    }
    match partition.state.as_str() {
        "DOWN" => return Some("PartitionDown".into()),
        "INACTIVE" => return Some("PartitionInactive".into()),
        _ => {}
    }
    let others = || {
        state
            .jobs
            .values()
            .filter(|other| other.id != job.id && other.asked.user == asked.user)
    };
    if asked.singleton && others().any(|other| other.id < job.id && other.asked.name == asked.name && other.is_alive())
    {
        return Some("Dependency".into());
    }
    let account = user?.accounts.iter().find(|account| account.name == asked.account)?;
    if account.max_wall_minutes.is_some_and(|most| asked.time_limit > most) {
        return Some("AssocMaxWallDurationPerJobLimit".into());
    }
    let cores = u64::try_from(asked.request.cores).unwrap_or(u64::MAX);
    if account.max_cores.is_some_and(|most| cores > most) {
        return Some("AssocMaxCpuPerJobLimit".into());
    }
    let name = if asked.qos.is_empty() {
        account.qos.as_deref()
    } else {
        Some(asked.qos.as_str())
    };
    if let Some(qos) = config.qos.iter().find(|qos| Some(qos.name.as_str()) == name) {
        if qos.max_wall_minutes.is_some_and(|most| asked.time_limit > most) {
            return Some("QOSMaxWallDurationPerJobLimit".into());
        }
        if qos.max_cores.is_some_and(|most| cores > most) {
            return Some("QOSMaxCpuPerJobLimit".into());
        }
    }
    let running = others()
        .filter(|other| other.holds_resources() && other.asked.account == asked.account)
        .count();
    account
        .max_jobs
        .is_some_and(|most| running >= most)
        .then(|| "AssocMaxJobsLimit".into())
}

/// Whether this node is one for the job: of its reservation or of none, and with the features that it asks for.
fn may_have(config: &ClusterConfig, state: &State, job: &Job, node: &NodeConfig) -> bool {
    let held = reservation(config, state.since, &node.name).map_or("", |held| held.name.as_str());
    held == job.asked.reservation
        && job
            .asked
            .constraints
            .iter()
            .all(|feature| node.features.contains(feature))
}

/// The nodes of a partition that take jobs.
fn usable_nodes(config: &ClusterConfig, state: &State, partition: &str) -> Vec<usize> {
    let names = config
        .partition(partition)
        .map(|partition| partition.nodes.as_slice())
        .unwrap_or_default();
    let place = |name: &String| config.nodes.iter().position(|node| node.name == *name);
    names
        .iter()
        .filter_map(place)
        .filter(|node| state.nodes[*node].state == NodeState::Up)
        .collect()
}

/// When this node will have room for the job, if everybody uses all of their time.
fn expect(config: &ClusterConfig, state: &State, free: &[Free], node: usize, job: &Job) -> Option<(u64, usize)> {
    let mut ends: Vec<(u64, &Job)> = state
        .jobs
        .values()
        .filter(|other| other.holds_resources() && other.allocation.as_ref().is_some_and(|given| given.node == node))
        .filter_map(|other| Some((other.started? + other.limit(config.minute_seconds)?.as_secs(), other)))
        .collect();
    ends.sort_by_key(|(end, _)| *end);
    let mut free = free[node].clone();
    ends.into_iter().find_map(|(end, other)| {
        free.give_back(other.allocation.as_ref()?);
        free.fit(node, &config.nodes[node], &job.asked.request)
            .map(|_| (end, node))
    })
}

#[cfg(test)]
mod tests;
