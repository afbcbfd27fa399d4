//! The Jupyter server of one job: connections over TLS that is pinned to this job's key.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::body::Body;
use hyper::{Request, Response};
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;

use super::answer::Answer;
use super::wire::Wire;

/// A node that does not answer at all is told within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A node that has vanished from the network is told by what it does not acknowledge, within this time; one that
/// is only slow acknowledges.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Jupyter (tornado) closes idle connections after an hour; we do well before.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);
/// Connections that wait for another request; a browser opens six.
const MOST_IDLE: usize = 32;

/// Where a person's requests go.
pub struct Target {
    address: SocketAddr,
    tls: TlsConnector,
    idle: Mutex<Idle>,
    /// Connections that may be open at once: somebody who has them all keeps nobody else from theirs.
    places: Arc<Semaphore>,
    /// When the person last sent or got something, in seconds since 1970.
    used_at: AtomicI64,
}

/// Connections that wait for another request, the one used last at the end.
#[derive(Default)]
struct Idle {
    wires: Vec<(Instant, Wire)>,
    /// Somebody will close those that wait too long.
    is_swept: bool,
}

/// The Jupyter server could not be asked.
#[derive(Debug, thiserror::Error)]
pub enum TargetError {
    /// As many requests and tunnels are open as may be.
    #[error("too many requests and tunnels are open")]
    Full,
    /// No connection.
    #[error("the server on the node cannot be reached: {0}")]
    Connect(#[from] std::io::Error),
    /// A connection, and no answer.
    #[error("the server on the node did not answer: {0}")]
    Send(hyper::Error),
    /// The client's body ended before its end: the client went away, wrote what is no body, or was too slow. It says
    /// nothing about the server.
    #[error("the body of the request could not be read: {0}")]
    RequestBody(hyper::Error),
    /// The server answers, with headers that are too large.
    #[error("the headers of the answer are too large: {0}")]
    LargeHeaders(hyper::Error),
    /// The server answers, and not in HTTP.
    #[error("the answer is not HTTP: {0}")]
    InvalidAnswer(hyper::Error),
}

impl From<hyper::Error> for TargetError {
    fn from(error: hyper::Error) -> Self {
        if error.is_user() {
            Self::RequestBody(error)
        } else if error.is_parse_too_large() {
            Self::LargeHeaders(error)
        } else if error.is_parse() {
            Self::InvalidAnswer(error)
        } else {
            Self::Send(error)
        }
    }
}

impl Target {
    /// For one job: its address, TLS that accepts that job's certificate only, and how many connections may be open.
    pub fn new(address: SocketAddr, tls: Arc<rustls::ClientConfig>, most: usize) -> Self {
        Self {
            address,
            tls: TlsConnector::from(tls),
            idle: Mutex::default(),
            places: Arc::new(Semaphore::new(most)),
            used_at: AtomicI64::new(0),
        }
    }

    /// The person sends or gets something now.
    pub fn used(&self, now: i64) {
        self.used_at.store(now, Ordering::Relaxed);
    }

    /// When the person last sent or got something, in seconds since 1970; 0 if not since this Slipway started.
    pub fn used_at(&self) -> i64 {
        self.used_at.load(Ordering::Relaxed)
    }

    /// Node address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request; its headers, path and query go as they are. Whoever names a scheme and a host as well (RFC 9112,
    /// section 3.2.2) does so to us and not to the server behind us.
    pub async fn send(self: &Arc<Self>, mut request: Request<Body>) -> Result<Response<Answer>, TargetError> {
        if request.uri().authority().is_some()
            && let Some(path) = request.uri().path_and_query().cloned()
        {
            *request.uri_mut() = path.into();
        }
        loop {
            let (mut wire, is_new) = match self.take().await {
                Some(wire) => (wire, false),
                None => (self.connect().await?, true),
            };
            match wire.send(request).await {
                Ok(response) => {
                    return Ok(response.map(|body| Answer::new(body, wire, Arc::clone(self))));
                }
                // Jupyter had closed it while nobody looked, and nothing was sent on it.
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !is_new => request = unsent,
                    _ => return Err(error.into_error().into()),
                },
            }
        }
    }

    /// A connection that waits and still lives.
    async fn take(&self) -> Option<Wire> {
        loop {
            let (since, mut wire) = self.lock().wires.pop()?;
            let is_good = std::future::poll_fn(|cx| std::task::Poll::Ready(wire.is_good(cx))).await;
            if is_good && since.elapsed() < IDLE_TIMEOUT {
                return Some(wire);
            }
        }
    }

    /// Keeps a connection for the next request.
    pub(super) fn give_back(self: &Arc<Self>, wire: Wire) {
        let mut idle = self.lock();
        if idle.wires.len() < MOST_IDLE {
            idle.wires.push((Instant::now(), wire));
        }
        if !std::mem::replace(&mut idle.is_swept, true) {
            tokio::spawn(sweep(Arc::downgrade(self)));
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn connect(&self) -> Result<Wire, TargetError> {
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| TargetError::Full)?;
        let open = async {
            let stream = TcpStream::connect(self.address).await?;
            stream.set_nodelay(true)?;
            notice_a_lost_node(&stream)?;
            let name = ServerName::try_from("slipway").map_err(std::io::Error::other)?;
            self.tls.connect(name, stream).await
        };
        let stream = tokio::time::timeout(CONNECT_TIMEOUT, open)
            .await
            .map_err(std::io::Error::from)??;
        Ok(Wire::new(stream, place).await?)
    }
}

/// Closes connections that have waited too long, until there are none or the job is over.
async fn sweep(target: std::sync::Weak<Target>) {
    loop {
        tokio::time::sleep(IDLE_TIMEOUT / 3).await;
        let Some(target) = target.upgrade() else { return };
        let mut idle = target.lock();
        idle.wires.retain(|(since, _)| since.elapsed() < IDLE_TIMEOUT);
        if idle.wires.is_empty() {
            idle.is_swept = false;
            return;
        }
    }
}

/// A tunnel on which nothing is sent notices as well.
fn notice_a_lost_node(stream: &TcpStream) -> std::io::Result<()> {
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(ACKNOWLEDGE_TIMEOUT)
        .with_interval(ACKNOWLEDGE_TIMEOUT / 3);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(ACKNOWLEDGE_TIMEOUT))?;
    Ok(())
}

#[cfg(test)]
mod tests;
