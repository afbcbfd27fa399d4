//! Signing in while others send attempts without end, and rate limits across restarts and replicas.

use argon2::password_hash::{PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use futures_util::future::join_all;
use serde_json::json;
use slipway_tests::flood::{hang_up, send_attempt};
use slipway_tests::{Person, Plan, Site, until};
use tokio::net::TcpStream;

/// The log says which address's password is checked when.
const CHECKS: &str = "info,backend::auth=debug";

fn plan() -> Plan {
    Plan {
        log: CHECKS,
        ..Plan::default()
    }
}

#[tokio::test]
async fn fifteen_hundred_abandoned_attempts_from_five_addresses_keep_nobody_waiting() {
    let site = Site::start(plan()).await;
    // As many as there may be open files here.
    assert!(hang_up(&site, 5, 300).await >= 500);
    let mut ada = Person::elsewhere(&site.url, [127, 0, 3, 1]);
    let reply = ada.sign_in("ada", site.password("ada")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let before = until("her check in the log", || async {
        let log = site.log();
        let lines: Vec<_> = log.lines().collect();
        let hers = |text: &str| {
            lines
                .iter()
                .position(|line| line.contains(text) && line.contains("=127.0.3.1"))
        };
        let (queued, checked) = (hers("password check queued")?, hers("password checked")?);
        let between = lines[queued..checked].iter();
        Some(between.filter(|line| line.contains("password checked")).count())
    })
    .await;
    // One of each address, and what the workers had begun.
    assert!(before <= 5 + 2, "{before} passwords were checked before hers");
    site.shut_down().await;
}

/// Keeps every worker busy with accounts whose passwords take minutes to check. The workers are busy until the
/// connections that are returned are dropped and their checks are done, which no test waits for.
async fn busy_workers(site: &Site) -> Vec<TcpStream> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let salt = SaltString::encode_b64(b"any salt will do").unwrap();
    let hash = argon2.hash_password(b"x", &salt).unwrap().to_string();
    let slow = hash.replace("m=8,t=1", "m=19456,t=100000");
    assert_ne!(slow, hash);
    let file = site.path("users.toml");
    let users = std::fs::read_to_string(&file).unwrap();
    let names = ["slow0", "slow1", "slow2", "slow3"];
    let accounts = names.map(|name| format!("\n[users.{name}]\npassword = \"{slow}\"\n"));
    std::fs::write(&file, users + &accounts.concat()).unwrap();
    let mut connections = Vec::new();
    for name in names {
        connections.push(send_attempt(site, [127, 0, 4, 1], name).await.unwrap());
    }
    until_logged(site, "password check queued", names.len()).await;
    connections
}

async fn until_logged(site: &Site, text: &str, times: usize) {
    until(&format!("{times} times {text:?} in the log"), || async {
        (site.log().matches(text).count() >= times).then_some(())
    })
    .await;
}

#[tokio::test]
async fn attempts_whose_client_hangs_up_before_the_check_count_and_are_logged() {
    let site = Site::start(plan()).await;
    let busy = busy_workers(&site).await;
    let mut gone = Vec::new();
    for _ in 0..5 {
        gone.push(send_attempt(&site, [127, 0, 2, 1], "ada").await.unwrap());
    }
    until_logged(&site, "password check queued", busy.len() + 5).await;
    drop(gone);
    until_logged(&site, "a sign-in was abandoned", 5).await;
    let reply = Person::elsewhere(&site.url, [127, 0, 2, 1])
        .sign_in("ada", site.password("ada"))
        .await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "throttled"));
    site.shut_down().await;
}

#[tokio::test]
async fn attempts_that_wait_longer_than_a_request_count() {
    let site = Site::start(plan()).await;
    let busy = busy_workers(&site).await;
    let waiting = site.anonymous();
    let body = json!({ "username": "ada", "password": "a guess" });
    let replies = join_all((0..5).map(|_| waiting.post("hub/api/login", &body))).await;
    for reply in &replies {
        assert_eq!(reply.status, 202, "{}", reply.text);
    }
    let reply = waiting.post("hub/api/login", &body).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "throttled"));
    drop(busy);
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_has_to_wait_has_to_after_a_restart() {
    let mut site = Site::start(plan()).await;
    let mut guesser = site.anonymous();
    for _ in 0..5 {
        assert_eq!(guesser.sign_in("ada", "a guess").await.status, 401);
    }
    site.end_slipway().await;
    site.start_slipway().await;
    let reply = guesser.sign_in("ada", site.password("ada")).await;
    assert_eq!(reply.status, 429, "a restart let the guesser go on: {}", reply.text);
    site.sign_in("waits").await;
    site.shut_down().await;
}

/// Waits until everything that was counted before is in the store. A write that is under way may not have all of it;
/// the second one from now does.
async fn until_written(site: &Site) {
    let written = || site.log().matches("rate limits written to the store").count();
    for name in ["written", "written-again"] {
        let before = written();
        assert_eq!(site.anonymous().sign_in(name, "a guess").await.status, 401);
        until("a write to the store", || async { (written() > before).then_some(()) }).await;
    }
}

#[tokio::test]
async fn whoever_has_to_wait_has_to_after_a_crash_and_at_another_replica() {
    let mut site = Site::start(plan()).await;
    let beside = site.start_beside().await;
    let mut guesser = site.anonymous();
    for _ in 0..5 {
        assert_eq!(guesser.sign_in("ada", "a guess").await.status, 401);
    }
    until_written(&site).await;
    let last_read = |log: &str| {
        let log = std::fs::read_to_string(site.path(log)).unwrap_or_default();
        let line = log
            .lines()
            .rfind(|line| line.contains("rate limits read from the store"));
        let last = line.and_then(|line| line.split("last=").nth(1)?.split(' ').next()?.parse().ok());
        last.unwrap_or(0_i64)
    };
    let port = beside.rsplit(':').next().unwrap().trim_end_matches('/');
    until("the other replica has read as much", || async {
        (last_read(&format!("beside-{port}.log")) >= last_read("slipway.log")).then_some(())
    })
    .await;
    let right = site.password("ada").to_owned();
    assert_eq!(Person::new(&beside).sign_in("ada", &right).await.status, 429);
    site.kill_slipway().await;
    site.start_slipway().await;
    assert_eq!(guesser.sign_in("ada", &right).await.status, 429);
    site.shut_down().await;
}
