use std::net::SocketAddr;
use std::time::Instant;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::get;
use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::address::{UNSENT, VANISHED};
use super::*;
use crate::config::ClientAddressIn;

/// Long enough for a busy machine, short enough for a test.
const SHORT: Duration = Duration::from_millis(500);

struct Listening {
    address: SocketAddr,
    shutdown: CancellationToken,
    served: JoinHandle<()>,
    /// Somebody has asked for what takes its time.
    asked: Arc<Notify>,
}

impl Listening {
    async fn start(say_it_in: Option<ClientAddressIn>) -> Self {
        Self::start_with(say_it_in, SHORT).await
    }

    /// Answers each request with the address that it comes from.
    async fn start_with(say_it_in: Option<ClientAddressIn>, time: Duration) -> Self {
        let front = Front {
            proxies: Proxies::of(&["127.0.0.1/32"], say_it_in),
            tls: None,
            places: 16,
            limits: Limits {
                opening: time,
                openings: 4,
                headers: time,
                rate: None,
                per_address: 16,
                per_person: 16,
            },
        };
        let whose = async |ConnectInfo(ClientAddress(client)): ConnectInfo<ClientAddress>| client.to_string();
        let asked = Arc::new(Notify::new());
        let begun = Arc::clone(&asked);
        let slow = async move || {
            begun.notify_one();
            tokio::time::sleep(SHORT).await;
            "late"
        };
        let router = Router::new().route("/", get(whose)).route("/slow", get(slow));
        let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = CancellationToken::new();
        let served = tokio::spawn(front.serve(listener, router, shutdown.clone(), shutdown.clone()));
        Self {
            address,
            shutdown,
            served,
            asked,
        }
    }

    /// What is answered to these bytes until the connection ends, and how long that takes.
    async fn answer(&self, parts: &[&[u8]]) -> (String, Duration) {
        let started = Instant::now();
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        for part in parts {
            let _ = stream.write_all(part).await;
            tokio::task::yield_now().await;
        }
        let mut answer = Vec::new();
        let read = tokio::time::timeout(SHORT * 10, stream.read_to_end(&mut answer)).await;
        assert!(read.is_ok(), "the connection was not ended");
        (String::from_utf8(answer).unwrap(), started.elapsed())
    }

    async fn end(self) {
        self.shutdown.cancel();
        self.served.await.unwrap();
    }
}

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn headers_that_do_not_end_in_time_end_the_connection() {
    let listening = Listening::start(None).await;
    assert!(listening.answer(&[REQUEST]).await.0.ends_with("127.0.0.1"));
    for unfinished in [&b""[..], b"GET / HT", b"GET / HTTP/1.1\r\nhost: here\r\nx-slow: 1\r\n"] {
        let (answer, took) = listening.answer(&[unfinished]).await;
        assert!(!answer.contains("200 OK"), "{answer}");
        assert!(took >= SHORT, "it ended after {took:?}");
    }
    listening.end().await;
}

#[tokio::test]
async fn an_idle_connection_of_a_proxy_that_forwards_for_others_is_kept() {
    let listening = Listening::start(Some(ClientAddressIn::XForwardedFor)).await;
    let mut stream = TcpStream::connect(listening.address).await.unwrap();
    let mut answer = [0; 1024];
    let idle = tokio::time::timeout(SHORT * 3, stream.read(&mut answer)).await;
    assert!(idle.is_err(), "it was ended: {idle:?}");
    stream.write_all(REQUEST).await.unwrap();
    assert!(stream.read(&mut answer).await.unwrap() > 0);
    listening.end().await;
}

#[tokio::test]
async fn headers_without_measure_are_refused() {
    let listening = Listening::start(None).await;
    let long = format!(
        "GET / HTTP/1.1\r\nhost: here\r\nx-long: {}\r\n\r\n",
        "x".repeat(HEADER_BYTES as usize * 2)
    );
    let (answer, _) = listening.answer(&[long.as_bytes()]).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431"), "{answer}");
    let fair = format!(
        "GET / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncookie: {}\r\n\r\n",
        "x".repeat(HEADER_BYTES as usize / 2)
    );
    let (answer, _) = listening.answer(&[fair.as_bytes()]).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    listening.end().await;
}

