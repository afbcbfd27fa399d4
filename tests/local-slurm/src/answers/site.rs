//! Nodes, partitions and associations as Slurm shows them.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Template, infinite, minutes, num};
use crate::config::{
    AccountConfig, ClusterConfig, NodeConfig, PartitionConfig, QosConfig, ReservationConfig, UserConfig,
};
use crate::resources::{Free, gres, gres_used, hostlist, megabytes};
use crate::schedule::{NodeState, State, reservation};

static NODE: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("node.json")));
static PARTITION: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("partition.json")));
static QOS: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("qos.json")));
static RESERVATION: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("reservation.json")));
static ASSOCIATION: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("association.json")));

/// All entries of `nodes`.
pub(crate) fn nodes(config: &ClusterConfig, state: &State, since: u64) -> Vec<Value> {
    let free = state.free(config);
    let all = config.nodes.iter().zip(&free).enumerate();
    all.map(|(index, (node, free))| show_node(config, state, since, index, node, free))
        .collect()
}

fn show_node(config: &ClusterConfig, state: &State, since: u64, index: usize, node: &NodeConfig, free: &Free) -> Value {
    let own = &state.nodes[index];
    let idle = free.cores.iter().filter(|free| **free).count();
    let busy = node.cores - idle;
    let memory = node.memory - free.memory;
    let gpus: Vec<usize> = (0..free.gpus.len()).filter(|gpu| !free.gpus[*gpu]).collect();
    let partitions: Vec<&str> = config
        .partitions
        .iter()
        .filter(|partition| partition.nodes.contains(&node.name))
        .map(|partition| partition.name.as_str())
        .collect();
    let base = match (&own.state, busy) {
        (NodeState::Down, _) => "DOWN",
        (_, 0) => "IDLE",
        (_, busy) if busy == node.cores => "ALLOCATED",
        _ => "MIXED",
    };
    let held_by = reservation(config, since, &node.name);
    let mut states = vec![base];
    states.extend((own.state == NodeState::Drain).then_some("DRAIN"));
    states.extend(held_by.map(|_| "RESERVED"));
    states.extend((node.planned && busy == 0).then_some("PLANNED"));
    let gpu = |count: usize| {
        if count == 0 {
            String::new()
        } else {
            format!(",gres/gpu={count}")
        }
    };
    let used = if busy == 0 {
        String::new()
    } else {
        format!("cpu={busy},mem={}{}", megabytes(memory), gpu(gpus.len()))
    };
    let port = u16::try_from(index).map_or(6818, |index| 6818 + index);
    let mut fields = NODE.clone();
    let mut set = |name: &str, value: Value| fields.set(name, value);
    set("name", json!(node.name));
    set("hostname", json!(node.name));
    set("address", json!(node.address));
    set("port", json!(port));
    set("boot_time", num(since));
    set("slurmd_start_time", num(since));
    set("last_busy", num(own.last_busy));
    set("architecture", json!(std::env::consts::ARCH));
    set("cores", json!(node.cores));
    set("cpus", json!(node.cores));
    set("effective_cpus", json!(node.cores));
    set("real_memory", json!(node.memory));
    set("free_mem", num(free.memory));
    set("cpu_load", json!(busy * 100));
    set("alloc_cpus", json!(busy));
    set("alloc_idle_cpus", json!(idle));
    set("alloc_memory", json!(memory));
    set("gres", json!(gres(node)));
    set("gres_used", json!(gres_used(node, &gpus).join(",")));
    set("features", json!(node.features));
    set("active_features", json!(node.features));
    set(
        "reservation",
        json!(held_by.map_or("", |reservation| &reservation.name)),
    );
    set("partitions", json!(partitions));
    set("state", json!(states));
    set("reason", json!(own.reason));
    set("reason_changed_at", num(own.reason_since));
    set(
        "reason_set_by_user",
        json!(if own.reason.is_empty() { "" } else { "root" }),
    );
    set("tres", json!(tres(node.cores, node.memory, None, free.gpus.len())));
    set("tres_used", json!(used));
    #[expect(clippy::cast_precision_loss, reason = "Slurm's own number is a float; cores are few")]
    let weighted = busy as f64;
    set("tres_weighted", json!(weighted));
    fields.done()
}

fn tres(cores: usize, memory: u64, nodes: Option<usize>, gpus: usize) -> String {
    let nodes = nodes.map(|nodes| format!(",node={nodes}")).unwrap_or_default();
    let gpus = if gpus == 0 {
        String::new()
    } else {
        format!(",gres/gpu={gpus}")
    };
    format!("cpu={cores},mem={}{nodes},billing={cores}{gpus}", megabytes(memory))
}

