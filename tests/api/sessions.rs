//! Sessions as rows: renewed by the cookie that was shown, ended by id or by user, looked up with the provider again.

use std::os::unix::fs::{MetadataExt, chown};
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use http::{HeaderValue, Method};
use serde_json::{Value, json};
use shared::api::SessionView;
use shared::names::UserName;
use shared::server::Phase;
use slipway_tests::{Person, Plan, Reply, Site, until};
use sqlx::{Connection, SqliteConnection};

use super::command_line::{said, slipway};

/// Accounts are looked up each second.
fn rechecks() -> Plan {
    Plan {
        sign_in: "recheck_seconds = 1".into(),
        ..Plan::default()
    }
}

fn set_cookies(reply: &Reply) -> Vec<&str> {
    let lines = reply.headers.get_all("set-cookie").iter();
    lines.map(|line| line.to_str().unwrap()).collect()
}

async fn is_signed_in(person: &Person) -> bool {
    person.get("hub/api/user").await.status == 200
}

async fn signed_out(person: &Person) {
    until("the session to end", || async {
        (!is_signed_in(person).await).then_some(())
    })
    .await;
}

/// A browser that has one of the two cookies.
fn with_cookie(url: &str, cookies: &[String], name: &str) -> Person {
    let own = cookies.iter().filter(|cookie| cookie.starts_with(&format!("{name}=")));
    Person::with_cookies(url, "ada", own.cloned())
}

#[tokio::test]
async fn the_cookie_of_a_server_is_renewed_alone_and_never_becomes_the_hubs() {
    let site = Site::start(Plan::default()).await;
    site.sign_in("ada").await.start_and_wait(&json!({})).await;
    let thief = with_cookie(&site.url, &site.cookies_made_before("ada", 62), "slipway-user");
    assert_eq!(thief.get("hub/api/user").await.status, 401);
    let reply = thief.get("user/ada/api/status").await;
    assert_eq!(reply.status, 200);
    let renewed = set_cookies(&reply);
    let is_own = |line: &&str| line.starts_with("slipway-user=") && line.contains("Path=/user/ada/");
    assert!(renewed.len() == 1 && renewed.iter().all(is_own), "{renewed:?}");
    assert_eq!(thief.get("hub/api/user").await.status, 401);
    site.shut_down().await;
}

#[tokio::test]
async fn a_day_in_lab_keeps_the_hub_signed_in_also_at_another_replica_and_after_a_restart() {
    let mut site = Site::start(Plan::default()).await;
    let other = site.start_beside().await;
    let day = 9 * 3600;
    let forgotten = site.cookies_made_before("ada", day);
    assert!(!is_signed_in(&with_cookie(&site.url, &forgotten, "slipway-hub")).await);

    let cookies = site.cookies_after_work("ada", day);
    let [hub, there] = [&site.url, &other].map(|url| with_cookie(url, &cookies, "slipway-hub"));
    assert!(!is_signed_in(&hub).await, "nobody has worked in Lab yet");
    let lab = with_cookie(&site.url, &cookies, "slipway-user");
    assert_eq!(lab.get("user/ada/api/status").await.code(), "not_running");
    let reply = hub.get("hub/api/user").await;
    assert_eq!(reply.status, 200, "Lab did not keep the hub signed in");
    assert!(set_cookies(&reply).iter().all(|line| line.starts_with("slipway-hub=")));
    // The replica hears of it by way of the store.
    until("the other replica to know", || async {
        is_signed_in(&there).await.then_some(())
    })
    .await;
    site.kill_slipway().await;
    site.start_slipway().await;
    assert!(is_signed_in(&with_cookie(&site.url, &cookies, "slipway-hub")).await);
    site.shut_down().await;
}

#[tokio::test]
async fn a_closed_account_loses_its_sessions_tunnels_streams_and_terminals() {
    let site = Site::start(rechecks()).await;
    let (ada, other) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    ada.start_and_wait(&json!({})).await;
    let mut tunnel = ada.tunnel("api/kernels/k/channels", None).await.unwrap().0;
    let mut events = ada.get_stream("user/ada/events").await;
    assert!(events.next().await.unwrap().unwrap().starts_with(b"data: first"));

    site.close_account("ada");
    signed_out(&ada).await;
    let ends = async {
        while let Some(Ok(_)) = tunnel.next().await {}
        while let Some(Ok(_)) = events.next().await {}
    };
    let ended = tokio::time::timeout(Duration::from_secs(5), ends).await;
    ended.expect("the tunnel and the stream end with the session");
    assert_eq!(ada.post("user/ada/api/terminals", &json!({})).await.status, 401);
    let refused = site.anonymous().sign_in("ada", site.password("ada")).await;
    assert_eq!(refused.code(), "inactive");
    let log = site.log();
    let is_audit = |line: &&str| line.contains("slipway::sessions") && line.contains("account_closed");
    let audit = log.lines().find(is_audit).expect("an audit line");
    assert!(audit.contains("user=ada"), "{audit}");
    assert!(is_signed_in(&other).await);
    site.shut_down().await;
}

