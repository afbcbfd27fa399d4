//! How requests arrive: connections with their limits, a proxy in front or our own TLS, and whose they are.

mod address;
mod client;
mod http2;
mod limits;
mod openings;
mod proxy_protocol;
mod stream;
mod tls;

use std::convert::Infallible;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, rt};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use proxy_header::io::ProxiedStream;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use self::client::Proxies;
use self::limits::{Seldom, places};
use self::openings::Openings;
use self::stream::{Stream, Transport};
use self::tls::{Acceptor, Follower};
use crate::auth::Seen;
use crate::clock::Clock;
use crate::config::Server;

pub use address::{bind, inherited};
pub use client::ClientAddress;
pub use tls::TlsError;

/// How long a connection may take to its first request: PROXY header and TLS handshake together.
const OPENING: Duration = Duration::from_secs(10);
/// Connections in that state; past that, the oldest makes room.
const OPENINGS: usize = 1024;
/// How long the headers of a request may take, counted from the end of the one before: longer than the minute
/// for which most proxies keep an idle connection, which otherwise would send one into a connection that closes.
const HEADERS: Duration = Duration::from_secs(65);
/// The most bytes of headers; a browser with many cookies sends a tenth.
const HEADER_BYTES: u32 = 64 * 1024;
/// At the end a new connection has so long for its first request to arrive.
const FIRST_REQUEST: Duration = Duration::from_secs(1);
/// After a connection could not be accepted: there is no file left for it, and the next one would fail alike.
const PAUSE: Duration = Duration::from_millis(250);

/// Where requests arrive, as configured.
pub struct Front {
    proxies: Proxies,
    tls: Option<(Acceptor, Follower)>,
    places: usize,
    limits: Limits,
}

/// What a connection may take.
#[derive(Clone, Copy)]
struct Limits {
    opening: Duration,
    openings: usize,
    headers: Duration,
}

impl Front {
    /// Reads the certificate, if there is one, and asks for as many open files as connections need.
    pub fn new(server: &Server, clock: &Clock) -> Result<Self, TlsError> {
        let tls = server.tls.as_ref();
        if server.is_https() && tls.is_none() && server.trusted_proxies.is_empty() {
            tracing::warn!(
                "people come by https, so a proxy stands in front, but server.trusted_proxies does not name it: \
                 everybody is taken to have the proxy's own address"
            );
        }
        Ok(Self {
            proxies: Proxies::new(server),
            tls: tls.map(|files| tls::open(files, server, clock)).transpose()?,
            places: places(server.max_connections),
            limits: Limits {
                opening: OPENING,
                openings: OPENINGS,
                headers: HEADERS,
            },
        })
    }

