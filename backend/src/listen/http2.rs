//! HTTP/2, where Slipway ends TLS itself and the browser can speak it: a Lab that is opened asks for a hundred files at
//! once, and here none of them waits for another. WebSockets come by connections of their own, in HTTP/1.1.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::header::{COOKIE, HOST};
use http::{HeaderValue, Request, Version};
use hyper::body::Incoming;
use hyper::rt;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::TokioTimer;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::answer_body::{AnswerBody, StreamExecutor};
use super::connections::Connection;
use crate::transfer::MinRate;

/// What a browser and we agree on (ALPN), the better one first.
pub(super) const PROTOCOLS: [&[u8]; 2] = [HTTP2, b"http/1.1"];
pub(super) const HTTP2: &[u8] = b"h2";

/// Requests of one connection that are under way.
const STREAMS: u32 = 128;
/// How often somebody who says nothing is asked whether they are still there.
const PING: Duration = Duration::from_mins(1);
/// How long the answer to that may take.
const PONG: Duration = Duration::from_secs(20);

/// The settings of a connection.
fn builder(header_bytes: u32, executor: StreamExecutor) -> http2::Builder<StreamExecutor> {
    let mut http = http2::Builder::new(executor);
    http.timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(header_bytes)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PONG);
    http
}

/// What a connection may take.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    /// Of the headers of a request.
    pub(super) header_bytes: u32,
    /// The least rate at which each answer has to be taken.
    pub(super) rate: Option<MinRate>,
    /// After so long without a request it ends.
    pub(super) idle: Option<Duration>,
    /// How long it may then take to close in order.
    pub(super) goodbye: Duration,
}

/// Serves a connection until it ends, until shutdown, until it has to make room, or until nothing was asked for so long.
/// What is under way then is finished.
pub(super) async fn serve<A>(
    stream: impl rt::Read + rt::Write + Unpin + Send + 'static,
    connection: &Arc<Connection>,
    answer: impl Fn(Request<Incoming>) -> A,
    limits: Limits,
    shutdown: &CancellationToken,
) -> hyper::Result<()>
where
    A: Future<Output = Result<Response, Infallible>> + Send + 'static,
{
    let service = service_fn(|request| {
        let under_way = connection.begin_request();
        let answered = answer(as_http1(request));
        async move {
            let response = answered.await?;
            Ok::<_, Infallible>(response.map(|body| AnswerBody::new(body, under_way)))
        }
    });
    let executor = StreamExecutor {
        connection: Arc::clone(connection),
        rate: limits.rate,
    };
    let mut serving = std::pin::pin!(builder(limits.header_bytes, executor).serve_connection(stream, service));
    let mut every = tokio::time::interval(limits.idle.unwrap_or(PING));
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut before = None;
    // A client that does not answer, or has not even said hello in HTTP/2, would keep an ending connection for ever.
    let mut is_ending = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => return ended,
            () = shutdown.cancelled(), if !is_ending => {
                serving.as_mut().graceful_shutdown();
                is_ending = true;
                continue;
            }
            () = connection.evicted() => {
                serving.as_mut().graceful_shutdown();
                is_ending = true;
                every.reset_after(limits.goodbye);
                before = Some(connection.requests());
                continue;
            }
            _ = every.tick() => {}
        }
        let now = connection.requests();
        if connection.is_idle() && before == Some(now) {
            if is_ending {
                return Ok(());
            }
            if limits.idle.is_some() {
                serving.as_mut().graceful_shutdown();
                is_ending = true;
                every.reset_after(limits.goodbye);
            }
        }
        before = Some(now);
    }
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

#[cfg(test)]
mod tests;
