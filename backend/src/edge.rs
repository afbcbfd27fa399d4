//! What happens to every request first and every answer last: a request id, the host name, the body of
//! errors, headers that keep browsers strict, one log line for each failure.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::answers::Answers;
use crate::app::{App, AppState};
use crate::assets::Content;
use crate::auth::{Audience, Session};
use crate::cause::Cause;
use crate::error::Error;
use crate::hand_off;
use crate::listen::{ClientAddress, Connection};
use crate::log::Sent;
use crate::look::Look;
use crate::wrong_host;

/// Characters of a path that stay readable in `?next=`.
pub(crate) const NEXT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');
/// Where browsers look for an icon, at the root of each host name.
pub(crate) const ICON: &str = "/favicon.ico";
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Wraps the router.
pub async fn edge(State(app): State<AppState>, request: Request, next: Next) -> Response {
    let answer = async |request| (next.run(request).await, Source::Slipway);
    around(&app, request, answer).await
}

/// Who made a response: a person's own server keeps its own security headers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Slipway itself, below `/user/<name>/` as well: pages, redirects and errors.
    Slipway,
    /// The Jupyter server behind the proxy.
    PersonsServer,
}

/// Wraps whatever answers a request.
pub async fn around<A: Future<Output = (Response, Source)>>(
    app: &App,
    request: Request,
    answer: impl FnOnce(Request) -> A,
) -> Response {
    let cause = Cause::request();
    let id = cause.to_string();
    let asked = Asked::of(app, &request);
    let session = if asked.is_proxied {
        None
    } else {
        app.sessions.authenticate(Audience::Hub, request.headers())
    };
    if let (Some(session), Some(connection)) = (&session, Connection::of(request.extensions())) {
        connection.belongs_to(&session.user);
    }
    let (mut response, source) = match host_of(app, request.headers()) {
        // Who asks for this by an address is a load balancer; it is told nothing.
        None if request.uri().path() == app.routes.hub("health") => answer(request).await,
        None => (wrong_host(app, request.headers()).into_response(), Source::Slipway),
        Some(host) if asked.is_elsewhere(app, host) => (asked.elsewhere(app), Source::Slipway),
        Some(_) => cause.during(answer(request)).await,
    };
    if let Some(error) = response.extensions_mut().remove::<Arc<Error>>() {
        log(&id, &asked, &error);
        response = asked.answer(app, &id, &error, &response);
    }
    // Never set a session cookie on a publicly cacheable response.
    let is_public = |headers: &HeaderMap| {
        let kept = headers.get(header::CACHE_CONTROL).map(HeaderValue::as_bytes);
        kept.is_some_and(|kept| kept.starts_with(b"public"))
    };
    let renews = |headers: &HeaderMap| !headers.contains_key(header::SET_COOKIE) && !is_public(headers);
    if let Some(session) = session.filter(|_| renews(response.headers())) {
        renew(app, Audience::Hub, &session, response.headers_mut());
    }
    if let Ok(id) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    if app.config.server.is_https() {
        let headers = response.headers_mut();
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT));
    }
    set_headers(source, response.headers_mut());
    response
}

/// Sets the security headers of a response that Slipway has made, wherever it is.
fn set_headers(source: Source, headers: &mut HeaderMap) {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let is_of = |kind: &[u8]| content_type.is_some_and(|found| found.starts_with(kind));
    let (is_document, is_stream) = (is_of(b"text/html"), is_of(b"text/event-stream"));
    if is_stream {
        // nginx holds events back otherwise, until a buffer is full.
        headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    }
    if source == Source::PersonsServer {
        return;
    }
    // A front proxy may be told to store whatever says nothing, such as a redirect to the form to sign in.
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    // Files and API responses travel without what only a document heeds.
    let of_documents = DOCUMENT_HEADERS.into_iter().filter(|_| is_document);
    for (name, value) in HEADERS.into_iter().chain(of_documents) {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

/// On every answer of ours. Clients of JupyterHub's API compare its version.
const HEADERS: [(HeaderName, &str); 3] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (HeaderName::from_static("x-jupyterhub-version"), "5.5.0"),
];
/// What no page of ours uses, no page of ours may use; and nobody else's page holds on to one of ours.
const DOCUMENT_HEADERS: [(HeaderName, &str); 3] = [
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), \
         hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()",
    ),
];
/// Half a year of https only.
const TRANSPORT: &str = "max-age=15552000";

