//! Where connections come from: an address of our own, or a socket that whoever started us holds for us.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use listenfd::ListenFd;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpListener;

use crate::takeover;

/// How soon somebody who vanished without a word is given up (a laptop that was closed), and who reads nothing.
pub(super) const VANISHED: Duration = Duration::from_mins(3);

/// Bytes of an answer that the system keeps unsent. Without it the system takes megabytes at once for a client with a slow
/// line, and none for a minute after, so that the client would seem to take nothing.
#[cfg(target_os = "linux")]
pub(super) const UNSENT: u32 = 128 * 1024;

/// Listens on an address.
pub async fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address).await?;
    notice_who_vanishes(&listener)?;
    Ok(listener)
}

/// The socket that somebody has bound for us, if so: the Slipway that we take over from, or systemd (`LISTEN_FDS`), whose
/// socket stays open while no Slipway runs, and nobody is refused meanwhile.
pub fn inherited() -> io::Result<Option<TcpListener>> {
    let listener = match takeover::inherited()? {
        Some(listener) => Some(listener),
        None => activated()?,
    };
    let Some(listener) = listener else {
        return Ok(None);
    };
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    notice_who_vanishes(&listener)?;
    Ok(Some(listener))
}

fn activated() -> io::Result<Option<std::net::TcpListener>> {
    let mut sockets = ListenFd::from_env();
    if sockets.len() > 1 {
        let message = format!("{} sockets were handed over, and Slipway listens on one", sockets.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    sockets.take_tcp_listener(0)
}

/// Set here, Linux gives it to every connection without a call for each.
fn notice_who_vanishes(listener: &TcpListener) -> io::Result<()> {
    let socket = SockRef::from(listener);
    let probes = TcpKeepalive::new().with_time(VANISHED / 3).with_interval(VANISHED / 12);
    socket.set_tcp_keepalive(&probes)?;
    #[cfg(target_os = "linux")]
    {
        socket.set_tcp_user_timeout(Some(VANISHED))?;
        socket.set_tcp_notsent_lowat(UNSENT)?;
    }
    Ok(())
}
