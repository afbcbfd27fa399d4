//! The options as a document: what an answer costs with a large cluster that changes all the time, and how large it is.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::Router;
use axum::extract::Query;
use axum::routing::get;
use serde_json::{Value, json};
use shared::options::OptionsView;
use slipway_tests::{Account, Person, Plan, Site, repository, until};
use tokio::net::TcpListener;

use crate::proxy::cpu_seconds;
use crate::table::{Median, markdown};

const ROUNDS: usize = 5;
const NODES: u64 = 2000;
const ACCOUNTS: usize = 40;
const PEOPLE: usize = 50;
/// Answers of each round.
const ANSWERS: usize = 1000;

static ASKED: AtomicU64 = AtomicU64::new(0);

pub(crate) async fn measure() -> String {
    let names: Vec<String> = (0..PEOPLE).map(|n| format!("p{n}")).collect();
    let site = site().await;
    let people = site.signed_in(names);
    // Slipway has spoken with Slurm already, as whoever runs it would see to.
    until("the cluster", || async {
        (people[0].get("hub/api/options").await.status == 200).then_some(())
    })
    .await;
    let before = ASKED.load(Ordering::Relaxed);
    let began = Instant::now();
    assert_eq!(people[1].get("hub/api/options").await.status, 200);
    let (cold, cold_ms) = (
        ASKED.load(Ordering::Relaxed) - before,
        began.elapsed().as_secs_f64() * 1000.0,
    );
    for person in &people {
        assert_eq!(person.get("hub/api/options").await.status, 200);
    }
    let pid = site.slipway_pid().unwrap();
    let (mut cpu, mut rate) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (before, began) = (cpu_seconds(pid), Instant::now());
        // Eight at a time, in turn.
        let lanes = (0..8).map(|lane| turns(&people, lane));
        futures_util::future::join_all(lanes).await;
        let count = f64::from(u32::try_from(ANSWERS).unwrap());
        cpu.push((cpu_seconds(pid) - before) * 1000.0 / count);
        rate.push(count / began.elapsed().as_secs_f64());
    }
    let text = people[0].get("hub/api/options").await.text;
    let document: OptionsView = serde_json::from_str(&text).unwrap();
    let classes: u32 = document.nodes.iter().map(|class| class.nodes).sum();
    assert_eq!((u64::from(classes), document.accounts.len()), (NODES, ACCOUNTS));
    let form = form(&site, &people[0]).await;
    site.shut_down().await;
    let cpu = Median::of(cpu);
    let row = vec![
        "2,000 nodes, 40 compute accounts, 50 people in turn".to_owned(),
        cpu.to_string(),
        format!("{:.0}", 1000.0 / cpu.middle),
        Median::of(rate).to_string(),
        format!(
            "{} / {} / {}",
            text.len(),
            compressed(&text, "gzipSync"),
            compressed(&text, "brotliCompressSync")
        ),
        format!("{cold} in {cold_ms:.0} ms"),
    ];
    let row = row.into_iter().chain(form.map(|part| Median::of(part).to_string()));
    let header = [
        "",
        "CPU ms per answer",
        "answers per CPU second",
        "answers/s, both cores with the load",
        "bytes plain / gzip / Brotli",
        "Slurm calls for somebody new",
        "the form takes input so long after it was opened, ms (CPU 4 × slower)",
        "… so much later than a page with nothing on it",
        "the page itself runs",
    ];
    markdown("The options as a document", &header, &[row.collect()])
}

/// How long a browser takes over this document: what `form.mjs` tells of each round.
async fn form(site: &Site, person: &Person) -> [Vec<f64>; 3] {
    let cookies = person.cookies("hub/");
    let pairs: Vec<_> = cookies.split("; ").filter_map(|pair| pair.split_once('=')).collect();
    let output = tokio::process::Command::new("node")
        .arg(repository().join("tests/bench/form.mjs"))
        .env("SITE", &site.url)
        .env("ROUNDS", "7")
        .env("COOKIES", json!(pairs).to_string())
        .output()
        .await
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut parts: [Vec<f64>; 3] = Default::default();
    for line in lines.lines() {
        for (part, number) in parts.iter_mut().zip(line.split(' ')) {
            part.push(number.parse().unwrap());
        }
    }
    parts
}

async fn turns(people: &[Person], lane: usize) {
    for n in (lane..ANSWERS).step_by(8) {
        assert_eq!(people[n % PEOPLE].get("hub/api/options").await.status, 200);
    }
}