/// Renews the cookie of this part of the site with a response, if it has aged.
pub(crate) fn renew(app: &App, audience: Audience, session: &Session, headers: &mut HeaderMap) {
    let cookie = app.sessions.renew(audience, session);
    if let Some(value) = cookie.and_then(|cookie| HeaderValue::try_from(cookie.to_string()).ok()) {
        headers.append(header::SET_COOKIE, value);
    }
}

/// Which of our host names a request is for; they may be one. Someone else's host name that leads here (DNS
/// rebinding) would make browsers send somebody else's pages our cookies.
fn host_of(app: &App, headers: &HeaderMap) -> Option<Audience> {
    let mut hosts = headers.get_all(header::HOST).into_iter();
    let (Some(host), None) = (hosts.next()?.to_str().ok(), hosts.next()) else {
        return None;
    };
    let server = &app.config.server;
    // Trunk's proxy sends the host without its port.
    let development = server.development_origin.is_some() && server.host().split(':').next() == Some(host);
    let host = without_default_port(host, server.is_https());
    if host.eq_ignore_ascii_case(server.host()) || development {
        return Some(Audience::Hub);
    }
    host.eq_ignore_ascii_case(server.user_host()).then_some(Audience::User)
}

/// The error for a request that is for none of our host names.
fn wrong_host(app: &App, headers: &HeaderMap) -> Error {
    let sent: Vec<_> = headers
        .get_all(header::HOST)
        .iter()
        .map(|host| String::from_utf8_lossy(host.as_bytes()))
        .collect();
    let origin = app.config.server.origin().to_owned();
    let cause = format!(
        "the request is for host {:?}, but server.public_url is {origin}; a proxy in front has to pass on Host",
        sent.join(", ")
    );
    Error::WrongHost { origin, cause }
}

/// A `Host` without the default port of the scheme, which names the same origin (RFC 9110, section 4.2.3).
fn without_default_port(host: &str, is_https: bool) -> &str {
    host.strip_suffix(if is_https { ":443" } else { ":80" }).unwrap_or(host)
}

/// Whether a request that changes something or opens a tunnel comes from our own pages of this part. Browsers send
/// at least one of the two headers; what sends neither is no browser of somebody who is signed in.
pub fn is_same_site(app: &App, headers: &HeaderMap, audience: Audience) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same_origin = text(HeaderName::from_static("sec-fetch-site")) == Some("same-origin");
    match text(header::ORIGIN) {
        // A page with `referrer=no-referrer` hides its origin; a sandboxed one hides it too, and is "cross-site".
        None | Some("null") => is_same_origin,
        Some(origin) => {
            let server = &app.config.server;
            let ours = match audience {
                Audience::Hub => server.origin(),
                Audience::User => server.user_origin(),
            };
            origin == ours || Some(origin) == server.development_origin.as_deref()
        }
    }
}

/// Whether a path is one of people's own servers.
pub(crate) fn is_proxied(app: &App, path: &str) -> bool {
    path.strip_prefix(app.routes.base())
        .is_some_and(|rest| rest.starts_with("user/"))
}

/// What is needed of a request to answer an error in its own way.
struct Asked {
    address: IpAddr,
    method: Method,
    uri: Uri,
    is_proxied: bool,
    /// Only documents have one.
    look: Option<Look>,
}

