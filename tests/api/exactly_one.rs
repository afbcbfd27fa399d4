//! One job for one start, and none that nobody knows of: whatever is clicked, lost, shared or killed.

use std::process::Stdio;

use local_slurm::{Fault, JobState};
use serde_json::json;
use shared::server::{EndCause, Phase};
use slipway_tests::{Person, Plan, Site, until};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

fn plan() -> Plan {
    Plan {
        start_timeout_seconds: 5,
        ..Plan::default()
    }
}

/// Slipway knows what the person may choose and that they have no server: Start asks Slurm for the job alone.
async fn warm(person: &Person) {
    assert_eq!(person.get("hub/api/options").await.status, 200);
    assert!(person.server().await.is_none());
}

#[tokio::test]
async fn clicks_on_two_slipways_at_once_make_one_job_that_both_lead_to() {
    let mut site = Site::start(Plan::default()).await;
    let other = site.start_beside().await;
    let (here, there) = (site.sign_in("ada").await, site.sign_in_at(&other, "ada").await);
    let options = json!({});
    let (a, b, c, d) = tokio::join!(
        here.start(&options),
        there.start(&options),
        here.start(&options),
        there.start(&options)
    );
    assert_eq!(
        [a.status, b.status, c.status, d.status],
        [202; 4],
        "{} {}",
        a.text,
        b.text
    );
    for person in [&here, &there] {
        let server = person.wait_for(Phase::Ready).await;
        assert_eq!(server.state.job_id, Some(1));
        assert_eq!(person.get("user/ada/lab").await.status, 200);
    }
    assert!(site.cluster().job(2).is_none(), "a second job was made");

    // It ends for both, and the next start is one job again.
    assert_eq!(there.delete(&there.server_path()).await.status, 202);
    for person in [&here, &there] {
        until("its end", || async {
            person.server().await.is_none_or(|s| s.stopped).then_some(())
        })
        .await;
    }
    assert_eq!(here.start(&options).await.status, 202);
    assert_eq!(there.start(&options).await.status, 202);
    assert_eq!(there.wait_for(Phase::Ready).await.state.job_id, Some(2));
    assert!(site.cluster().job(3).is_none(), "a third job was made");
    site.shut_down().await;
}

#[tokio::test]
async fn a_server_that_many_requests_take_over_at_once_stays_in_the_store() {
    let mut site = Site::start(Plan::default()).await;
    let other = site.start_beside().await;
    let there = site.sign_in_at(&other, "ada").await;
    let here = site.sign_in("ada").await;
    here.start_and_wait(&json!({})).await;
    // As Lab does it, when it is opened: the other Slipway hears of the server from all of these together.
    let burst = (0..16).map(async |_| there.get("user/ada/lab").await.status);
    let statuses = futures_util::future::join_all(burst).await;
    assert_eq!(statuses, [200; 16]);
    site.kill_slipway().await;
    site.cluster().set_fault(Fault::ControllerDown);
    site.start_slipway().await;
    assert_eq!(here.get("user/ada/lab").await.status, 200, "its way was in the store");
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_who_keeps_waiting_is_not_given_up_by_any_slipway() {
    let mut site = Site::start(plan()).await;
    let other = site.start_beside().await;
    let (here, there) = (site.sign_in("waits").await, site.sign_in_at(&other, "waits").await);
    assert_eq!(here.start(&json!({})).await.status, 202);
    there.wait_for(Phase::Queued).await;
    let path = format!("{}/keep-waiting", here.server_path());
    assert_eq!(here.post(&path, &json!({})).await.status, 204);
    let waiting = here.wait_for(Phase::Queued).await;
    assert_eq!(waiting.state.give_up_at, None);
    // The other Slipway finds out when it would have given up.
    let waiting = until("the other one to know", || async {
        there.server().await.filter(|server| server.state.give_up_at.is_none())
    })
    .await;
    assert_eq!(waiting.state.phase, Phase::Queued);
    assert_eq!(site.cluster().job(1).unwrap().state, JobState::Pending);
    here.delete(&here.server_path()).await;
    here.wait_for(Phase::Ended).await;
    let nothing = here.post(&path, &json!({})).await;
    assert_eq!((nothing.status, nothing.code().as_str()), (400, "conflict"));
    site.shut_down().await;
}

#[tokio::test]
async fn the_next_server_is_started_once_whichever_slipway_was_told() {
    let mut site = Site::start(Plan::default()).await;
    let other = site.start_beside().await;
    let (here, there) = (site.sign_in("ada").await, site.sign_in_at(&other, "ada").await);
    here.start_and_wait(&json!({})).await;
    there.wait_for(Phase::Ready).await;
    let next = format!("{}/next", here.server_path());
    for (id, wanted) in [(1, true), (2, false)] {
        assert_eq!(here.put(&next).await.status, 204);
        assert_eq!(there.delete(&next).await.status, 204);
        if wanted {
            assert_eq!(there.put(&next).await.status, 204);
        }
        assert!(site.cluster().finish(id, JobState::Timeout));
        if wanted {
            for person in [&here, &there] {
                let is_there = async || {
                    // Whoever works with it finds out at once.
                    person.get(&person.own("lab")).await;
                    let server = person.server().await?;
                    (server.ready && server.state.job_id == Some(2)).then_some(())
                };
                until("the next server", is_there).await;
            }
        } else {
            here.wait_for(Phase::Ended).await;
            there.wait_for(Phase::Ended).await;
        }
    }
    assert!(site.cluster().job(3).is_none(), "one too many was made");
    site.shut_down().await;
}

#[tokio::test]
async fn a_job_whose_submissions_answer_was_lost_is_found_even_without_the_accounting_database() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    warm(&ada).await;
    site.cluster().set_fault(Fault::SubmissionsLost);
    assert_eq!(ada.start(&json!({})).await.status, 202);
    site.cluster().set_fault(Fault::DatabaseDown);
    let server = ada.wait_for(Phase::Ready).await;
    assert_eq!(server.state.job_id, Some(1));
    assert!(site.cluster().job(2).is_none(), "a second job was made");
    site.shut_down().await;
}

