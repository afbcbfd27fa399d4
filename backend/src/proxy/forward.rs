//! One request under `/user/<name>/`: who asks, may they, and on it goes.

use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use percent_encoding::percent_decode_str;
use shared::names::UserName;

use super::headers::{
    complete_origin, set_forwarding, strip_hop_by_hop, strip_own_cookies, upgrade_of, wants_trailers,
};
use super::response_filter::ResponseFilter;
use super::session_body::end_with_session;
use super::target::{Target, TargetError};
use super::upgrade::{self, Ends};
use crate::app::{App, AppState};
use crate::auth::{Audience, Session};
use crate::edge::{Source, is_same_site, renew};
use crate::error::Error;
use crate::hand_off;
use crate::listen::{ClientAddress, Connection};
use crate::transfer::TooSlow;

const LARGE_HEADERS: &str = "its headers are larger than 64 KiB or more than 100 lines (many or large cookies?)";

/// Any method, any path under `/user/<name>/`. No router and no layer is in between: see [`super`].
pub async fn forward(app: &AppState, mut request: Request) -> Result<(Response, Source), Error> {
    let uri = request.uri().clone();
    let (owner, Some(rest)) = split(app, &uri).ok_or(Error::NotFound)? else {
        // Browsers send the cookie of `/user/ada/` to nothing else.
        return Ok((with_slash(&uri), Source::Slipway));
    };
    if rest == hand_off::LAST_STEP && request.method() == Method::GET {
        let response = hand_off::take(app, owner, uri.query(), request.headers()).await?;
        return Ok((response, Source::Slipway));
    }
    if request.method().is_safe()
        && let Some(address) = canonical_address(app, owner, rest, uri.query())
    {
        return Ok((Redirect::to(&address).into_response(), Source::Slipway));
    }
    let session = authorize(app, owner, &request).map_err(|error| match error {
        Error::NotSignedIn if is_kernel(rest) => Error::KernelNotShown,
        error => error,
    })?;
    // Lab's own menu leads here; signing in and out is the hub's, whose page asks first.
    if let "logout" | "login" = rest {
        return Ok((Redirect::to(&app.hub_url(rest)).into_response(), Source::Slipway));
    }
    let server = app.spawner.find(&session.user).await.ok_or(Error::NotRunning)?;
    let target = server.target().ok_or(Error::NotRunning)?;
    if rest == "terminals/1" && is_opened(&request) {
        make_terminal(app, &session.user, &target).await;
    }

    let protocol = upgrade_of(request.headers());
    let (client, asked) = (
        protocol.as_ref().map(|_| hyper::upgrade::on(&mut request)),
        protocol.clone(),
    );
    let is_https = app.config.server.is_https();
    let scheme = if is_https { "https" } else { "http" };
    let address = ClientAddress::of(request.extensions()).unwrap_or(Ipv4Addr::UNSPECIFIED.into());
    let headers = request.headers_mut();
    let wants_trailers = wants_trailers(headers);
    strip_hop_by_hop(headers);
    strip_own_cookies(headers, &app.sessions);
    set_forwarding(headers, address, scheme);
    complete_origin(headers, app.config.server.user_host(), app.config.server.user_origin());
    if let Some(protocol) = protocol {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, protocol);
    } else if wants_trailers {
        headers.insert(header::CONNECTION, HeaderValue::from_static("te"));
        headers.insert(header::TE, HeaderValue::from_static("trailers"));
    }
    let is_kept = request.method().is_safe() && !rest.starts_with("api/");

    target.used(app.clock.now());
    let mut response = target.send(request).await.map_err(|error| match error {
        TargetError::Full => Error::TooManyConnections,
        TargetError::RequestBody(error) if TooSlow::caused(&error) => Error::body_timeout(),
        TargetError::RequestBody(_) => Error::bad_request("the body of the request is malformed or was cut off"),
        error @ TargetError::LargeHeaders(_) => Error::InvalidAnswer(LARGE_HEADERS, cause(&error)),
        error @ TargetError::InvalidAnswer(_) => Error::InvalidAnswer("it is not valid HTTP", cause(&error)),
        error => {
            app.spawner.doubt(&server);
            Error::NotAnswering(cause(&error))
        }
    })?;
    let changed = match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => Some(agreed_upgrade(asked.as_ref(), response.headers())?),
        _ => None,
    };
    let upstream = changed.as_ref().map(|_| hyper::upgrade::on(&mut response));
    let headers = response.headers_mut();
    let filter = ResponseFilter {
        path: uri.path()[..uri.path().len() - rest.len()].trim_end_matches('/'),
        host: app.config.server.user_host(),
        is_https,
    };
    filter.apply(headers);
    // What an open Lab asks every few seconds, and what is done in whatever else; not files, which may be kept by
    // whoever carries them.
    if !is_kept {
        renew(app, Audience::User, &session, headers);
    }
    let (Some(protocol), Some(client), Some(upstream)) = (changed, client, upstream) else {
        return Ok((end_with_session(app, session, response), Source::PersonsServer));
    };
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, protocol);
    let (head, body) = response.into_parts();
    if let Some(wire) = body.into_wire() {
        let ends = Ends {
            client,
            upstream,
            wire,
            target,
        };
        upgrade::join(Arc::clone(app), session, server, ends);
    }
    Ok((Response::from_parts(head, Body::empty()), Source::PersonsServer))
}

