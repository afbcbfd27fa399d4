//! HTTP/2, where Slipway ends TLS itself and the browser can speak it: a Lab that is opened asks for a hundred files at
//! once, and here none of them waits for another. WebSockets come by connections of their own, in HTTP/1.1.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use http::header::{COOKIE, HOST};
use http::{HeaderValue, Request, Version};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::rt;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

/// What a browser and we agree on (ALPN), the better one first.
pub(super) const PROTOCOLS: [&[u8]; 2] = [HTTP2, b"http/1.1"];
pub(super) const HTTP2: &[u8] = b"h2";

/// Requests of one connection that are under way.
const STREAMS: u32 = 128;
/// How often somebody who says nothing is asked whether they are still there.
const PING: Duration = Duration::from_mins(1);
/// How long the answer to that may take.
const PONG: Duration = Duration::from_secs(20);

/// What all connections have in common.
pub(super) fn builder(header_bytes: u32) -> http2::Builder<TokioExecutor> {
    let mut http = http2::Builder::new(TokioExecutor::new());
    http.timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(header_bytes)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG);
    http
}

/// Serves a connection until it ends, until shutdown, or until nothing was asked for so long.
pub(super) async fn serve<A>(
    http: &http2::Builder<TokioExecutor>,
    stream: impl rt::Read + rt::Write + Unpin + Send + 'static,
    answer: impl Fn(Request<Incoming>) -> A,
    idle: Option<Duration>,
    shutdown: &CancellationToken,
) -> hyper::Result<()>
where
    A: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    let (under_way, begun) = (Arc::new(()), AtomicU64::new(0));
    let service = service_fn(|request| {
        begun.fetch_add(1, Ordering::Relaxed);
        let (answered, here) = (answer(as_http1(request)), Arc::clone(&under_way));
        async move {
            let response = answered.await?;
            Ok::<_, Infallible>(response.map(|body| UnderWay { body, _here: here }))
        }
    });
    let mut connection = std::pin::pin!(http.serve_connection(stream, service));
    let mut every = tokio::time::interval(idle.unwrap_or(PING));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = None;
    loop {
        tokio::select! {
            ended = connection.as_mut() => return ended,
            () = shutdown.cancelled() => break,
            _ = every.tick() => {}
        }
        let now = begun.load(Ordering::Relaxed);
        if idle.is_some() && Arc::strong_count(&under_way) == 1 && before == Some(now) {
            break;
        }
        before = Some(now);
    }
    connection.as_mut().graceful_shutdown();
    connection.await
}

/// A request as it is in HTTP/1.1, which is what everything behind this knows and what a person's server speaks: the
/// host in its header, the path alone in the first line, one line of cookies (RFC 9113, sections 8.3.1 and 8.2.3).
fn as_http1(mut request: Request<Incoming>) -> Request<Incoming> {
    *request.version_mut() = Version::HTTP_11;
    let host = request
        .uri()
        .authority()
        .map(|host| HeaderValue::from_str(host.as_str()));
    if let Some(path) = request.uri().path_and_query().cloned() {
        *request.uri_mut() = path.into();
    }
    let headers = request.headers_mut();
    if let Some(Ok(host)) = host {
        headers.insert(HOST, host);
    }
    if headers.get_all(COOKIE).iter().nth(1).is_some() {
        let lines: Vec<_> = headers.get_all(COOKIE).iter().map(HeaderValue::as_bytes).collect();
        if let Ok(line) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
            headers.insert(COOKIE, line);
        }
    }
    request
}

/// An answer's body, which counts as under way for as long as it is there.
struct UnderWay {
    body: Body,
    _here: Arc<()>,
}

impl HttpBody for UnderWay {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use hyper::client::conn::http2::handshake;
    use hyper_util::rt::TokioIo;

    use super::*;

    const SHORT: Duration = Duration::from_millis(100);

    /// A connection whose requests are answered by bodies that never end, and its client's end of it.
    async fn open() -> (
        hyper::client::conn::http2::SendRequest<Body>,
        impl Future<Output = hyper::Result<()>>,
        impl Future<Output = hyper::Result<()>>,
    ) {
        let (client, server) = tokio::io::duplex(64 * 1024);
        let serving = async {
            let http = builder(64 * 1024);
            let answer = async |_| {
                let never = futures_util::stream::pending::<Result<Bytes, Infallible>>();
                Ok(Response::new(Body::from_stream(never)))
            };
            serve(
                &http,
                TokioIo::new(server),
                answer,
                Some(SHORT),
                &CancellationToken::new(),
            )
            .await
        };
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(client)).await.unwrap();
        (sender, connection, serving)
    }

    #[tokio::test]
    async fn a_connection_ends_on_which_nothing_is_asked() {
        let (_sender, client, server) = open().await;
        let both = async { tokio::join!(client, server) };
        let ended = tokio::time::timeout(SHORT * 100, both).await;
        assert!(ended.is_ok(), "it is kept for ever");
    }

    #[tokio::test]
    async fn a_connection_is_kept_on_which_an_answer_is_under_way() {
        let (mut sender, client, server) = open().await;
        tokio::spawn(client);
        let asked = async {
            let request = Request::get("http://hub/").body(Body::empty()).unwrap();
            let response = sender.send_request(request).await.unwrap();
            tokio::time::sleep(SHORT * 5).await;
            drop(response);
        };
        let mut server = std::pin::pin!(server);
        let ended = tokio::select! {
            _ = server.as_mut() => true,
            () = asked => false,
        };
        assert!(!ended, "the answer was broken off");
    }
}
