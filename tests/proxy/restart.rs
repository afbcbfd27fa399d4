//! Slipway is renewed while people work: nobody who comes is refused, and whoever is here goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use slipway_tests::person::Tunnel;
use slipway_tests::{Person, Plan, Site, until};
use tokio_tungstenite::tungstenite::Message;

use crate::ready;

/// A site whose socket somebody else holds, where ada's server is ready.
async fn ready_with_socket() -> (Site, Person) {
    let plan = Plan {
        socket: true,
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    (site, ada)
}

/// Somebody who asks again and again, on a new connection each time, and wants each time to be answered.
struct Asking {
    over: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Asking {
    fn start(person: &Person) -> Self {
        let (over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let request = person.request(http::Method::GET, &person.own("lab"));
        let request = request.header("connection", "close");
        let (is_over, count) = (Arc::clone(&over), Arc::clone(&answered));
        let task = tokio::spawn(async move {
            while !is_over.load(Ordering::SeqCst) {
                let answer = request.try_clone().unwrap().send().await.unwrap();
                assert_eq!(answer.status(), 200);
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { over, answered, task }
    }

    /// Waits until so many more have been answered.
    async fn go_on(&self, more: usize) {
        let until_then = self.answered.load(Ordering::SeqCst) + more;
        until("more answers", || async {
            let enough = self.answered.load(Ordering::SeqCst) >= until_then;
            (enough || self.task.is_finished()).then_some(())
        })
        .await;
    }

    async fn end(self) {
        self.over.store(true, Ordering::SeqCst);
        self.task.await.unwrap();
    }
}

async fn echoes(tunnel: &mut Tunnel, text: &str) {
    tunnel.send(Message::text(text)).await.unwrap();
    assert_eq!(tunnel.next().await.unwrap().unwrap(), Message::text(text));
}

#[tokio::test]
async fn a_new_slipway_takes_over_without_a_refused_request_while_the_old_one_keeps_its_tunnels() {
    let (mut site, ada) = ready().await;
    let (mut tunnel, _) = ada.tunnel("api/kernels/k/channels", None).await.unwrap();
    let asking = Asking::start(&ada);
    asking.go_on(20).await;
    let mut old = site.take_over().await;
    asking.go_on(50).await;
    echoes(&mut tunnel, "x = 42").await;
    assert!(old.try_wait().unwrap().is_none(), "it left before its tunnel did");
    asking.end().await;
    // A sign-out by way of the new one ends what the old one still carries.
    let other = ada.tunnel("api/kernels/k/channels", None).await.unwrap();
    ada.post("hub/api/logout", &json!({})).await;
    let ended = tunnel.next().await;
    assert!(
        matches!(ended, None | Some(Err(_) | Ok(Message::Close(_)))),
        "{ended:?}"
    );
    drop(other);
    assert!(old.wait().await.unwrap().success());
    site.shut_down().await;
}

#[tokio::test]
async fn a_new_slipway_that_does_not_start_takes_nothing_over() {
    let (mut site, ada) = ready().await;
    let config = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    std::fs::write(site.path("slipway.toml"), config.replace("[site]", "[sight]")).unwrap();
    site.ask_to_hand_over().await;
    until("the reason", || async {
        let log = site.log();
        (log.contains("unknown field `sight`") && log.contains("this one goes on")).then_some(())
    })
    .await;
    assert_eq!(ada.get(&ada.own("lab")).await.status, 200);
    // With the mistake mended it does.
    std::fs::write(site.path("slipway.toml"), config).unwrap();
    let mut old = site.take_over().await;
    assert!(old.wait().await.unwrap().success());
    assert_eq!(ada.get(&ada.own("lab")).await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_comes_while_no_slipway_runs_waits_a_moment_and_is_answered() {
    let (mut site, ada) = ready_with_socket().await;
    let asking = Asking::start(&ada);
    asking.go_on(5).await;
    site.end_slipway().await;
    site.start_slipway().await;
    asking.go_on(5).await;
    asking.end().await;
    // And after a crash: only what was under way at that moment has no answer.
    site.kill_slipway().await;
    let waiting = tokio::spawn(ada.request(http::Method::GET, &ada.own("lab")).send());
    site.start_slipway().await;
    assert_eq!(waiting.await.unwrap().unwrap().status(), 200);
    site.shut_down().await;
}

#[tokio::test]
async fn without_somebody_to_take_over_tunnels_end_with_slipway_at_once() {
    let (mut site, ada) = ready().await;
    let (mut tunnel, _) = ada.tunnel("api/kernels/k/channels", None).await.unwrap();
    echoes(&mut tunnel, "x").await;
    site.end_slipway().await;
    let ended = tunnel.next().await;
    assert!(
        matches!(ended, None | Some(Err(_) | Ok(Message::Close(_)))),
        "{ended:?}"
    );
    site.start_slipway().await;
    let (mut tunnel, _) = ada.tunnel("api/kernels/k/channels", None).await.unwrap();
    echoes(&mut tunnel, "x").await;
    site.shut_down().await;
}
