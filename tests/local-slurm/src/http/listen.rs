//! From a connection to an answer, and the ways in which there is none.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, Uri};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use super::{App, router};
use crate::cluster::Fault;

/// Between attempts to get the address back.
const RETRY: Duration = Duration::from_millis(50);

/// A Unix socket and its path.
pub(crate) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

/// Listens on a Unix socket, in the place of an old one.
pub(crate) fn bind_socket(path: &Path) -> io::Result<Socket> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    Ok(Socket {
        listener: UnixListener::bind(path)?,
        path: path.into(),
    })
}

/// Answers on TCP, for as long as it is polled.
pub(crate) async fn serve_tcp(listener: TcpListener, addr: SocketAddr, app: App) {
    let mut listener = Some(listener);
    loop {
        match listener
            .take()
            .map_or_else(|| std::net::TcpListener::bind(addr).and_then(from_std), Ok)
        {
            Ok(listener) => serve(&app, || async { Ok(listener.accept().await?.0) }).await,
            Err(_) => tokio::time::sleep(RETRY).await,
        }
        until(&app, |fault| fault != Fault::Refused).await;
    }
}

fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Answers on a Unix socket, for as long as it is polled.
pub(crate) async fn serve_socket(socket: Socket, app: App) {
    let Socket { listener, path } = socket;
    let mut listener = Some(listener);
    loop {
        match listener
            .take()
            .map_or_else(|| bind_socket(&path).map(|socket| socket.listener), Ok)
        {
            Ok(listener) => serve(&app, || async { Ok(listener.accept().await?.0) }).await,
            Err(_) => tokio::time::sleep(RETRY).await,
        }
        let _ = std::fs::remove_file(&path); // Nobody listens there now.
        until(&app, |fault| fault != Fault::Refused).await;
    }
}

async fn until(app: &App, is: impl Fn(Fault) -> bool) {
    let mut fault = app.fault.subscribe();
    let _ = fault.wait_for(|fault| is(*fault)).await; // The sender lives as long as `app`.
}

/// Answers until connections are to be refused; then every connection is cut.
async fn serve<S, F>(app: &App, accept: impl Fn() -> F)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Future<Output = io::Result<S>>,
{
    let router = router(app.clone());
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = until(app, |fault| fault == Fault::Refused) => return,
            Some(_) = connections.join_next() => {}
            Ok(stream) = accept() => {
                let (app, router) = (app.clone(), router.clone());
                connections.spawn(async move {
                    let service = service_fn(|request| answer(&app, &router, request));
                    // A connection that breaks, on purpose or not, concerns nobody else.
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        }
    }
}

/// One answer; an error cuts the connection instead.
async fn answer(app: &App, router: &Router, request: Request<Incoming>) -> io::Result<Response<Body>> {
    let mut request = request.map(Body::new);
    let fault = *app.fault.borrow();
    let is_control = request.uri().path().starts_with("/local/");
    let is_submission = request.uri().path().contains("/job/submit");
    if !is_control {
        app.requests.fetch_add(1, Ordering::Relaxed);
    }
    if fault == Fault::Silent && !is_control {
        until(app, |fault| fault != Fault::Silent).await;
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    if let Some(uri) = without_slash(request.uri()) {
        *request.uri_mut() = uri;
    }
    let Ok(response) = router.clone().oneshot(request).await;
    if fault == Fault::SubmissionsHang && is_submission {
        until(app, |fault| fault != Fault::SubmissionsHang).await;
    }
    if fault == Fault::AnswersLost && !is_control || fault == Fault::SubmissionsLost && is_submission {
        return Err(io::ErrorKind::ConnectionReset.into());
    }
    Ok(response)
}

/// The same address without the slash at the end of its path.
fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/').filter(|path| !path.is_empty())?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trailing_slash_makes_no_difference() {
        let without = |uri: &str| without_slash(&uri.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(
            without("/slurm/v0.0.42/jobs/state/?job_id=1"),
            Some("/slurm/v0.0.42/jobs/state?job_id=1".into())
        );
        assert_eq!(without("/slurm/v0.0.42/jobs"), None);
        assert_eq!(without("/"), None);
    }
}