#[tokio::test]
async fn a_slipway_that_was_killed_while_it_submitted_finds_the_job_and_makes_no_second() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    warm(&ada).await;
    site.cluster().set_fault(Fault::SubmissionsHang);
    let (request, path) = (ada.request(http::Method::POST, &ada.server_path()), ada.server_path());
    let click = tokio::spawn(request.json(&json!({})).send());
    until("the job", || async { site.cluster().job(1) }).await;
    site.kill_slipway().await;
    assert!(click.await.unwrap().is_err(), "nobody was there to answer");
    site.cluster().resume();
    let job = site.cluster().job(1).unwrap();
    assert_eq!((job.state, job.reason.as_str()), (JobState::Pending, "JobHeldUser"));
    site.start_slipway().await;
    // The person presses Start again.
    let again = ada.start(&json!({})).await;
    assert_eq!(again.status, 202, "{path}: {}", again.text);
    assert_eq!(ada.wait_for(Phase::Ready).await.state.job_id, Some(1));
    assert!(site.cluster().job(2).is_none(), "a second job was made");
    site.shut_down().await;
}

#[tokio::test]
async fn stop_before_slurms_answer_ends_the_job_even_if_slipway_is_killed_then() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    warm(&ada).await;
    site.cluster().set_fault(Fault::SubmissionsHang);
    let request = ada.request(http::Method::POST, &ada.server_path());
    let click = tokio::spawn(request.json(&json!({})).send());
    until("the job", || async { site.cluster().job(1) }).await;
    assert_eq!(ada.delete(&ada.server_path()).await.status, 202);
    site.kill_slipway().await;
    assert!(click.await.unwrap().is_err(), "nobody was there to answer");
    site.cluster().resume();
    site.start_slipway().await;
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!(end.cause, EndCause::Cancelled);
    assert_eq!(site.cluster().job(1).unwrap().state, JobState::Cancelled);
    site.shut_down().await;
}

#[tokio::test]
async fn stop_is_done_when_slurm_is_back_even_by_the_next_slipway() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    site.cluster().set_fault(Fault::ControllerDown);
    assert_eq!(ada.delete(&ada.server_path()).await.status, 202);
    assert_eq!(ada.wait_for(Phase::Stopping).await.pending.as_deref(), Some("stop"));
    assert_eq!(
        ada.delete(&ada.server_path()).await.status,
        202,
        "asked twice is asked once"
    );
    site.kill_slipway().await;
    site.start_slipway().await;
    assert_eq!(ada.wait_for(Phase::Stopping).await.state.job_id, Some(1));
    site.cluster().resume();
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::Cancelled, true));
    assert_eq!(site.cluster().job(1).unwrap().state, JobState::Cancelled);
    site.shut_down().await;
}

#[tokio::test]
async fn a_locked_store_stops_nobody() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let lock = "import sqlite3, sys\nstore = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
                store.execute('BEGIN EXCLUSIVE')\nprint('locked', flush=True)\nsys.stdin.read()";
    let mut python = tokio::process::Command::new("python3")
        .args(["-c", lock])
        .arg(site.path("slipway.db"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let mut said = String::new();
    BufReader::new(python.stdout.take().unwrap())
        .read_line(&mut said)
        .await
        .unwrap();
    assert_eq!(said, "locked\n");

    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    let again = ada.start(&json!({})).await;
    assert_eq!((again.status, again.code().as_str()), (400, "conflict"));
    let stopped = ada.delete(&ada.server_path()).await.status;
    assert!([202, 204].contains(&stopped), "{stopped}");
    ada.wait_for(Phase::Ended).await;
    python.stdin.take().unwrap().shutdown().await.unwrap();
    python.wait().await.unwrap();

    // What the store could not take while it was locked does no harm afterwards.
    assert_eq!(ada.server().await.map(|server| server.stopped), Some(true));
    ada.start_and_wait(&json!({})).await;
    assert!(site.cluster().job(3).is_none(), "a third job was made");
    site.shut_down().await;
}

#[tokio::test]
async fn a_store_that_is_deleted_loses_no_server_and_makes_no_second_job() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(site.path(&format!("slipway.db{suffix}")));
    }
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    site.kill_slipway().await;
    site.start_slipway().await;
    let again = ada.start(&json!({})).await;
    assert!([202, 400].contains(&again.status), "{}", again.text);
    assert_eq!(ada.wait_for(Phase::Ready).await.state.job_id, Some(1));
    assert!(site.cluster().job(2).is_none(), "a second job was made");
    site.shut_down().await;
}