/// Whose path it is, and what follows `/user/<name>/`, if that is there.
fn split<'a>(app: &App, uri: &'a Uri) -> Option<(&'a str, Option<&'a str>)> {
    let path = uri.path().strip_prefix(app.routes.base())?.strip_prefix("user/")?;
    let split = path.split_once('/');
    Some(split.map_or((path, None), |(owner, rest)| (owner, Some(rest))))
}

/// The address of this path with the owner's name as Slipway writes it, if it is written differently: in capitals or
/// percent-encoded. The session cookie is sent to that address only, since a cookie's path is compared by its letters.
fn canonical_address(app: &App, owner: &str, rest: &str, query: Option<&str>) -> Option<String> {
    let decoded = percent_decode_str(owner).decode_utf8().ok()?;
    let user = UserName::from_typed(&decoded)
        .ok()
        .filter(|user| user.as_str() != owner)?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Some(format!("{}{query}", app.routes.server(&user, rest)))
}

/// The same with a slash behind its path.
fn with_slash(uri: &Uri) -> Response {
    let query = uri.query().map(|query| format!("?{query}"));
    Redirect::to(&format!("{}/{}", uri.path(), query.unwrap_or_default())).into_response()
}

/// Whether the person who asks is the one whose path it is, and asks from our own pages. The same for plain
/// requests and for upgrades.
fn authorize(app: &App, owner: &str, request: &Request) -> Result<Arc<Session>, Error> {
    let headers = request.headers();
    let connection = Connection::of(request.extensions());
    let session = match connection {
        Some(connection) => app
            .sessions
            .authenticate_again(Audience::User, headers, &connection.seen),
        None => app.sessions.authenticate(Audience::User, headers).map(Arc::new),
    };
    let session = session.ok_or(Error::NotSignedIn)?;
    if let Some(connection) = connection {
        connection.belongs_to(&session.user);
    }
    if session.user.as_str() != owner {
        return Err(Error::Forbidden);
    }
    let asks_only = [Method::GET, Method::HEAD, Method::OPTIONS].contains(request.method());
    if (!asks_only || upgrade_of(headers).is_some()) && !is_same_site(app, headers, Audience::User) {
        return Err(Error::CrossSite);
    }
    Ok(session)
}

/// The protocol that a server changes to with its 101, which has to be one that the client asked for (RFC 9110, section
/// 7.8).
fn agreed_upgrade(asked: Option<&HeaderValue>, answer: &HeaderMap) -> Result<HeaderValue, Error> {
    let is_asked = |agreed: &HeaderValue| {
        let mut asked = asked
            .map_or(&b""[..], HeaderValue::as_bytes)
            .split(|byte| *byte == b',');
        asked.any(|name| name.trim_ascii().eq_ignore_ascii_case(agreed.as_bytes().trim_ascii()))
    };
    upgrade_of(answer).filter(is_asked).ok_or_else(|| {
        let why = "it changed to a protocol that was not asked for";
        Error::InvalidAnswer(why, "an answer with status 101".into())
    })
}

/// Whether a path is that of one kernel: `api/kernels/ID`.
fn is_kernel(rest: &str) -> bool {
    let id = rest.strip_prefix("api/kernels/");
    id.is_some_and(|id| !id.is_empty() && !id.contains('/'))
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
async fn make_terminal(app: &App, user: &UserName, target: &Arc<Target>) {
    let request = Request::post(app.routes.server(user, "api/terminals"))
        .header(header::HOST, app.config.server.user_host())
        .header(header::CONTENT_TYPE, "application/json")
        // Jupyter's own check against forged requests compares these two; any value will do.
        .header(header::COOKIE, "_xsrf=slipway")
        .header("x-xsrftoken", "slipway")
        .body(Body::from(r#"{"name":"1"}"#));
    if let Ok(request) = request
        && let Err(error) = target.send(request).await
    {
        tracing::debug!(%user, %error, "no terminal could be made");
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
