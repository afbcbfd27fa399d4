//! Where somebody signs in from, as modules see it (`PAM_RHOST`).

use serde_json::json;
use slipway_tests::{Machine, Person, Plan, Site};

use super::{acts, site, try_to_sign_in};

#[tokio::test]
async fn modules_see_the_address_of_the_client_at_sign_in_and_when_the_account_is_checked() {
    let site = site().await;
    acts(&site, "ada.auth", "password correct\nrhost 127.0.0.1\n");
    acts(&site, "ada.account", "rhost 127.0.0.1\n");
    let mut ada = site.anonymous();
    let reply = ada.sign_in("ada", "correct").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(ada.start(&json!({})).await.status, 202);

    let elsewhere = Person::elsewhere(&site.url, [127, 0, 0, 9])
        .sign_in("ada", "correct")
        .await;
    assert_eq!(elsewhere.status, 401, "{}", elsewhere.text);
    acts(&site, "ada.auth", "password correct\n");
    let elsewhere = Person::elsewhere(&site.url, [127, 0, 0, 9])
        .sign_in("ada", "correct")
        .await;
    assert_eq!((elsewhere.status, elsewhere.code().as_str()), (403, "inactive"));
    site.shut_down().await;
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_address_is_the_clients_and_not_the_proxys() {
    let site = Site::start(Plan {
        machine: Some(Machine::default()),
        server: "trusted_proxies = [\"127.0.0.1\"]\nclient_address = \"x-forwarded-for\"\n".into(),
        ..Plan::default()
    })
    .await;
    for (forwarded, rhost) in [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("::ffff:192.0.2.8", "192.0.2.8"),
    ] {
        acts(&site, "ada.auth", &format!("password correct\nrhost {rhost}\n"));
        let body = json!({ "username": "ada", "password": "correct" });
        let person = site.anonymous();
        let request = person.request(http::Method::POST, "hub/api/login").json(&body);
        let reply = Person::send(request.header("x-forwarded-for", forwarded)).await;
        assert_eq!(reply.status, 200, "{forwarded}: {}", reply.text);
    }
    acts(&site, "ada.auth", "password correct\nrhost 192.0.2.7\n");
    assert_eq!(try_to_sign_in(&site, "ada", "correct").await.status, 401);
    site.shut_down().await;
}
