//! A job as slurmctld shows it.

use std::sync::LazyLock;

use serde_json::{Value, json};

use super::{Template, exit_code, minutes, num, unset};
use crate::config::ClusterConfig;
use crate::job::{Exit, Job, JobState};
use crate::resources::{Allocation, gres_used};

static JOB: LazyLock<Template> = LazyLock::new(|| Template::new(include_str!("job.json")));

/// One entry of `jobs`.
pub(crate) fn show(config: &ClusterConfig, job: &Job) -> Value {
    let asked = &job.asked;
    let given = job.allocation.as_ref();
    let node = given
        .map(|given| config.nodes[given.node].name.as_str())
        .unwrap_or_default();
    let was_given = given.is_some() || job.restarts > 0; // Slurm goes on showing what a requeued job had.
    let unfulfilled = job.is_pending() && job.reason == "Dependency";
    let ineligible = unfulfilled || asked.hold;
    let eligible = if ineligible { 0 } else { job.begin };
    let cores = asked.request.cores;
    let output = job.output(node);
    let error = if asked.standard_error.is_empty() {
        output.clone()
    } else {
        job.expand(&asked.standard_error, node)
    };
    // While its processes end, Slurm has not heard yet how the script of a cancelled job ended.
    let unknown = job.completing && job.state == JobState::Cancelled;
    let mut fields = JOB.clone();
    let mut set = |name: &str, value: Value| fields.set(name, value);
    set("account", json!(asked.account));
    set("accrue_time", num(if job.is_pending() { 0 } else { eligible }));
    set("association_id", json!(asked.association));
    set("batch_host", json!(node));
    set("flags", json!(flags(job, ineligible)));
    #[expect(clippy::cast_precision_loss, reason = "Slurm's own number is a float; cores are few")]
    let billed = cores as f64;
    let unbilled = json!({"set": false, "infinite": false, "number": 0.0});
    set("billable_tres", if was_given { num(billed) } else { unbilled });
    set("cluster", json!(config.name));
    set("comment", json!(asked.comment));
    set("cpus_per_task", asked.cpus_per_task.map_or_else(unset, num));
    set(
        "dependency",
        json!(if unfulfilled { "singleton(unfulfilled)" } else { "" }),
    );
    set("eligible_time", num(eligible));
    set("end_time", num(end_time(config, job)));
    set("exit_code", exit_code(if unknown { Exit::Success } else { job.exit }));
    set("extra", json!(asked.extra));
    set("failed_node", json!(job.failed_node));
    set("gres_detail", json!(gres_detail(config, given)));
    set("group_id", json!(asked.uid));
    set("group_name", json!(asked.user));
    set("job_id", json!(job.id));
    set(
        "job_resources",
        given.map_or(Value::Null, |given| resources(config, given)),
    );
    set("job_state", json!(job.states()));
    set("last_sched_evaluation", num(job.started.unwrap_or(job.submitted)));
    set("mail_user", json!(asked.user));
    set("max_nodes", num(u8::from(job.is_pending())));
    let qos = asked.qos.as_str();
    set("qos", json!(if qos.is_empty() { "normal" } else { qos }));
    set("resv_name", json!(asked.reservation));
    set("wckey", json!(asked.wckey));
    set("features", json!(asked.constraints.join("&")));
    set("name", json!(asked.name));
    set("nodes", json!(node));
    set("cpus", num(cores));
    set("tasks", num(asked.tasks));
    set("partition", json!(asked.partition));
    set("memory_per_cpu", asked.memory_per_cpu.map_or_else(unset, num));
    set(
        "memory_per_node",
        asked
            .memory_per_cpu
            .map_or_else(|| num(asked.request.memory), |_| unset()),
    );
    set("minimum_cpus_per_node", num(asked.cpus_per_task.unwrap_or(1)));
    set("hold", json!(asked.hold));
    set("priority", num(if asked.hold { 0 } else { 1000 }));
    set("requeue", json!(asked.requeue));
    set("restart_cnt", json!(job.restarts));
    let planned = job.expected.map(|(_, node)| config.nodes[node].name.as_str());
    set("scheduled_nodes", json!(planned.unwrap_or_default()));
    set("start_time", num(start_time(job)));
    set("state_description", json!(job.description));
    set("state_reason", json!(job.reason));
    set("standard_error", json!(error));
    set("standard_output", json!(output));
    set("submit_time", num(job.submitted));
    set("time_limit", minutes(asked.time_limit));
    set("tres_per_node", json!(asked.tres_per_node));
    let tres = asked.request.tres();
    set("tres_alloc_str", json!(if was_given { tres.as_str() } else { "" }));
    set("tres_req_str", json!(tres));
    set("user_id", json!(asked.uid));
    let shown_as = config.user(&asked.user).and_then(|user| user.shown_as.as_ref());
    set("user_name", json!(shown_as.unwrap_or(&asked.user)));
    set("current_working_directory", json!(asked.directory));
    fields.done()
}

