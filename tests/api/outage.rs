//! Slurm in parts: the database away, jobs forgotten or hidden, clocks apart, and many who watch.

use futures_util::StreamExt;
use local_slurm::{Fault, JobState};
use serde_json::{Value, json};
use shared::api::UserView;
use shared::options::OptionsView;
use shared::server::{EndCause, Phase, ProgressEvent};
use slipway_tests::{Person, Plan, Site, until};

async fn user(person: &Person) -> UserView {
    person.get("hub/api/user").await.json()
}

#[tokio::test]
async fn without_the_accounting_database_people_start_stop_and_are_told_no_outage() {
    let site = Site::start(Plan::default()).await;
    let (ada, new) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    assert_eq!(ada.get("hub/api/options").await.status, 200);
    site.cluster().set_fault(Fault::DatabaseDown);
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.delete(&ada.server_path()).await.status, 202);
    ada.wait_for(Phase::Ended).await;
    assert_eq!(ada.get("hub/api/options").await.json::<OptionsView>().accounts.len(), 2);
    // Of somebody new nobody knows what they may charge: that is said, and not called nothing.
    assert_eq!(new.get("hub/api/options").await.code(), "slurm_unreachable");
    let state: Value = ada.get("hub/api/site").await.json();
    assert!(state["slurm_silent_since"].is_null(), "{state}");
    site.cluster().resume();
    until("the database to be noticed again", || async {
        (new.get("hub/api/options").await.status == 200).then_some(())
    })
    .await;
    site.shut_down().await;
}

#[tokio::test]
async fn while_slurm_cannot_say_whether_there_is_a_server_nobody_claims_that_there_is_none() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    site.kill_slipway().await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(site.path(&format!("slipway.db{suffix}")));
    }
    site.cluster().set_fault(Fault::ControllerDown);
    site.start_slipway().await;
    let unknown = user(&ada).await;
    assert!(unknown.servers_unknown && unknown.servers.is_empty(), "{unknown:?}");
    let refused = ada.start(&json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "slurm_unreachable"));
    site.cluster().resume();
    let server = ada.wait_for(Phase::Ready).await;
    assert_eq!(server.state.job_id, Some(1));
    assert!(!user(&ada).await.servers_unknown);
    assert!(site.cluster().job(2).is_none(), "a second job was made");
    site.shut_down().await;
}

#[tokio::test]
async fn how_a_job_ended_that_slurm_has_forgotten_is_asked_of_the_database() {
    let mut site = Site::start(Plan {
        cluster: |cluster| cluster.min_job_age_seconds = 1,
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    site.kill_slipway().await;
    assert!(site.cluster().finish(1, JobState::Preempted));
    let slurm = site.slurm_client();
    until("Slurm to forget the job", || async {
        slurm.service().job(1).await.is_err().then_some(())
    })
    .await;
    site.start_slipway().await;
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::Preempted, true));
    site.shut_down().await;
}

#[tokio::test]
async fn a_job_that_the_service_user_may_not_see_is_asked_for_by_its_owner() {
    let site = Site::start(Plan {
        cluster: |cluster| {
            cluster.private_data = true;
            cluster.service_user = "somebody-else".into();
        },
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    assert_eq!(ada.delete(&ada.server_path()).await.status, 202);
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!(end.cause, EndCause::Cancelled);
    site.shut_down().await;
}

#[tokio::test]
async fn a_node_that_fails_ends_the_server_and_says_so() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let node = ada.start_and_wait(&json!({})).await.state.node.unwrap();
    assert!(site.cluster().set_node_state(&node, "DOWN"));
    // The browser's own requests make Slipway look before its next round.
    until("the end", || async {
        ada.get("user/ada/lab").await;
        ada.server().await?.stopped.then_some(())
    })
    .await;
    let end = ada.server().await.unwrap().state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::NodeFailed, true));
    site.shut_down().await;
}

#[tokio::test]
async fn times_are_counted_by_slurms_clock_and_clocks_apart_are_named_in_the_log() {
    local_slurm::set_clock_ahead(60);
    let site = Site::start(Plan {
        start_timeout_seconds: 300,
        ..Plan::default()
    })
    .await;
    until("the clocks to be compared", || async {
        site.log().contains("are apart").then_some(())
    })
    .await;
    let named = (59..=61).any(|seconds| site.log().contains(&format!("ahead_s={seconds}")));
    assert!(named, "{}", site.log());
    let person = site.sign_in("waits").await;
    person.start(&json!({})).await;
    let state = person.wait_for(Phase::Queued).await.state;
    let waited = state.now - state.submitted_at.unwrap();
    assert!((-2..=10).contains(&waited), "waited {waited} s");
    let left = state.give_up_at.unwrap() - state.now;
    assert!((280..=301).contains(&left), "{left} s left");
    site.shut_down().await;
}

/// The events of a stream as they come.
async fn follow(
    person: &Person,
    last_heard: Option<&str>,
) -> impl futures_util::Stream<Item = (String, ProgressEvent)> {
    let mut request = person.request(http::Method::GET, &format!("{}/progress", person.server_path()));
    if let Some(id) = last_heard {
        request = request.header("last-event-id", id);
    }
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let chunks = answer
        .bytes_stream()
        .map(|bytes| String::from_utf8_lossy(&bytes.unwrap()).into_owned());
    // Slipway sends each event in one piece.
    chunks.filter_map(async |chunk| {
        let line = |name: &str| chunk.lines().find_map(|line| line.strip_prefix(name));
        Some((line("id: ")?.to_owned(), serde_json::from_str(line("data: ")?).unwrap()))
    })
}

