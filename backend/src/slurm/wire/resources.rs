//! What Slurm has to give, and to whom.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Number, hostlist, positive};
use crate::slurm::{Association, JobLimits, Node, Partition, Qos, Reservation};

/// A list, or the same as text with commas.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Names {
    List(Vec<String>),
    Text(String),
}

impl Default for Names {
    fn default() -> Self {
        Self::List(Vec::new())
    }
}

impl Names {
    fn get(self) -> Vec<String> {
        match self {
            Self::List(names) => names,
            Self::Text(text) => words(&text),
        }
    }
}

/// The words of a text with commas.
fn words(text: &str) -> Vec<String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(ToOwned::to_owned).collect()
}

/// The same of a list of whom a partition is for: `ALL` is everybody, as is no list.
fn some(text: &str) -> Vec<String> {
    let all = words(text);
    if all.iter().any(|word| word.eq_ignore_ascii_case("ALL")) {
        Vec::new()
    } else {
        all
    }
}

fn named(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireNode {
    name: String,
    address: String,
    state: Vec<String>,
    cores: u64,
    cpus: u64,
    effective_cpus: u64,
    alloc_cpus: u64,
    real_memory: u64,
    specialized_memory: u64,
    alloc_memory: u64,
    gres: String,
    gres_used: String,
    features: Names,
    active_features: Names,
    partitions: Vec<String>,
    reservation: String,
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
        let cores = [node.effective_cpus, node.cpus, node.cores]
            .into_iter()
            .find(|n| *n > 0)
            .unwrap_or(0);
        let memory = node.real_memory.saturating_sub(node.specialized_memory);
        let gpus = gpus(&node.gres);
        let active = node.active_features.get();
        Self {
            usable: !node.state.is_empty() && !node.state.iter().any(|word| out.contains(&word.as_str())),
            planned: node.state.iter().any(|word| word == "PLANNED"),
            cores,
            memory,
            free_cores: cores.saturating_sub(node.alloc_cpus),
            free_memory: memory.saturating_sub(node.alloc_memory),
            free_gpus: free_gpus(&gpus, &self::gpus(&node.gres_used)),
            gpus,
            features: if active.is_empty() { node.features.get() } else { active },
            reservation: named(node.reservation),
            name: node.name,
            address: node.address,
            partitions: node.partitions,
        }
    }
}

/// GPUs and shares of them from a node's `gres`: `gpu:h100:4(S:0-1),gpu:a100_1g.10gb:2,gpu:2,shard:8`. Those without
/// a type are called by what they are.
fn gpus(gres: &str) -> BTreeMap<String, u32> {
    let mut found = BTreeMap::new();
    for item in outside_brackets(gres) {
        let item = item.split('(').next().unwrap_or_default();
        let parts: Vec<_> = item.split(':').filter(|part| *part != "no_consume").collect();
        let (name, count) = match parts[..] {
            ["gpu", name, count] => (name.to_owned(), count),
            [kind @ ("gpu" | "shard"), count] => (kind.to_owned(), count),
            ["shard", name, count] => (format!("shard:{name}"), count),
            _ => continue,
        };
        if let Some(count) = whole(count) {
            let all: &mut u32 = found.entry(name).or_default();
            *all = all.saturating_add(count);
        }
    }
    found
}

/// Parts between commas; `(IDX:0,2)` is not two of them.
fn outside_brackets(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    })
}

/// `4`, or `2K`, as Slurm shortens counts.
fn whole(text: &str) -> Option<u32> {
    let (digits, factor) = match text.as_bytes().last()? {
        b'K' => (&text[..text.len() - 1], 1024),
        b'M' => (&text[..text.len() - 1], 1024 * 1024),
        _ => (text, 1),
    };
    Some(digits.parse::<u32>().ok()?.saturating_mul(factor))
}

