//! "Approve on your phone": a module that blocks until something happens elsewhere.

use futures_util::future::join_all;
use serde_json::json;
use shared::sign_in::{ChallengeKind, ChallengeView};
use slipway_tests::{Person, Site, until};

use super::{acts, cancel, challenge, go_on, site, threads, try_to_sign_in};

/// Waits half a minute for an approval.
const PUSH: &str = "password correct\ninfo Approve on your phone.\nwait 30 approved\n";

fn approve(site: &Site) {
    std::fs::write(site.path("acts/approved"), "").unwrap();
}

async fn until_threads(site: &Site, number: usize) {
    until(&format!("{number} threads in PAM"), || async {
        (threads(site) == number).then_some(())
    })
    .await;
}

async fn push(site: &Site, name: &str) -> ChallengeView {
    acts(site, &format!("{name}.auth"), PUSH);
    let waits = challenge(&try_to_sign_in(site, name, "correct").await);
    let shown = (waits.kind, waits.message.as_str());
    assert_eq!(shown, (ChallengeKind::Wait, "Approve on your phone."), "{name}");
    waits
}

/// That many people, each waiting for an approval.
async fn pushes(site: &Site, number: usize) -> Vec<ChallengeView> {
    let names: Vec<_> = (0..number).map(|n| format!("user{n}")).collect();
    join_all(names.iter().map(|name| push(site, name))).await
}

#[tokio::test]
async fn an_approval_signs_in_whoever_waits_for_it() {
    let site = site().await;
    let waits = push(&site, "ada").await;
    let ada = site.anonymous();
    let (reply, ()) = tokio::join!(go_on(&ada, &waits, None), async {
        assert_eq!(ada.get("hub/api/user").await.status, 401);
        approve(&site);
    });
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_is_not_approved_in_time_is_not_signed_in() {
    let site = site().await;
    acts(
        &site,
        "ada.auth",
        "password correct\ninfo Approve on your phone.\nwait 2 approved\nerror Not approved.\n",
    );
    let waits = challenge(&try_to_sign_in(&site, "ada", "correct").await);
    let reply = go_on(&site.anonymous(), &waits, None).await;
    assert_eq!((reply.status, reply.code().as_str()), (401, "wrong_password"));
    assert_eq!(reply.error().details["said"], "Approve on your phone.");
    site.shut_down().await;
}

#[tokio::test]
async fn a_module_that_blocks_for_half_a_minute_is_waited_for_in_turns_and_stops_no_end_of_slipway() {
    let mut site = site().await;
    let waits = push(&site, "ada").await;
    // No request waits as long as the module; the same is asked again.
    let again = challenge(&go_on(&site.anonymous(), &waits, None).await);
    assert_eq!((again.kind, again.message), (waits.kind, waits.message));
    assert_eq!(threads(&site), 1, "one wait, one thread");
    site.end_slipway().await;
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_cancels_is_not_signed_in_by_an_approval_that_comes_later() {
    let site = site().await;
    let waits = push(&site, "ada").await;
    cancel(&site.anonymous(), &waits).await;
    approve(&site);
    until_threads(&site, 0).await;
    assert!(!site.log().contains("signed in"));
    site.shut_down().await;
}

#[tokio::test]
async fn sixty_people_who_wait_hold_up_nobody_else() {
    let site = site().await;
    let waiting = pushes(&site, 60).await;
    acts(&site, "ada.auth", "password correct\n");
    assert_eq!(try_to_sign_in(&site, "ada", "correct").await.status, 200);
    until_threads(&site, 60).await;
    approve(&site);
    let people: Vec<_> = waiting.iter().map(|_| site.anonymous()).collect();
    let replies = join_all(
        people
            .iter()
            .zip(&waiting)
            .map(|(person, waits)| go_on(person, waits, None)),
    )
    .await;
    assert!(replies.iter().all(|reply| reply.status == 200));
    until_threads(&site, 0).await;
    site.shut_down().await;
}

#[tokio::test]
async fn an_address_whose_people_all_wait_is_told_to_try_again_and_leaves_threads_to_others() {
    let site = site().await;
    acts(&site, "ada.auth", "password correct\n");
    let mut before = site.anonymous();
    assert_eq!(before.sign_in("ada", "correct").await.status, 200);
    // One address gets four fifths of the threads.
    let waiting = pushes(&site, 205).await;
    let refused = try_to_sign_in(&site, "ada", "correct").await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "throttled"),
        "{}",
        refused.text
    );
    assert!(refused.headers.contains_key("retry-after") && !refused.text.contains("205"));
    let elsewhere = Person::elsewhere(&site.url, [127, 0, 0, 9])
        .sign_in("ada", "correct")
        .await;
    assert_eq!(elsewhere.status, 200, "{}", elsewhere.text);
    // Whoever is signed in needs none of these.
    let started = before.start(&json!({})).await;
    assert_eq!(started.status, 202, "{}", started.text);
    // A module cannot be interrupted: to cancel frees nothing yet.
    cancel(&site.anonymous(), &waiting[0]).await;
    assert_eq!(try_to_sign_in(&site, "ada", "correct").await.status, 429);
    approve(&site);
    until_threads(&site, 0).await;
    assert_eq!(try_to_sign_in(&site, "ada", "correct").await.status, 200);
    assert_eq!(go_on(&site.anonymous(), &waiting[204], None).await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_begins_again_and_again_takes_few_threads() {
    let site = site().await;
    for _ in 0..4 {
        push(&site, "ada").await;
    }
    assert_eq!(try_to_sign_in(&site, "ada", "correct").await.status, 503);
    assert_eq!(threads(&site), 4);
    push(&site, "bob").await;
    approve(&site);
    until_threads(&site, 0).await;
    assert_eq!(try_to_sign_in(&site, "ada", "correct").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_leaves_no_thread_behind() {
    let site = site().await;
    acts(&site, "ada.auth", &format!("{PUSH}shown 1234 Code:\n"));
    let ada = site.anonymous();
    let body = json!({ "username": "ada", "password": "correct" });
    // The request is dropped, and with it the connection.
    tokio::select! {
        reply = ada.post("hub/api/login", &body) => panic!("{}", reply.text),
        () = until_threads(&site, 1) => {}
    }
    drop::<Person>(ada);
    approve(&site);
    until_threads(&site, 0).await;
    site.shut_down().await;
}
