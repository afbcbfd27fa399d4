//! Jobs are processes: they run, tell, and end whole.

use std::collections::BTreeMap;

use local_slurm::JobState;
use serde_json::{Value, json};

use crate::common::{Bench, process_ids, runs, until};

#[tokio::test]
async fn a_job_runs_in_its_folder_and_its_output_appears() {
    let bench = Bench::start().await;
    let id = bench
        .role("alice")
        .submit(&bench.job("pwd; echo to stderr >&2; exit 3"))
        .await;
    bench.wait(id, JobState::Failed).await;
    let output = std::fs::read_to_string(bench.path(&format!("{id}.out"))).unwrap();
    let folder = std::fs::canonicalize(bench.folder.path()).unwrap();
    assert_eq!(output, format!("{}\nto stderr\n", folder.display()));
    let job = bench.role("alice").job(id).await;
    assert_eq!(job["job_state"], json!(["FAILED"]));
    assert_eq!(job["state_reason"], "NonZeroExitCode");
    assert_eq!(job["exit_code"]["return_code"]["number"], 3);
    assert_eq!(job["nodes"], "c1");
}

#[tokio::test]
async fn the_environment_is_the_submitted_one_and_slurms_and_nothing_else() {
    let bench = Bench::start().await;
    let mut job = bench.job("/usr/bin/env -0 > env");
    job["partition"] = json!("gpubase_interac");
    job["tres_per_node"] = json!("gres/gpu:h100:2");
    let id = bench.role("alice").submit(&job).await;
    bench.wait(id, JobState::Completed).await;
    let text = std::fs::read_to_string(bench.path("env")).unwrap();
    let all: BTreeMap<&str, &str> = text.split('\0').filter_map(|item| item.split_once('=')).collect();
    let from_bash = ["PWD", "SHLVL", "_", "OLDPWD"];
    let own: Vec<&str> = all
        .keys()
        .filter(|name| !name.starts_with("SLURM") && !from_bash.contains(*name))
        .copied()
        .collect();
    assert_eq!(own, ["CUDA_VISIBLE_DEVICES", "PATH", "PORTAL"]);
    let id = id.to_string();
    for (name, value) in [
        ("SLURM_JOB_ID", id.as_str()),
        ("SLURM_JOBID", &id),
        ("SLURM_JOB_NODELIST", "g1"),
        ("SLURMD_NODENAME", "g1"),
        ("SLURM_JOB_USER", "alice"),
        ("SLURM_CPUS_PER_TASK", "1"),
        ("CUDA_VISIBLE_DEVICES", "0,1"),
    ] {
        assert_eq!(all.get(name), Some(&value), "{name}");
    }
    assert_eq!(all.get("SLURM_RESTART_COUNT"), None);
    assert!(all["PATH"].ends_with(":/usr/local/bin:/usr/bin:/bin"));
}

/// Children in the background, one that ignores SIGTERM, and, where there is `setsid`, one in another session
/// and one there whose parent is gone.
const FAMILY: &str = r#"
report() { bash -c 'trap "" $1; echo $$ >> pids; while :; do sleep 0.1; done' report "$@"; }
report HUP & report TERM &
if command -v setsid > /dev/null; then
  export -f report
  setsid bash -c 'report HUP' & ( setsid bash -c 'report HUP' & )
else
  report HUP & report HUP &
fi
echo $$ >> pids
wait
"#;

#[tokio::test]
async fn a_cancelled_job_dies_whole() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    let id = alice.submit(&bench.job(FAMILY)).await;
    let family = process_ids(&bench.path("pids"), 5).await;
    assert!(family.iter().all(|process| runs(*process)));
    let reply = alice.delete(&format!("/slurm/v0.0.42/job/{id}")).await;
    assert_eq!((reply.status, &reply.body["status"]), (200, &json!([])));
    assert_eq!(alice.job(id).await["job_state"], json!(["CANCELLED", "COMPLETING"]));
    bench.wait(id, JobState::Cancelled).await;
    let left: Vec<u32> = family.into_iter().filter(|process| runs(*process)).collect();
    assert!(left.is_empty(), "still there: {left:?}");
    let job = alice.job(id).await;
    assert_eq!(job["job_state"], json!(["CANCELLED"]));
    assert_eq!(job["exit_code"]["signal"]["name"], "TERM");
}

#[tokio::test]
async fn what_a_script_leaves_behind_dies_with_it() {
    let bench = Bench::start().await;
    let id = bench
        .role("alice")
        .submit(&bench.job("sleep 1000 & echo $! > pids"))
        .await;
    bench.wait(id, JobState::Completed).await;
    assert!(
        process_ids(&bench.path("pids"), 1)
            .await
            .into_iter()
            .all(|process| !runs(process))
    );
}