/// One entry of `partitions`.
pub(crate) fn show_partition(config: &ClusterConfig, partition: &PartitionConfig) -> Value {
    let nodes: Vec<&NodeConfig> = config
        .nodes
        .iter()
        .filter(|node| partition.nodes.contains(&node.name))
        .collect();
    let cores: usize = nodes.iter().map(|node| node.cores).sum();
    let memory: u64 = nodes.iter().map(|node| node.memory).sum();
    let gpus: usize = nodes.iter().flat_map(|node| &node.gpus).map(|gpus| gpus.count).sum();
    let mut fields = PARTITION.clone();
    fields.set("name", partition.name.as_str());
    fields.set(
        "nodes",
        json!({"allowed_allocation": "", "configured": hostlist(&partition.nodes), "total": nodes.len()}),
    );
    fields.set(
        "tres",
        json!({"billing_weights": "", "configured": tres(cores, memory, Some(nodes.len()), gpus)}),
    );
    fields.set("cpus", json!({"task_binding": 0, "total": cores}));
    fields.set("partition", json!({"state": [partition.state]}));
    let mut shown = fields.done();
    shown["defaults"]["time"] = num(partition.default_minutes);
    shown["defaults"]["partition_memory_per_cpu"] = num(partition.memory_per_cpu);
    shown["accounts"]["allowed"] = json!(partition.accounts.join(","));
    shown["maximums"]["time"] = minutes(partition.max_minutes);
    shown
}

/// An amount of cores among `tres`, if there is one.
fn cores(most: Option<u64>) -> Value {
    let entry = most.map(|count| json!({"type": "cpu", "name": "", "id": 1, "count": count}));
    json!(entry.into_iter().collect::<Vec<_>>())
}

/// All entries of `qos`: `normal`, which limits nothing, and the configured ones.
pub(crate) fn all_qos(config: &ClusterConfig) -> Vec<Value> {
    let normal = QosConfig {
        name: "normal".into(),
        ..QosConfig::default()
    };
    let show = |(id, qos): (i32, &QosConfig)| {
        let mut fields = QOS.clone();
        fields.set("name", qos.name.as_str());
        fields.set("id", id);
        let mut shown = fields.done();
        shown["limits"]["max"]["wall_clock"]["per"]["job"] = qos.max_wall_minutes.map_or_else(infinite, num);
        shown["limits"]["max"]["tres"]["per"]["job"] = cores(qos.max_cores);
        shown
    };
    (1..)
        .zip(std::iter::once(&normal).chain(&config.qos))
        .map(show)
        .collect()
}

/// The entries of `reservations` that are not over and are shown.
pub(crate) fn reservations(
    config: &ClusterConfig,
    since: u64,
    is_shown: impl Fn(&ReservationConfig) -> bool,
) -> Vec<Value> {
    let at = |seconds: i64| num(since.saturating_add_signed(seconds));
    let age = crate::clock::age(since);
    let show = |reservation: &ReservationConfig| {
        let mut fields = RESERVATION.clone();
        fields.set("name", reservation.name.as_str());
        fields.set("accounts", reservation.accounts.join(","));
        fields.set("users", reservation.users.join(","));
        if reservation.maintenance {
            fields.set("flags", json!(["MAINT", "SPEC_NODES"]));
        }
        fields.set("node_list", hostlist(&reservation.nodes));
        fields.set("node_count", json!(reservation.nodes.len()));
        fields.set("start_time", at(reservation.starts_in));
        fields.set("end_time", at(reservation.ends_in));
        fields.done()
    };
    let shown = config
        .reservations
        .iter()
        .filter(|found| found.ends_in > age && is_shown(found));
    shown.map(show).collect()
}

/// One entry of `associations`.
pub(crate) fn show_association(config: &ClusterConfig, user: &UserConfig, account: &AccountConfig) -> Value {
    let mut fields = ASSOCIATION.clone();
    fields.set("account", account.name.as_str());
    fields.set("cluster", config.name.as_str());
    fields.set("is_default", account.default);
    fields.set("lineage", format!("/{}/0-{}/", account.name, user.name));
    fields.set("user", user.name.as_str());
    let mut shown = fields.done();
    shown["max"]["jobs"]["per"]["wall_clock"] = account.max_wall_minutes.map_or_else(infinite, num);
    let qos = account.qos.as_deref();
    shown["qos"] = json!([qos.unwrap_or("normal")]);
    shown["default"]["qos"] = json!(qos.unwrap_or_default());
    shown["max"]["tres"]["per"]["job"] = cores(account.max_cores);
    shown["max"]["jobs"]["active"] = account.max_jobs.map_or_else(infinite, num);
    shown
}