    /// Serves until shutdown, and then until the last request is answered. Tunnels are not waited for, and connections that
    /// are being opened only until the end of the drain: whoever takes over has not got them.
    pub async fn serve(
        self,
        listener: TcpListener,
        site: impl Site,
        shutdown: CancellationToken,
        drained: CancellationToken,
    ) {
        let tasks = TaskTracker::new();
        let tls = self.tls.map(|(acceptor, follower)| {
            tasks.spawn(follower.follow(shutdown.clone()));
            acceptor
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).max_buf_size(HEADER_BYTES as usize);
        let door = Arc::new(Door {
            proxies: self.proxies,
            tls,
            openings: Openings::new(self.limits.openings, self.limits.opening),
            headers: self.limits.headers,
            http,
            http2: http2::builder(HEADER_BYTES),
            site,
            shutdown: shutdown.clone(),
            drained,
            refused: Seldom::default(),
        });
        let queue = Queue {
            listener,
            places: Arc::new(Semaphore::new(self.places)),
            most: self.places,
            full: Seldom::default(),
            failed: Seldom::default(),
        };
        while let Some((stream, peer, place)) = tokio::select! {
            next = queue.next() => Some(next),
            () = shutdown.cancelled() => None,
        } {
            tasks.spawn(Arc::clone(&door).converse(stream, peer, place));
        }
        drop(queue);
        tasks.close();
        tasks.wait().await;
    }
}

/// Connections that ask to come in.
struct Queue {
    listener: TcpListener,
    places: Arc<Semaphore>,
    most: usize,
    full: Seldom,
    failed: Seldom,
}

impl Queue {
    /// The next one for which there is a place; until then they wait in the system's own queue.
    async fn next(&self) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
        let place = self.place().await;
        loop {
            match self.listener.accept().await {
                Ok((stream, peer)) => {
                    // Without it a small answer in two pieces waits 40 ms for the browser's acknowledgement.
                    if let Err(error) = stream.set_nodelay(true) {
                        tracing::debug!(%error, "a connection keeps its delay");
                    }
                    return (stream, peer.ip().to_canonical(), place);
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    if self.failed.is_due() {
                        tracing::error!(%error, "no connection can be accepted now; more are tried four times a second");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn place(&self) -> OwnedSemaphorePermit {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return place;
        }
        if self.full.is_due() {
            let connections = self.most;
            tracing::warn!(
                connections,
                "there is no place for one more connection: new ones wait (server.max_connections)"
            );
        }
        match Arc::clone(&self.places).acquire_owned().await {
            Ok(place) => place,
            // Only if somebody closed the semaphore, which nobody does.
            Err(_) => std::future::pending().await,
        }
    }
}

/// The one that was to be accepted went away meanwhile.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}

/// What answers requests.
pub trait Site:
    Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>
    + Clone
    + Send
    + Sync
    + 'static
{
}

impl<S> Site for S where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>
        + Clone
        + Send
        + Sync
        + 'static
{
}

/// What every connection goes through.
struct Door<S> {
    proxies: Proxies,
    tls: Option<Acceptor>,
    openings: Openings,
    headers: Duration,
    http: http1::Builder,
    http2: hyper::server::conn::http2::Builder<TokioExecutor>,
    site: S,
    shutdown: CancellationToken,
    drained: CancellationToken,
    refused: Seldom,
}

/// Why a connection ended before its first request.
#[derive(Debug, thiserror::Error)]
enum OpenError {
    #[error("only server.trusted_proxies may connect where server.client_address is \"proxy-protocol\"")]
    Stranger,
    #[error("a trusted proxy sent no header of the PROXY protocol")]
    NoProxyHeader,
    #[error("it ended: {0}")]
    Ended(#[from] io::Error),
    #[error("no TLS: {0}")]
    Handshake(io::Error),
    #[error("it took too long, or had to make room for others")]
    Slow,
}

impl<S: Site> Door<S> {
    async fn converse(self: Arc<Self>, stream: TcpStream, peer: IpAddr, place: OwnedSemaphorePermit) {
        let opened = tokio::select! {
            biased; // What needs no opening is open, whatever else happens at this moment.
            opened = self.open(stream, peer) => opened,
            () = self.drained.cancelled() => return,
        };
        match opened {
            Ok((transport, neighbour)) => self.serve(transport, neighbour, place).await,
            // A site that forgot to name its proxy, or to configure it, would look in vain for the cause.
            Err(error @ (OpenError::Stranger | OpenError::NoProxyHeader)) if self.refused.is_due() => {
                tracing::warn!(address = %peer, %error, "a connection was refused");
            }
            Err(error) => tracing::debug!(address = %peer, %error, "a connection was not opened"),
        }
    }

    /// What comes before the first request, and who is on the other side.
    async fn open(&self, stream: TcpStream, peer: IpAddr) -> Result<(Transport, IpAddr), OpenError> {
        if self.tls.is_none() && !self.proxies.use_proxy_protocol() {
            return Ok((Either::Left(ProxiedStream::unproxied(stream)), peer));
        }
        let opened = self.openings.within_limits(self.begin(stream, peer)).await;
        opened.unwrap_or(Err(OpenError::Slow))
    }

    async fn begin(&self, stream: TcpStream, peer: IpAddr) -> Result<(Transport, IpAddr), OpenError> {
        let (stream, neighbour) = if !self.proxies.use_proxy_protocol() {
            (ProxiedStream::unproxied(stream), peer)
        } else if self.proxies.trust(peer) {
            proxy_protocol::read(stream, peer)
                .await
                .map_err(|error| match error.kind() {
                    io::ErrorKind::InvalidData => OpenError::NoProxyHeader,
                    _ => OpenError::Ended(error),
                })?
        } else {
            return Err(OpenError::Stranger);
        };
        let Some(tls) = &self.tls else {
            return Ok((Either::Left(stream), neighbour));
        };
        let acceptor = tls.borrow().clone();
        let stream = acceptor.accept(stream).await.map_err(OpenError::Handshake)?;
        Ok((Either::Right(stream), neighbour))
    }

    /// Requests, each with the address of whoever asks.
    async fn serve(&self, transport: Transport, neighbour: IpAddr, place: OwnedSemaphorePermit) {
        let is_http2 = match &transport {
            Either::Left(_) => false,
            Either::Right(tls) => tls.get_ref().1.alpn_protocol() == Some(http2::HTTP2),
        };
        let stream = TokioIo::new(Stream::new(transport, place));
        let seen = Arc::new(Seen::default());
        let answer = |mut request: Request<Incoming>| {
            let client = self.proxies.client(neighbour, request.headers());
            client.insert(request.extensions_mut());
            request.extensions_mut().insert(Arc::clone(&seen));
            self.site.clone().call(request)
        };
        // A proxy keeps its connections as long as it likes, and lets nobody be slow.
        let patient = self.proxies.forward_for_others(neighbour);
        let idle = (!patient).then_some(self.headers);
        let ended = if is_http2 {
            http2::serve(&self.http2, stream, answer, idle, &self.shutdown).await
        } else {
            self.serve_one_by_one(stream, answer, idle).await
        };
        if let Err(error) = ended {
            tracing::debug!(address = %neighbour, %error, "a connection ended");
        }
    }

    /// HTTP/1.1: one request after the other.
    async fn serve_one_by_one<A>(
        &self,
        stream: impl rt::Read + rt::Write + Unpin + Send + 'static,
        answer: impl Fn(Request<Incoming>) -> A,
        idle: Option<Duration>,
    ) -> hyper::Result<()>
    where
        A: Future<Output = Result<Response, Infallible>> + Send + 'static,
    {
        let mut http = self.http.clone();
        http.header_read_timeout(idle);
        let begun = Notify::new();
        let service = service_fn(|request| {
            begun.notify_one();
            answer(request)
        });
        let mut connection = std::pin::pin!(http.serve_connection(stream, service).with_upgrades());
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = self.shutdown.cancelled() => {}
        }
        // Hyper would close a connection on which nothing has come yet; its first request may be on the way.
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = begun.notified() => {}
            () = tokio::time::sleep(FIRST_REQUEST) => {}
        }
        connection.as_mut().graceful_shutdown();
        connection.await
    }
}

#[cfg(test)]
mod tests;
