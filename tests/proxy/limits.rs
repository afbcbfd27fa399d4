//! What one person may take, and what is known of their use.

use futures_util::{SinkExt, StreamExt};
use http::Method;
use serde_json::json;
use slipway_tests::{Person, Plan, Site, until};
use tokio::sync::Mutex;

#[tokio::test]
async fn somebody_with_all_their_tunnels_open_is_told_so_and_harms_nobody() {
    let site = Site::start(Plan {
        server: "max_connections_per_person = 32\n".into(),
        ..Plan::default()
    })
    .await;
    let (ada, other) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    ada.start_and_wait(&json!({})).await;
    other.start_and_wait(&json!({})).await;
    let mut tunnels = Vec::new();
    for _ in 0..32 {
        tunnels.push(ada.tunnel("api/kernels/k/channels", None).await.unwrap());
    }
    let refused = ada.get(&ada.own("lab")).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_connections"));
    assert_eq!(refused.headers["retry-after"], "1");
    assert_eq!(other.get(&other.own("lab")).await.status, 200);
    // The hub is theirs as before.
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    tunnels.pop();
    until("room for one more", || async {
        (ada.get(&ada.own("lab")).await.status == 200).then_some(())
    })
    .await;
    site.shut_down().await;
}

#[tokio::test]
async fn when_a_server_was_last_used_is_known_to_those_who_ask_the_api() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let started = ada.start_and_wait(&json!({})).await;
    // Looking at the hub is no use of the server.
    let idle = ada.server().await.unwrap();
    assert_eq!(idle.last_activity, started.started);
    until("a use that is later than the start", || async {
        ada.get(&ada.own("lab")).await;
        (ada.server().await?.last_activity > started.started).then_some(())
    })
    .await;
    let (tunnel, _) = ada.tunnel("api/kernels/k/channels", None).await.unwrap();
    let tunnel = Mutex::new(tunnel);
    let before = ada.server().await.unwrap().last_activity;
    until("a later use by a tunnel", || async {
        let mut tunnel = tunnel.lock().await;
        tunnel.send("x".into()).await.ok()?;
        tunnel.next().await?.ok()?;
        (ada.server().await?.last_activity > before).then_some(())
    })
    .await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_kernel_that_works_while_nobody_looks_is_a_use_of_the_server() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let started = ada.start_and_wait(&json!({})).await.started;
    let used = async || ada.server().await.unwrap().last_activity;
    let kernel = async |state: &str, last: &str| {
        let set = ada.request(Method::PUT, &ada.own("api/status")).json(&[state, last]);
        assert_eq!(Person::send(set).await.status, 200);
    };
    until("a use that is later than the start", || async {
        kernel("busy", "2020-01-01T00:00:00.000000Z").await;
        (used().await > started).then_some(())
    })
    .await;

    // What this Slipway has seen itself, the next one does not know.
    site.kill_slipway().await;
    site.start_slipway().await;
    let computing = used().await;
    assert!(computing > started, "it computes now: {computing:?}");

    kernel("idle", computing.as_deref().unwrap()).await;
    site.kill_slipway().await;
    site.start_slipway().await;
    assert_eq!(used().await, computing, "it was done then");
    site.shut_down().await;
}