#[tokio::test]
async fn a_header_of_the_proxy_protocol_has_to_come_in_time_and_may_come_in_pieces() {
    let listening = Listening::start(Some(ClientAddressIn::ProxyProtocol)).await;
    let header = b"PROXY TCP4 192.0.2.7 127.0.0.1 50123 443\r\n";
    let pieces: Vec<&[u8]> = header.chunks(5).chain([REQUEST]).collect();
    assert!(listening.answer(&pieces).await.0.ends_with("192.0.2.7"));
    for unfinished in [
        &b""[..],
        b"PROXY TCP4 192.0.2.7",
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff",
    ] {
        let (answer, took) = listening.answer(&[unfinished]).await;
        assert_eq!(answer, "", "{unfinished:?}");
        assert!(took >= SHORT, "it ended after {took:?}");
    }
    listening.end().await;
}

#[tokio::test]
async fn who_says_nothing_before_the_proxy_header_makes_room_for_who_does() {
    let listening = Listening::start_with(Some(ClientAddressIn::ProxyProtocol), SHORT * 100).await;
    let mut silent = Vec::new();
    for _ in 0..12 {
        silent.push(TcpStream::connect(listening.address).await.unwrap());
    }
    let header = b"PROXY TCP6 2001:db8::7 ::1 50123 443\r\n";
    let (answer, _) = listening.answer(&[header, REQUEST]).await;
    assert!(answer.ends_with("2001:db8::7"), "{answer}");
    let first = tokio::time::timeout(SHORT * 10, silent[0].read(&mut [0])).await;
    assert!(matches!(first, Ok(Ok(0) | Err(_))), "the first is still waited for");
    listening.end().await;
}

#[tokio::test]
async fn ending_waits_for_what_was_asked_and_for_nothing_else() {
    let listening = Listening::start_with(Some(ClientAddressIn::ProxyProtocol), SHORT * 100).await;
    let header = b"PROXY UNKNOWN\r\n";
    let opening = TcpStream::connect(listening.address).await.unwrap();
    let mut idle = TcpStream::connect(listening.address).await.unwrap();
    let request = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n";
    idle.write_all(&[&header[..], request].concat()).await.unwrap();
    assert!(idle.read(&mut [0; 1024]).await.unwrap() > 0);
    let slow = b"PROXY UNKNOWN\r\nGET /slow HTTP/1.1\r\nhost: here\r\n\r\n";
    let parts: [&[u8]; 1] = [slow];
    let ((answer, _), ()) = tokio::join!(listening.answer(&parts), async {
        listening.asked.notified().await;
        listening.shutdown.cancel();
    });
    assert!(answer.ends_with("late"), "{answer}");
    let ended = tokio::time::timeout(SHORT * 10, listening.end()).await;
    assert!(ended.is_ok(), "an idle connection was waited for");
    drop((opening, idle));
}

#[tokio::test]
async fn a_request_that_is_on_the_way_when_everything_ends_is_answered() {
    let listening = Listening::start(None).await;
    let mut early = TcpStream::connect(listening.address).await.unwrap();
    let silent = TcpStream::connect(listening.address).await.unwrap();
    // Connections are accepted in their order: those two have been.
    assert!(listening.answer(&[REQUEST]).await.0.contains("200 OK"));
    listening.shutdown.cancel();
    tokio::task::yield_now().await;
    early.write_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    early.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("200 OK"), "{answer}");
    let ended = tokio::time::timeout(SHORT * 10, listening.end()).await;
    assert!(ended.is_ok(), "somebody who says nothing was waited for");
    drop(silent);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_notice_when_the_other_side_vanishes() {
    let listener = bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let _near = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (accepted, _) = listener.accept().await.unwrap();
    let socket = SockRef::from(&accepted);
    assert!(socket.keepalive().unwrap());
    assert_eq!(socket.tcp_keepalive_time().unwrap(), VANISHED / 3);
    assert_eq!(socket.tcp_user_timeout().unwrap(), Some(VANISHED));
    assert_eq!(socket.tcp_notsent_lowat().unwrap(), UNSENT);
}
