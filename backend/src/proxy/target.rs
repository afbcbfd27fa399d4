//! The Jupyter server of one job: a pool of connections over TLS that is pinned to this job's key.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper::{Request, Response, Uri};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tower::Service;

/// A node that does not answer at all is told within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// A node that has vanished from the network is told by what it does not acknowledge, within this time; one that
/// is only slow acknowledges.
const ACKNOWLEDGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Jupyter (tornado) closes idle connections after an hour; we do well before.
const IDLE_TIMEOUT: Duration = Duration::from_secs(90);

/// Where a person's requests go.
pub struct Target {
    address: SocketAddr,
    client: Client<Pinned, Body>,
}

/// The Jupyter server could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("the server on the node did not answer: {0}")]
pub struct TargetError(#[from] Error);

impl Target {
    /// For one job: its address, and TLS that accepts that job's certificate only.
    pub fn new(address: SocketAddr, tls: Arc<rustls::ClientConfig>) -> Self {
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIMEOUT)
            // A connection that Jupyter closed meanwhile is tried again only if nothing was sent on it.
            .retry_canceled_requests(true)
            .build(Pinned {
                address,
                tls: TlsConnector::from(tls),
            });
        Self { address, client }
    }

    /// Node address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends a request with a path and query only; its headers go as they are.
    pub async fn send(&self, mut request: Request<Body>) -> Result<Response<Incoming>, TargetError> {
        // The pool wants an absolute URI; the same one every time, as there is one server behind it.
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = Some(http::uri::Scheme::HTTP);
        parts.authority = Some(http::uri::Authority::from_static("job"));
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
        Ok(self.client.request(request).await?)
    }
}

/// Connects to one address with one TLS configuration, whatever the URI says.
#[derive(Clone)]
struct Pinned {
    address: SocketAddr,
    tls: TlsConnector,
}

type Connecting = Pin<Box<dyn Future<Output = std::io::Result<Stream>> + Send>>;

impl Service<Uri> for Pinned {
    type Response = Stream;
    type Error = std::io::Error;
    type Future = Connecting;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Connecting {
        let Self { address, tls } = self.clone();
        let connect = async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            notice_a_lost_node(&stream)?;
            let name = ServerName::try_from("slipway").map_err(std::io::Error::other)?;
            Ok(Stream(TokioIo::new(tls.connect(name, stream).await?)))
        };
        Box::pin(async move { tokio::time::timeout(CONNECT_TIMEOUT, connect).await? })
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

/// A TLS stream in the shape that the pool wants.
struct Stream(TokioIo<TlsStream<TcpStream>>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl Write for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[std::io::IoSlice<'_>],
    ) -> Poll<std::io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }
}