impl Asked {
    fn of(app: &App, request: &Request) -> Self {
        let headers = request.headers();
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let is_navigation = request.method() == Method::GET
            && match text("sec-fetch-mode") {
                Some(mode) => mode == "navigate",
                None => text("accept").is_some_and(|accept| accept.contains("text/html")),
            };
        let uri = request.uri();
        Self {
            address: ClientAddress::of(request.extensions()).unwrap_or(Ipv4Addr::UNSPECIFIED.into()),
            method: request.method().clone(),
            uri: uri.clone(),
            is_proxied: is_proxied(app, uri.path()),
            look: is_navigation.then(|| Look::of(headers)),
        }
    }

    /// Path and query.
    fn next(&self) -> &str {
        let both = self.uri.path_and_query();
        both.map_or_else(|| self.uri.path(), |both| both.as_str())
    }

    fn audience(&self) -> Audience {
        if self.is_proxied { Audience::User } else { Audience::Hub }
    }

    fn is_api(&self, app: &App) -> bool {
        self.uri.path().starts_with(&app.routes.api(""))
    }

    /// Whether a path belongs to the other host name.
    fn is_elsewhere(&self, app: &App, host: Audience) -> bool {
        app.config.server.is_split() && host != self.audience() && self.uri.path() != ICON
    }

    /// Answers for a path that belongs to the other host name: people are sent there, nothing else is.
    fn elsewhere(&self, app: &App) -> Response {
        if self.look.is_none() {
            return Error::NotFound.into_response();
        }
        let server = &app.config.server;
        let origin = match self.audience() {
            Audience::Hub => server.origin(),
            Audience::User => server.user_origin(),
        };
        Redirect::to(&format!("{origin}{}", self.next())).into_response()
    }

    fn answer(&self, app: &App, id: &str, error: &Error, response: &Response) -> Response {
        if let Some(look) = self.look.as_ref().filter(|_| !self.is_api(app)) {
            if let Error::WrongHost { origin, .. } = error {
                return wrong_host::document(look.language, &format!("{origin}{}", self.next()));
            }
            // The servers' host has no pages of its own.
            if self.is_proxied && app.config.server.is_split() {
                return match error {
                    Error::NotSignedIn => hand_off::begin(app, self.next()),
                    _ => Redirect::to(&hand_off::page_of(app, self.next())).into_response(),
                };
            }
            if matches!(error, Error::NotSignedIn) {
                let next = utf8_percent_encode(self.next(), NEXT).to_string();
                return Redirect::to(&format!("{}?next={next}", app.routes.hub("login"))).into_response();
            }
            // The page asks the API itself what is the matter, and says it in the person's words.
            return app
                .assets
                .document(error.status().0, look, Content::Nothing, &Answers::of_site(app));
        }
        let mut answer = (response.status(), Json(error.view(id))).into_response();
        for name in [header::RETRY_AFTER, header::CONNECTION] {
            if let Some(value) = response.headers().get(&name) {
                answer.headers_mut().insert(name, value.clone());
            }
        }
        // A sign-out that could not be stored removes the cookies all the same.
        for cookie in response.headers().get_all(header::SET_COOKIE) {
            answer.headers_mut().append(header::SET_COOKIE, cookie.clone());
        }
        answer
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        answer
    }
}

/// A failure of ours is logged as one, with its cause; a mistake of a client is only noted.
fn log(id: &str, asked: &Asked, error: &Error) {
    let (status, code) = error.status();
    let (status, method, path) = (status.as_u16(), Sent(asked.method.as_str()), Sent(asked.uri.path()));
    let text = error.to_string();
    let (text, address) = (Sent(&text), asked.address);
    match error.private_cause() {
        Some(cause) => {
            let cause = Sent(cause);
            tracing::warn!(request.id = id, %address, %method, %path, status, ?code, %cause, "a request failed: {text}");
        }
        None => tracing::debug!(request.id = id, %address, %method, %path, status, "a request was refused: {text}"),
    }
}
