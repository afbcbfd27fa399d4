//! How requests arrive: from a proxy in front or by Slipway's own TLS, whose they are, and how many at once.

mod forwarded;
mod http2;
mod proxy_protocol;
mod room;
mod slow;
mod tls;

use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use slipway_tests::{Person, until};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Sends bytes and reads until the connection ends; nothing if it does not within ten seconds.
async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) -> Option<String> {
    let mut answer = Vec::new();
    let exchanged = tokio::time::timeout(Duration::from_secs(10), async {
        let _ = stream.write_all(bytes).await;
        let _ = stream.read_to_end(&mut answer).await;
    });
    exchanged.await.ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}

/// A connection to a port of this machine from one of its addresses.
async fn connect_from(address: [u8; 4], port: u16) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::from(address), 0).into()).unwrap();
    socket.connect((Ipv4Addr::LOCALHOST, port).into()).await.unwrap()
}

/// A request to the site of this URL of whose body one byte comes.
fn unfinished_request(url: &str, path: &str) -> Vec<u8> {
    let host = url.split('/').nth(2).unwrap();
    let kind = if path.contains("api/") {
        "application/json"
    } else {
        "application/x-www-form-urlencoded"
    };
    format!("POST /{path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: {kind}\r\ncontent-length: 64\r\n\r\n{{")
        .into_bytes()
}

/// [`exchange`] with a port of this machine.
async fn exchange_at(port: u16, bytes: &[u8]) -> Option<String> {
    exchange(TcpStream::connect(("127.0.0.1", port)).await.unwrap(), bytes).await
}

/// A small request to the site of this URL, on a connection that ends after it.
fn request(url: &str) -> Vec<u8> {
    let host = url.split('/').nth(2).unwrap();
    format!("GET /hub/health HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n").into_bytes()
}

/// The same on a connection that waits for another one.
fn kept_request(url: &str) -> Vec<u8> {
    let request = String::from_utf8(request(url)).unwrap();
    request.replace("connection: close\r\n", "").into_bytes()
}

fn port(url: &str) -> u16 {
    url.split('/')
        .nth(2)
        .unwrap()
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap()
}

/// What a person's Jupyter server was told about who asks.
async fn told(person: &Person, path: &str, says: Option<&str>) -> Value {
    let mut request = person.request(http::Method::GET, &person.own(path));
    if let Some(says) = says {
        request = request.header("x-forwarded-for", says);
    }
    let shown: Value = Person::send(request).await.json();
    shown["headers"]["x-forwarded-for"].clone()
}

/// Waits until Slipway has said something.
async fn said(site: &slipway_tests::Site, words: &str) {
    until(words, || async { site.log().contains(words).then_some(()) }).await;
}