#[tokio::test]
async fn a_provider_that_cannot_answer_signs_nobody_out() {
    let site = Site::start(rechecks()).await;
    let ada = site.sign_in("ada").await;
    let users = std::fs::read(site.path("users.toml")).unwrap();
    std::fs::write(site.path("users.toml"), "[users").unwrap();
    until("the look-up to fail", || async {
        site.log().contains("cannot recheck accounts").then_some(())
    })
    .await;
    assert!(is_signed_in(&ada).await);
    // An account that is missing from a file in order is closed.
    let users = String::from_utf8(users).unwrap().replace("[users.ada]", "[users.eda]");
    std::fs::write(site.path("users.toml"), users).unwrap();
    signed_out(&ada).await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_changed_password_ends_the_sessions_that_began_with_the_old_one() {
    let site = Site::start(rechecks()).await;
    let (before, other) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    let ada = UserName::new("ada").unwrap();
    backend::auth::add_user(&site.path("users.toml"), &ada, &"another horse".into()).unwrap();
    signed_out(&before).await;
    assert!(site.log().contains("password_changed"), "{}", site.log());
    let mut after = site.anonymous();
    assert_eq!(after.sign_in("ada", "another horse").await.status, 200);
    // Two rounds later, everybody has been looked up again.
    site.close_account("many-accounts");
    signed_out(&other).await;
    assert!(is_signed_in(&after).await, "the new session ended too");
    site.shut_down().await;
}

#[tokio::test]
async fn a_closed_account_prolongs_and_renews_nothing() {
    let site = Site::start(Plan::default()).await;
    let waits = site.sign_in("waits").await;
    assert_eq!(waits.start(&json!({})).await.status, 202);
    waits.wait_for(Phase::Queued).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let next = format!("{}/next", ada.server_path());
    assert_eq!(ada.put(&next).await.status, 204);

    site.close_account("waits");
    site.close_account("ada");
    let keep_waiting = format!("{}/keep-waiting", waits.server_path());
    assert_eq!(waits.post(&keep_waiting, &json!({})).await.code(), "inactive");
    assert_eq!(ada.put(&next).await.code(), "inactive");
    let id = ada.server().await.unwrap().state.job_id.unwrap();
    assert!(
        site.cluster()
            .finish(u32::try_from(id).unwrap(), local_slurm::JobState::Timeout)
    );
    let failed = until("the next server to be refused", || async {
        // Slipway looks at the job at once when its server does not answer.
        ada.get("user/ada/lab").await;
        ada.server().await?.state.next_failed
    });
    assert_eq!(failed.await.code, shared::api::ErrorCode::Inactive);
    site.shut_down().await;
}

#[tokio::test]
async fn slipway_sign_out_ends_all_sessions_of_a_user_also_those_that_were_never_stored() {
    let mut site = Site::start(Plan::default()).await;
    let other = site.start_beside().await;
    let config = site.path("slipway.toml").display().to_string();
    let (ada, bob) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    let unknown = with_cookie(&other, &site.cookies_made_before("ada", 10), "slipway-hub");
    until("the row", || async {
        let listed: Vec<SessionView> = ada.get("hub/api/users/ada/sessions").await.json();
        (listed.len() == 1 && rows(&site, "ada").await == 1).then_some(())
    })
    .await;
    let output = slipway(&["sign-out", " Ada ", "--config", &config], "");
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("ada: 1 session ended"), "{}", said(&output));
    let began = Instant::now();
    signed_out(&ada).await;
    signed_out(&unknown).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert!(is_signed_in(&bob).await);
    let again = site.sign_in("ada").await;
    assert!(is_signed_in(&again).await);

    std::fs::write(site.path("other.toml"), {
        let config = std::fs::read_to_string(&config).unwrap();
        config.replace("state = \"slipway.db\"", "state = \"missing.db\"")
    })
    .unwrap();
    let missing = slipway(
        &[
            "sign-out",
            "ada",
            "--config",
            &site.path("other.toml").display().to_string(),
        ],
        "",
    );
    assert!(
        !missing.status.success() && said(&missing).contains("nobody was signed out"),
        "{}",
        said(&missing)
    );
    assert!(!site.path("missing.db").exists());
    site.shut_down().await;
}

async fn store(site: &Site) -> SqliteConnection {
    let path = site.path("slipway.db").display().to_string();
    SqliteConnection::connect(&format!("sqlite://{path}")).await.unwrap()
}

async fn rows(site: &Site, user: &str) -> i64 {
    let count = "SELECT COUNT(*) FROM sessions WHERE user_name = $1 AND ended_at IS NULL";
    let (rows,): (i64,) = sqlx::query_as(count)
        .bind(user)
        .fetch_one(&mut store(site).await)
        .await
        .unwrap();
    rows
}

