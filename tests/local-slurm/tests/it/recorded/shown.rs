//! Jobs as Slurm and its database show them, field by field.

use local_slurm::JobState;
use serde_json::{Value, json};

use super::{MOVING, compare, forget, recorded, replay};
use crate::common::Bench;

/// The fields of a job that say what it is, apart from names, times and places.
fn essence(job: &Value) -> Value {
    let names = [
        "job_state",
        "state_reason",
        "state_description",
        "exit_code",
        "batch_flag",
        "flags",
        "cpus",
        "tasks",
        "cpus_per_task",
        "memory_per_node",
        "memory_per_cpu",
        "tres_req_str",
        "tres_alloc_str",
        "tres_per_node",
        "gres_detail",
        "job_resources",
        "nodes",
        "batch_host",
        "dependency",
        "hold",
        "max_nodes",
        "billable_tres",
        "requeue",
        "restart_cnt",
        "scheduled_nodes",
        "failed_node",
        "time_limit",
        "user_id",
        "user_name",
        "account",
        "partition",
        "qos",
        "priority",
    ];
    let mut essence: serde_json::Map<String, Value> = names
        .iter()
        .map(|name| ((*name).to_owned(), job[*name].clone()))
        .collect();
    // Which scheduler of Slurm's two looked at it, and fair share, are not imitated.
    if let Some(flags) = essence.get_mut("flags").and_then(Value::as_array_mut) {
        flags.retain(|flag| flag != "BACKFILL_ATTEMPTED" && flag != "SCHEDULING_ATTEMPTED");
    }
    if essence["priority"]["number"] != 0 {
        essence.remove("priority");
    }
    essence.into()
}

/// Submits a job like the recorded one and compares what is shown of it.
async fn compare_job(bench: &Bench, name: &str, script: &str, change: impl FnOnce(&mut Value), state: JobState) -> u32 {
    let theirs = recorded(name);
    let shown = &theirs.response["jobs"][0];
    let mut job = bench.job(script);
    for field in [
        "account",
        "partition",
        "name",
        "comment",
        "requeue",
        "memory_per_node",
        "time_limit",
        "tres_per_node",
    ] {
        job[field] = shown[field].clone();
    }
    job["cpus_per_task"] = shown["cpus_per_task"]["number"].clone();
    change(&mut job);
    let id = bench.role("alice").submit(&job).await;
    bench.wait(id, state).await;
    compare_shown(bench, name, id).await;
    id
}

async fn compare_shown(bench: &Bench, name: &str, id: u32) {
    let theirs = recorded(name);
    let ours = bench.role("alice").get(&format!("/slurm/v0.0.42/job/{id}")).await;
    compare(name, &theirs, &ours);
    assert_eq!(
        essence(&ours.body["jobs"][0]),
        essence(&theirs.response["jobs"][0]),
        "{name}"
    );
}

#[tokio::test]
async fn jobs_are_shown_as_by_slurm() {
    let bench = Bench::start_with(|config, _| config.minute_seconds = 0.5).await;
    let unchanged = |_: &mut Value| {};
    compare_job(&bench, "job_completed", "true", unchanged, JobState::Completed).await;
    compare_job(&bench, "job_failed", "exit 3", unchanged, JobState::Failed).await;
    compare_job(&bench, "job_timeout", "sleep 1000", unchanged, JobState::Timeout).await;
    compare_job(
        &bench,
        "job_held",
        "true",
        |job| job["hold"] = json!(true),
        JobState::Pending,
    )
    .await;
    let nowhere = |job: &mut Value| job["current_working_directory"] = json!("/nonexistent");
    compare_job(&bench, "job_badcwd", "true", nowhere, JobState::Failed).await;
}

