//! How requests arrive: connections with their limits, a proxy in front or our own TLS, and whose they are.

mod address;
mod answer_body;
mod client;
mod connections;
mod http1;
mod http2;
mod limits;
mod openings;
mod proxy_protocol;
mod refusal;
mod stream;
mod tls;

use std::convert::Infallible;
use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use hyper::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use proxy_header::io::ProxiedStream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use self::client::Proxies;
use self::connections::Connections;
use self::limits::places;
use self::openings::Openings;
use self::refusal::Refusals;
use self::stream::{Stream, Transport};
use self::tls::{Acceptor, Follower};
use crate::clock::Clock;
use crate::config::Server;
use crate::transfer::MinRate;

pub use address::{bind, inherited};
pub use client::ClientAddress;
pub use connections::Connection;
pub use tls::TlsError;

/// How long a connection may take to its first request: PROXY header and TLS handshake together.
const OPENING: Duration = Duration::from_secs(10);
/// Connections in that state; past that, the oldest makes room.
const OPENINGS: usize = 1024;
/// How long the headers of a request may take, counted from the end of the one before: longer than the minute
/// for which most proxies keep an idle connection, which otherwise would send one into a connection that closes.
const HEADERS: Duration = Duration::from_secs(65);
/// How long a connection in HTTP/2 may take to close in order, once nothing is under way on it.
const GOODBYE: Duration = Duration::from_secs(1);
/// The most bytes of the headers of a request or an answer; a browser with many cookies sends a tenth.
pub const HEADER_BYTES: u32 = 64 * 1024;
/// Connections from one address on which nobody has signed in, where the site does not say: a class of a hundred with
/// two each. At most half of all connections, so that one address cannot take them all.
const MAX_PER_ADDRESS: usize = 256;
/// After a connection could not be accepted: there is no file left for it, and the next one would fail alike.
const PAUSE: Duration = Duration::from_millis(250);

/// Where requests arrive, as configured.
pub struct Front {
    proxies: Proxies,
    tls: Option<(Acceptor, Follower)>,
    places: usize,
    limits: Limits,
}

/// What connections may take.
#[derive(Clone, Copy)]
struct Limits {
    opening: Duration,
    openings: usize,
    headers: Duration,
    rate: Option<MinRate>,
    per_address: usize,
    per_person: usize,
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
        let places = places(server.max_connections);
        let half = (places / 2).max(1);
        Ok(Self {
            proxies: Proxies::new(server),
            tls: tls.map(|files| tls::open(files, server, clock)).transpose()?,
            places,
            limits: Limits {
                opening: OPENING,
                openings: OPENINGS.min(half),
                headers: HEADERS,
                rate: MinRate::of(server),
                per_address: server.max_connections_per_address.unwrap_or(MAX_PER_ADDRESS.min(half)),
                per_person: server.max_connections_per_person,
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
        let connections = Connections::new(self.limits.per_address, self.limits.per_person);
        let door = Arc::new(Door {
            proxies: self.proxies,
            tls,
            openings: Openings::new(self.limits.openings, self.limits.opening),
            limits: self.limits,
            connections: Arc::clone(&connections),
            refusals: Refusals::new(self.places),
            site,
            shutdown: shutdown.clone(),
            drained,
        });
        let queue = Queue {
            listener,
            places: Arc::new(Semaphore::new(self.places)),
            most: self.places,
            connections,
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
    connections: Arc<Connections>,
}

impl Queue {
    /// The next one for which there is a place, or an idle connection that makes room; until then they wait in the
    /// system's own queue.
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
                    tracing::error!(%error, "no connection can be accepted now; more are tried four times a second");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    async fn place(&self) -> OwnedSemaphorePermit {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return place;
        }
        tracing::warn!(
            connections = self.most,
            "there is no place for one more connection: idle ones make room, else new ones wait (server.max_connections)"
        );
        let mut free = std::pin::pin!(Arc::clone(&self.places).acquire_owned());
        loop {
            if self.is_waited_for() {
                self.connections.evict_one();
            }
            tokio::select! {
                Ok(place) = free.as_mut() => return place,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    /// Whether a connection waits to be accepted.
    fn is_waited_for(&self) -> bool {
        let mut listener = [PollFd::new(&self.listener, PollFlags::IN)];
        poll(&mut listener, Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
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
    limits: Limits,
    connections: Arc<Connections>,
    refusals: Refusals,
    site: S,
    shutdown: CancellationToken,
    drained: CancellationToken,
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
            Err(error @ (OpenError::Stranger | OpenError::NoProxyHeader)) => {
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
        let address = (!self.proxies.trust(neighbour)).then_some(neighbour);
        let Some(registered) = self.connections.add(address) else {
            self.connections.log_refusal(neighbour);
            return self.refusals.refuse(transport, is_http2).await;
        };
        let connection = Arc::clone(registered.connection());
        let stream = TokioIo::new(Stream::new(transport, self.limits.rate, registered, place));
        let answer = |mut request: Request<Incoming>| {
            let client = self.proxies.client(neighbour, request.headers());
            client.insert(request.extensions_mut());
            request.extensions_mut().insert(Arc::clone(&connection));
            self.site.clone().call(request)
        };
        // A proxy keeps its connections as long as it likes, and lets nobody be slow.
        let patient = self.proxies.forward_for_others(neighbour);
        let idle = (!patient).then_some(self.limits.headers);
        let ended = if is_http2 {
            let limits = http2::Limits {
                header_bytes: HEADER_BYTES,
                rate: self.limits.rate,
                idle,
                goodbye: GOODBYE,
            };
            http2::serve(stream, &connection, answer, limits, &self.shutdown).await
        } else {
            http1::serve(stream, &connection, answer, idle, &self.shutdown).await
        };
        if let Err(error) = ended {
            let cause = error.source().map(tracing::field::display);
            tracing::debug!(address = %neighbour, %error, cause, "a connection ended");
        }
    }
}

#[cfg(test)]
mod tests;
