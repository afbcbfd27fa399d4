//! Transfers have a minimum rate, and only the client's own slowness counts.

use std::time::Duration;

use ::http::Method;
use futures_util::{SinkExt, StreamExt, stream};
use serde_json::json;
use shared::server::Phase;
use slipway_tests::{Person, Plan, Site, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;

/// A site where ada's server is ready, and a transfer has to move 2 KiB in two seconds.
async fn hasty() -> (Site, Person) {
    let site = Site::start(Plan {
        server: "min_rate_seconds = 2\n".into(),
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    (site, ada)
}

/// A connection on which ada has sent the head of a request to her server.
async fn begin(site: &Site, ada: &Person, method: &str, rest: &str, lines: &str) -> TcpStream {
    let host = site.url.trim_start_matches("http://").trim_end_matches('/');
    let (path, cookies, origin) = (ada.own(rest), ada.cookies("user/ada/"), ada.origin());
    let head =
        format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nOrigin: {origin}\r\n{lines}\r\n");
    let mut stream = TcpStream::connect(host).await.unwrap();
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

#[tokio::test]
async fn an_upload_that_trickles_is_ended_as_the_clients_fault() {
    let (site, ada) = hasty().await;
    let stream = begin(&site, &ada, "POST", "length", "Content-Length: 100000\r\n").await;
    let (mut reader, mut writer) = stream.into_split();
    let mut answer = Vec::new();
    let trickle = async {
        loop {
            let _ = writer.write_all(b"x").await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        _ = reader.read_to_end(&mut answer) => {}
        () = trickle => {}
        () = tokio::time::sleep(Duration::from_secs(20)) => {}
    }
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("did not arrive in time"), "{answer}");
    assert!(!site.log().contains("a request failed"), "{}", site.log());
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    site.shut_down().await;
}

#[tokio::test]
async fn an_upload_waits_for_a_server_that_reads_late_and_a_steady_one_takes_as_long_as_it_needs() {
    let (site, ada) = hasty().await;
    let length = 20_000_000;
    let late = ada
        .request(Method::POST, &ada.own("late-length/5000"))
        .body(vec![b'x'; length]);
    // 2 KiB in each tenth of a second, for five seconds.
    let pieces = stream::iter(0..50).then(|_| async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        Ok::<_, std::io::Error>(vec![b'x'; 2048])
    });
    let steady = ada
        .request(Method::POST, &ada.own("length"))
        .body(reqwest::Body::wrap_stream(pieces));
    let (late, steady) = tokio::join!(Person::send(late), Person::send(steady));
    assert_eq!((late.status, late.text), (200, length.to_string()));
    assert_eq!((steady.status, steady.text), (200, (50 * 2048).to_string()));
    site.shut_down().await;
}

#[tokio::test]
async fn a_download_that_is_read_a_byte_now_and_then_is_ended() {
    let (site, ada) = hasty().await;
    let length = 50_000_000;
    let slow = Mutex::new(begin(&site, &ada, "GET", &format!("bytes/{length}"), "").await);
    until("its end", || async {
        slow.lock().await.read_exact(&mut [0]).await.ok()?;
        site.log().contains("takes what is sent to it too slowly").then_some(())
    })
    .await;
    let mut rest = Vec::new();
    let _ = slow.into_inner().read_to_end(&mut rest).await;
    assert!(rest.len() < length, "all of it came");
    site.shut_down().await;
}

#[tokio::test]
async fn a_download_over_a_slow_line_goes_on() {
    let (site, ada) = hasty().await;
    let slow = begin(&site, &ada, "GET", "bytes/50000000", "").await;
    rustix::net::sockopt::set_socket_recv_buffer_size(&slow, 64 * 1024).unwrap();
    let (mut slow, mut piece) = (slow, vec![0; 16 * 1024]);
    for _ in 0..100 {
        slow.read_exact(&mut piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(!site.log().contains("too slowly"), "{}", site.log());
    site.shut_down().await;
}

#[tokio::test]
async fn an_answer_of_which_nothing_comes_and_a_tunnel_on_which_nothing_is_said_are_kept() {
    let (site, ada) = hasty().await;
    let (mut tunnel, _) = ada.tunnel("api/kernels/k/channels", None).await.unwrap();
    let quiet = ada.get(&ada.own("quiet/5000")).await;
    assert_eq!((quiet.status, quiet.text.as_str()), (200, "first\nsecond\n"));
    tunnel.send("x".into()).await.unwrap();
    assert_eq!(tunnel.next().await.unwrap().unwrap().len(), 1);
    site.shut_down().await;
}
