//! Slurm's key in a process of its own: what it does for Slipway, for strangers, and when it is away.

mod lines;

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use shared::server::Phase;
use slipway_tests::site::Users;
use slipway_tests::{Plan, Site, until};

use super::check_live::said::{HOPS, Said};

fn plan() -> Plan {
    Plan {
        signer: true,
        ..Plan::default()
    }
}

fn signal(signal: &str, pid: Option<u32>) {
    let status = Command::new("kill").args([signal, &pid.unwrap().to_string()]).status();
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn the_main_job_works_and_who_serves_cannot_read_the_key() {
    let site = Site::start(plan()).await;
    let users = Users::new();
    if users.differ() {
        let read = Command::new("cat")
            .arg(site.path("slurm.key"))
            .uid(users.serves)
            .gid(users.serves)
            .output()
            .unwrap();
        assert!(!read.status.success() && read.stdout.is_empty());
        let read = Command::new("cat")
            .arg(site.path("users.toml"))
            .uid(users.signs)
            .output();
        assert!(!read.unwrap().status.success(), "who signs has no need of passwords");
    }
    let ada = site.sign_in("ada").await;
    assert_eq!(ada.get("hub/api/options").await.status, 200);
    let started = ada.start(&json!({})).await;
    assert_eq!(started.status, 202, "{}", started.text);
    ada.wait_for(Phase::Ready).await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    assert_eq!(ada.delete(&ada.server_path()).await.status, 202);
    ada.wait_for(Phase::Ended).await;

    let (id, log) = (started.headers["x-request-id"].to_str().unwrap(), site.signer_log());
    let submitted = log.lines().filter(|line| line.contains("purpose=\"submit a job\""));
    let submitted: Vec<_> = submitted.collect();
    assert_eq!(submitted.len(), 1, "{log}");
    assert!(
        submitted[0].contains("sun=ada") && submitted[0].contains(&format!("request.id={id}")),
        "{submitted:?}"
    );
    assert!(
        !site.log().contains("signed a token"),
        "only who has the key can say that"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_stranger_is_refused_and_written_down() {
    let site = Site::start(plan()).await;
    if !Users::new().differ() {
        return site.shut_down().await; // Nobody here is a stranger.
    }
    // Whom no mode keeps away: root, who is neither of the two.
    let mut stranger = lines::Lines::connect(&site.signer_socket()).await;
    let reply = stranger
        .ask(&json!({ "whom": "service", "cause": "poller" }))
        .await
        .unwrap();
    assert!(reply["not_served"].is_string() && reply["signed"].is_null(), "{reply}");
    assert!(
        stranger
            .ask(&json!({ "whom": "service", "cause": "poller" }))
            .await
            .is_none()
    );
    until("it to be written down", || async {
        let log = site.signer_log();
        let line = log.lines().find(|line| line.contains("this user is not served"))?;
        assert!(
            line.contains(" WARN slipway::signatures: ") && line.contains("uid=0"),
            "{line}"
        );
        Some(())
    })
    .await;
    assert!(!site.signer_log().contains("request.id=poller by=\"person\""));
    site.shut_down().await;
}

async fn is_silent(person: &slipway_tests::Person, silent: bool) {
    until("what the page says of Slurm", || async {
        let state: Value = person.get("hub/api/site").await.json();
        (state["slurm_silent_since"].is_i64() == silent).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_signer_that_is_killed_or_not_there_yet_is_told_like_slurm_and_named_in_the_log() {
    let mut site = Site::start(plan()).await;
    let (ada, other) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    ada.start_and_wait(&json!({})).await;
    // Between two requests nobody notices.
    site.kill_signer().await;
    site.start_signer().await;
    assert_eq!(other.get("hub/api/options").await.status, 200);
    assert!(!site.log().contains("the signer of"), "{}", site.log());

    site.kill_signer().await;
    let refused = other.start(&json!({})).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "slurm_unreachable"),
        "{}",
        refused.text
    );
    is_silent(&other, true).await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    // Said once: the service user's last token is still good, and is no reason to call it over.
    let refused = other.start(&json!({})).await;
    assert_eq!(refused.code(), "slurm_unreachable");
    let count = |words: &str| site.log().matches(words).count();
    assert_eq!(
        count("the signer of Slurm's tokens does not answer cause="),
        1,
        "{}",
        site.log()
    );
    assert_eq!(count("Slurm stopped answering"), 0);

    site.start_signer().await;
    is_silent(&other, false).await;
    assert!(site.log().contains("the signer of Slurm's tokens answers again"));
    until("a start", || async {
        (other.start(&json!({})).await.status == 202).then_some(())
    })
    .await;
    other.wait_for(Phase::Ready).await;

    // Serving begins without one, and running servers are reached.
    site.kill_signer().await;
    site.kill_slipway().await;
    site.start_slipway().await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    assert_eq!(ada.get("hub/api/options").await.code(), "slurm_unreachable");
    site.start_signer().await;
    until("options", || async {
        (ada.get("hub/api/options").await.status == 200).then_some(())
    })
    .await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_signer_that_hangs_holds_nobody_up_for_long() {
    let site = Site::start(plan()).await;
    let ada = site.sign_in("ada").await;
    signal("-STOP", site.signer_pid());
    until("each of its threads to stand still", || async {
        let threads = std::fs::read_dir(format!("/proc/{}/task", site.signer_pid()?)).ok()?;
        let stands = |thread: std::fs::DirEntry| {
            let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap();
            stat.rsplit(") ").next().unwrap().starts_with('T')
        };
        threads.map(Result::unwrap).all(stands).then_some(())
    })
    .await;
    // The first waits for it a while; after that it is known.
    for seconds in [4, 1, 1] {
        let asked = Instant::now();
        let refused = ada.get("hub/api/options").await;
        assert_eq!(refused.code(), "slurm_unreachable", "{}", refused.text);
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(seconds), "it took {took:?}");
    }
    assert!(site.log().contains("no answer in time"), "{}", site.log());
    signal("-CONT", site.signer_pid());
    is_silent(&ada, false).await;
    until("options", || async {
        (ada.get("hub/api/options").await.status == 200).then_some(())
    })
    .await;
    site.shut_down().await;
}

async fn check(site: &Site) -> Said {
    let mut command = tokio::process::Command::new(site.path("slipway"));
    let users = Users::new();
    if users.differ() {
        command.uid(users.serves).gid(users.serves);
    }
    let output = command
        .arg("check")
        .arg(site.path("slipway.toml"))
        .args(["--live", "--as", "ada"])
        .env("TMPDIR", site.path("."))
        .output();
    Said::of(&output.await.unwrap())
}

#[tokio::test]
async fn the_check_names_this_hop_first() {
    let mut site = Site::start(plan()).await;
    let said = check(&site).await;
    let hops: Vec<_> = ["signer"].into_iter().chain(HOPS).collect();
    assert_eq!((said.code, said.hops("ok")), (Some(0), hops), "{}", said.text);
    site.kill_signer().await;
    let said = check(&site).await;
    assert_eq!(
        (said.code, said.hops("failed")),
        (Some(1), vec!["signer"]),
        "{}",
        said.text
    );
    let line = said.text.lines().find(|line| line.starts_with("failed")).unwrap();
    for word in ["signer.sock", "slipway sign", "signer.allow_uid"] {
        assert!(line.contains(word), "{word} is not in {line}");
    }
    site.shut_down().await;
}

#[test]
fn two_signers_do_not_share_a_socket_and_nothing_else_is_taken_for_an_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let first = lines::OwnSigner::start(folder.path(), "");
    assert_eq!(first.socket_mode(), 0o600);
    let second = lines::start_in_vain(folder.path());
    assert!(second.contains("another signer listens there"), "{second}");
    drop(first); // Killed: its socket stays, and is replaced.
    let third = lines::OwnSigner::start(folder.path(), "allow_uid = 61001");
    assert_eq!(third.socket_mode(), 0o660);
    let socket = third.socket();
    third.terminate();
    assert!(!socket.exists());
    std::fs::write(&socket, "a file").unwrap();
    let refused = lines::start_in_vain(folder.path());
    assert!(refused.contains("no socket"), "{refused}");
    std::fs::remove_file(&socket).unwrap();
    let run = socket.parent().unwrap();
    std::fs::set_permissions(run, std::fs::Permissions::from_mode(0o777)).unwrap();
    let refused = lines::start_in_vain(folder.path());
    assert!(refused.contains("everybody can write into"), "{refused}");
}

#[tokio::test]
async fn a_signer_whose_log_nobody_reads_any_more_ends_when_it_is_told_to() {
    let folder = tempfile::tempdir().unwrap();
    let mut signer = lines::OwnSigner::start(folder.path(), "");
    signer.stop_reading();
    let mut connection = lines::Lines::connect(&signer.socket()).await;
    let order = json!({ "whom": "service", "cause": "poller" });
    assert!(connection.ask(&order).await.unwrap()["signed"].is_object());
    signer.terminate();
}

#[tokio::test]
async fn the_signer_keeps_its_own_limits_whatever_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let signer = lines::OwnSigner::start(folder.path(), "");
    let person =
        |user: &str| json!({ "whom": { "person": { "user": user, "purpose": "submit_job" } }, "cause": "ab12" });
    let mut connection = lines::Lines::connect(&signer.socket()).await;
    for (order, sun) in [
        (person("ada"), "ada"),
        (json!({ "whom": "service", "cause": "poller" }), "slipway"),
        (person("bob"), "bob"),
    ] {
        let reply = connection.ask(&order).await.unwrap();
        let claims = lines::claims(reply["signed"]["token"].as_str().unwrap());
        assert_eq!(claims["sun"], sun);
        assert_eq!(claims["exp"], reply["signed"]["until"]);
        assert_eq!(
            claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(),
            120,
            "token_seconds"
        );
    }
    // The same connection goes on after a refusal …
    for name in ["root", "slipway", "2001", "0"] {
        let reply = connection.ask(&person(name)).await.unwrap();
        assert!(
            reply["refused"].as_str().unwrap().contains(name) && reply["signed"].is_null(),
            "{reply}"
        );
    }
    assert!(connection.ask(&person("ada")).await.unwrap()["signed"].is_object());
    // … and not after what is no order.
    let padded = |length: usize| format!("{}{}", person("ada"), " ".repeat(length));
    assert!(connection.ask_line(&padded(100)).await.unwrap()["signed"].is_object());
    for bad in [
        person("../etc"),
        person("a\nb"),
        json!({ "whom": { "person": { "user": "ada", "purpose": "be_root" } }, "cause": "ab12" }),
        json!({ "whom": { "person": { "user": "ada", "purpose": "submit_job", "seconds": 900 } }, "cause": "ab12" }),
        json!({ "whom": "service", "cause": "two\nlines" }),
        json!({ "whom": "service" }),
    ]
    .map(|order| order.to_string())
    .into_iter()
    .chain(["no JSON".to_owned(), padded(5000)])
    {
        let mut connection = lines::Lines::connect(&signer.socket()).await;
        let reply = connection.ask_line(&bad).await.unwrap();
        assert!(reply["not_served"].is_string() && reply["signed"].is_null(), "{reply}");
        assert!(connection.ask(&person("ada")).await.is_none(), "it went on after {bad}");
    }
    let log = signer.terminate();
    let count = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    assert_eq!(
        (
            count(" INFO slipway::signatures: signed"),
            count(" WARN slipway::signatures: refused to sign")
        ),
        (5, 4),
        "{log}"
    );
    assert_eq!(count(" WARN slipway::signatures: refused an order"), 8, "{log}");
    assert!(!log.contains("eyJ"), "{log}");
}
