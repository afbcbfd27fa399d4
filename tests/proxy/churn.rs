//! Connections come and go, half of them without a word: nothing of them stays.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use slipway_tests::flood::memory;
use slipway_tests::{Person, Site, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, tungstenite::protocol::CloseFrame};

use crate::ready;

/// As many are opened a second.
const RATE: u32 = 100;
/// From so many seconds on, memory has to be as it was, within a fiftieth; before, what the allocator keeps once may still
/// come, and it is only seen that no connection stays whole.
const LONG: u32 = 300;
const ONCE_KIB: u64 = 8 * 1024;
/// As many come first at the least, as fast as they can: no later moment has more of them at once, whatever else the
/// machine does.
const WARM: u32 = 1_500;
/// As many are open at once at the most.
const AT_ONCE: usize = 64;

/// One connection, to its end: a WebSocket or a download that is broken off, ended well or killed.
async fn one(site: &Site, ada: &Person, number: u32) {
    let killed = number.is_multiple_of(2);
    if number % 4 < 2 {
        let (mut tunnel, _) = ada.tunnel("api/kernels/k/channels", None).await.unwrap();
        tunnel.send(Message::text("x")).await.unwrap();
        tunnel.next().await.unwrap().unwrap();
        if killed {
            if let MaybeTlsStream::Plain(stream) = tunnel.get_ref() {
                reset(stream);
            }
        } else {
            tunnel.close(None::<CloseFrame>).await.unwrap();
            while let Some(Ok(_)) = tunnel.next().await {}
        }
    } else {
        let host = site.url.trim_start_matches("http://").trim_end_matches('/');
        let mut stream = TcpStream::connect(host).await.unwrap();
        let (path, cookies) = (ada.own("bytes/10000000"), ada.cookies("user/ada/"));
        let head = format!("GET /{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\n\r\n");
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.read_exact(&mut [0; 1000]).await.unwrap();
        if killed {
            reset(&stream);
        }
    }
}

/// Makes a connection end without a word when it is dropped.
fn reset(stream: &TcpStream) {
    let now = Some(Duration::ZERO);
    rustix::net::sockopt::set_socket_linger(stream, now).unwrap();
}

/// Opens and closes as many, at most `rate` a second.
async fn many(site: &Site, ada: &Person, count: u32, rate: u32) {
    let started = Instant::now();
    let all = (0..count).map(|number| async move {
        tokio::time::sleep_until((started + Duration::from_secs(1) * number / rate).into()).await;
        one(site, ada, number).await;
    });
    futures_util::stream::iter(all).buffer_unordered(AT_ONCE).count().await;
}

fn files(pid: u32) -> usize {
    std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

#[tokio::test]
async fn connections_that_come_and_go_leave_nothing_behind() {
    let seconds: u32 = std::env::var("SLIPWAY_CHURN_SECONDS").map_or(8, |seconds| seconds.parse().unwrap());
    let (site, ada) = ready().await;
    let pid = site.slipway_pid().unwrap();
    // Thirty-two to the server may wait for another request.
    let most = files(pid) + 36;
    let idle = async || {
        until("as few files as before", || async {
            (files(pid) <= most).then_some(())
        })
        .await;
        (files(pid), memory(pid))
    };
    // What has been used once is kept for the next: the first ones do not count.
    let (first, more) = (WARM.max(seconds * RATE / 4), seconds * RATE);
    many(&site, &ada, first, u32::MAX).await;
    let before = idle().await;
    many(&site, &ada, more, RATE).await;
    let after = idle().await;
    let allowed = if seconds < LONG { ONCE_KIB } else { before.1 / 50 };
    assert!(
        after.1 <= before.1 + allowed,
        "files and KiB before {before:?}, after {after:?}"
    );
    site.shut_down().await;
}