/// When it started, or may start; 0 for unknown, or for "not before" after a failed node.
fn start_time(job: &Job) -> u64 {
    let later = (job.reason == "BeginTime").then_some(job.begin);
    job.started
        .or(job.expected.map(|(time, _)| time))
        .or(later)
        .unwrap_or(0)
}

/// When it ended or will be ended; for a waiting job, if it starts as expected.
fn end_time(config: &ClusterConfig, job: &Job) -> u64 {
    let start = start_time(job);
    let limit = job.limit(config.minute_seconds).map(|limit| limit.as_secs());
    job.ended.unwrap_or_else(|| {
        if start == 0 {
            0
        } else {
            limit.map_or(0, |limit| start + limit)
        }
    })
}

fn flags(job: &Job, ineligible: bool) -> Vec<&'static str> {
    let asked = &job.asked;
    let flags = [
        (
            "SKIP_TRES_STRING_ACCOUNTING",
            job.restarts > 0 || job.state == JobState::NodeFail,
        ),
        ("EXACT_TASK_COUNT_REQUESTED", asked.tasks_given),
        ("ACCRUE_COUNT_CLEARED", !job.is_pending()),
        ("JOB_WAS_RUNNING", job.state == JobState::Running),
        ("EXACT_MEMORY_REQUESTED", asked.memory_given),
        ("USING_DEFAULT_ACCOUNT", asked.default_account),
        ("USING_DEFAULT_PARTITION", asked.default_partition),
        ("USING_DEFAULT_QOS", true),
        ("USING_DEFAULT_WCKEY", true),
        ("DEPENDENT", job.is_pending() && ineligible),
        ("BACKFILL_ATTEMPTED", job.expected.is_some()),
        ("SCHEDULING_ATTEMPTED", job.expected.is_some()),
    ];
    flags.into_iter().filter(|(_, is)| *is).map(|(flag, _)| flag).collect()
}

fn gres_detail(config: &ClusterConfig, given: Option<&Allocation>) -> Vec<String> {
    let used = given
        .map(|given| gres_used(&config.nodes[given.node], &given.gpus))
        .unwrap_or_default();
    let all: Vec<String> = used.into_iter().filter(|item| !item.ends_with(":0(IDX:N/A)")).collect();
    if all.is_empty() { all } else { vec![all.join(",")] } // One text for each node.
}

fn resources(config: &ClusterConfig, given: &Allocation) -> Value {
    let node = &config.nodes[given.node];
    let status = |core| {
        if given.cores.contains(&core) {
            "ALLOCATED"
        } else {
            "UNALLOCATED"
        }
    };
    let cores: Vec<Value> = (0..node.cores)
        .map(|core| json!({"index": core, "status": [status(core)]}))
        .collect();
    json!({
        "select_type": ["CORE"],
        "nodes": {
            "count": 1,
            "select_type": ["ONE_ROW"],
            "list": node.name,
            "whole": false,
            "allocation": [{
                "index": 0,
                "name": node.name,
                "cpus": {"count": given.cores.len(), "used": 0},
                "memory": {"used": 0, "allocated": given.memory},
                "sockets": [{"index": 0, "cores": cores}],
            }],
        },
        "cpus": given.cores.len(),
        "threads_per_core": unset(),
    })
}
