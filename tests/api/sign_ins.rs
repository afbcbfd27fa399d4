//! Sign-ins: how long they last, where they end, and what is kept apart by host names.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use http::Method;
use serde_json::{Value, json};
use shared::server::Phase;
use slipway_tests::{Person, Plan, Site, until};

fn cookie(reply: &slipway_tests::Reply, name: &str) -> Option<String> {
    let lines = reply.headers.get_all("set-cookie").iter();
    let mut lines = lines.map(|line| line.to_str().unwrap().to_owned());
    lines.find(|line| line.starts_with(&format!("{name}=")))
}

#[tokio::test]
async fn a_sign_in_that_is_used_is_carried_on_and_a_new_one_is_left_alone() {
    let site = Site::start(Plan::default()).await;
    let fresh = site.sign_in("ada").await;
    let reply = fresh.get("hub/api/user").await;
    assert!(!reply.headers.contains_key("set-cookie"), "{:?}", reply.headers);

    // Ends for good in an hour: what is carried on is its idle time, up to that end.
    let site_cookies = site.cookies_for("ada", 3600);
    let person = Person::with_cookies(&site.url, "ada", site_cookies);
    let user: Value = person.get("hub/api/user").await.json();
    let left = user["sign_in_seconds"].as_i64().unwrap();
    assert!((3500..=3600).contains(&left), "{left}");

    let aged = aged(&site, 100);
    let reply = aged.get("hub/api/user").await;
    let renewed = cookie(&reply, "slipway-hub").expect("the hub's cookie is renewed");
    assert!(
        renewed.contains("Path=/hub/") && renewed.contains("HttpOnly"),
        "{renewed}"
    );
    assert_eq!(cookie(&reply, "slipway-user"), None, "it was not shown");
    site.shut_down().await;
}

/// Somebody whose cookies were made so many seconds ago.
fn aged(site: &Site, seconds: i64) -> Person {
    Person::with_cookies(&site.url, "ada", site.cookies_made_before("ada", seconds))
}

#[tokio::test]
async fn an_open_lab_carries_the_sign_in_on_and_files_do_not() {
    let site = Site::start(Plan::default()).await;
    site.sign_in("ada").await.start_and_wait(&json!({})).await;
    let file = aged(&site, 100).get("user/ada/lab").await;
    assert_eq!((file.status, cookie(&file, "slipway-user")), (200, None));
    let about_it = aged(&site, 100).request(Method::HEAD, "user/ada/lab");
    assert_eq!(cookie(&Person::send(about_it).await, "slipway-user"), None);
    let reply = aged(&site, 100).get("user/ada/api/status").await;
    assert_eq!(reply.status, 200);
    assert!(cookie(&reply, "slipway-user").is_some());
    // Whoever works in something else than Lab asks no API, and sends what they do.
    let other = aged(&site, 100);
    let request = other.request(Method::POST, "user/ada/echo").body("x");
    let reply = Person::send(request).await;
    assert_eq!(reply.status, 200);
    assert!(cookie(&reply, "slipway-user").is_some());
    site.shut_down().await;
}

