//! Somebody who guesses passwords as fast as the network goes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::{Person, Site};

/// Failures sent, and what they cost.
#[derive(Debug)]
pub struct Flood {
    /// Sign-ins that were tried.
    pub failures: u64,
    /// Those whose password was checked; the others had to wait.
    pub checked: u64,
    /// Memory of Slipway before and after (PSS), in KiB.
    pub memory: [u64; 2],
    /// What was logged meanwhile, in bytes.
    pub logged: u64,
}

/// Sends wrong passwords for made-up names, in turn, over sixteen connections from so many addresses, where the system
/// gives them (Linux).
///
/// # Panics
/// When a wrong password is answered with anything but "wrong" or "wait".
pub async fn flood(site: &Site, failures: u64, names: u64, addresses: u8) -> Flood {
    let pid = site.slipway_pid().expect("Slipway runs");
    let logged = || std::fs::metadata(site.path("slipway.log")).map_or(0, |log| log.len());
    let before = (memory(pid), logged());
    let (sent, checked) = (AtomicU64::new(0), AtomicU64::new(0));
    let guessers = (0..16).map(|n| {
        let guesser = if cfg!(target_os = "linux") {
            Person::elsewhere(&site.url, [127, 0, 1, n % addresses])
        } else {
            site.anonymous()
        };
        let (sent, checked) = (&sent, &checked);
        async move {
            loop {
                let number = sent.fetch_add(1, Ordering::Relaxed);
                if number >= failures {
                    return;
                }
                let body = json!({ "username": format!("made-up-{}", number % names), "password": "a guess" });
                let reply = guesser.post("hub/api/login", &body).await;
                match reply.status {
                    401 => checked.fetch_add(1, Ordering::Relaxed),
                    429 => 0,
                    other => panic!("{other}: {}", reply.text),
                };
            }
        }
    });
    futures_util::future::join_all(guessers).await;
    Flood {
        failures,
        checked: checked.into_inner(),
        memory: [before.0, memory(pid)],
        logged: logged() - before.1,
    }
}

/// Sends a wrong password for a name from an address of this machine (Linux). To drop the connection is to hang up.
///
/// # Panics
/// When the site has no address.
pub async fn send_attempt(site: &Site, address: [u8; 4], name: &str) -> std::io::Result<TcpStream> {
    let slipway = site.url.split('/').nth(2).expect("a host");
    let slipway: SocketAddr = slipway.parse().expect("an address");
    let body = json!({ "username": name, "password": "a guess" }).to_string();
    let head = format!("POST /hub/api/login HTTP/1.1\r\nHost: {slipway}\r\nContent-Type: application/json");
    let request = format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::from((address, 0)))?;
    let mut connection = socket.connect(slipway).await?;
    connection.write_all(request.as_bytes()).await?;
    Ok(connection)
}

/// Sends attempts from addresses of this machine (`127.0.2.1` and on), so many from each, each for another name; then
/// hangs up all at once, without an answer. Returns how many were sent. Linux.
pub async fn hang_up(site: &Site, addresses: u8, attempts: u32) -> usize {
    let all = (1..=addresses).flat_map(|address| (0..attempts).map(move |n| (address, n)));
    let sent = all.map(|(address, n)| async move {
        let name = format!("gone-{address}-{n}");
        send_attempt(site, [127, 0, 2, address], &name).await
    });
    let sent: Vec<_> = futures_util::future::join_all(sent).await;
    sent.into_iter().flatten().count()
}

/// The proportional set size of a process, in KiB; 0 where the system does not tell.
#[must_use]
pub fn memory(pid: u32) -> u64 {
    let path = Path::new("/proc").join(pid.to_string()).join("smaps_rollup");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:")).unwrap_or("0");
    line.trim().trim_end_matches(" kB").parse().unwrap_or(0)
}
