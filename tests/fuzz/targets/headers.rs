//! The proxy's headers: whatever a browser or a person's server sends, what must stop here stops, and the rest passes.
//!
//! An input is header lines (`name: value`), taken as a request and as an answer.

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use backend::auth::Audience;
use backend::proxy::confine::Bounds;
use backend::proxy::headers::{set_forwarding, strip_hop_by_hop, strip_own_cookies, strip_set_cookies};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use slipway_fuzz::{SIGN_INS, cookie, with_cookies};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));
const NEIGHBOURS: [&str; 7] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authorization",
    "te",
    "transfer-encoding",
    "upgrade",
];

fuzz_target!(|data: &[u8]| {
    let sent: HeaderMap = with_cookies(data)
        .split(|byte| *byte == b'\n')
        .filter_map(header)
        .collect();
    check_request(&sent);
    check_answer(&sent);
    check_confined(sent);
});

fn header(line: &[u8]) -> Option<(HeaderName, HeaderValue)> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (name, value) = line.split_at(colon);
    let value = HeaderValue::from_bytes(value.strip_prefix(b":")?.trim_ascii()).ok()?;
    Some((HeaderName::from_bytes(name).ok()?, value))
}

fn check_request(sent: &HeaderMap) {
    let passed = |headers: &HeaderMap| {
        let mut headers = headers.clone();
        strip_hop_by_hop(&mut headers);
        strip_own_cookies(&mut headers, &SIGN_INS);
        set_forwarding(&mut headers, CLIENT, "https");
        headers
    };
    let headers = passed(sent);
    assert_eq!(headers, passed(&headers), "{sent:?}");
    let named = named_in_connection(sent);
    let forwarding =
        |name: &str| name.starts_with("x-forwarded-") || ["forwarded", "x-real-ip", "x-scheme"].contains(&name);
    let stops = |name: &str| NEIGHBOURS.contains(&name) || named.iter().any(|n| n == name);
    for (name, value) in &headers {
        match name.as_str() {
            "x-forwarded-for" => assert_eq!(value, "192.0.2.7"),
            "x-forwarded-proto" => assert_eq!(value, "https"),
            other => assert!(!stops(other) && !forwarding(other), "{name} of {sent:?}"),
        }
    }
    for name in sent
        .keys()
        .filter(|name| !stops(name.as_str()) && !forwarding(name.as_str()))
    {
        if *name == header::COOKIE {
            let theirs: Vec<_> = cookies(sent).into_iter().filter(|pair| !is_ours(pair)).collect();
            assert_eq!(cookies(&headers), theirs, "{sent:?}");
        } else {
            assert!(
                sent.get_all(name).iter().eq(headers.get_all(name)),
                "{name} of {sent:?}"
            );
        }
    }
}

fn check_answer(sent: &HeaderMap) {
    let passed = |headers: &HeaderMap| {
        let mut headers = headers.clone();
        strip_hop_by_hop(&mut headers);
        strip_set_cookies(&mut headers, &SIGN_INS);
        headers
    };
    let headers = passed(sent);
    assert_eq!(headers, passed(&headers), "{sent:?}");
    let named = named_in_connection(sent);
    if named.iter().any(|name| name == "set-cookie") {
        return;
    }
    let lines = |headers: &HeaderMap| -> Vec<_> { headers.get_all(header::SET_COOKIE).iter().cloned().collect() };
    let theirs: Vec<_> = lines(sent)
        .into_iter()
        .filter(|line| !is_ours(&sent_back(line.as_bytes())))
        .collect();
    assert_eq!(lines(&headers), theirs, "{sent:?}");
}

/// Whatever an answer says, it is about its own place: as browsers read it, and also after this was done before.
fn check_confined(mut headers: HeaderMap) {
    let own = Bounds {
        path: "/user/ada",
        host: "jupyter.example.org",
        is_https: true,
    };
    own.confine(&mut headers);
    for name in ["clear-site-data", "alt-svc", "nel", "report-to"] {
        assert!(!headers.contains_key(name));
    }
    for line in headers.get_all(header::SET_COOKIE) {
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
    }
    let before = headers.clone();
    own.confine(&mut headers);
    assert_eq!(headers, before);
}

fn named_in_connection(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(header::CONNECTION).into_iter();
    let names = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    names
        .map(|name| String::from_utf8_lossy(name.trim_ascii()).to_ascii_lowercase())
        .collect()
}

/// Every cookie of a request, as it was sent.
fn cookies(headers: &HeaderMap) -> Vec<Vec<u8>> {
    let lines = headers.get_all(header::COOKIE).into_iter();
    let pairs = lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';'));
    pairs
        .map(|pair| pair.trim_ascii().to_vec())
        .filter(|pair| !pair.is_empty())
        .collect()
}

fn is_ours(pair: &[u8]) -> bool {
    let [hub, user] = [Audience::Hub, Audience::User].map(|audience| cookie(audience).0);
    let name = pair.split(|byte| *byte == b'=').next().unwrap_or_default();
    let name = name.trim_ascii();
    pair.contains(&b'=')
        && ([hub, user].iter().any(|own| name == own.as_bytes()) || name.starts_with(b"slipway-hand-off"))
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
