//! Clients that send slowly on purpose: what they begin ends in time, and keeps nobody else out.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use slipway_tests::{Plan, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{connect_from, exchange_at, port, said, unfinished_request};

/// The paths of the hub that take a body, and one that reads none.
const PATHS: [&str; 6] = [
    "hub/api/login",
    "hub/login",
    "hub/api/logout",
    "hub/api/login/answer",
    "hub/login/answer",
    "hub/home",
];
const ATTACKER: [u8; 4] = [127, 0, 0, 66];

/// What comes until the connection ends, within half a minute.
async fn rest(mut stream: TcpStream) -> String {
    let mut answer = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(30), stream.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "the connection is still open");
    String::from_utf8_lossy(&answer).into_owned()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hundred_bodies_that_never_arrive_keep_nobody_out_and_are_ended_after_fifteen_seconds() {
    let site = Site::start(Plan {
        server: "max_connections = 100\n".into(),
        ..Plan::default()
    })
    .await;
    let (started, mut attack) = (Instant::now(), Vec::new());
    for path in PATHS[..3].iter().cycle().take(100) {
        let mut stream = connect_from(ATTACKER, port(&site.url)).await;
        let _ = stream.write_all(&unfinished_request(&site.url, path)).await;
        attack.push(stream);
    }
    let visitor = tokio::time::timeout(Duration::from_secs(5), site.sign_in("ada")).await;
    assert!(visitor.is_ok(), "a visitor is kept out");
    assert!(
        started.elapsed() < Duration::from_secs(12),
        "the attack is over: {:?}",
        started.elapsed()
    );

    let answers = join_all(attack.into_iter().map(rest)).await;
    let took = started.elapsed();
    assert!(
        took > Duration::from_secs(14) && took < Duration::from_secs(25),
        "{took:?}"
    );
    // One address has half of all connections at most.
    let ended = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 408"));
    assert_eq!(ended.count(), 50, "{answers:?}");
    site.shut_down().await;
}

