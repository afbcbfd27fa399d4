//! A Jupyter server in miniature, for tests of what lies before it and for `make dev`: it takes the same
//! arguments, speaks mutual TLS like the real one, and shows what reached it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, Request};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use futures_util::StreamExt;
use http::{HeaderMap, StatusCode, header};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let given = std::env::args().filter_map(|argument| {
        let (name, value) = argument.strip_prefix("--")?.split_once('=')?;
        Some((name.to_owned(), value.to_owned()))
    });
    match serve(&given.collect()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(3),
    }
}

async fn serve(given: &BTreeMap<String, String>) -> Result<(), Failure> {
    let argument = |name: &str| {
        given
            .get(name)
            .ok_or_else(|| Failure::from(format!("--{name} is missing")))
    };
    let address = SocketAddr::new(argument("ip")?.parse()?, argument("port")?.parse()?);
    let base = argument("ServerApp.base_url")?.trim_end_matches('/').to_owned();
    let application = Router::new().nest(&base, router());
    let listener = TcpListener::bind(address).await?;
    // For benchmarks of proxies that cannot speak mutual TLS.
    if given.contains_key("plain") {
        return Ok(axum::serve(listener, application).await?);
    }
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(argument("ServerApp.client_ca")?)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build()?;
    let certificate = CertificateDer::from_pem_file(argument("ServerApp.certfile")?)?;
    let key = PrivateKeyDer::from_pem_file(argument("ServerApp.keyfile")?)?;
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(clients)
        .with_single_cert(vec![certificate], key)?;
    let tls = TlsAcceptor::from(Arc::new(tls));
    let application = TowerToHyperService::new(application);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (tls, application) = (tls.clone(), application.clone());
        tokio::spawn(async move {
            if let Ok(stream) = tls.accept(stream).await {
                let builder = Builder::new(TokioExecutor::new());
                let _ = builder
                    .serve_connection_with_upgrades(TokioIo::new(stream), application)
                    .await;
            }
        });
    }
}

fn router() -> Router {
    Router::new()
        .route("/api/status", get(status).put(set_kernel))
        .route("/api/kernels", get(kernels))
        .route("/lab", get(page))
        .route("/tree", get(page))
        .route("/terminals/{name}", get(page))
        .route("/api/terminals", get(async || terminals().clone()).post(make_terminal))
        .route("/api/kernels/{id}/channels", any(channels))
        .route("/show", any(show))
        .route("/echo", any(async |body: Body| body))
        .route("/trailers", post(trailers))
        .route("/length", post(length))
        .route("/late-length/{milliseconds}", post(late_length))
        .route("/bytes/{count}", get(bytes))
        .route("/events", get(events))
        .route("/quiet/{milliseconds}", get(quiet))
        .route("/cookies/{count}/{size}", get(cookies))
        .route("/switch/{protocol}", any(switch))
        .route("/redirect", get(async || Redirect::to("lab")))
        .route("/planted", get(planted))
        .route("/said/{name}", get(say).put(set_said))
        .route("/exit/{code}", post(exit))
}

/// Its kernel, if there is one: what it does, and when it last did something.
fn kernel() -> std::sync::MutexGuard<'static, Option<[String; 2]>> {
    static KERNEL: std::sync::Mutex<Option<[String; 2]>> = std::sync::Mutex::new(None);
    KERNEL.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn set_kernel(axum::Json(set): axum::Json<[String; 2]>) {
    *kernel() = Some(set);
}

async fn status() -> axum::Json<Value> {
    let kernel = kernel();
    let last = kernel.as_ref().map_or("2020-01-01T00:00:00.000000Z", |[_, last]| last);
    axum::Json(json!({ "kernels": usize::from(kernel.is_some()), "connections": 0, "last_activity": last }))
}

