//! The proxy's request headers: whatever a browser sends, what must stop here stops, and the rest passes.
//!
//! An input is header lines (`name: value`).

#![no_main]

use std::net::{IpAddr, Ipv4Addr};

use backend::auth::Audience;
use backend::proxy::headers::{set_forwarding, strip_hop_by_hop, strip_own_cookies};
use http::{HeaderMap, header};
use libfuzzer_sys::fuzz_target;
use slipway_fuzz::{SESSIONS, cookie, header_lines, with_cookies};

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

fuzz_target!(|data: &[u8]| check_request(&header_lines(&with_cookies(data))));

fn check_request(sent: &HeaderMap) {
    let passed = |headers: &HeaderMap| {
        let mut headers = headers.clone();
        strip_hop_by_hop(&mut headers);
        strip_own_cookies(&mut headers, &SESSIONS);
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
