//! The filter of response headers: whatever a person's server answers, nothing in it instructs a front proxy, a cache or
//! the browser about more than that person's path, as browsers read it; and filtering twice changes nothing more.
//!
//! An input is header lines (`name: value`).

#![no_main]
#![expect(clippy::unwrap_used, reason = "what cannot be prepared ends the run")]

use std::sync::LazyLock;

use backend::proxy::response_filter::{ResponseFilter, filter_trailers};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use slipway_fuzz::{header_lines, with_cookies};
use url::Url;

const HOST: &str = "jupyter.example.org";
const FILTER: ResponseFilter<'static> = ResponseFilter {
    path: "/user/ada",
    host: HOST,
    is_https: true,
};
/// Where the answer is.
static PAGE: LazyLock<Url> = LazyLock::new(|| Url::parse(&format!("https://{HOST}/user/ada/lab")).unwrap());
const REMOVED: [&str; 12] = [
    "alt-svc",
    "clear-site-data",
    "connection",
    "nel",
    "origin-agent-cluster",
    "report-to",
    "secure-session-registration",
    "set-login",
    "strict-transport-security",
    "transfer-encoding",
    "upgrade",
    "use-as-dictionary",
];
const REMOVED_FAMILIES: [&str; 8] = [
    "cdn-",
    "surrogate-",
    "x-accel-",
    "x-envoy-",
    "x-lighttpd-",
    "x-litespeed-",
    "x-reproxy-",
    "x-sendfile",
];

fuzz_target!(|data: &[u8]| {
    let sent = header_lines(&with_cookies(data));
    let mut headers = sent.clone();
    FILTER.apply(&mut headers);
    for name in headers.keys().map(HeaderName::as_str) {
        let is_removed = REMOVED.contains(&name) || REMOVED_FAMILIES.iter().any(|start| name.starts_with(start));
        assert!(
            !is_removed && (name == "cache-control" || sent.contains_key(name)),
            "{name}"
        );
    }
    check_references(&headers);
    check_cache_control(&headers);
    headers.get_all(header::SET_COOKIE).iter().for_each(check_cookie);
    for value in headers.get_all("service-worker-allowed") {
        let widest = PAGE.join(&String::from_utf8_lossy(value.as_bytes())).unwrap();
        assert!(widest.path().starts_with("/user/ada/"), "{value:?}");
        assert_eq!(widest.origin(), PAGE.origin());
    }
    let once = headers.clone();
    FILTER.apply(&mut headers);
    assert_eq!(headers, once, "{sent:?}");

    let mut trailers = sent;
    filter_trailers(&mut trailers);
    for name in REMOVED.into_iter().chain(["set-cookie", "location", "cache-control"]) {
        assert!(!trailers.contains_key(name), "{name}");
    }
});

/// Only what names scheme and host leads to another host, or what is for no browser window.
fn check_references(headers: &HeaderMap) {
    assert!(headers.get_all(header::LOCATION).iter().count() < 2);
    let Some(location) = headers.get(header::LOCATION) else {
        return;
    };
    let text = String::from_utf8_lossy(location.as_bytes());
    let starts = |start: &[u8]| location.as_bytes().starts_with(start);
    assert!(!starts(b"//") && !starts(b"/\\") && !starts(b"\\"), "{text:?}");
    let Ok(target) = PAGE.join(&text) else { return };
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    let names_host = scheme.is_some_and(|scheme| scheme == target.scheme());
    let is_web = ["http", "https"].contains(&target.scheme());
    assert!(
        !is_web || names_host || target.origin() == PAGE.origin(),
        "{text:?} leads to {target}"
    );
}

/// Browsers alone may store it.
fn check_cache_control(headers: &HeaderMap) {
    let mut lines = headers.get_all(header::CACHE_CONTROL).iter();
    let line = lines.next().unwrap().as_bytes().to_ascii_lowercase();
    assert!(lines.next().is_none());
    let directives: Vec<_> = line.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).collect();
    assert!(directives.contains(&&b"private"[..]) || directives.contains(&&b"no-store"[..]));
    let is_shared = |directive: &&[u8]| directive.starts_with(b"public") || directive.starts_with(b"s-maxage");
    assert!(!directives.iter().any(is_shared), "{directives:?}");
}

/// For ada's path and this host alone, over https, under a name that is none of Slipway's.
fn check_cookie(line: &HeaderValue) {
    let attributes = line.as_bytes().split(|byte| *byte == b';').skip(1).map(|attribute| {
        let mut parts = attribute.splitn(2, |byte| *byte == b'=').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default().to_ascii_lowercase();
        (name, parts.next().unwrap_or_default().to_vec())
    });
    let attributes: Vec<_> = attributes.collect();
    // The last one of a name counts.
    let last = |wanted: &[u8]| attributes.iter().rev().find(|(name, _)| name == wanted);
    assert!(last(b"domain").is_none(), "{line:?}");
    assert!(last(b"secure").is_some(), "{line:?}");
    if let Some((_, path)) = last(b"path") {
        let inside = path
            .strip_prefix(b"/user/ada")
            .is_some_and(|rest| rest.is_empty() || rest[0] == b'/');
        assert!(inside, "{line:?}");
    }
    let back = sent_back(line.as_bytes()).to_ascii_lowercase();
    for own in [
        "slipway-hub=",
        "slipway-user=",
        "__secure-slipway-user=",
        "__host-slipway-hub=",
    ] {
        assert!(!back.starts_with(own.as_bytes()), "{line:?}");
    }
}

/// What a browser sends back after this `Set-Cookie` (RFC 6265bis, sections 5.6 and 5.8.3): a cookie without a name is
/// sent as its bare value, which can look like another cookie.
fn sent_back(line: &[u8]) -> Vec<u8> {
    let pair = line.split(|byte| *byte == b';').next().unwrap_or_default();
    let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (&pair[..0], pair),
    };
    match (name.trim_ascii(), value.trim_ascii()) {
        ([], value) => value.to_vec(),
        (name, value) => [name, b"=", value].concat(),
    }
}
