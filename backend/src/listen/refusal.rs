//! What a client is told that has too many connections.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use http::{HeaderValue, Request, StatusCode, header};
use hyper::body::Incoming;
use hyper::rt;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::{Notify, Semaphore};

use super::http1;
use super::stream::Transport;

/// How long all of it may take.
const TIME: Duration = Duration::from_secs(5);
/// When to try again, in seconds.
const RETRY_AFTER: u16 = 5;
/// As many are told at once at most; further connections are closed without a word.
const AT_ONCE: usize = 64;
const TEXT: &str = "Too many connections come from your network address. Try again in a few seconds.\n\
                    Trop de connexions viennent de votre adresse réseau. Réessayez dans quelques secondes.\n";

/// Answers that refuse a connection.
pub(super) struct Refusals(Semaphore);

impl Refusals {
    /// Few, compared with the connections that there may be.
    pub(super) fn new(max_connections: usize) -> Self {
        Self(Semaphore::new((max_connections / 8).clamp(1, AT_ONCE)))
    }

    /// Answers the first request on a connection with a refusal, and ends it.
    pub(super) async fn refuse(&self, transport: Transport, is_http2: bool) {
        let Ok(_place) = self.0.try_acquire() else { return };
        let stream = TokioIo::new(transport);
        let refused = async {
            if is_http2 {
                refuse_in_http2(stream).await
            } else {
                let mut http = http1::builder();
                let http = http.keep_alive(false).header_read_timeout(TIME);
                http.serve_connection(stream, service_fn(answer)).await
            }
        };
        if let Ok(Err(error)) = tokio::time::timeout(TIME, refused).await {
            tracing::debug!(%error, "a refused connection ended");
        }
    }
}

async fn refuse_in_http2(stream: impl rt::Read + rt::Write + Unpin + Send + 'static) -> hyper::Result<()> {
    let asked = Notify::new();
    let service = service_fn(|request| {
        asked.notify_one();
        answer(request)
    });
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new()).max_concurrent_streams(8);
    let mut serving = std::pin::pin!(http.serve_connection(stream, service));
    tokio::select! {
        ended = serving.as_mut() => return ended,
        () = asked.notified() => {}
    }
    serving.as_mut().graceful_shutdown();
    serving.await
}

async fn answer(_: Request<Incoming>) -> Result<Response, Infallible> {
    let mut response = Response::new(Body::from(TEXT));
    *response.status_mut() = StatusCode::TOO_MANY_REQUESTS;
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER));
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}
