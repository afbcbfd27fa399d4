//! What one person may do in a minute, and hold open.

use std::time::Instant;

use http::Method;
use serde_json::{Value, json};
use shared::server::Phase;
use slipway_tests::{Person, Plan, Reply, Site, until};

/// A site with the limits of a configuration that says nothing about them.
async fn site() -> Site {
    Site::start(Plan {
        limits: "",
        ..Plan::default()
    })
    .await
}

/// A refusal with its code, and after how many seconds to try again, which the header, the details and the sentence say
/// alike.
fn refusal(reply: &Reply) -> (String, u64) {
    assert_eq!(reply.status, 429, "{}", reply.text);
    let error = reply.error();
    let seconds = reply.headers["retry-after"].to_str().unwrap().to_owned();
    assert_eq!(error.details["retry_after"], seconds);
    assert!(
        error.message.contains(&format!("try again in {seconds} seconds")),
        "{}",
        error.message
    );
    (reply.code(), seconds.parse().unwrap())
}

/// Changes that reach nothing, until one is refused. Answers how many were let through.
async fn use_up_changes(person: &Person) -> u64 {
    for n in 0..1000 {
        let reply = person.delete(&person.server_path()).await;
        if reply.status == 429 {
            assert_eq!(refusal(&reply).0, "too_many_changes");
            return n;
        }
    }
    panic!("a thousand changes were let through")
}

#[tokio::test]
async fn starts_in_a_loop_are_refused_after_six_and_cost_slurm_no_more_jobs() {
    let site = site().await;
    // Jobs that wait are over at once when they are cancelled.
    let (waits, ada) = (site.sign_in("waits").await, site.sign_in("ada").await);
    let begun = Instant::now();
    let mut started = 0;
    let refused = loop {
        let reply = waits.start(&json!({})).await;
        if reply.status != 202 {
            break reply;
        }
        started += 1;
        assert!(started < 100, "a hundred starts were let through");
        waits.delete(&waits.server_path()).await;
        waits.wait_for(Phase::Ended).await;
    };
    let (code, seconds) = refusal(&refused);
    assert_eq!(code, "too_many_starts");
    assert!((1..=11).contains(&seconds), "{seconds}");
    let allowed = 6 + u32::try_from(begun.elapsed().as_secs() / 10).unwrap();
    assert!((6..=allowed).contains(&started), "{started} starts");
    assert!(site.cluster().job(started + 1).is_none(), "a refused start made a job");

    // Nobody else is kept from starting, and a page that asks again while one starts uses up nothing.
    for _ in 0..10 {
        assert_ne!(ada.start(&json!({})).await.status, 429);
    }
    site.shut_down().await;
}

#[tokio::test]
async fn changes_are_limited_whatever_the_route_and_signing_out_always_works() {
    let site = site().await;
    let (ada, other) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    let begun = Instant::now();
    let allowed = use_up_changes(&ada).await;
    assert!((60..=61 + begun.elapsed().as_secs()).contains(&allowed), "{allowed}");
    for (method, path) in [
        (Method::POST, "hub/api/users/ada/server"),
        (Method::POST, "hub/api/users/ada/server/keep-waiting"),
        (Method::PUT, "hub/api/users/ada/server/next"),
        (Method::DELETE, "hub/api/users/ada/server/next"),
        (Method::DELETE, "hub/api/users/ada/jobs/7"),
        (Method::PATCH, "hub/api/a-route-of-tomorrow"),
        (Method::POST, "hub/a-form-of-tomorrow"),
    ] {
        use_up_changes(&ada).await;
        let reply = Person::send(ada.request(method.clone(), path)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (429, "too_many_changes"),
            "{method} {path}"
        );
    }
    // To look is free, and so is everybody else.
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    assert_eq!(other.delete(&other.server_path()).await.status, 204);
    // A page of another site cannot lock anybody out.
    for _ in 0..100 {
        let forged = other.http.delete(other.url(&other.server_path()));
        assert_eq!(
            Person::send(forged.header("origin", "https://evil.example"))
                .await
                .status,
            403
        );
    }
    assert_eq!(other.delete(&other.server_path()).await.status, 204);
    use_up_changes(&ada).await;
    let wrong = json!({ "username": "ada", "password": "wrong" });
    assert_eq!(ada.post("hub/api/login", &wrong).await.status, 401);
    assert_eq!(ada.post("hub/api/logout", &json!({})).await.status, 204);
    assert_eq!(ada.get("hub/api/user").await.status, 401);
    site.shut_down().await;
}

#[tokio::test]
async fn a_session_has_twelve_event_streams_and_can_ask_without_waiting_beyond() {
    let site = site().await;
    let (waits, elsewhere) = (site.sign_in("waits").await, site.sign_in("waits").await);
    assert_eq!(waits.start(&json!({})).await.status, 202);
    let path = format!("{}/progress", waits.server_path());
    let follow = async |person: &Person| person.request(Method::GET, &path).send().await.unwrap();
    let mut streams = Vec::new();
    for n in 0..12 {
        let stream = follow(&waits).await;
        assert_eq!(stream.status(), 200, "stream {n}");
        streams.push(stream);
    }
    let refused = waits.get(&path).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "too_many_streams"));
    assert!(refused.headers.contains_key("retry-after"));
    let waiting = waits.get("hub/api/users/waits?wait_seconds=10").await;
    assert_eq!((waiting.status, waiting.code().as_str()), (429, "too_many_streams"));
    // What the page falls back to, and what another browser of the same person has.
    let asked: Value = waits.get("hub/api/users/waits").await.json();
    assert_eq!(asked["pending"], "spawn");
    assert_eq!(follow(&elsewhere).await.status(), 200);
    // One that is closed makes room.
    streams.pop();
    until("a stream", || async {
        (follow(&waits).await.status() == 200).then_some(())
    })
    .await;
    site.shut_down().await;
}