#[tokio::test]
async fn running_and_waiting_jobs_are_shown_as_by_slurm() {
    let bench = Bench::start_with(|config, _| config.kill_wait_seconds = 20.0).await; // Time to look.
    let unchanged = |_: &mut Value| {};
    let running = compare_job(
        &bench,
        "job_running",
        "trap '' TERM; sleep 1000",
        unchanged,
        JobState::Running,
    )
    .await;
    compare_job(&bench, "job_gpu_running", "sleep 1000", unchanged, JobState::Running).await;
    compare_job(&bench, "job_mig_running", "sleep 1000", unchanged, JobState::Running).await;
    compare_job(&bench, "job_pending_est", "true", unchanged, JobState::Pending).await;

    let mut theirs = recorded("nodes_gpu_busy").response;
    let mut ours = replay(&bench, "nodes_gpu_busy").await.body;
    forget(MOVING, &mut theirs["nodes"]);
    forget(MOVING, &mut ours["nodes"]);
    assert_eq!(ours["nodes"], theirs["nodes"]);

    bench
        .role("alice")
        .delete(&format!("/slurm/v0.0.42/job/{running}"))
        .await;
    compare_shown(&bench, "job_cancelled", running).await;

    let singleton = |job: &mut Value| job["dependency"] = json!("singleton");
    let name = "job_singleton_waiting";
    let mut first = bench.job("sleep 1000");
    first["name"] = json!("portal-one");
    bench.role("alice").submit(&first).await;
    compare_job(&bench, name, "true", singleton, JobState::Pending).await;
}

#[tokio::test]
async fn a_failed_nodes_jobs_are_shown_as_by_slurm() {
    let bench = Bench::start().await;
    let shown = recorded("nf_job_requeue_False").response["jobs"][0].take();
    for requeue in [false, true] {
        let mut job = bench.job("sleep 1000");
        for field in ["account", "partition", "memory_per_node", "time_limit"] {
            job[field] = shown[field].clone();
        }
        job["requeue"] = json!(requeue);
        bench.role("alice").submit(&job).await;
        bench.wait(if requeue { 2 } else { 1 }, JobState::Running).await;
    }
    bench.cluster.set_node_state("c1", "DOWN");
    bench.wait(1, JobState::NodeFail).await;
    bench.wait(2, JobState::Pending).await;
    compare_shown(&bench, "nf_job_requeue_False", 1).await;
    compare_shown(&bench, "nf_job_requeue_True", 2).await;
}

#[tokio::test]
async fn the_database_shows_jobs_as_slurms_does() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    let (theirs, live) = (recorded("slurmdb_jobs_alice"), recorded("slurmdb_jobs_user_live"));
    let mut job = bench.job("sleep 1000");
    job["partition"] = json!("gpubase_interac");
    job["account"] = json!("def-alice_gpu");
    job["tres_per_node"] = json!("gres/gpu:h100:2");
    job["comment"] = json!("told at the end");
    let running = alice.submit(&job).await;
    compare("live", &live, &alice.get(&live.request.url).await);
    job["tres_per_node"] = json!("gres/gpu:h100:4");
    let waiting = alice.submit(&job).await;
    let failed = alice.submit(&bench.job("exit 3")).await;
    bench.wait(failed, JobState::Failed).await;
    assert_eq!(alice.get(&live.request.url).await.body["jobs"][0]["comment"]["job"], "");
    for id in [waiting, running] {
        alice.delete(&format!("/slurm/v0.0.42/job/{id}")).await;
    }
    bench.wait(running, JobState::Cancelled).await;
    let ours = alice.get(&theirs.request.url).await;
    compare("slurmdb_jobs_alice", &theirs, &ours);
    let jobs = |body: &Value| body["jobs"].as_array().unwrap().clone();
    // In the recording: job 3 failed, job 6 was cancelled while it ran on GPUs, job 8 while it waited.
    let pairs = [(running, 6), (waiting, 8), (failed, 3)];
    for (own, recorded) in pairs {
        let find = |body: &Value, id: u32| jobs(body).into_iter().find(|job| job["job_id"] == id).unwrap();
        let (own, recorded) = (find(&ours.body, own), find(&theirs.response, recorded));
        for field in [
            "state",
            "exit_code",
            "kill_request_user",
            "flags",
            "nodes",
            "used_gres",
            "allocation_nodes",
            "qos",
        ] {
            assert_eq!(own[field], recorded[field], "{field} of {}", recorded["name"]);
        }
        for field in ["end", "start"] {
            let never = |job: &Value| {
                job["time"][field]
                    .as_u64()
                    .map(|time| time == 0 || time == 4_294_967_294)
            };
            assert_eq!(never(&own), never(&recorded), "{field} of {}", recorded["name"]);
        }
        let kinds = |job: &Value| {
            let tres = job["tres"]["allocated"].as_array().unwrap();
            tres.iter()
                .map(|item| format!("{}/{}", item["type"], item["name"]))
                .collect::<Vec<_>>()
        };
        assert_eq!(kinds(&own), kinds(&recorded), "{}", recorded["name"]);
    }
    assert_eq!(jobs(&ours.body)[0]["comment"]["job"], "told at the end");
}