#[tokio::test]
async fn what_anybody_may_keep_carries_nobodys_sign_in_and_what_is_said_of_people_is_kept_by_nobody() {
    let site = Site::start(Plan::default()).await;
    let home = aged(&site, 100).get("hub/home").await;
    assert!(cookie(&home, "slipway-hub").is_some());
    let words = home
        .text
        .split('"')
        .find(|part| part.starts_with("/hub/words-en"))
        .unwrap();
    let file = aged(&site, 100).get(&words[1..]).await;
    let kept = |reply: &slipway_tests::Reply| reply.headers["cache-control"].to_str().unwrap().to_owned();
    assert_eq!((file.status, cookie(&file, "slipway-hub")), (200, None));
    assert!(kept(&file).starts_with("public"), "{}", kept(&file));
    for path in ["hub/api/user", "hub/api/options", "hub/api/users/ada/history"] {
        assert_eq!(kept(&aged(&site, 100).get(path).await), "no-store", "{path}");
    }
    // Codings are taken as they are meant.
    for (accepted, coding) in [
        ("br;q=0, GZIP", Some("gzip")),
        ("gzip;q=0.5, br", Some("br")),
        ("identity", None),
    ] {
        let request = site
            .anonymous()
            .http
            .get(site.anonymous().url(&words[1..]))
            .header("accept-encoding", accepted);
        let sent = request.send().await.unwrap();
        let found = sent
            .headers()
            .get("content-encoding")
            .map(|coding| coding.to_str().unwrap());
        assert_eq!(found, coding, "{accepted}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_signs_in_again_goes_on_and_signing_out_ends_both() {
    let site = Site::start(Plan::default()).await;
    let mut ada = site.sign_in("ada").await;
    let before = ada.cookies("hub/");
    assert_eq!(ada.sign_in("ada", site.password("ada")).await.status, 200);
    let with = |cookies: &str| {
        site.anonymous()
            .request(Method::GET, "hub/api/user")
            .header("cookie", cookies)
    };
    assert_eq!(
        Person::send(with(&before)).await.status,
        200,
        "an open Lab would have lost its tunnels"
    );
    assert_eq!(ada.post("hub/api/logout", &json!({})).await.status, 204);
    assert_eq!(Person::send(with(&before)).await.status, 401);
    site.shut_down().await;
}

#[tokio::test]
async fn signing_out_ends_tunnels_and_what_other_replicas_have() {
    let mut site = Site::start(Plan::default()).await;
    let other = site.start_beside().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let there = Person::with_cookies(&other, "ada", [ada.cookies("hub/") + "; Path=/hub/"]);
    assert_eq!(there.get("hub/api/user").await.status, 200);
    let mut tunnel = ada.tunnel("api/kernels/k/channels", None).await.unwrap().0;
    let mut elsewhere = tunnel_at(&other, &ada).await;
    assert_eq!(ada.post("hub/api/logout", &json!({})).await.status, 204);
    let began = Instant::now();
    until("the other replica to know", || async {
        (there.get("hub/api/user").await.status == 401).then_some(())
    })
    .await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    for tunnel in [&mut tunnel, &mut elsewhere] {
        let end = tokio::time::timeout(Duration::from_secs(10), async {
            while let Some(Ok(_)) = tunnel.next().await {}
        });
        end.await.expect("the tunnel is closed with its sign-in");
    }
    assert_eq!(
        site.sign_in("ada").await.server().await.unwrap().state.phase,
        Phase::Ready
    );
    site.shut_down().await;
}

#[tokio::test]
async fn an_event_stream_ends_with_its_sign_in() {
    let site = Site::start(Plan::default()).await;
    let waits = site.sign_in("waits").await;
    assert_eq!(waits.start(&json!({})).await.status, 202);
    waits.wait_for(Phase::Queued).await;
    let path = format!("{}/progress", waits.server_path());
    let events = waits.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(events.status(), 200);
    assert_eq!(waits.post("hub/api/logout", &json!({})).await.status, 204);
    // The start itself goes on: only whoever followed it is gone.
    let rest = tokio::time::timeout(Duration::from_secs(10), events.text()).await;
    rest.expect("the stream is closed with its sign-in").unwrap();
    let again = site.sign_in("waits").await;
    assert_eq!(again.server().await.unwrap().state.phase, Phase::Queued);
    site.shut_down().await;
}

async fn tunnel_at(url: &str, ada: &Person) -> slipway_tests::person::Tunnel {
    let cookies = ada.cookies("user/ada/") + "; Path=/user/ada/";
    let person = Person::with_cookies(url, "ada", [cookies]);
    person.tunnel("api/kernels/k/channels", None).await.unwrap().0
}

#[tokio::test]
async fn whoever_signs_out_can_end_the_server_as_well() {
    let site = Site::start(Plan {
        sign_in: "stop_at_logout = true".into(),
        ..Plan::default()
    })
    .await;
    let about: Value = site.anonymous().get("hub/api/site").await.json();
    assert_eq!(about["stop_at_logout"], true);
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.post("hub/api/logout", &json!({ "stop": 1 })).await.status, 400);
    assert_eq!(
        ada.post("hub/api/logout", &json!({ "stop_server": true })).await.status,
        204
    );
    let ada = site.sign_in("ada").await;
    ada.wait_for(Phase::Ended).await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_new_key_signs_nobody_out_while_the_former_one_is_named() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    std::fs::rename(site.path("sign-in.key"), site.path("former.key")).unwrap();
    let config = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    let line = "key_file = \"sign-in.key\"\n";
    let with_former = config.replace(line, &format!("{line}previous_key_files = [\"former.key\"]\n"));
    std::fs::write(site.path("slipway.toml"), with_former).unwrap();
    site.kill_slipway().await;
    site.start_slipway().await;
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    let bob = site.sign_in("many-accounts").await;
    std::fs::write(site.path("slipway.toml"), config).unwrap();
    site.kill_slipway().await;
    site.start_slipway().await;
    assert_eq!(ada.get("hub/api/user").await.status, 401);
    assert_eq!(bob.get("hub/api/user").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn a_domain_of_the_site_is_no_part_of_a_name() {
    let site = Site::start(Plan {
        sign_in: "domains = [\"example.org\"]".into(),
        ..Plan::default()
    })
    .await;
    let mut person = site.anonymous();
    assert_eq!(
        person.sign_in("Ada@Example.org", site.password("ada")).await.status,
        200
    );
    assert_eq!(person.name, "ada");
    let foreign = site.anonymous().sign_in("ada@example.com", site.password("ada")).await;
    assert_eq!(foreign.status, 401);
    site.shut_down().await;
}
