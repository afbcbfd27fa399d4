//! Slurm away, Slipway killed: running servers stay reachable, and what is the matter is said.

use serde_json::{Value, json};
use shared::server::Phase;
use slipway_tests::{Plan, Site, until};

#[tokio::test]
async fn while_slurm_is_away_it_is_said_and_running_servers_stay_reachable() {
    let site = Site::start(Plan::default()).await;
    let (ada, other) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    ada.start_and_wait(&json!({})).await;
    site.cluster().stop_answering();
    let reply = other.start(&json!({})).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "slurm_unreachable"),
        "{}",
        reply.text
    );
    until("it to be said", || async {
        let state: Value = other.get("hub/api/site").await.json();
        state["slurm_silent_since"].is_i64().then_some(())
    })
    .await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    assert_eq!(ada.get("hub/health").await.status, 200);
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);

    site.cluster().resume();
    until("Slurm to be noticed again", || async {
        let state: Value = other.get("hub/api/site").await.json();
        state["slurm_silent_since"].is_null().then_some(())
    })
    .await;
    until("a start, once the accounting database answers too", || async {
        (other.start(&json!({})).await.status == 202).then_some(())
    })
    .await;
    other.wait_for(Phase::Ready).await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_slipway_that_was_killed_serves_running_servers_again_even_while_slurm_is_away() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let before = ada.start_and_wait(&json!({})).await;
    site.kill_slipway().await;
    site.cluster().stop_answering();
    site.start_slipway().await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    site.cluster().resume();
    let after = ada.server().await.unwrap();
    assert_eq!(
        (after.state.phase, after.state.job_id),
        (Phase::Ready, before.state.job_id)
    );
    assert_eq!(after.user_options, before.user_options);
    site.shut_down().await;
}

#[tokio::test]
async fn without_its_store_slipway_finds_running_servers_in_slurm() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let before = ada.start_and_wait(&json!({ "interface": "terminal" })).await;
    site.kill_slipway().await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(site.path(&format!("slipway.db{suffix}")));
    }
    site.start_slipway().await;
    let after = ada.wait_for(Phase::Ready).await;
    assert_eq!(
        (after.state.job_id, after.user_options),
        (before.state.job_id, before.user_options)
    );
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn a_start_that_was_under_way_goes_on_after_slipway_was_killed() {
    let mut site = Site::start(Plan::default()).await;
    let person = site.sign_in("waits").await;
    person.start(&json!({})).await;
    let before = until("the job", || async { person.server().await?.state.job_id }).await;
    site.kill_slipway().await;
    site.start_slipway().await;
    let after = person.wait_for(Phase::Queued).await;
    assert_eq!(after.state.job_id, Some(before));
    let again = person.start(&json!({})).await;
    assert_eq!(again.status, 202);
    assert!(
        site.cluster().job(u32::try_from(before).unwrap() + 1).is_none(),
        "a second job was made"
    );
    site.shut_down().await;
}
