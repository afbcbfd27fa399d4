//! Requests that one server may read in one way and another in another way: what is not plain goes nowhere. Bodies that
//! are none, and answers that cannot be passed on.

use std::time::Duration;

use shared::server::Phase;
use slipway_tests::{Person, Site, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ready;

/// Sends a request with these lines and body to ada's server; what is answered until the connection ends.
async fn answer(site: &Site, ada: &Person, lines: &str, body: &str) -> String {
    let host = site.url.trim_start_matches("http://").trim_end_matches('/');
    let (cookies, origin) = (ada.cookies("user/ada/"), ada.origin());
    let head = format!(
        "POST /user/ada/api/terminals HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nOrigin: {origin}\r\nConnection: close\r\n"
    );
    let mut connection = TcpStream::connect(host).await.unwrap();
    connection
        .write_all(format!("{head}{lines}\r\n{body}").as_bytes())
        .await
        .unwrap();
    let mut answer = Vec::new();
    // A connection that is reset has been ended as well.
    let read = tokio::time::timeout(Duration::from_secs(10), connection.read_to_end(&mut answer)).await;
    assert!(read.is_ok(), "{lines:?} {body:?} was not answered");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn what_can_be_read_in_two_ways_is_refused_and_reaches_no_server() {
    let (site, ada) = ready().await;
    for (lines, body) in [
        ("Content-Length: 4\r\nContent-Length: 3\r\n", "evil"),
        ("Content-Length: 4, 3\r\n", "evil"),
        ("Content-Length: +4\r\n", "evil"),
        ("Content-Length: 0x4\r\n", "evil"),
        ("Content-Length : 4\r\n", "evil"),
        ("Content-Length: 4\r\nX-Folded: a\r\n b\r\n", "evil"),
        ("Content-Length: 4\r\n X: folded\r\n", "evil"),
        ("Transfer-Encoding: xchunked\r\n", "4\r\nevil\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked, identity\r\n", "4\r\nevil\r\n0\r\n\r\n"),
        ("Transfer-Encoding: \u{b}chunked\r\n", "4\r\nevil\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "0x4\r\nevil\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "+4\r\nevil\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked\r\n", "4\r\nevilX0\r\n\r\n"),
        (
            "Transfer-Encoding: chunked\r\n",
            "ffffffffffffffff1\r\nevil\r\n0\r\n\r\n",
        ),
        ("Content-Length: 4\r\nX-Null: a\0b\r\n", "evil"),
        ("Content-Length: 4\r\nX-Return: a\rb\r\n", "evil"),
        ("Content-Length: 4\r\nX Space: a\r\n", "evil"),
        ("Content-Length: 4\r\n: nameless\r\n", "evil"),
        ("Content-Length: 4\r\nHost: example.org\r\n", "evil"),
    ] {
        let answer = answer(&site, &ada, lines, body).await;
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4") || answer.starts_with("HTTP/1.1 5");
        assert!(refused, "{lines:?} {body:?}: {answer}");
        assert!(!answer.contains("HTTP/1.1 2"), "{lines:?} {body:?}: {answer}");
    }
    assert_eq!(ada.get(&ada.own("api/terminals")).await.text, "");
    site.shut_down().await;
}

#[tokio::test]
async fn what_is_unusual_and_plain_is_passed_on_in_the_usual_way() {
    let (site, ada) = ready().await;
    for (lines, body) in [
        ("Content-Length: 4\r\nContent-Length: 4\r\n", "good"),
        ("Content-Length: 4\nX-Line: bare\n", "good"),
        // The length counts for nothing, and is not passed on (RFC 9112, section 6.3).
        (
            "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n",
            "4\r\ngood\r\n0\r\n\r\n",
        ),
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n",
            "4\r\ngood\r\n0\r\n\r\n",
        ),
        ("Transfer-Encoding: Chunked\r\n", "4;name=value\r\ngood\r\n0\r\n\r\n"),
        (
            "Transfer-Encoding: chunked\r\nTrailer: x-sum\r\n",
            "2\r\ngo\r\n2\r\nod\r\n0\r\nx-sum: 1\r\n\r\n",
        ),
        ("Expect: 100-continue\r\nContent-Length: 4\r\n", "good"),
    ] {
        let answer = answer(&site, &ada, lines, body).await;
        assert!(
            answer.contains("HTTP/1.1 201") && answer.ends_with("good"),
            "{lines:?}: {answer}"
        );
    }
    assert_eq!(ada.get(&ada.own("api/terminals")).await.text, "good\n".repeat(7));
    site.shut_down().await;
}

#[tokio::test]
async fn a_body_that_is_malformed_or_cut_off_is_the_clients_fault_and_says_nothing_about_the_server() {
    let (site, ada) = ready().await;
    let host = site.url.trim_start_matches("http://").trim_end_matches('/');
    let (cookies, origin) = (ada.cookies("user/ada/"), ada.origin());
    let head = format!("POST /user/ada/length HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nOrigin: {origin}\r\n");
    let chunked = "Transfer-Encoding: chunked\r\n";
    let bodies = [
        (chunked, "0x4\r\nevil\r\n0\r\n\r\n"),
        (chunked, "4\r\nevilX0\r\n\r\n"),
        (chunked, "zz\r\n"),
        (chunked, "8\r\ngood"),
        ("Content-Length: 10\r\n", "good"),
    ];
    for (lines, body) in bodies {
        // The client says that nothing more comes, and waits for what is said to that.
        let mut connection = TcpStream::connect(host).await.unwrap();
        let request = format!("{head}{lines}\r\n{body}");
        connection.write_all(request.as_bytes()).await.unwrap();
        connection.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let _ = connection.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        // A connection that is reset has been ended as well.
        assert!(
            answer.is_empty() || answer.starts_with("HTTP/1.1 400"),
            "{body:?}: {answer}"
        );
        // And one that goes without a word.
        let mut connection = TcpStream::connect(host).await.unwrap();
        connection.write_all(request.as_bytes()).await.unwrap();
        rustix::net::sockopt::set_socket_linger(&connection, Some(Duration::ZERO)).unwrap();
    }
    let refused = "a request was refused: the body of the request is malformed or was cut off";
    until("all of them", || async {
        (site.log().matches(refused).count() >= bodies.len()).then_some(())
    })
    .await;
    assert_eq!(ada.get(&ada.own("lab")).await.status, 200);
    assert!(!site.log().contains("a request failed"), "{}", site.log());
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    site.shut_down().await;
}

#[tokio::test]
async fn an_answer_that_cannot_be_passed_on_is_told_and_says_nothing_about_the_server() {
    let (site, ada) = ready().await;
    let upgrade = |rest: &str, protocol: &'static str| {
        ada.request(http::Method::GET, &ada.own(rest))
            .header("origin", ada.origin())
            .header("connection", "upgrade")
            .header("upgrade", protocol)
    };
    for request in [
        ada.request(http::Method::GET, &ada.own("switch/websocket")),
        upgrade("switch/other", "websocket"),
        ada.request(http::Method::GET, &ada.own("cookies/90/4000")),
        ada.request(http::Method::GET, &ada.own("cookies/200/10")),
    ] {
        let reply = Person::send(request).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (502, "invalid_answer"),
            "{}",
            reply.text
        );
        assert!(
            reply.text.contains("cannot be passed on: its headers are larger") || reply.text.contains("not asked for")
        );
    }
    let agreed = upgrade("switch/WebSocket", "other, websocket").send().await.unwrap();
    assert_eq!(agreed.status(), 101);
    let many = ada.get(&ada.own("cookies/15/4000")).await;
    assert_eq!(
        (many.status, many.headers.get_all("set-cookie").iter().count()),
        (200, 15)
    );
    assert!(!site.log().contains("does not answer"), "{}", site.log());
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    site.shut_down().await;
}
