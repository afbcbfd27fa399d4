//! A server's life through real Slurm, with a real Jupyter; the same on a local cluster is in `tests/api`.

use serde_json::{Value, json};
use shared::server::{EndCause, Phase};
use slipway_tests::{Plan, RealSlurm, Site, program};

on_each_release!(
    a_server_lives_and_ends,
    a_start_that_waits_too_long_is_given_up,
    an_administrator_checks_every_hop_and_leaves_no_job,
);

async fn a_server_lives_and_ends(release: &str) {
    let mut site = Site::start_on(RealSlurm::start(release).await, Plan::default()).await;
    let alice = site.sign_in("alice").await;
    let options: Value = alice.get("hub/api/options").await.json();
    assert_eq!(
        (options["time"]["max"].as_u64(), options["cores"]["max"].as_u64()),
        (Some(480), Some(8))
    );
    assert_eq!(options["accounts"][0]["name"], "def-alice_cpu");
    let dave = site.sign_in("dave").await;
    assert_eq!(dave.get("hub/api/options").await.code(), "no_association");

    let ready = alice
        .start_and_wait(&json!({ "time": "1 h", "cores": 2, "memory": "2 GB" }))
        .await;
    let status: Value = alice.get(&alice.own("api/status")).await.json();
    assert!(status["started"].is_string(), "{status}");
    let lab = alice.get("user/alice/lab").await;
    assert_eq!(lab.status, 200);
    assert!(
        lab.text.contains("\"hubPrefix\": \"/hub/\"") && lab.text.contains("\"token\": \"\""),
        "Lab does not know its hub"
    );
    let job = site
        .real()
        .ctl(&["scontrol", "show", "job", &ready.state.job_id.unwrap().to_string()])
        .await;
    for expected in [
        "UserId=alice",
        "JobName=slipway",
        "Account=def-alice_cpu",
        "TimeLimit=01:00:00",
        "Requeue=0",
    ] {
        assert!(job.contains(expected), "{expected}: {job}");
    }
    assert!(!job.contains("PRIVATE KEY"), "{job}");

    // Slurm goes away, Slipway is killed: the server stays reachable.
    site.real().ctl(&["stop", "slurmctld"]).await;
    site.kill_slipway().await;
    site.start_slipway().await;
    assert_eq!(alice.get("user/alice/lab").await.status, 200);
    site.real().ctl(&["start", "slurmctld"]).await;

    // Refused while Slurm is away, and not forgotten: it may be done before it is asked for again.
    slipway_tests::until("Slurm to take the cancel", || async {
        let status = alice.delete(&alice.server_path()).await.status;
        [202, 204].contains(&status).then_some(())
    })
    .await;
    let end = alice.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::Cancelled, true));
    site.shut_down().await;
}

async fn a_start_that_waits_too_long_is_given_up(release: &str) {
    let plan = Plan {
        start_timeout_seconds: 8,
        ..Plan::default()
    };
    let site = Site::start_on(RealSlurm::start(release).await, plan).await;
    let (bob, alice) = (site.sign_in("bob").await, site.sign_in("alice").await);
    site.real()
        .ctl(&["scontrol", "update", "NodeName=c1,c2", "State=DRAIN", "Reason=test"])
        .await;
    assert_eq!(bob.start(&json!({})).await.status, 202);
    let last = bob.progress().await.pop().unwrap();
    let end = last.state.end.unwrap();
    assert!(matches!(end.cause, EndCause::GaveUp { reason: Some(_) }), "{end:?}");
    let error = alice.start(&json!({ "account": "ctb-y" })).await;
    assert_eq!(error.code(), "options");
    site.shut_down().await;
}

async fn an_administrator_checks_every_hop_and_leaves_no_job(release: &str) {
    let site = Site::start_on(RealSlurm::start(release).await, Plan::default()).await;
    let output = tokio::process::Command::new(program("slipway"))
        .arg("check")
        .arg(site.path("slipway.toml"))
        .args(["--live", "--as", "alice"])
        .output()
        .await
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for hop in [
        "slurmrestd",
        "token",
        "compute accounts",
        "job",
        "queue",
        "port",
        "Jupyter",
        "end",
    ] {
        assert!(
            said.lines().any(|line| line.starts_with(&format!("ok      {hop}: "))),
            "{hop}: {said}"
        );
    }
    assert_eq!(
        site.real()
            .ctl(&["squeue", "-h", "-u", "alice", "-t", "PENDING,RUNNING"])
            .await,
        ""
    );
    site.shut_down().await;
}