#[tokio::test]
async fn all_jobs_die_when_the_cluster_is_dropped_or_shut_down() {
    for gently in [true, false] {
        let bench = Bench::start().await;
        bench.role("alice").submit(&bench.job(FAMILY)).await;
        let family = process_ids(&bench.path("pids"), 5).await;
        if gently {
            bench.cluster.shutdown().await;
        } else {
            drop(bench.cluster);
        }
        until("the end of all processes", || {
            family.iter().all(|process| !runs(*process)).then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn a_job_is_ended_at_its_time_limit_and_a_lower_limit_ends_it_earlier() {
    let bench = Bench::start_with(|config, _| config.minute_seconds = 0.2).await;
    let alice = bench.role("alice");
    let mut job = bench.job("sleep 1000");
    job["time_limit"] = json!(1);
    let id = alice.submit(&job).await;
    bench.wait(id, JobState::Timeout).await;
    let shown = alice.job(id).await;
    assert_eq!(
        (&shown["state_reason"], &shown["exit_code"]["signal"]["name"]),
        (&json!("TimeLimit"), &json!("TERM"))
    );

    job["time_limit"] = json!(400);
    let id = alice.submit(&job).await;
    bench.wait(id, JobState::Running).await;
    let path = format!("/slurm/v0.0.42/job/{id}");
    let raised = alice.post(&path, &json!({"time_limit": 401})).await;
    assert_eq!(raised.body["errors"][0]["error_number"], 2002);
    assert_eq!(alice.post(&path, &json!({"time_limit": 1})).await.status, 200);
    bench.wait(id, JobState::Timeout).await;
}

#[tokio::test]
async fn a_job_tells_its_port_by_its_comment() {
    let binary = env!("CARGO_BIN_EXE_local-slurm");
    for program in [None, Some(binary.into())] {
        let bench = Bench::start_with(|config, _| config.scontrol = program).await;
        let alice = bench.role("alice");
        let script = "scontrol update job=$SLURM_JOB_ID comment=\"node=$SLURMD_NODENAME port=1\" && \
                      scontrol update JobId=$SLURM_JOB_ID Comment='{\"v\": 1, \"port\": 2}' && scontrol --version; \
                      scontrol update jobid=999 comment=x; echo $?; sleep 1000";
        let id = alice.submit(&bench.job(script)).await;
        let told = "{\"v\": 1, \"port\": 2}";
        let job = bench
            .cluster
            .wait_for(id, crate::common::DEADLINE, |job| job.comment == told)
            .await;
        assert!(job.is_some(), "{:?}", bench.cluster.job(id));
        assert_eq!(bench.role("portal").job(id).await["comment"], told);
        let output = bench.path(&format!("{id}.out"));
        let text = until("scontrol's refusal", || {
            std::fs::read_to_string(&output)
                .ok()
                .filter(|text| text.ends_with("1\n"))
        })
        .await;
        assert_eq!(text, "slurm 24.11.5\nInvalid job id specified for job 999\n1\n");
    }
}

#[tokio::test]
async fn a_job_cannot_change_the_comment_of_somebody_else() {
    let bench = Bench::start().await;
    let mine = bench.role("alice").submit(&bench.job("sleep 1000")).await;
    let theirs = bench
        .role("bob")
        .submit(&bench.job(&format!("scontrol update job={mine} comment=bob")))
        .await;
    bench.wait(theirs, JobState::Failed).await;
    assert_eq!(bench.role("alice").job(mine).await["comment"], "");
    let script =
        "sed 's/^JobToken=.*/JobToken=guess/' $SLURM_CONF > conf; SLURM_CONF=$PWD/conf scontrol update job=1 comment=x";
    let forger = bench.role("bob").submit(&bench.job(script)).await;
    bench.wait(forger, JobState::Failed).await;
}

#[tokio::test]
async fn a_job_that_cannot_be_launched_fails_as_in_slurm() {
    let bench = Bench::start().await;
    for (field, value) in [
        ("current_working_directory", "/nonexistent"),
        ("standard_output", "/nonexistent/%j.out"),
    ] {
        let mut job = bench.job("true");
        job[field] = json!(value);
        let id = bench.role("alice").submit(&job).await;
        bench.wait(id, JobState::Failed).await;
        let shown = bench.role("alice").job(id).await;
        assert_eq!(shown["state_reason"], "RaisedSignal", "{field}");
        assert_eq!(shown["state_description"], "RaisedSignal:53(Real-time signal 19)");
        assert_eq!(shown["exit_code"]["signal"]["id"]["number"], 53);
    }
}

#[tokio::test]
async fn a_failed_node_ends_its_jobs_or_puts_them_back_in_the_queue() {
    let bench = Bench::start_with(|config, _| config.requeue_seconds = 1).await;
    let alice = bench.role("alice");
    let once = alice.submit(&bench.job("sleep 1000")).await;
    let mut job = bench.job("echo ${SLURM_RESTART_COUNT-none} >> starts; sleep 1000");
    job["requeue"] = json!(true);
    let again = alice.submit(&job).await;
    let starts = |wanted: &'static str| {
        let path = bench.path("starts");
        move || std::fs::read_to_string(&path).ok().filter(|text| text == wanted)
    };
    until("the first start", starts("none\n")).await;
    assert!(bench.cluster.set_node_state("c1", "DOWN"));
    bench.wait(once, JobState::NodeFail).await;
    let failed = alice.job(once).await;
    assert_eq!(
        (&failed["failed_node"], &failed["state_reason"]),
        (&json!("c1"), &json!("NodeDown"))
    );
    let node = alice.get("/slurm/v0.0.42/node/c1").await;
    assert_eq!(node.body["nodes"][0]["state"], json!(["DOWN"]));
    until("the second start", starts("none\n1\n")).await;
    let job: Value = alice.job(again).await;
    assert_eq!((&job["restart_cnt"], &job["nodes"]), (&json!(1), &json!("c2")));
}

#[tokio::test]
async fn a_test_can_end_a_job_from_outside() {
    let bench = Bench::start().await;
    for state in [JobState::Preempted, JobState::OutOfMemory] {
        let id = bench.role("alice").submit(&bench.job("sleep 1000")).await;
        bench.wait(id, JobState::Running).await;
        assert!(bench.cluster.finish(id, state));
        bench.wait(id, state).await;
        assert_eq!(bench.role("alice").job(id).await["job_state"], json!([state.name()]));
        assert!(!bench.cluster.finish(id, state), "it has ended");
    }
}