/// What no job has. A share in use takes its GPU from others, and a GPU in use its shares; which GPU that is is not
/// told, so that nothing is promised of the other kind while one of its type is in use.
fn free_gpus(all: &BTreeMap<String, u32>, used: &BTreeMap<String, u32>) -> BTreeMap<String, u32> {
    // The type of GPU that something is a share of; shares without a type may be of any.
    let share_of = |name: &str| match name {
        "shard" => Some(String::new()),
        _ => name.strip_prefix("shard:").map(ToOwned::to_owned),
    };
    let taken = |name: &str| {
        let share = share_of(name);
        used.iter()
            .filter(|(_, count)| **count > 0)
            .any(|(other, _)| match (&share, share_of(other)) {
                (Some(of), None) => of.is_empty() || of == other,
                (None, Some(of)) => of.is_empty() || of == name,
                _ => false,
            })
    };
    let free = all.iter().filter_map(|(name, count)| {
        let free = count.saturating_sub(used.get(name).copied().unwrap_or(0));
        (free > 0 && !taken(name)).then(|| (name.clone(), free))
    });
    free.collect()
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WirePartition {
    name: String,
    partition: PartitionState,
    maximums: PartitionMaximums,
    minimums: PartitionMinimums,
    accounts: AllowDeny,
    qos: PartitionQos,
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
    cpus_per_node: Number,
    partition_memory_per_cpu: Number,
    partition_memory_per_node: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PartitionMinimums {
    nodes: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AllowDeny {
    allowed: String,
    deny: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PartitionQos {
    allowed: String,
    deny: String,
    assigned: String,
}

impl From<WirePartition> for Partition {
    fn from(partition: WirePartition) -> Self {
        let has = |word: &str| partition.flags.iter().any(|flag| flag == word);
        let most = partition.maximums;
        Self {
            up: partition.partition.state.iter().any(|word| word == "UP"),
            is_default: has("DEFAULT"),
            hidden: has("HIDDEN"),
            time_max: positive(most.time.get()),
            cores_max: positive(most.cpus_per_node.get()),
            memory_max: positive(most.partition_memory_per_node.get()),
            memory_per_core_max: positive(most.partition_memory_per_cpu.get()),
            least_nodes: partition.minimums.nodes,
            accounts: some(&partition.accounts.allowed),
            denied_accounts: words(&partition.accounts.deny),
            qos: some(&partition.qos.allowed),
            denied_qos: words(&partition.qos.deny),
            own_qos: named(partition.qos.assigned),
            name: partition.name,
        }
    }
}

/// An amount of something countable: `{"type":"gres","name":"gpu:h100","count":4}`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tres {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    count: i64,
}

/// Takes over what is less than what is known.
fn limit(limits: &mut JobLimits, all: &[Tres]) {
    fn less(known: &mut Option<u64>, count: u64) {
        *known = Some(known.map_or(count, |known| known.min(count)));
    }
    for tres in all {
        // A negative count is one that is not set.
        let Ok(count) = u64::try_from(tres.count) else {
            continue;
        };
        match (tres.kind.as_str(), tres.name.as_str()) {
            ("cpu", _) => less(&mut limits.cores, count),
            ("mem", _) => less(&mut limits.memory, count),
            ("gres", "gpu") => less(&mut limits.gpus, count),
            ("gres", name) => {
                let name = name.strip_prefix("gpu:").unwrap_or(name);
                let known = limits.gpus_of.entry(name.to_owned()).or_insert(count);
                *known = (*known).min(count);
            }
            _ => {}
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireAssociation {
    pub(super) user: String,
    account: String,
    is_default: bool,
    partition: String,
    qos: Names,
    default: AssociationDefault,
    max: AssociationMax,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AssociationDefault {
    qos: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AssociationMax {
    jobs: AssociationJobs,
    tres: AssociationTres,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AssociationJobs {
    per: AssociationPer,
    /// `MaxSubmitJobs`.
    total: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AssociationPer {
    wall_clock: Number,
    /// `GrpSubmitJobs`.
    submitted: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct AssociationTres {
    /// `GrpTRES`.
    total: Vec<Tres>,
    per: TresPer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct TresPer {
    account: Vec<Tres>,
    job: Vec<Tres>,
    node: Vec<Tres>,
    user: Vec<Tres>,
}

impl From<WireAssociation> for Association {
    fn from(association: WireAssociation) -> Self {
        let max = association.max;
        let mut limits = JobLimits {
            time: positive(max.jobs.per.wall_clock.get()),
            ..JobLimits::default()
        };
        for all in [&max.tres.per.job, &max.tres.per.node, &max.tres.total] {
            limit(&mut limits, all);
        }
        let none = |limit: Number| limit.get() == Some(0);
        Self {
            is_default: association.is_default,
            partition: named(association.partition),
            closed: none(max.jobs.total) || none(max.jobs.per.submitted) || limits.cores == Some(0),
            limits,
            qos: association.qos.get(),
            default_qos: named(association.default.qos),
            account: association.account,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireQos {
    name: String,
    flags: Vec<String>,
    limits: QosLimits,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QosLimits {
    max: QosMax,
    min: QosMin,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QosMax {
    tres: AssociationTres,
    wall_clock: QosWallClock,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QosWallClock {
    per: QosWallClockPer,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QosWallClockPer {
    job: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QosMin {
    tres: QosMinTres,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct QosMinTres {
    per: TresPer,
}

impl From<WireQos> for Qos {
    fn from(qos: WireQos) -> Self {
        let (max, has) = (qos.limits.max, |word: &str| qos.flags.iter().any(|flag| flag == word));
        let mut limits = JobLimits {
            time: positive(max.wall_clock.per.job.get()),
            ..JobLimits::default()
        };
        let per = &max.tres.per;
        for all in [&per.job, &per.node, &per.user, &per.account, &max.tres.total] {
            limit(&mut limits, all);
        }
        let mut least = JobLimits::default();
        limit(&mut least, &qos.limits.min.tres.per.job);
        Self {
            over_partition: has("OVERRIDE_PARTITION_QOS"),
            over_partition_time: has("PARTITION_TIME_LIMIT"),
            limits,
            least,
            name: qos.name,
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireReservation {
    name: String,
    start_time: Number,
    end_time: Number,
    node_list: String,
    partition: String,
    users: String,
    accounts: String,
    flags: Vec<String>,
}

impl From<WireReservation> for Reservation {
    fn from(reservation: WireReservation) -> Self {
        Self {
            starts_at: reservation.start_time.time().unwrap_or(0),
            ends_at: reservation.end_time.time().unwrap_or(0),
            nodes: hostlist::expand(&reservation.node_list),
            partition: named(reservation.partition),
            users: words(&reservation.users),
            accounts: words(&reservation.accounts),
            maintenance: reservation.flags.iter().any(|flag| flag == "MAINT"),
            name: reservation.name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(gres: &str) -> Vec<(String, u32)> {
        gpus(gres).into_iter().collect()
    }

    #[test]
    fn gpus_are_read_with_and_without_a_type_as_slices_and_as_shares() {
        let all = "gpu:h100:4(S:0-1),gpu:a100_1g.10gb:2,gpu:3,shard:2K(S:0),shard:h100:8,gpu:v100:no_consume:1,tmpfs:5";
        let expected = [
            ("a100_1g.10gb", 2),
            ("gpu", 3),
            ("h100", 4),
            ("shard", 2048),
            ("shard:h100", 8),
            ("v100", 1),
        ];
        assert_eq!(counts(all), expected.map(|(name, count)| (name.to_owned(), count)));
        assert_eq!(
            counts("gpu:h100:2(IDX:0,2),gpu:a100_1g.10gb:1(IDX:4)"),
            [("a100_1g.10gb".into(), 1), ("h100".into(), 2)]
        );
        assert_eq!(counts("gpu:h100:4294967295,gpu:h100:2"), [("h100".into(), u32::MAX)]);
    }

    #[test]
    fn a_share_in_use_takes_its_gpu_and_a_gpu_in_use_its_shares() {
        let all = gpus("gpu:h100:2,shard:16");
        let free = |used: &str| free_gpus(&all, &gpus(used)).into_iter().collect::<Vec<_>>();
        assert_eq!(free(""), [("h100".into(), 2), ("shard".into(), 16)]);
        assert_eq!(free("gpu:h100:1(IDX:0),shard:0"), [("h100".into(), 1)]);
        assert_eq!(free("gpu:h100:0(IDX:N/A),shard:3(3/8,0/8)"), [("shard".into(), 13)]);
        let typed = gpus("gpu:h100:2,gpu:a100:1,shard:h100:8(S:0),shard:a100:4");
        let free = free_gpus(&typed, &gpus("gpu:a100:1(IDX:2),shard:h100:1(1/4,0/4)"));
        assert_eq!(free.into_iter().collect::<Vec<_>>(), [("shard:h100".into(), 7)]);
    }

    #[test]
    fn limits_are_the_least_of_all_that_hold_for_a_job() {
        let json = r#"{"account":"a","max":{"jobs":{"per":{"wall_clock":{"set":true,"number":60}},"total":{"infinite":true}},
            "tres":{"total":[{"type":"cpu","count":8},{"type":"gres","name":"gpu","count":2}],
            "per":{"job":[{"type":"cpu","count":16},{"type":"mem","count":4000},{"type":"gres","name":"gpu:h100","count":1}]}}}}"#;
        let association: Association = serde_json::from_str::<WireAssociation>(json).unwrap().into();
        let limits = &association.limits;
        assert_eq!(
            (limits.time, limits.cores, limits.memory, limits.gpus),
            (Some(60), Some(8), Some(4000), Some(2))
        );
        assert_eq!(limits.gpus_of["h100"], 1);
        assert!(!association.closed);
        let closed = json.replace(r#""total":{"infinite":true}"#, r#""total":{"set":true,"number":0}"#);
        assert!(Association::from(serde_json::from_str::<WireAssociation>(&closed).unwrap()).closed);
    }
}
