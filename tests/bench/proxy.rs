//! Small requests and WebSocket echo: direct, through configurable-http-proxy, nginx and Slipway.
//!
//! configurable-http-proxy and the first nginx speak plain HTTP to the server and check nobody; Slipway authenticates
//! each request and speaks mutual TLS, as the second nginx does (`proxy_pass https`, connections kept). Direct is what
//! the server behind them costs by itself.

mod nginx;

use std::process::Stdio;
use std::time::Instant;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use slipway_tests::flood::memory;
use slipway_tests::site::free_port;
use slipway_tests::{Person, Plan, Site, program, until};
use tokio::process::{Child, Command};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use self::nginx::Nginx;
use crate::table::{Median, markdown};

const ROUNDS: usize = 7;
const REQUESTS: usize = 10_000;
const CONNECTIONS: usize = 32;
const SOCKETS: usize = 20;
const ECHOES: usize = 500;

/// One way to the server.
struct Way {
    name: &'static str,
    /// The process whose CPU counts.
    pid: u32,
    url: String,
    cookie: String,
    origin: String,
}

#[derive(Default)]
struct Found {
    request_cpu: Vec<f64>,
    request_rate: Vec<f64>,
    echo_cpu: Vec<f64>,
    echo_rate: Vec<f64>,
}

pub(crate) async fn measure() -> String {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let at_rest = memory(site.slipway_pid().unwrap());
    ada.start_and_wait(&json!({})).await;
    let (mut stub, direct) = plain_stub().await;
    let (mut chp, proxied) = configurable_http_proxy(&direct).await;
    let plain = Nginx::start(&direct).await;
    let tls = Nginx::start_with_tls().await;
    let chp_at_rest = memory(chp.id().unwrap());
    let ways = [
        Way {
            name: "direct",
            pid: stub.id().unwrap(),
            url: format!("{direct}/user/ada"),
            cookie: String::new(),
            origin: direct.clone(),
        },
        Way {
            name: "configurable-http-proxy",
            pid: chp.id().unwrap(),
            url: format!("{proxied}/user/ada"),
            cookie: String::new(),
            origin: proxied.clone(),
        },
        Way {
            name: "nginx",
            pid: plain.worker,
            url: format!("{}/user/ada", plain.url),
            cookie: String::new(),
            origin: plain.url.clone(),
        },
        Way {
            name: "nginx, TLS to the server",
            pid: tls.worker,
            url: format!("{}/user/ada", tls.url),
            cookie: String::new(),
            origin: tls.url.clone(),
        },
        Way {
            name: "Slipway, TLS to the server",
            pid: site.slipway_pid().unwrap(),
            url: ada.url("user/ada"),
            cookie: ada.cookies("user/ada/"),
            origin: ada.origin(),
        },
    ];
    let mut found: Vec<Found> = ways.iter().map(|_| Found::default()).collect();
    for _ in 0..ROUNDS {
        for (way, found) in ways.iter().zip(&mut found) {
            let (cpu, seconds) = cost(way.pid, requests(way)).await;
            found.request_cpu.push(cpu);
            found
                .request_rate
                .push(f64::from(u32::try_from(REQUESTS).unwrap()) / seconds);
            let (cpu, seconds) = cost(way.pid, echoes(way)).await;
            let count = f64::from(u32::try_from(SOCKETS * ECHOES).unwrap());
            found.echo_cpu.push(cpu * 100_000.0 / count);
            found.echo_rate.push(count / seconds);
        }
    }
    let rows: Vec<_> = ways
        .iter()
        .zip(found)
        .map(|(way, found)| row(way.name, found))
        .collect();
    let header = [
        "",
        "CPU s per 10,000 requests",
        "requests/s",
        "CPU s per 100,000 echoes",
        "echoes/s",
    ];
    let mut text = markdown("Through the proxy", &header, &rows);
    text += &markdown(
        "Memory (PSS, MB)",
        &["", "at rest", "after the load above"],
        &[
            vec![
                "configurable-http-proxy".into(),
                megabytes(chp_at_rest),
                megabytes(memory(chp.id().unwrap())),
            ],
            vec![
                "Slipway".into(),
                megabytes(at_rest),
                megabytes(memory(site.slipway_pid().unwrap())),
            ],
        ],
    );
    plain.stop().await;
    tls.stop().await;
    chp.kill().await.unwrap();
    stub.kill().await.unwrap();
    site.shut_down().await;
    text
}