#[tokio::test]
async fn who_was_cut_off_hears_what_is_the_case_now_and_nothing_twice() {
    let site = Site::start(Plan::default()).await;
    let person = site.sign_in("waits").await;
    person.start(&json!({})).await;
    let mut events = Box::pin(follow(&person, None).await);
    let id = loop {
        let (id, event) = events.next().await.unwrap();
        if event.state.reason.is_some() {
            break id;
        }
    };
    drop(events);
    // Cut off, and back before anything has changed: the next thing heard is something else.
    let mut events = Box::pin(follow(&person, Some(&id)).await);
    person.delete(&person.server_path()).await;
    let (next_id, next) = events.next().await.unwrap();
    assert_ne!(next_id, id);
    assert_ne!(next.state.phase, Phase::Queued, "{next:?}");
    drop(events);
    // A laptop that slept through all of it catches up in one message.
    person.wait_for(Phase::Ended).await;
    let heard: Vec<_> = follow(&person, Some(&id)).await.collect().await;
    assert_eq!(heard.len(), 1, "{heard:?}");
    assert_eq!(heard[0].1.failed, Some(true));
    site.shut_down().await;
}

#[tokio::test]
async fn two_hundred_who_watch_cost_slurm_no_more_than_one() {
    let site = Site::start(Plan::default()).await;
    let person = site.sign_in("waits").await;
    person.start(&json!({})).await;
    until("the reason", || async { person.server().await?.state.reason }).await;
    let mut watchers = Vec::new();
    for _ in 0..200 {
        watchers.push(Box::pin(follow(&person, None).await));
    }
    let before = site.cluster().requests();
    person.delete(&person.server_path()).await;
    let lasts = watchers
        .into_iter()
        .map(async |events| events.collect::<Vec<_>>().await.pop().unwrap());
    for (_, last) in futures_util::future::join_all(lasts).await {
        assert_eq!(last.failed, Some(true));
    }
    let asked = site.cluster().requests() - before;
    assert!(asked < 20, "{asked} requests to Slurm");
    site.shut_down().await;
}

#[tokio::test]
async fn while_slurm_hangs_no_page_waits_for_it() {
    let site = Site::start(Plan::default()).await;
    let (ada, new) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.get("hub/api/options").await.status, 200);
    site.cluster().set_fault(Fault::Silent);
    until("the outage to be noticed", || async {
        let state: Value = ada.get("hub/api/site").await.json();
        state["slurm_silent_since"].is_i64().then_some(())
    })
    .await;
    // slurmrestd takes every request and answers none: what asked it would hang, what did not is answered.
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    assert!(ada.get("hub/api/options").await.json::<OptionsView>().ages.cluster < 60);
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    assert_eq!(new.start(&json!({})).await.code(), "slurm_unreachable");
    for person in [&ada, &new] {
        let document = person.navigate("hub/home").await;
        assert!(document.text.contains("\"slurm_silent_since\":"), "{}", document.text);
    }
    site.cluster().resume();
    until("a start, when all is well again", || async {
        (new.start(&json!({})).await.status == 202).then_some(())
    })
    .await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_server_that_does_not_answer_for_a_while_is_not_ended_for_it() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let script = site.cluster().job(1).unwrap().process.unwrap().to_string();
    let signal = |signal: &'static str| {
        let done = std::process::Command::new("pkill")
            .args([signal, "-P", &script])
            .status();
        assert!(done.unwrap().success(), "{signal}");
    };
    // Leaves a connection that waits for the next request: a new one would be given up after a few seconds.
    assert_eq!(ada.get("user/ada/api/status").await.status, 200);
    // As on a node that hangs, or behind a network that is cut: nothing comes back.
    signal("-STOP");
    let asked = ada.request(http::Method::GET, "user/ada/api/status").send();
    let asked = tokio::spawn(asked);
    let before = site.cluster().requests();
    until("Slipway to ask Slurm again", || async {
        (site.cluster().requests() > before).then_some(())
    })
    .await;
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    assert_eq!(site.cluster().job(1).unwrap().state, JobState::Running);
    signal("-CONT");
    assert_eq!(
        asked.await.unwrap().unwrap().status(),
        200,
        "the request that waited is answered"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_slurmctld_that_is_away_behind_slurmrestd_is_one_silence_from_its_beginning_on() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    site.cluster().set_fault(Fault::ControllerDown);
    let since = async || ada.get("hub/api/site").await.json::<Value>()["slurm_silent_since"].as_i64();
    let began = until("the silence to be noticed", || async { since().await }).await;
    let (first, asked) = (site.cluster().requests(), std::time::Instant::now());
    until("some rounds", || async {
        (site.cluster().requests() >= first + 12).then_some(())
    })
    .await;
    // The first two rounds may follow each other at once, and each tries some versions of the API.
    assert!(asked.elapsed().as_secs() >= 1, "it does not pause between rounds");
    assert_eq!(since().await, Some(began));
    let state = ada.server().await.unwrap().state;
    assert_eq!(state.slurm_silent_since, Some(began));
    assert_eq!(
        site.log().matches("Slurm stopped answering").count(),
        1,
        "{}",
        site.log()
    );
    site.cluster().resume();
    until("the end of it", || async { since().await.is_none().then_some(()) }).await;
    site.shut_down().await;
}
