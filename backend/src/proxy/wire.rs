//! One HTTP connection to a Jupyter server, driven by whoever uses it.
//!
//! It has no task of its own: between two tasks each request would be two messages and two wake-ups of another thread,
//! which cost more than all that a proxy does with a small request. So reading and writing happen where the browser's
//! own connection is served. While nobody uses it nobody looks at it: whether it still lives is found out when it is
//! taken up again.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::client::TlsStream;

use crate::listen::HEADER_BYTES;

/// hyper does not name its type.
type Driver = Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>;

/// A connection, and what reads and writes on it.
pub(super) struct Wire {
    sender: SendRequest<Body>,
    /// Nothing once it is over.
    driver: Option<Driver>,
    /// Among those that one person may have.
    place: OwnedSemaphorePermit,
}

impl Wire {
    /// HTTP on a new connection.
    pub(super) async fn new(stream: TlsStream<TcpStream>, place: OwnedSemaphorePermit) -> hyper::Result<Self> {
        // The headers of an answer may be as large as those of a request.
        let mut http = http1::Builder::new();
        http.max_buf_size(HEADER_BYTES as usize);
        let (sender, connection) = http.handshake(TokioIo::new(stream)).await?;
        Ok(Self {
            sender,
            driver: Some(Box::pin(connection.with_upgrades())),
            place,
        })
    }

    /// Reads and writes what can be now; whether the connection is over.
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) -> bool {
        drive(&mut self.driver, cx)
    }

    /// Whether another request can be sent on it.
    pub(super) fn is_good(&mut self, cx: &mut Context<'_>) -> bool {
        !self.drive(cx) && self.sender.is_ready()
    }

    /// Sends a request; answers the head of the answer. A request of which nothing was sent comes back with the error.
    pub(super) async fn send(
        &mut self,
        request: Request<Body>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Body>>> {
        let mut answer = std::pin::pin!(self.sender.try_send_request(request));
        let driver = &mut self.driver;
        std::future::poll_fn(|cx| {
            drive(driver, cx);
            answer.as_mut().poll(cx)
        })
        .await
    }

    /// Drives it until HTTP is over on it, as after an upgrade; answers its place, which the tunnel goes on to take.
    pub(super) async fn finish(mut self) -> OwnedSemaphorePermit {
        std::future::poll_fn(|cx| if self.drive(cx) { Poll::Ready(()) } else { Poll::Pending }).await;
        self.place
    }
}

fn drive(driver: &mut Option<Driver>, cx: &mut Context<'_>) -> bool {
    if let Some(own) = driver
        && own.as_mut().poll(cx).is_ready()
    {
        *driver = None;
    }
    driver.is_none()
}