fn row(name: &str, found: Found) -> Vec<String> {
    let text = |numbers| Median::of(numbers).to_string();
    vec![
        name.into(),
        text(found.request_cpu),
        text(found.request_rate),
        text(found.echo_cpu),
        text(found.echo_rate),
    ]
}

/// CPU seconds of a process and seconds of the clock while something is done.
async fn cost(pid: u32, done: impl Future<Output = ()>) -> (f64, f64) {
    let (before, started) = (cpu_seconds(pid), Instant::now());
    done.await;
    (cpu_seconds(pid) - before, started.elapsed().as_secs_f64())
}

async fn requests(way: &Way) {
    let client = reqwest::Client::builder()
        .no_proxy()
        .pool_max_idle_per_host(CONNECTIONS)
        .build()
        .unwrap();
    let tasks = (0..CONNECTIONS).map(|_| {
        let (client, url, cookie) = (client.clone(), format!("{}/bytes/1024", way.url), way.cookie.clone());
        tokio::spawn(async move {
            for _ in 0..REQUESTS / CONNECTIONS {
                let response = client.get(&url).header("cookie", &cookie).send().await.unwrap();
                assert_eq!(response.bytes().await.unwrap().len(), 1024);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

async fn echoes(way: &Way) {
    let tasks = (0..SOCKETS).map(|_| {
        let url = format!("{}/api/kernels/k/channels", way.url).replace("http://", "ws://");
        let (cookie, origin) = (way.cookie.clone(), way.origin.clone());
        tokio::spawn(async move {
            let mut request = url.into_client_request().unwrap();
            request.headers_mut().insert("cookie", cookie.parse().unwrap());
            request.headers_mut().insert("origin", origin.parse().unwrap());
            let (mut socket, _) = tokio_tungstenite::connect_async(request).await.unwrap();
            let message = Message::binary(vec![7_u8; 1024]);
            for _ in 0..ECHOES {
                socket.send(message.clone()).await.unwrap();
                assert_eq!(socket.next().await.unwrap().unwrap().len(), 1024);
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
}

/// The stub without TLS, for those who cannot speak it.
async fn plain_stub() -> (Child, String) {
    let port = free_port();
    let child = Command::new(program("stub-jupyter"))
        .args([
            "lab",
            "--plain=yes",
            "--ip=127.0.0.1",
            &format!("--port={port}"),
            "--ServerApp.base_url=/user/ada/",
        ])
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}");
    answers(&format!("{url}/user/ada/api/status")).await;
    (child, url)
}

async fn configurable_http_proxy(target: &str) -> (Child, String) {
    let (port, api) = (free_port(), free_port());
    let child = Command::new("configurable-http-proxy")
        .args([
            "--ip=127.0.0.1",
            &format!("--port={port}"),
            "--api-ip=127.0.0.1",
            &format!("--api-port={api}"),
        ])
        .arg(format!("--default-target={target}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let url = format!("http://127.0.0.1:{port}");
    answers(&format!("{url}/user/ada/api/status")).await;
    (child, url)
}

pub(super) async fn answers(url: &str) {
    let person = Person::new("");
    until(url, || async {
        person
            .http
            .get(url)
            .send()
            .await
            .ok()
            .filter(|r| r.status().is_success())
    })
    .await;
}

/// User and system time of a process, all threads (`proc_pid_stat(5)`, fields 14 and 15).
pub(crate) fn cpu_seconds(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    // A clock tick is a hundredth of a second wherever Linux is.
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn megabytes(kibibytes: u64) -> String {
    format!("{}.{}", kibibytes / 1024, kibibytes % 1024 * 10 / 1024)
}
