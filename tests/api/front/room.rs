//! How many connections there are at once, and what happens when there can be no more.

use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit};
use serde_json::json;
use shared::server::Phase;
use slipway_tests::{Plan, Site, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

use super::{exchange_at, kept_request, port, request, said, unfinished_request};

/// Places for `places` connections.
async fn site(places: usize) -> Site {
    Site::start(Plan {
        server: format!("max_connections = {places}\nmax_connections_per_address = {places}\n"),
        ..Plan::default()
    })
    .await
}

/// A connection that says nothing and takes its place.
async fn silent(site: &Site) -> TcpStream {
    TcpStream::connect(("127.0.0.1", port(&site.url))).await.unwrap()
}

/// A connection whose request is under way.
async fn busy(site: &Site) -> TcpStream {
    let mut stream = silent(site).await;
    let request = unfinished_request(&site.url, "hub/api/login");
    stream.write_all(&request).await.unwrap();
    stream
}

/// Somebody who comes, and is answered sooner or later.
fn newcomer(site: &Site) -> JoinHandle<Option<String>> {
    let (port, request) = (port(&site.url), request(&site.url));
    tokio::spawn(async move { exchange_at(port, &request).await })
}

async fn is_served(newcomer: JoinHandle<Option<String>>) {
    let answer = newcomer.await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[tokio::test]
async fn past_the_last_place_a_connection_waits_and_it_is_said() {
    let site = site(2).await;
    let (first, _second) = (busy(&site).await, busy(&site).await);
    said(&site, "there is no place for one more connection").await;
    let mut late = silent(&site).await;
    late.write_all(&request(&site.url)).await.unwrap();
    let mut answer = [0; 12];
    let early = tokio::time::timeout(Duration::from_secs(1), late.read(&mut answer)).await;
    assert!(early.is_err(), "it was answered: {early:?}");
    drop(first);
    late.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    assert_eq!(site.log().matches("there is no place").count(), 1, "{}", site.log());
    site.shut_down().await;
}

#[tokio::test]
async fn past_the_last_place_the_connection_that_has_been_idle_longest_makes_room() {
    let site = site(2).await;
    let (mut first, mut second) = (silent(&site).await, silent(&site).await);
    for stream in [&mut first, &mut second] {
        stream.write_all(&kept_request(&site.url)).await.unwrap();
        stream.read_exact(&mut [0; 12]).await.unwrap();
    }
    is_served(newcomer(&site)).await;
    // The one that asked last is still there.
    let _ = first.read_to_end(&mut Vec::new()).await;
    second.write_all(&request(&site.url)).await.unwrap();
    let mut answer = String::new();
    second.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("HTTP/1.1 200 OK"), "{answer}");
    site.shut_down().await;
}

#[tokio::test]
async fn a_browser_that_goes_away_is_noticed_while_it_waits_for_news() {
    let site = site(2).await;
    let person = site.sign_in("waits").await;
    assert_eq!(person.start(&json!({})).await.status, 202);
    person.wait_for(Phase::Queued).await;
    let path = format!("/{}/progress", person.server_path());
    let cookies = person.cookies("hub/");
    let events = String::from_utf8(request(&site.url))
        .unwrap()
        .replace("/hub/health", &path);
    let events = events.replace("\r\n\r\n", &format!("\r\ncookie: {cookies}\r\n\r\n"));
    let mut stream = silent(&site).await;
    stream.write_all(events.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");

    // The stream of news and a request under way: both places are taken.
    let _busy = busy(&site).await;
    said(&site, "there is no place for one more connection").await;
    let newcomer = newcomer(&site);
    drop(stream);
    is_served(newcomer).await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_tunnel_keeps_its_place_until_its_browser_goes_away() {
    let site = site(2).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let upgrade = format!(
        "GET /user/ada/api/kernels/k/channels HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\ncookie: {cookies}\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        host = ada.origin().trim_start_matches("http://"),
        origin = ada.origin(),
        cookies = ada.cookies(&ada.own("")),
    );
    let mut tunnel = silent(&site).await;
    tunnel.write_all(upgrade.as_bytes()).await.unwrap();
    let mut answer = [0; 12];
    tunnel.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 101");

    let _busy = busy(&site).await;
    said(&site, "there is no place for one more connection").await;
    let mut late = silent(&site).await;
    late.write_all(&request(&site.url)).await.unwrap();
    let early = tokio::time::timeout(Duration::from_secs(1), late.read(&mut answer)).await;
    assert!(early.is_err(), "the tunnel had lost its place: {early:?}");
    drop(tunnel);
    late.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    site.shut_down().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn without_a_file_for_the_next_connection_slipway_waits_and_does_not_spin() {
    let site = site(10_000_000).await;
    said(
        &site,
        "the limit of open files allows fewer connections than server.max_connections",
    )
    .await;
    let pid = site.slipway_pid().unwrap();
    let process = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    let files = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() as u64;
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = |current| prlimit(Some(process), Resource::Nofile, Rlimit { current, maximum }).unwrap();
    let before = limit(Some(files + 2)).current;
    let mut many = Vec::new();
    for _ in 0..6 {
        many.push(silent(&site).await);
    }
    said(&site, "no connection can be accepted now").await;
    let (started, mut answer) = (cpu_ticks(pid), [0; 12]);
    let mut late = silent(&site).await;
    late.write_all(&request(&site.url)).await.unwrap();
    let early = tokio::time::timeout(Duration::from_secs(2), late.read(&mut answer)).await;
    assert!(early.is_err(), "it was answered: {early:?}");
    let ticks = cpu_ticks(pid) - started;
    assert!(
        ticks < 50,
        "{ticks} hundredths of a second were spent in two seconds of waiting"
    );
    assert_eq!(site.log().matches("no connection can be accepted now").count(), 1);

    limit(before);
    late.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    until("everybody to be served", || async {
        exchange_at(port(&site.url), &request(&site.url)).await
    })
    .await;
    site.shut_down().await;
}

/// User and system time of a process (`proc_pid_stat(5)`, fields 14 and 15), in hundredths of a second.
fn cpu_ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields = stat.rsplit(')').next().unwrap().split_whitespace();
    fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}
