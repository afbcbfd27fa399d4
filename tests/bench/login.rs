//! Logging in, beside JupyterHub: the whole cycle of a browser, without the cost of passwords; and whether other people
//! notice that passwords are checked.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use serde_json::json;
use slipway_tests::flood::hang_up;
use slipway_tests::{Account, Person, Plan, Site};

use crate::jupyterhub::JupyterHub;
use crate::proxy::cpu_seconds;
use crate::table::{Median, markdown, percentile};

const ROUNDS: usize = 5;
/// One of each connection: so many tries of one name at once would be slowed down.
const PEOPLE: [&str; 8] = ["ada", "bea", "cleo", "dora", "emmy", "fay", "grace", "hedy"];
/// Cycles of each connection in a round.
const CYCLES: u32 = 25;
/// Requests of somebody else, in each round.
const REQUESTS: u32 = 300;

pub(crate) async fn measure() -> String {
    cycles().await + &others().await
}

/// How long the right password takes after five addresses have sent 300 attempts each and hung up.
pub(crate) async fn measure_abandoned() -> String {
    let mut found: [Vec<f64>; 2] = Default::default();
    for _ in 0..ROUNDS {
        let site = Site::start(Plan::default()).await;
        for (times, hung_up) in found.iter_mut().zip([false, true]) {
            if hung_up {
                assert_eq!(hang_up(&site, 5, 300).await, 1500);
            }
            let mut ada = Person::elsewhere(&site.url, [127, 0, 3, 1]);
            let began = Instant::now();
            assert_eq!(ada.sign_in("ada", site.password("ada")).await.status, 200);
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
        site.shut_down().await;
    }
    let [alone, flooded] = found.map(|numbers| Median::of(numbers).to_string());
    let header = ["", "ms", "… after 1,500 abandoned attempts from five addresses"];
    let row = vec!["the right password from a sixth address".to_owned(), alone, flooded];
    markdown("Signing in under load", &header, &[row])
}

async fn cycles() -> String {
    let account = |name| Account {
        name,
        ..Account::all().remove(0)
    };
    let site = Site::start(Plan {
        accounts: PEOPLE.map(account).to_vec(),
        ..Plan::default()
    })
    .await;
    cheap_passwords(&site.path("users.toml"));
    let hub = JupyterHub::start().await;
    let mut found: [Vec<f64>; 4] = Default::default();
    let count = f64::from(CYCLES) * 8.0;
    for _ in 0..ROUNDS {
        let (before, began) = (cpu_seconds(site.slipway_pid().unwrap()), Instant::now());
        at_once(|name| slipway(site.url.clone(), name)).await;
        found[0].push((cpu_seconds(site.slipway_pid().unwrap()) - before) * 1000.0 / count);
        found[1].push(count / began.elapsed().as_secs_f64());
        let (before, began) = (hub.cpu_seconds(), Instant::now());
        at_once(|name| jupyterhub(hub.url.clone(), name)).await;
        found[2].push((hub.cpu_seconds() - before) * 1000.0 / count);
        found[3].push(count / began.elapsed().as_secs_f64());
    }
    let ratios = found[2]
        .iter()
        .zip(&found[0])
        .map(|(hub, slipway)| hub / slipway)
        .collect();
    let [cpu, rate, hub_cpu, hub_rate] = found.map(|numbers| Median::of(numbers).to_string());
    hub.shut_down().await;
    site.shut_down().await;
    let header = ["", "CPU ms per cycle", "cycles/s", "JupyterHub's CPU, times"];
    let rows = [
        vec![
            "Slipway: page, log in, options".to_owned(),
            cpu,
            rate,
            Median::of(ratios).to_string(),
        ],
        vec![
            "JupyterHub with its proxy: page, log in, home".to_owned(),
            hub_cpu,
            hub_rate,
            String::new(),
        ],
    ];
    markdown(
        "Logging in, 8 connections, without the cost of passwords",
        &header,
        &rows,
    )
}

async fn at_once<F: Future<Output = ()> + Send + 'static>(cycle: impl Fn(&'static str) -> F) {
    let tasks: Vec<_> = PEOPLE.iter().map(|name| tokio::spawn(cycle(name))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn slipway(url: String, name: &str) {
    for _ in 0..CYCLES {
        let mut person = Person::new(&url);
        assert_eq!(person.navigate("hub/login").await.status, 200);
        assert_eq!(person.sign_in(name, "x").await.status, 200);
        assert_eq!(person.get("hub/api/options").await.status, 200);
    }
}

async fn jupyterhub(url: String, name: &str) {
    for _ in 0..CYCLES {
        let person = Person::new(&url);
        let page = person.navigate("hub/login").await;
        assert_eq!(page.status, 200);
        let token = page.text.split("name=\"_xsrf\" value=\"").nth(1).unwrap();
        let fields = [
            ("username", name),
            ("password", "x"),
            ("_xsrf", token.split('"').next().unwrap()),
        ];
        let request = person.http.post(person.url("hub/login")).form(&fields);
        assert_eq!(
            Person::send(request.header("sec-fetch-mode", "navigate")).await.status,
            302
        );
        assert_eq!(person.navigate("hub/home").await.status, 200);
    }
}

/// One round of argon2 over eight kibibytes: everything but the cost.
fn cheap_passwords(users: &Path) {
    use argon2::password_hash::{PasswordHasher, SaltString};
    use argon2::{Algorithm, Argon2, Params, Version};
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let salt = SaltString::encode_b64(b"any salt will do").unwrap();
    let hash = argon2.hash_password(b"x", &salt).unwrap();
    let accounts: String = PEOPLE
        .map(|name| format!("[users.{name}]\npassword = \"{hash}\"\n"))
        .concat();
    // In one step: it is read at each sign-in.
    let new = users.with_extension("new");
    std::fs::write(&new, accounts).unwrap();
    std::fs::rename(new, users).unwrap();
}

async fn others() -> String {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let mut found: [Vec<f64>; 3] = Default::default();
    for _ in 0..ROUNDS {
        let well = percentile(requests(&ada).await, 99);
        let stop = Arc::new(AtomicBool::new(false));
        // Threads of their own: the one that measures is not to wait for what it measures.
        let passwords = ["waits", "refused"].map(|name| {
            let (url, password, stop) = (site.url.clone(), site.password(name).to_owned(), stop.clone());
            std::thread::spawn(move || sign_in_again_and_again(&url, name, &password, &stop))
        });
        let meanwhile = percentile(requests(&ada).await, 99);
        stop.store(true, Ordering::Relaxed);
        for thread in passwords {
            thread.join().unwrap();
        }
        found[0].push(well);
        found[1].push(meanwhile);
        found[2].push(meanwhile / well);
    }
    site.shut_down().await;
    let [well, meanwhile, ratio] = found.map(|numbers| Median::of(numbers).to_string());
    let header = [
        "",
        "99th percentile, ms",
        "… while two passwords are checked without a pause",
        "ratio",
    ];
    let row = vec!["a file on a running server".to_owned(), well, meanwhile, ratio];
    markdown("Other people while passwords are checked", &header, &[row])
}

fn sign_in_again_and_again(url: &str, name: &str, password: &str, stop: &AtomicBool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.unwrap().block_on(async {
        let mut person = Person::new(url);
        while !stop.load(Ordering::Relaxed) {
            assert_eq!(person.sign_in(name, password).await.status, 200);
        }
    });
}

/// Milliseconds of each request.
async fn requests(person: &Person) -> Vec<f64> {
    let mut found = Vec::new();
    let mut every = tokio::time::interval(std::time::Duration::from_millis(5));
    for _ in 0..REQUESTS {
        every.tick().await;
        let began = Instant::now();
        assert_eq!(person.get("user/ada/bytes/1024").await.status, 200);
        found.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    found
}
