//! `slipway check FILE --live --as USER`: what an administrator reads of every hop, and that no job is left.

pub(super) mod said;

use std::path::Path;
use std::process::Stdio;

use local_slurm::{Fault, JobState, JobView};
use serde_json::json;
use shared::server::Phase;
use slipway_tests::{Plan, Site, program, until};
use tokio::process::Command;

use self::said::{HOPS, Said};

/// The site's configuration with one thing changed.
fn changed(site: &Site, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    assert!(text.contains(from), "{from} is not in the configuration");
    let path = site.path("check.toml");
    std::fs::write(&path, text.replace(from, to)).unwrap();
    path.display().to_string()
}

fn command(configuration: &str, user: &str) -> Command {
    let mut command = Command::new(program("slipway"));
    command
        .args(["check", configuration, "--live", "--as", user])
        // One that is killed leaves its folder.
        .env("TMPDIR", Path::new(configuration).parent().unwrap())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn check(configuration: &str, user: &str) -> Said {
    Said::of(&command(configuration, user).output().await.unwrap())
}

async fn check_site(site: &Site, user: &str) -> Said {
    check(&site.path("slipway.toml").display().to_string(), user).await
}

fn job(site: &Site, id: u32) -> JobView {
    site.cluster().job(id).unwrap()
}

#[tokio::test]
async fn where_all_is_well_each_hop_is_named_and_a_server_that_runs_is_left_alone() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let said = check_site(&site, "ada").await;
    assert_eq!((said.code, said.hops("ok")), (Some(0), HOPS.to_vec()), "{}", said.text);
    for word in [
        site.cluster().url().as_str(),
        "API v0.0.42",
        "cpubase_interac is up, 2 of its 2 nodes",
        "def-ada, rrg-ada",
        "job 2 for ada (1 core, 2048 MiB, 1 minute, charged to def-ada)",
        "it got c1",
        "127.0.0.1:2",
        "/user/ada/api/status answers through the proxy",
    ] {
        assert!(said.text.contains(word), "{word} is not in:\n{}", said.text);
    }
    let checked = job(&site, 2);
    assert_eq!(
        (checked.name.as_str(), checked.state),
        ("slipway-check", JobState::Cancelled)
    );
    assert_eq!(job(&site, 1).state, JobState::Running);
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    assert_eq!(ada.get("user/ada/api/status").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn a_slurmrestd_that_is_away_is_named_with_its_address() {
    let site = Site::start(Plan::default()).await;
    site.cluster().set_fault(Fault::Refused);
    let said = check_site(&site, "ada").await;
    let url = site.cluster().url();
    said.failed_at("slurmrestd", &[&url, "systemctl status slurmrestd"]);
    site.shut_down().await;
}

#[tokio::test]
async fn a_slurmctld_that_is_away_is_told_too() {
    let site = Site::start(Plan::default()).await;
    site.cluster().set_fault(Fault::ControllerDown);
    let said = check_site(&site, "ada").await;
    said.failed_at("slurmrestd", &["slurmctld does not respond", "scontrol ping"]);
    site.shut_down().await;
}

#[tokio::test]
async fn a_key_that_is_not_slurms_is_told_by_what_has_to_fit() {
    let site = Site::start(Plan::default()).await;
    backend::keys::create_secret(&site.path("other.key")).unwrap();
    let said = check(&changed(&site, "slurm.key\"", "other.key\""), "ada").await;
    said.failed_at(
        "token",
        &["slurm.key_file", "AuthAltParameters", "slurm.key_id", "clocks"],
    );
    site.shut_down().await;
}

#[tokio::test]
async fn clocks_that_are_apart_are_named_and_fail_nothing() {
    let site = Site::start(Plan::default()).await;
    local_slurm::set_clock_ahead(40);
    let said = check_site(&site, "ada").await;
    assert_eq!(
        (said.code, said.hops("note")),
        (Some(0), vec!["clocks"]),
        "{}",
        said.text
    );
    let line = said.text.lines().find(|line| line.starts_with("note")).unwrap();
    assert!(line.contains(" s ahead of ours") && line.contains("NTP"), "{line}");
    site.shut_down().await;
}

#[tokio::test]
async fn a_partition_that_does_not_exist_is_told_beside_those_that_do() {
    let site = Site::start(Plan::default()).await;
    let said = check(&changed(&site, "\"cpubase_interac\"", "\"interactive\""), "ada").await;
    said.failed_at(
        "partition",
        &["no partition interactive", "cpubase_interac, gpubase_interac"],
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_partition_without_a_node_in_service_is_named() {
    let site = Site::start(Plan::default()).await;
    for node in ["c1", "c2"] {
        assert!(site.cluster().set_node_state(node, "DRAIN"));
    }
    let said = check_site(&site, "ada").await;
    said.failed_at("partition", &["none of the 2 nodes", "sinfo --list-reasons"]);
    site.shut_down().await;
}

#[tokio::test]
async fn somebody_without_an_association_is_told_how_to_get_one() {
    let site = Site::start(Plan::default()).await;
    let said = check_site(&site, "no-association").await;
    said.failed_at("compute accounts", &["sacctmgr add user no-association"]);
    assert!(site.cluster().job(1).is_none());
    site.shut_down().await;
}

#[tokio::test]
async fn a_database_that_is_away_is_told_from_slurmctld() {
    let site = Site::start(Plan::default()).await;
    site.cluster().set_fault(Fault::DatabaseDown);
    let said = check_site(&site, "ada").await;
    said.failed_at("compute accounts", &["slurmdbd", "sacctmgr ping"]);
    site.shut_down().await;
}

#[tokio::test]
async fn a_blocked_name_is_told_before_slurm_is_asked() {
    let site = Site::start(Plan::default()).await;
    let said = check_site(&site, "root").await;
    said.failed_at("compute accounts", &["root", "sign_in.blocked"]);
    site.shut_down().await;
}

#[tokio::test]
async fn a_refused_job_is_told_in_slurms_words() {
    let site = Site::start(Plan::default()).await;
    let said = check_site(&site, "refused").await;
    said.failed_at(
        "job",
        &[
            "Job violates accounting/QOS policy",
            "2050",
            "cpubase_interac",
            "def-refused",
        ],
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_job_that_waits_too_long_is_cancelled_and_told_with_slurms_reason() {
    let site = Site::start(Plan {
        start_timeout_seconds: 5,
        ..Plan::default()
    })
    .await;
    let said = check_site(&site, "waits").await;
    said.failed_at("queue", &["5 s", "Resources", "job.start_timeout_seconds"]);
    assert_eq!(said.hops("note"), ["queue"], "{}", said.text);
    assert_eq!(job(&site, 1).state, JobState::Cancelled);
    site.shut_down().await;
}

#[tokio::test]
async fn what_fails_in_the_job_is_told_by_the_key_that_is_wrong_and_the_log() {
    for (setup, jupyter, words) in [
        (
            "",
            "no-such-jupyter",
            ["no command no-such-jupyter", "job.jupyter", "job.setup"],
        ),
        (
            "module() { return 1; }; module load jupyter",
            "true",
            ["job.setup", "ended with an error", "log"],
        ),
        (
            "scontrol() { return 1; }; PATH=/nowhere; scontrol=/nowhere; SLURM_JOB_ID=0",
            "/bin/true",
            ["scontrol update", "job.environment", "slurmctld"],
        ),
    ] {
        let site = Site::start(Plan {
            setup: setup.into(),
            jupyter: jupyter.into(),
            ..Plan::default()
        })
        .await;
        let said = check_site(&site, "ada").await;
        let log = site.path("home/ada/.slipway-1.log").display().to_string();
        said.failed_at("port", &[&words[..], &["job 1: ", &log]].concat());
        assert_eq!(job(&site, 1).state, JobState::Failed);
        site.shut_down().await;
    }
}

#[tokio::test]
async fn a_node_outside_the_configured_networks_is_named_and_the_job_cancelled() {
    let site = Site::start(Plan::default()).await;
    let said = check(&changed(&site, "127.0.0.0/8", "10.0.0.0/8"), "ada").await;
    said.failed_at("port", &["127.0.0.1", "job.networks (10.0.0.0/8)", "NodeAddr"]);
    assert_eq!(said.hops("ok").last(), Some(&"end"), "{}", said.text);
    assert_eq!(job(&site, 1).state, JobState::Cancelled);
    site.shut_down().await;
}

#[tokio::test]
async fn a_node_that_refuses_connections_is_told_by_what_may_stand_between() {
    let site = Site::start(Plan {
        minute_seconds: 4.0,
        ..Plan::default()
    })
    .await;
    let said = check(&changed(&site, "bind = \"127.0.0.1\"", "bind = \"127.0.0.2\""), "ada").await;
    said.failed_at(
        "Jupyter",
        &["127.0.0.1:2", "job.bind", "firewall", "job.ports", "job.networks"],
    );
    assert_eq!(job(&site, 1).state, JobState::Timeout);
    site.shut_down().await;
}

#[tokio::test]
async fn an_interrupted_check_leaves_no_job() {
    let site = Site::start(Plan::default()).await;
    let configuration = site.path("slipway.toml").display().to_string();
    let child = command(&configuration, "waits").spawn().unwrap();
    until("its job", || async { site.cluster().job(1) }).await;
    let pid = child.id().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-INT", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    let said = Said::of(&child.wait_with_output().await.unwrap());
    assert_eq!(
        (said.code, said.hops("ok").last()),
        (Some(1), Some(&"end")),
        "{}",
        said.text
    );
    assert!(
        said.text.ends_with("slipway: the check was interrupted\n"),
        "{}",
        said.text
    );
    assert_eq!(job(&site, 1).state, JobState::Cancelled);
    site.shut_down().await;
}

#[tokio::test]
async fn a_check_that_was_killed_is_cleared_away_by_the_next() {
    let site = Site::start(Plan {
        start_timeout_seconds: 5,
        ..Plan::default()
    })
    .await;
    let configuration = site.path("slipway.toml").display().to_string();
    let mut child = command(&configuration, "waits").spawn().unwrap();
    until("its job", || async { site.cluster().job(1) }).await;
    child.kill().await.unwrap();
    let said = check_site(&site, "waits").await;
    said.failed_at("queue", &["job 2: "]);
    assert_eq!(said.hops("note")[0], "job", "{}", said.text);
    assert_eq!([1, 2].map(|id| job(&site, id).state), [JobState::Cancelled; 2]);
    site.shut_down().await;
}

#[tokio::test]
async fn live_and_as_belong_together() {
    for arguments in [&["--live"][..], &["--as", "ada"]] {
        let output = Command::new(program("slipway"))
            .args(["check", "/nowhere.toml"])
            .args(arguments)
            .output();
        let output = output.await.unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(2) && words.contains("required"), "{words}");
    }
}