#[tokio::test]
async fn a_body_for_the_hub_has_to_arrive_in_time_at_every_path_and_in_every_form() {
    let site = Site::start(Plan {
        server: "body_timeout_seconds = 1\n".into(),
        ..Plan::default()
    })
    .await;
    let (url, port) = (site.url.as_str(), port(&site.url));
    let chunked = |path: &str| {
        let request = String::from_utf8(unfinished_request(url, path)).unwrap();
        let request = request.replace("content-length: 64", "transfer-encoding: chunked");
        request.replace("\r\n\r\n{", "\r\n\r\n1\r\n{\r\n").into_bytes()
    };
    let reads = &PATHS[..5];
    let mut requests: Vec<_> = reads.iter().map(|path| unfinished_request(url, path)).collect();
    requests.extend(reads.iter().map(|path| chunked(path)));
    let silent = join_all(requests.into_iter().map(|request| async move {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(&request).await.unwrap();
        rest(stream).await
    }));
    let trickling = join_all(reads.iter().map(|path| async move {
        let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let (mut reader, mut writer) = stream.into_split();
        writer.write_all(&unfinished_request(url, path)).await.unwrap();
        let mut answer = Vec::new();
        let trickle = async {
            loop {
                let _ = writer.write_all(b" ").await;
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            _ = reader.read_to_end(&mut answer) => {}
            () = trickle => {}
            () = tokio::time::sleep(Duration::from_secs(20)) => {}
        }
        String::from_utf8_lossy(&answer).into_owned()
    }));
    let (silent, trickling) = tokio::join!(silent, trickling);
    for answer in silent.iter().chain(&trickling) {
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.contains("did not arrive in time"), "{answer}");
    }
    // Where nobody reads a body nobody waits for it.
    let unread = exchange_at(port, &unfinished_request(url, "hub/home")).await.unwrap();
    assert!(unread.starts_with("HTTP/1.1 "), "{unread}");
    let stranger = exchange_at(port, &unfinished_request(url, "user/ada/echo"))
        .await
        .unwrap();
    assert!(stranger.starts_with("HTTP/1.1 401"), "{stranger}");
    site.shut_down().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn past_the_limit_of_an_address_its_connections_are_refused_in_words_and_others_are_served() {
    let site = Site::start(Plan {
        server: "max_connections_per_address = 4\n".into(),
        ..Plan::default()
    })
    .await;
    let port = port(&site.url);
    let mut attack = Vec::new();
    for path in &PATHS[..4] {
        let mut stream = connect_from(ATTACKER, port).await;
        let request = String::from_utf8(unfinished_request(&site.url, path)).unwrap();
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        // The server asks for the body: the request is under way, and its connection no longer idle.
        let head = format!("{head}\r\nexpect: 100-continue\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut asked = [0; 25];
        stream.read_exact(&mut asked).await.unwrap();
        assert!(asked.starts_with(b"HTTP/1.1 100 Continue"), "{path}");
        stream.write_all(body.as_bytes()).await.unwrap();
        attack.push(stream);
    }
    let request = super::request(&site.url);
    let answer = super::exchange(connect_from(ATTACKER, port).await, &request)
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 429"), "{answer}");
    assert!(answer.contains("\r\nretry-after: 5\r\n"), "{answer}");
    assert!(
        answer.contains("from your network address") && answer.contains("adresse réseau"),
        "{answer}"
    );
    said(&site, "refused a connection: too many from this address").await;
    let other = super::exchange(connect_from([127, 0, 0, 67], port).await, &request)
        .await
        .unwrap();
    assert!(other.starts_with("HTTP/1.1 200"), "{other}");

    // A connection that has been answered and waits for another request makes room.
    attack.pop();
    let idle = slipway_tests::until("room for one more", || async {
        let mut idle = connect_from(ATTACKER, port).await;
        let _ = idle.write_all(&super::kept_request(&site.url)).await;
        let mut answer = [0; 12];
        (idle.read_exact(&mut answer).await.is_ok() && &answer == b"HTTP/1.1 200").then_some(idle)
    })
    .await;
    let next = super::exchange(connect_from(ATTACKER, port).await, &request)
        .await
        .unwrap();
    assert!(next.starts_with("HTTP/1.1 200"), "{next}");
    rest(idle).await;
    site.shut_down().await;
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_trusted_proxy_has_as_many_connections_as_there_are() {
    let site = Site::start(Plan {
        server: "max_connections_per_address = 2\ntrusted_proxies = [\"127.0.0.66\"]\n\
                 client_address = \"x-forwarded-for\"\n"
            .into(),
        ..Plan::default()
    })
    .await;
    let mut through_proxy = Vec::new();
    for _ in 0..8 {
        let mut stream = connect_from(ATTACKER, port(&site.url)).await;
        stream
            .write_all(&unfinished_request(&site.url, "hub/api/login"))
            .await
            .unwrap();
        through_proxy.push(stream);
    }
    let next = connect_from(ATTACKER, port(&site.url)).await;
    let answer = super::exchange(next, &super::request(&site.url)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    site.shut_down().await;
}

/// Browsers of one person here, who all share an address; each holds three WebSockets, as an open Lab does.
const CLASS: usize = 120;

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_class_behind_one_router_is_served_while_another_address_holds_all_that_it_may() {
    let site = Site::start(Plan {
        server: "max_connections_per_person = 1000\n".into(),
        log: "info",
        ..Plan::default()
    })
    .await;
    let limit = getrlimit(Resource::Nofile);
    let current = limit.maximum;
    setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    // Everybody has ada's password.
    let users = std::fs::read_to_string(site.path("users.toml")).unwrap();
    let hash = users.split("[users.ada]").nth(1).unwrap().lines().nth(1).unwrap();
    let students: Vec<_> = (0..CLASS).map(|n| format!("[users.student{n}]\n{hash}\n")).collect();
    std::fs::write(site.path("users.toml"), format!("{users}\n{}", students.concat())).unwrap();
    let mut attack = Vec::new();
    for path in PATHS[..3].iter().cycle().take(300) {
        let mut stream = connect_from(ATTACKER, port(&site.url)).await;
        let _ = stream.write_all(&unfinished_request(&site.url, path)).await;
        attack.push(stream);
    }
    let mut class = Vec::new();
    for n in 0..CLASS {
        let (mut student, name) = (site.anonymous(), format!("student{n}"));
        let reply = student.sign_in(&name, site.password("ada")).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text);
        class.push(student);
    }
    let mut tunnels = Vec::new();
    for _ in 0..300 {
        tunnels.push(ada.tunnel("api/kernels/k/channels", None).await.unwrap().0);
    }
    assert!(tunnels.len() > 256, "more than one address may have");
    // As browsers do it, several requests at once, each on a connection of its own; forty people in the same instant.
    for students in class.chunks(40) {
        let pages = students
            .iter()
            .flat_map(|student| ["hub/home", "hub/api/user", "hub/api/site"].map(|page| student.get(page)));
        let answers = join_all(pages).await;
        assert!(answers.iter().all(|answer| answer.status == 200));
    }
    let echoes = join_all(tunnels.iter_mut().map(|tunnel| async {
        use futures_util::{SinkExt, StreamExt};
        tunnel.send("x".into()).await.unwrap();
        tunnel.next().await.unwrap().unwrap().len()
    }));
    assert_eq!(echoes.await, vec![1; tunnels.len()]);
    drop(attack);
    site.shut_down().await;
}
