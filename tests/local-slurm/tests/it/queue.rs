//! Waiting: for room, for one's own earlier job, for ever.

use local_slurm::JobState;
use serde_json::json;

use crate::common::Bench;

#[tokio::test]
async fn jobs_queue_for_cores_and_start_as_soon_as_there_is_room() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    let mut big = bench.job("sleep 1000");
    big["cpus_per_task"] = json!(8);
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(alice.submit(&big).await);
    }
    let mut shown = Vec::new();
    for id in &ids {
        let job = alice.job(*id).await;
        shown.push((
            job["job_state"].clone(),
            job["state_reason"].as_str().unwrap().to_owned(),
        ));
    }
    let (running, pending) = (json!(["RUNNING"]), json!(["PENDING"]));
    let expected = [
        (&running, "None"),
        (&running, "None"),
        (&pending, "Resources"),
        (&pending, "Priority"),
    ];
    assert_eq!(
        shown,
        expected.map(|(state, reason)| (state.clone(), reason.to_owned()))
    );
    let first = alice.job(ids[2]).await;
    assert_eq!(first["scheduled_nodes"], "c1");
    assert_eq!(
        first["start_time"],
        alice.job(ids[0]).await["end_time"],
        "when the job before it must end"
    );

    alice.delete(&format!("/slurm/v0.0.42/job/{}", ids[1])).await;
    bench.wait(ids[2], JobState::Running).await;
    assert_eq!(bench.cluster.job(ids[2]).unwrap().node, "c2");
    assert_eq!(bench.cluster.job(ids[3]).unwrap().reason, "Resources");
}

#[tokio::test]
async fn jobs_queue_for_gpus_and_for_memory() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    let mut job = bench.job("sleep 1000");
    job["partition"] = json!("gpubase_interac");
    job["tres_per_node"] = json!("gres/gpu:h100:3");
    alice.submit(&job).await;
    let second = alice.submit(&job).await;
    assert_eq!(alice.job(second).await["state_reason"], "Resources");
    let nodes = alice.get("/slurm/v0.0.42/nodes/").await.body;
    let used = "gpu:h100:3(IDX:0-2),gpu:nvidia_h100_80gb_hbm3_1g.10gb:0(IDX:N/A)";
    assert_eq!(nodes["nodes"][2]["gres_used"], used);
    assert_eq!(nodes["nodes"][2]["tres_used"], "cpu=1,mem=100M,gres/gpu=3");

    let mut job = bench.job("sleep 1000");
    job["memory_per_node"] = json!(16000);
    for _ in 0..2 {
        alice.submit(&job).await;
    }
    assert_eq!(alice.job(alice.submit(&job).await).await["state_reason"], "Resources");
}

#[tokio::test]
async fn a_singleton_waits_for_the_one_before_it() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    let mut job = bench.job("sleep 1000");
    job["dependency"] = json!("singleton");
    let (first, second) = (alice.submit(&job).await, alice.submit(&job).await);
    let waiting = alice.job(second).await;
    assert_eq!(
        (&waiting["state_reason"], &waiting["dependency"]),
        (&json!("Dependency"), &json!("singleton(unfulfilled)"))
    );
    bench
        .wait(bench.role("bob").submit(&job).await, JobState::Running)
        .await;
    let listed = alice
        .get("/slurmdb/v0.0.42/jobs/?users=alice&state=PENDING&state=RUNNING")
        .await;
    assert_eq!(
        listed.body["jobs"].as_array().unwrap().len(),
        1,
        "the database knows it when it may start"
    );
    alice.delete(&format!("/slurm/v0.0.42/job/{first}")).await;
    bench.wait(second, JobState::Running).await;
    assert_eq!(alice.job(second).await["dependency"], "");
}

#[tokio::test]
async fn cancelling_by_name_takes_only_what_still_waits() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    let mut job = bench.job("sleep 1000");
    job["dependency"] = json!("singleton");
    let (first, second) = (alice.submit(&job).await, alice.submit(&job).await);
    let body = json!({"job_name": "test", "job_state": "PENDING", "user_name": "alice"});
    let theirs = bench.role("bob").delete_with("/slurm/v0.0.42/jobs/", &body).await;
    assert_eq!(theirs.body["status"][0]["error"]["code"], 2002);
    assert_eq!(bench.cluster.job(second).unwrap().state, JobState::Pending);
    let reply = alice.delete_with("/slurm/v0.0.42/jobs/", &body).await;
    assert_eq!((reply.status, &reply.body["status"]), (200, &json!([])));
    let states = alice
        .get(&format!(
            "/slurm/v0.0.42/jobs/state/?job_id={first}&job_id={second}&job_id=99"
        ))
        .await;
    let expected = json!([
        {"job_id": first.to_string(), "state": ["RUNNING"]},
        {"job_id": second.to_string(), "state": ["CANCELLED"]},
    ]);
    assert_eq!(states.body["jobs"], expected);
}

