//! The PROXY protocol: every connection of a trusted proxy starts with it, and nobody else may connect.

use std::sync::Arc;

use serde_json::json;
use slipway_tests::site::free_port;
use slipway_tests::tls::Authority;
use slipway_tests::{Plan, Site, front};
use tokio::net::{TcpListener, TcpStream};

use super::{exchange, exchange_at, request, said, told};

const VERSION_1: &[u8] = b"PROXY TCP4 203.0.113.7 127.0.0.1 50123 443\r\n";
/// From `2001:db8::7`, with an extension (a unique id) that nobody asked for.
const VERSION_2: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x21\x21\0\x2a\
    \x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x01\xc3\xcb\x01\xbb\x05\0\x03abc";
/// The proxy speaks for itself.
const LOCAL: &[u8] = b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0";

/// A site and the port on which it listens, behind a port on which nobody listens yet.
async fn site(trusted: &str, tls: Option<Arc<Authority>>) -> (Site, u16, TcpListener) {
    let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = free_port();
    let plan = Plan {
        port,
        front_port: Some(front.local_addr().unwrap().port()),
        tls,
        server: format!("trusted_proxies = [\"{trusted}\"]\nclient_address = \"proxy-protocol\"\n"),
        ..Plan::default()
    };
    (Site::start(plan).await, port, front)
}

#[tokio::test]
async fn both_versions_say_whose_connection_it_is() {
    let (site, port, front) = site("127.0.0.1", None).await;
    front::forward(front, port, VERSION_2);
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    // What the client says of itself counts for nothing here, though its neighbour is trusted.
    assert_eq!(told(&ada, "show", Some("6.6.6.6")).await, json!(["2001:db8::7"]));
    let own = ada.cookies(&ada.own(""));
    for (header, expected) in [
        (VERSION_1, "203.0.113.7"),
        (VERSION_2, "2001:db8::7"),
        (LOCAL, "127.0.0.1"),
        (b"PROXY UNKNOWN\r\n", "127.0.0.1"),
        (b"PROXY TCP6 ::ffff:203.0.113.7 ::1 1 2\r\n", "203.0.113.7"),
    ] {
        let show = String::from_utf8(request(&site.url))
            .unwrap()
            .replace("/hub/health", "/user/ada/show");
        let show = show.replace("\r\n\r\n", &format!("\r\ncookie: {own}\r\n\r\n"));
        let answer = exchange_at(port, &[header, show.as_bytes()].concat()).await.unwrap();
        let told = format!("\"x-forwarded-for\":[\"{expected}\"]");
        assert!(
            answer.contains(&told),
            "{:?}: {answer}",
            String::from_utf8_lossy(header)
        );
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_connection_without_such_a_header_is_closed_unanswered() {
    let (site, port, _front) = site("127.0.0.1", None).await;
    let plain = request(&site.url);
    for bytes in [
        plain.clone(),
        [b"PROXY TCP4 somewhere 127.0.0.1 1 2\r\n", &plain[..]].concat(),
        [b"PROXY TCP4 203.0.113.7 127.0.0.1 1 2 ", &plain[..]].concat(),
        // Version 3, and a length too short for its addresses.
        [b"\r\n\r\n\0\r\nQUIT\n\x31\x11\0\x0c", &[1; 12][..], &plain].concat(),
        [b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04", &[1; 12][..], &plain].concat(),
        vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3],
    ] {
        let answer = exchange_at(port, &bytes).await;
        assert_eq!(answer.as_deref(), Some(""), "{:?}", String::from_utf8_lossy(&bytes));
    }
    said(&site, "a trusted proxy sent no header of the PROXY protocol").await;
    let answer = exchange_at(port, &[VERSION_1, &plain].concat()).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    site.shut_down().await;
}

#[tokio::test]
async fn a_stranger_is_refused_even_with_such_a_header() {
    let (site, port, _front) = site("192.0.2.1", None).await;
    let plain = request(&site.url);
    for bytes in [plain.clone(), [VERSION_1, &plain[..]].concat()] {
        assert_eq!(exchange_at(port, &bytes).await.as_deref(), Some(""));
    }
    said(&site, "only server.trusted_proxies may connect").await;
    site.shut_down().await;
}

#[tokio::test]
async fn the_header_comes_before_tls() {
    let authority = Arc::new(Authority::new());
    let (site, port, front) = site("127.0.0.1", Some(Arc::clone(&authority))).await;
    front::forward(front, port, VERSION_1);
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    assert_eq!(told(&ada, "show", None).await, json!(["203.0.113.7"]));
    let naked = authority.connect(port).await;
    assert!(naked.is_err(), "TLS without such a header was answered");
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let answer = exchange(stream, &[VERSION_1, &request(&site.url)].concat())
        .await
        .unwrap();
    assert!(
        !answer.contains("HTTP/1.1"),
        "a request without TLS was answered: {answer}"
    );
    site.shut_down().await;
}