async fn kernels() -> axum::Json<Value> {
    let kernel = kernel();
    let kernels = kernel
        .iter()
        .map(|[state, last]| json!({ "id": "k", "execution_state": state, "last_activity": last }));
    axum::Json(kernels.collect())
}

/// The requests that made terminals, one a line.
fn terminals() -> std::sync::MutexGuard<'static, String> {
    static MADE: std::sync::Mutex<String> = std::sync::Mutex::new(String::new());
    MADE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn make_terminal(body: Bytes) -> (StatusCode, Bytes) {
    let made = String::from_utf8_lossy(&body);
    terminals().extend([&*made, "\n"]);
    (StatusCode::CREATED, body)
}

async fn page() -> Html<&'static str> {
    Html("<!doctype html><html lang=en><title>Stub</title><h1>A stub, where JupyterLab would be</h1></html>")
}

/// What reached this server.
async fn show(request: Request) -> axum::Json<Value> {
    let text = |headers: &HeaderMap| -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for (name, value) in headers {
            all.entry(name.to_string())
                .or_default()
                .push(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
        all
    };
    let uri = request
        .extensions()
        .get::<axum::extract::OriginalUri>()
        .map_or_else(|| request.uri().clone(), |uri| uri.0.clone());
    let environment: BTreeMap<String, String> = std::env::vars().collect();
    axum::Json(json!({
        "method": request.method().as_str(), "uri": uri.to_string(), "headers": text(request.headers()),
        "environment": environment, "arguments": std::env::args().collect::<Vec<_>>(),
    }))
}

/// What came after a body, sent back after a body.
async fn trailers(headers: HeaderMap, body: Body) -> Response {
    let trailers = body.collect().await.ok().and_then(|body| body.trailers().cloned());
    if headers.get(header::TE).is_none_or(|wants| wants != "trailers") {
        return StatusCode::BAD_REQUEST.into_response();
    }
    let frames = [
        Some(Frame::data(Bytes::from_static(b"body"))),
        trailers.map(Frame::trailers),
    ];
    let frames = frames.into_iter().flatten().map(Ok::<_, std::io::Error>);
    let body = Body::new(StreamBody::new(futures_util::stream::iter(frames)));
    ([(header::TRAILER, "x-sum")], body).into_response()
}

/// How much came.
async fn length(body: Body) -> String {
    let mut pieces = body.into_data_stream();
    let mut length = 0;
    while let Some(Ok(piece)) = pieces.next().await {
        length += piece.len();
    }
    length.to_string()
}

/// How much came, of which nothing is read for so long.
async fn late_length(Path(milliseconds): Path<u64>, body: Body) -> String {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    length(body).await
}

/// Two lines, and nothing for so long between them.
async fn quiet(Path(milliseconds): Path<u64>) -> Body {
    let lines = futures_util::stream::iter([(0, "first\n"), (milliseconds, "second\n")]);
    Body::from_stream(lines.then(|(milliseconds, line)| async move {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        Ok::<_, std::io::Error>(line)
    }))
}

/// An answer that sets so many cookies of this size.
async fn cookies(Path((count, size)): Path<(usize, usize)>) -> Response {
    let mut response = StatusCode::OK.into_response();
    for number in 0..count {
        if let Ok(cookie) = http::HeaderValue::try_from(format!("c{number}={}", "x".repeat(size))) {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
    }
    response
}

/// Changes to a protocol, whether or not that was asked for.
async fn switch(Path(protocol): Path<String>) -> Response {
    let headers = [(header::CONNECTION, "upgrade".to_owned()), (header::UPGRADE, protocol)];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// An answer of this many bytes, in pieces.
async fn bytes(Path(count): Path<u64>) -> Body {
    static PIECE: [u8; 16 * 1024] = [b'x'; 16 * 1024];
    let piece = u64::try_from(PIECE.len()).unwrap_or(1);
    let sizes = (0..count.div_ceil(piece)).map(move |n| usize::try_from((count - n * piece).min(piece)).unwrap_or(0));
    Body::from_stream(futures_util::stream::iter(
        sizes.map(|size| Ok::<_, std::io::Error>(Bytes::from_static(&PIECE[..size]))),
    ))
}

/// What is to be answered at a path.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
struct Said {
    status: Option<u16>,
    headers: Vec<[String; 2]>,
    trailers: Vec<[String; 2]>,
    body: String,
}

fn said() -> std::sync::MutexGuard<'static, BTreeMap<String, Said>> {
    static SAID: std::sync::Mutex<BTreeMap<String, Said>> = std::sync::Mutex::new(BTreeMap::new());
    SAID.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

async fn set_said(Path(name): Path<String>, axum::Json(set): axum::Json<Said>) {
    said().insert(name, set);
}

/// Answers with any headers, also an upgrade.
async fn say(Path(name): Path<String>, upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>) -> Response {
    let Some(said) = said().get(&name).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let map = |lines: &[[String; 2]]| -> HeaderMap {
        let line = |[name, value]: &[String; 2]| {
            let value = http::HeaderValue::from_bytes(value.as_bytes()).ok()?;
            Some((header::HeaderName::from_bytes(name.as_bytes()).ok()?, value))
        };
        let mut all = HeaderMap::new();
        for (name, value) in lines.iter().filter_map(line) {
            all.append(name, value);
        }
        all
    };
    let mut response = match upgrade {
        Ok(upgrade) => upgrade.on_upgrade(echo),
        Err(_) => {
            let trailers = (!said.trailers.is_empty()).then(|| Frame::trailers(map(&said.trailers)));
            let frames = [Some(Frame::data(Bytes::from(said.body))), trailers];
            let frames = frames.into_iter().flatten().map(Ok::<_, std::io::Error>);
            Response::new(Body::new(StreamBody::new(futures_util::stream::iter(frames))))
        }
    };
    if let Some(status) = said.status.and_then(|status| StatusCode::from_u16(status).ok()) {
        *response.status_mut() = status;
    }
    for (name, value) in &map(&said.headers) {
        response.headers_mut().append(name, value.clone());
    }
    response
}

/// A stream of events without an end.
async fn events() -> Response {
    let first = futures_util::stream::iter([Ok::<_, std::io::Error>("data: first\n\n")]);
    let body = Body::from_stream(first.chain(futures_util::stream::pending()));
    ([(header::CONTENT_TYPE, "text/event-stream")], body).into_response()
}

/// What a person's server must not be able to say.
async fn planted() -> Response {
    let headers = [
        (header::SET_COOKIE, "slipway-hub=forged; Path=/hub/"),
        (header::SET_COOKIE, "slipway-user=forged; Path=/"),
        (header::SET_COOKIE, "wide=1; Path=/"),
        (header::HeaderName::from_static("clear-site-data"), "\"*\""),
        (header::ALT_SVC, "h2=\":8443\""),
    ];
    let mut response = (StatusCode::OK, [(header::SET_COOKIE, "own=1")]).into_response();
    for (name, value) in headers {
        response
            .headers_mut()
            .append(name, http::HeaderValue::from_static(value));
    }
    response
}

async fn exit(Path(code): Path<i32>) {
    std::process::exit(code);
}

/// Sends back what comes, in the sub-protocol that Jupyter's clients ask for.
async fn channels(upgrade: WebSocketUpgrade) -> Response {
    upgrade
        .protocols(["v1.kernel.websocket.jupyter.org"])
        .max_message_size(64 << 20)
        .max_frame_size(64 << 20)
        .on_upgrade(echo)
}

async fn echo(mut socket: WebSocket) {
    while let Some(Ok(message)) = socket.recv().await {
        let over = matches!(&message, Message::Close(_));
        if matches!(&message, Message::Text(_) | Message::Binary(_)) && socket.send(message).await.is_err() || over {
            return;
        }
    }
}
