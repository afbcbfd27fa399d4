//! Requests that one server may read in one way and another in another way: what is not plain goes nowhere.

use std::time::Duration;

use slipway_tests::{Person, Site};
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