#[tokio::test]
async fn a_held_job_waits_until_it_is_released() {
    let bench = Bench::start().await;
    let mut job = bench.job("sleep 1000");
    job["hold"] = json!(true);
    let id = bench.role("alice").submit(&job).await;
    assert_eq!(bench.cluster.job(id).unwrap().reason, "JobHeldUser");
    bench
        .role("alice")
        .post(&format!("/slurm/v0.0.42/job/{id}"), &json!({"hold": false}))
        .await;
    bench.wait(id, JobState::Running).await;
}

#[tokio::test]
async fn a_persons_name_decides_what_happens_to_their_jobs() {
    let bench = Bench::start().await;
    let id = bench.role("wendy").submit(&bench.job("true")).await;
    let job = bench.role("wendy").job(id).await;
    assert_eq!(
        (&job["job_state"], &job["state_reason"]),
        (&json!(["PENDING"]), &json!("QOSGrpGRES"))
    );
    bench.role("wendy").delete(&format!("/slurm/v0.0.42/job/{id}")).await;
    assert_eq!(bench.cluster.job(id).unwrap().state, JobState::Cancelled);

    let refused = bench
        .role("rose")
        .post("/slurm/v0.0.42/job/submit", &json!({"job": bench.job("true")}))
        .await;
    assert_eq!(refused.status, 500);
    let words = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)";
    assert_eq!(
        (
            &refused.body["errors"][0]["error_number"],
            &refused.body["errors"][0]["error"]
        ),
        (&json!(2050), &json!(words))
    );

    let mut job = bench.job("sleep 1000");
    job["account"] = json!("rpp-x");
    bench.role("bob").submit(&job).await;
    let second = bench.role("bob").submit(&job).await;
    assert_eq!(bench.cluster.job(second).unwrap().reason, "AssocMaxJobsLimit");
}

#[tokio::test]
async fn an_ended_job_leaves_slurm_after_min_job_age_and_stays_in_accounting() {
    let bench = Bench::start_with(|config, _| config.min_job_age_seconds = 0).await;
    let alice = bench.role("alice");
    let id = alice.submit(&bench.job("exit 7")).await;
    bench.wait(id, JobState::Failed).await;
    assert_eq!(alice.get(&format!("/slurm/v0.0.42/job/{id}")).await.status, 404);
    let live = alice
        .get("/slurmdb/v0.0.42/jobs/?users=alice&state=PENDING&state=RUNNING")
        .await;
    assert_eq!(live.body["jobs"], json!([]));
    let all = alice.get("/slurmdb/v0.0.42/jobs/?users=alice").await;
    assert_eq!(all.body["jobs"][0]["state"]["current"], json!(["FAILED"]));
    assert_eq!(all.body["jobs"][0]["exit_code"]["return_code"]["number"], 7);
}

#[tokio::test]
async fn private_data_hides_jobs_but_not_their_states() {
    let bench = Bench::start_with(|config, _| config.private_data = true).await;
    let id = bench.role("alice").submit(&bench.job("sleep 1000")).await;
    let path = format!("/slurm/v0.0.42/job/{id}");
    for (user, status, listed, associations) in [("alice", 200, 1, 3), ("bob", 404, 0, 0), ("portal", 200, 1, 3)] {
        let role = bench.role(user);
        assert_eq!(role.get(&path).await.status, status, "{user}");
        let jobs = role.get("/slurm/v0.0.42/jobs").await.body;
        assert_eq!(jobs["jobs"].as_array().unwrap().len(), listed, "{user}");
        let jobs = role.get("/slurmdb/v0.0.42/jobs/?users=alice").await.body;
        assert_eq!(jobs["jobs"].as_array().unwrap().len(), listed, "{user}");
        let own = role.get("/slurmdb/v0.0.42/associations?user=alice").await.body;
        assert_eq!(own["associations"].as_array().unwrap().len(), associations, "{user}");
        let states = role.get(&format!("/slurm/v0.0.42/jobs/state/?job_id={id}")).await.body;
        assert_eq!(states["jobs"][0]["state"], json!(["RUNNING"]), "{user}");
    }
    assert_eq!(
        bench.role("bob").delete(&path).await.body["status"][0]["error"]["code"],
        2017
    );
}