fn compressed(text: &str, how: &str) -> usize {
    let script = format!("process.stdout.write(String(zlib.{how}(require('fs').readFileSync(0)).length))");
    let mut node = Command::new("node")
        .args(["-e", &script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    node.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(node.wait_with_output().unwrap().stdout)
        .unwrap()
        .parse()
        .unwrap()
}

/// Slipway before a slurmrestd that answers what it needs of a large cluster, different at each question.
async fn site() -> Site {
    let slurm = Router::new()
        .route(
            "/ping",
            get(async || counted(json!({ "pings": [{ "responding": true }] }))),
        )
        .route("/diag", get(async || counted(json!({}))))
        .route("/nodes", get(async || counted(json!({ "nodes": nodes() }))))
        .route(
            "/partitions",
            get(async || counted(json!({ "partitions": partitions() }))),
        )
        .route("/reservations", get(async || counted(json!({ "reservations": [] }))))
        .route(
            "/jobs/",
            get(async || counted(json!({ "status": [] }))).delete(async || counted(json!({ "status": [] }))),
        );
    let database = Router::new()
        .route(
            "/ping",
            get(async || counted(json!({ "pings": [{ "responding": true }] }))),
        )
        .route("/qos", get(async || counted(json!({ "qos": [{ "name": "normal" }] }))))
        .route("/jobs/", get(async || counted(json!({ "jobs": [] }))))
        .route("/associations", get(associations));
    let router = Router::new()
        .nest("/slurm/v0.0.42", slurm)
        .nest("/slurmdb/v0.0.42", database);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let mut site = Site::start(Plan {
        accounts: vec![Account::all().remove(0)],
        partition: None,
        more: "[accounts]\ncpu_suffix = \"_cpu\"\ngpu_suffix = \"_gpu\"\n[[route]]\npartitions = [\"p0\", \"p1\"]\n"
            .into(),
        ..Plan::default()
    })
    .await;
    site.end_slipway().await;
    let path = site.path("slipway.toml");
    let config = std::fs::read_to_string(&path).unwrap();
    let (own, url) = (
        format!("urls = [\"{}\"]", site.cluster().url()),
        format!("urls = [\"{url}\"]"),
    );
    std::fs::write(&path, config.replace(&own, &url)).unwrap();
    site.start_slipway().await;
    site
}

fn counted(answer: Value) -> axum::Json<Value> {
    ASKED.fetch_add(1, Ordering::Relaxed);
    axum::Json(answer)
}

/// Four kinds of nodes in twelve partitions, with whatever free.
fn nodes() -> Vec<Value> {
    let mut state = ASKED.load(Ordering::Relaxed);
    let mut below = |most: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % most
    };
    let node = |n: u64| {
        let (cores, memory, gres) = match n % 4 {
            0 => (192, 768_000, ""),
            1 => (192, 3_072_000, ""),
            2 => (64, 512_000, "gpu:h100:4"),
            _ => (64, 512_000, "gpu:h100_3g.40gb:4,gpu:h100_1g.10gb:8"),
        };
        let mut used = String::new();
        for gpu in gres.split(',').filter(|gpu| !gpu.is_empty()) {
            let (name, count) = gpu.rsplit_once(':').unwrap();
            let _ = write!(used, "{name}:{}(IDX:0),", below(1 + count.parse::<u64>().unwrap()));
        }
        let partitions: Vec<_> = (0..12)
            .filter(|p| p % 4 == n % 4 || *p < 2)
            .map(|p| format!("p{p}"))
            .collect();
        json!({
            "name": format!("n{n}"), "address": format!("10.0.{}.{}", n / 250, n % 250), "state": ["MIXED"],
            "cpus": cores, "real_memory": memory, "specialized_memory": 4000, "alloc_cpus": below(cores),
            "alloc_memory": below(memory), "gres": gres, "gres_used": used, "partitions": partitions,
            "features": ["turin", "ib"], "active_features": ["turin", "ib"],
        })
    };
    (0..NODES).map(node).collect()
}

fn partitions() -> Vec<Value> {
    let partition = |p: u64| {
        json!({
            "name": format!("p{p}"), "partition": { "state": ["UP"] }, "flags": [],
            "maximums": { "time": { "set": true, "infinite": false, "number": 180 * (1 + p) } },
        })
    };
    (0..12).map(partition).collect()
}

/// Twice 40 accounts, of different limits.
async fn associations(Query(query): Query<Vec<(String, String)>>) -> axum::Json<Value> {
    let user = query
        .iter()
        .find(|(name, _)| name == "user")
        .map_or("", |(_, user)| user);
    let entry = |n: usize| {
        let (kind, suffix) = (["def", "rrg", "rpp", "ctb"][n % 4], ["_cpu", "_gpu"][n / ACCOUNTS]);
        json!({
            "account": format!("{kind}-group{:02}{suffix}", n % ACCOUNTS), "user": user, "is_default": n == 0, "qos": ["normal"],
            "max": { "jobs": { "per": { "wall_clock": { "set": n.is_multiple_of(3), "number": 600 + n } } } },
        })
    };
    let all: Vec<_> = (0..2 * ACCOUNTS).map(entry).collect();
    counted(json!({ "associations": all }))
}
