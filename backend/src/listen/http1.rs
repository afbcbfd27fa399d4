//! HTTP/1.1: one request after the other on each connection.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use hyper::Request;
use hyper::body::Incoming;
use hyper::rt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::HEADER_BYTES;
use super::answer_body::AnswerBody;
use super::connections::Connection;

/// At the end a new connection has so long for its first request to arrive.
const FIRST_REQUEST: Duration = Duration::from_secs(1);

/// The settings of a connection.
pub(super) fn builder() -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).max_buf_size(HEADER_BYTES as usize);
    http
}

/// Serves a connection until it ends, until shutdown, until it has to make room, or until no request came for so long.
/// What is under way then is finished.
pub(super) async fn serve<A>(
    stream: impl rt::Read + rt::Write + Unpin + Send + 'static,
    connection: &Arc<Connection>,
    answer: impl Fn(Request<Incoming>) -> A,
    idle: Option<Duration>,
    shutdown: &CancellationToken,
) -> hyper::Result<()>
where
    A: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    let begun = Notify::new();
    let service = service_fn(|request| {
        begun.notify_one();
        let under_way = connection.begin_request();
        let answered = answer(request);
        async move {
            let response = answered.await?;
            if response.status() == StatusCode::SWITCHING_PROTOCOLS {
                connection.becomes_tunnel();
            }
            Ok::<_, Infallible>(response.map(|body| AnswerBody::new(body, under_way)))
        }
    });
    let http = builder().header_read_timeout(idle).serve_connection(stream, service);
    let mut serving = std::pin::pin!(http.with_upgrades());
    tokio::select! {
        ended = serving.as_mut() => return ended,
        () = shutdown.cancelled() => {
            // Hyper would close a connection on which nothing has come yet; its first request may be on the way.
            tokio::select! {
                ended = serving.as_mut() => return ended,
                () = begun.notified() => {}
                () = tokio::time::sleep(FIRST_REQUEST) => {}
            }
        }
        () = connection.evicted() => {
            if connection.is_idle() {
                return Ok(());
            }
        }
    }
    serving.as_mut().graceful_shutdown();
    serving.await
}