#[tokio::test]
async fn slipway_sign_out_by_root_leaves_no_file_that_the_service_cannot_open() {
    let mut site = Site::start(Plan::default()).await;
    site.end_slipway().await;
    let is_root = std::fs::metadata("/proc/self").unwrap().uid() == 0;
    let service = if is_root {
        slipway_tests::SERVICE_USER
    } else {
        std::fs::metadata(site.path("slipway.db")).unwrap().uid()
    };
    chown(site.path("slipway.db"), Some(service), Some(service)).unwrap();
    let config = site.path("slipway.toml").display().to_string();
    // Somebody else has it open: SQLite keeps its files beside it.
    let mut open = store(&site).await;
    sqlx::query("DELETE FROM sessions").execute(&mut open).await.unwrap();
    let output = slipway(&["sign-out", "ada", "--config", &config], "");
    assert!(output.status.success(), "{}", said(&output));
    for name in ["slipway.db", "slipway.db-wal", "slipway.db-shm"] {
        assert_eq!(std::fs::metadata(site.path(name)).unwrap().uid(), service, "{name}");
    }
    open.close().await.unwrap();
    site.shut_down().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended_by_their_user_alone() {
    let site = Site::start(Plan::default()).await;
    let (ada, bob) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    let second = site.anonymous();
    let login = second
        .request(Method::POST, "hub/api/login")
        .header(
            "user-agent",
            HeaderValue::from_bytes("Firefox <b>\u{e9}".as_bytes()).unwrap(),
        )
        .json(&json!({ "username": "ada", "password": site.password("ada") }));
    assert_eq!(Person::send(login).await.status, 200);
    let path = "hub/api/users/ada/sessions";
    let listed: Vec<SessionView> = ada.get(path).await.json();
    assert_eq!(listed.len(), 2, "{listed:?}");
    let other = listed.iter().find(|session| !session.current).unwrap();
    assert_eq!(other.user_agent.as_deref(), Some("Firefox <b>?"));
    assert_eq!(other.address.as_deref(), Some("127.0.0.1"));
    assert!(other.created.is_some() && other.last_activity.is_some() && other.expires_at.is_some());
    assert!(!ada.cookies("hub/").is_empty() && listed.iter().filter(|session| session.current).count() == 1);

    let one = format!("{path}/{}", other.id);
    assert_eq!(bob.get(path).await.code(), "forbidden");
    assert_eq!(bob.delete(&one).await.code(), "forbidden");
    let foreign = ada.http.delete(ada.url(&one)).header("origin", "https://evil.example");
    assert_eq!(Person::send(foreign).await.code(), "cross_site");
    assert!(is_signed_in(&second).await);
    assert_eq!(ada.delete(&one).await.status, 204);
    assert_eq!(ada.delete(&one).await.code(), "not_found");
    assert!(!is_signed_in(&second).await && is_signed_in(&ada).await);

    let kept = ada.cookies("hub/");
    let third = site.sign_in("ada").await;
    let reply = ada.delete(path).await;
    assert_eq!(reply.status, 204);
    assert_eq!(
        set_cookies(&reply)
            .iter()
            .filter(|line| line.contains("Max-Age=0"))
            .count(),
        2
    );
    let thief = site
        .anonymous()
        .request(Method::GET, "hub/api/user")
        .header("cookie", kept);
    assert_eq!(Person::send(thief).await.status, 401);
    assert!(!is_signed_in(&third).await && is_signed_in(&bob).await);
    site.shut_down().await;
}

#[tokio::test]
async fn a_sign_out_that_cannot_be_stored_says_so_and_is_stored_later() {
    let mut site = Site::start(Plan::default()).await;
    let other = site.start_beside().await;
    let ada = site.sign_in("ada").await;
    let kept = ada.cookies("hub/") + "; Path=/hub/";
    let [here, there] = [&site.url, &other].map(|url| Person::with_cookies(url, "ada", [kept.clone()]));
    until("the row", || async { (rows(&site, "ada").await == 1).then_some(()) }).await;
    let mut lock = store(&site).await;
    sqlx::query("BEGIN IMMEDIATE").execute(&mut lock).await.unwrap();

    let reply = ada.post("hub/api/logout", &json!({})).await;
    assert_eq!((reply.status, reply.code().as_str()), (503, "sign_out_not_stored"));
    let until_when: i64 = reply.json::<Value>()["details"]["until"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        until_when > backend::clock::Clock::system().now() + 3600,
        "{until_when}"
    );
    assert_eq!(
        set_cookies(&reply)
            .iter()
            .filter(|line| line.contains("Max-Age=0"))
            .count(),
        2
    );
    assert_eq!(ada.cookies("hub/"), "");
    assert!(!is_signed_in(&here).await, "it is not ended even here");
    assert!(
        is_signed_in(&there).await,
        "the other replica knows already: this test shows nothing"
    );
    sqlx::query("ROLLBACK").execute(&mut lock).await.unwrap();
    signed_out(&there).await;
    site.shut_down().await;
}
