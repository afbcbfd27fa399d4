//! A job as the accounting database shows it.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Template, exit_code, minutes, num, unset};
use crate::config::ClusterConfig;
use crate::job::{Exit, Job, JobState};

static JOB: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("accounting_job.json")));
static STEP: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("accounting_step.json")));

/// What the database has instead of a start for a job that ended without one (`NO_VAL` less 0).
const NEVER: u64 = 4_294_967_294;

/// Whether the database has this job: not one that waits for a singleton before it, which is not eligible yet.
pub(crate) fn lists(job: &Job) -> bool {
    !(job.is_pending() && job.reason == "Dependency")
}

/// One entry of `jobs`. A live job's comment is not there: the database gets it at the end.
pub(crate) fn show(config: &ClusterConfig, job: &Job, now: u64) -> Value {
    let asked = &job.asked;
    let node = job
        .allocation
        .as_ref()
        .map(|given| config.nodes[given.node].name.as_str());
    let ended = job.ended.unwrap_or(0);
    let started = if job.allocation.is_some() {
        job.started.unwrap_or(0)
    } else if ended > 0 {
        NEVER
    } else {
        0
    };
    let elapsed = if node.is_some() {
        job.ended.unwrap_or(now).saturating_sub(started)
    } else {
        0
    };
    let own_exit = matches!(job.state, JobState::Completed | JobState::Failed | JobState::NodeFail);
    let exit = if own_exit { job.exit } else { Exit::Success };
    let gpus = asked.request.gpu_count();
    let mut fields = JOB.clone();
    let mut set = |name: &str, value: Value| fields.set(name, value);
    set("account", json!(asked.account));
    set("allocation_nodes", json!(u8::from(node.is_some())));
    let comment = if job.ended.is_some() {
        asked.comment.as_str()
    } else {
        ""
    };
    set("comment", json!({"administrator": "", "job": comment, "system": ""}));
    set(
        "association",
        json!({"account": asked.account, "cluster": config.name, "partition": "", "user": asked.user, "id": asked.association}),
    );
    set("cluster", json!(config.name));
    set(
        "time",
        json!({
            "elapsed": elapsed,
            "eligible": job.begin,
            "end": ended,
            "planned": num(job.started.map_or(0, |started| started.saturating_sub(job.submitted))),
            "start": started,
            "submission": job.submitted,
            "suspended": 0,
            "system": {"seconds": 0, "microseconds": 0},
            "limit": minutes(asked.time_limit),
            "total": {"seconds": 0, "microseconds": 0},
            "user": {"seconds": 0, "microseconds": 0},
        }),
    );
    set("exit_code", exit_code(exit));
    set("failed_node", json!(job.failed_node));
    set("extra", json!(asked.extra));
    let started_flag = node.map(|_| "STARTED_ON_SCHEDULE");
    set(
        "flags",
        json!(started_flag.into_iter().chain(["START_RECEIVED"]).collect::<Vec<_>>()),
    );
    set("group", json!(asked.user));
    set("job_id", json!(job.id));
    set("name", json!(asked.name));
    set("nodes", json!(node.unwrap_or("None assigned")));
    set("partition", json!(asked.partition));
    set("hold", json!(asked.hold));
    set("priority", num(if asked.hold { 0 } else { 1000 }));
    set(
        "required",
        json!({
            "CPUs": asked.request.cores,
            "memory_per_cpu": asked.memory_per_cpu.map_or_else(unset, num),
            "memory_per_node": asked.memory_per_cpu.map_or_else(|| num(asked.request.memory), |_| unset()),
        }),
    );
    set("kill_request_user", json!(job.cancelled_by));
    set("restart_cnt", json!(job.restarts));
    set("stdout", json!(job.expand_directory(&asked.standard_output)));
    set("stdout_expanded", json!(job.output(node.unwrap_or_default())));
    set("state", json!({"current": [job.state.name()], "reason": "None"}));
    set(
        "steps",
        json!(
            node.map(|node| step(job, node, elapsed))
                .into_iter()
                .collect::<Vec<_>>()
        ),
    );
    let requested = tres(job, gpus, false);
    set(
        "tres",
        json!({"allocated": node.map(|_| tres(job, gpus, true)).unwrap_or_default(), "requested": requested}),
    );
    set("user", json!(asked.user));
    set("working_directory", json!(asked.directory));
    fields.done()
}

fn tres(job: &Job, gpus: usize, allocated: bool) -> Vec<Value> {
    let item =
        |kind: &str, name: &str, id: u32, count: Value| json!({"type": kind, "name": name, "id": id, "count": count});
    let request = &job.asked.request;
    let mut list = vec![
        item("cpu", "", 1, json!(request.cores)),
        item("mem", "", 2, json!(request.memory)),
    ];
    if allocated {
        list.push(item("energy", "", 3, json!(-2)));
    }
    list.extend([
        item("node", "", 4, json!(1)),
        item("billing", "", 5, json!(request.cores)),
    ]);
    if gpus > 0 {
        list.push(item("gres", "gpu", 1001, json!(gpus)));
    }
    list
}

fn step(job: &Job, node: &str, elapsed: u64) -> Value {
    let mut fields = STEP.clone();
    let mut set = |name: &str, value: Value| fields.set(name, value);
    let nothing = json!({"seconds": 0, "microseconds": 0});
    set(
        "time",
        json!({
            "elapsed": elapsed,
            "end": num(job.ended.unwrap_or(0)),
            "start": num(job.started.unwrap_or(0)),
            "suspended": 0,
            "system": nothing,
            "total": nothing,
            "user": nothing,
        }),
    );
    set("exit_code", exit_code(job.exit));
    set("nodes", json!({"count": 1, "range": node, "list": [node]}));
    set("state", json!([job.state.name()]));
    set("step", json!({"id": format!("{}.batch", job.id), "name": "batch"}));
    let mut shown = fields.done();
    let allocated = tres(job, job.asked.request.gpu_count(), false);
    shown["tres"]["allocated"] = allocated.into_iter().filter(|item| item["type"] != "billing").collect();
    shown
}
