//! One request under `/user/<name>/`: who asks, may they, and on it goes.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, OriginalUri, Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, Method, StatusCode, Uri, header};

use super::headers::{set_forwarding, strip_hop_by_hop, strip_own_cookies, strip_set_cookies, upgrade_of};
use super::{Target, upgrade};
use crate::app::{App, AppState};
use crate::auth::{Audience, SignIn};
use crate::edge::{is_same_site, renew};
use crate::error::Error;
use crate::hand_off;
use crate::listen::ClientAddress;

/// Any method, any path under `/user/<name>/`.
pub async fn forward(
    State(app): State<AppState>,
    ConnectInfo(ClientAddress(address)): ConnectInfo<ClientAddress>,
    OriginalUri(uri): OriginalUri,
    mut request: Request,
) -> Result<Response, Error> {
    let (owner, rest) = split(&app, &uri).ok_or(Error::NotFound)?;
    if rest == hand_off::LAST_STEP && request.method() == Method::GET {
        return hand_off::take(&app, owner, uri.query(), request.headers()).await;
    }
    let sign_in = authorize(&app, owner, &request)?;
    // Lab's own menu leads here; signing in and out is the hub's, whose page asks first.
    if let "logout" | "login" = rest {
        return Ok(Redirect::to(&app.hub_url(rest)).into_response());
    }
    let server = app.spawner.find(&sign_in.user).await.ok_or(Error::NotRunning)?;
    let target = server.target().ok_or(Error::NotRunning)?;
    if rest == "terminals/1" && is_opened(&request) {
        make_terminal(&app, &sign_in, &target).await;
    }

    let protocol = upgrade_of(request.headers());
    let client = protocol.as_ref().map(|_| hyper::upgrade::on(&mut request));
    let scheme = if app.config.server.is_https() { "https" } else { "http" };
    let headers = request.headers_mut();
    strip_hop_by_hop(headers);
    strip_own_cookies(headers, &app.sign_ins);
    set_forwarding(headers, address, scheme);
    if let Some(protocol) = protocol {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
    }
    let is_api = rest.starts_with("api/");
    *request.uri_mut() = uri;

    let mut response = target.send(request).await.map_err(|e| {
        app.spawner.doubt(&server);
        Error::NotAnswering(cause(&e))
    })?;
    let changed = if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        upgrade_of(response.headers())
    } else {
        None
    };
    let upstream = changed.as_ref().map(|_| hyper::upgrade::on(&mut response));
    let headers = response.headers_mut();
    strip_hop_by_hop(headers);
    strip_set_cookies(headers, &app.sign_ins);
    // What an open Lab asks every few seconds; not files, which may be kept by whoever carries them.
    if is_api {
        renew(&app, Audience::User, &sign_in, headers);
    }
    if let (Some(protocol), Some(client), Some(upstream)) = (changed, client, upstream) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
        upgrade::join(app, sign_in, server, client, upstream);
    }
    Ok(response.map(Body::new))
}

/// Whose path it is, and what follows `/user/<name>/`.
fn split<'a>(app: &App, uri: &'a Uri) -> Option<(&'a str, &'a str)> {
    let path = uri.path().strip_prefix(app.routes.base())?.strip_prefix("user/")?;
    Some(path.split_once('/').unwrap_or((path, "")))
}

/// Whether the person who asks is the one whose path it is, and asks from our own pages. The same for plain
/// requests and for upgrades.
fn authorize(app: &App, owner: &str, request: &Request) -> Result<SignIn, Error> {
    let headers = request.headers();
    let sign_in = app.sign_ins.read(Audience::User, headers).ok_or(Error::NotSignedIn)?;
    if sign_in.user.as_str() != owner {
        return Err(Error::Forbidden);
    }
    let asks_only = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if (!asks_only || upgrade_of(headers).is_some()) && !is_same_site(app, headers, Audience::User) {
        return Err(Error::CrossSite);
    }
    Ok(sign_in)
}

/// Whether a page is opened in a tab of its own: what another site embeds or fetches must not make anything.
fn is_opened(request: &Request) -> bool {
    let headers = request.headers();
    let target = headers.get("sec-fetch-dest").map(HeaderValue::as_bytes);
    request.method() == Method::GET
        && upgrade_of(headers).is_none()
        && target.is_none_or(|target| target == b"document")
}

/// Notebook serves the page of a terminal always, its WebSocket only while that terminal lives: it is made
/// before every opening, and one that is there already is left as it is.
async fn make_terminal(app: &App, sign_in: &SignIn, target: &Arc<Target>) {
    let request = Request::post(app.routes.server(&sign_in.user, "api/terminals"))
        .header(header::HOST, app.config.server.user_host())
        .header(header::CONTENT_TYPE, "application/json")
        // Jupyter's own check against forged requests compares these two; any value will do.
        .header(header::COOKIE, "_xsrf=slipway")
        .header("x-xsrftoken", "slipway")
        .body(Body::from(r#"{"name":"1"}"#));
    if let Ok(request) = request
        && let Err(error) = target.send(request).await
    {
        tracing::debug!(user = %sign_in.user, %error, "no terminal could be made");
    }
}

fn cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
