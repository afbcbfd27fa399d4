//! `X-Forwarded-For`: believed of trusted proxies and of nobody else.

use serde_json::json;
use slipway_tests::{Person, Plan, Reply, Site};

use super::told;

fn plan(trusted: &str) -> Plan {
    Plan {
        server: format!("trusted_proxies = [{trusted}]\nclient_address = \"x-forwarded-for\"\n"),
        ..Plan::default()
    }
}

#[tokio::test]
async fn a_trusted_proxy_says_who_asks_and_its_last_word_counts() {
    let site = Site::start(plan(r#""127.0.0.1", "10.0.0.0/8""#)).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    for (says, expected) in [
        (None, "127.0.0.1"),
        (Some("203.0.113.7"), "203.0.113.7"),
        (Some("6.6.6.6, 203.0.113.7, 10.1.1.1"), "203.0.113.7"),
        (Some("::ffff:203.0.113.7"), "203.0.113.7"),
        (Some("203.0.113.7, unknown"), "127.0.0.1"),
    ] {
        assert_eq!(told(&ada, "show", says).await, json!([expected]), "{says:?}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_forged_forwarding_header_of_a_stranger_is_not_believed() {
    let site = Site::start(plan(r#""192.0.2.1""#)).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    assert_eq!(told(&ada, "show", Some("6.6.6.6")).await, json!(["127.0.0.1"]));
    site.shut_down().await;
}

/// A wrong password.
async fn guess(person: &Person, says: &str) -> Reply {
    let request = person
        .request(http::Method::POST, "hub/api/login")
        .header("x-forwarded-for", says)
        .json(&json!({ "username": "ada", "password": "a guess" }));
    Person::send(request).await
}

#[tokio::test]
async fn guessing_slows_down_the_address_behind_a_trusted_proxy_and_no_other() {
    let site = Site::start(plan(r#""127.0.0.1""#)).await;
    let guesser = site.anonymous();
    for n in 0..5 {
        assert_eq!(guess(&guesser, &format!("6.6.6.{n}, 203.0.113.7")).await.status, 401);
    }
    assert_eq!(guess(&guesser, "203.0.113.7").await.status, 429);
    assert_eq!(guess(&guesser, "203.0.113.8").await.status, 401);
    let log = site.log();
    assert!(
        log.contains("address=203.0.113.7"),
        "the log does not say who was refused"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_is_no_proxy_cannot_guess_under_many_addresses() {
    let site = Site::start(plan(r#""192.0.2.1""#)).await;
    let guesser = site.anonymous();
    for n in 0..5 {
        assert_eq!(guess(&guesser, &format!("203.0.113.{n}")).await.status, 401);
    }
    assert_eq!(guess(&guesser, "203.0.113.200").await.status, 429);
    site.shut_down().await;
}
