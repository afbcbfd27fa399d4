//! Which headers of a request go through to the node. Those of its answer: [`super::response_filter`].

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::auth::{self, Sessions};
use crate::hand_off;

/// Between two neighbours only (RFC 9110, section 7.6.1), besides those that `Connection` names.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

/// What only Slipway may say to the Jupyter server, which believes it; besides everything that starts with
/// `x-forwarded-`.
const FORWARDING: [&str; 3] = ["forwarded", "x-real-ip", "x-scheme"];

/// Whether a client takes trailers (RFC 9110, section 10.1.4), which come through.
pub fn wants_trailers(headers: &HeaderMap) -> bool {
    headers.get_all(header::TE).into_iter().any(|line| {
        let mut names = line.as_bytes().split(|byte| *byte == b',');
        names.any(|name| name.trim_ascii().eq_ignore_ascii_case(b"trailers"))
    })
}

/// The headers that `Connection` names.
pub(super) fn named_in_connection(headers: &HeaderMap) -> Vec<HeaderName> {
    let lines = headers.get_all(header::CONNECTION).into_iter();
    lines
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b','))
        .filter_map(|name| HeaderName::from_bytes(name.trim_ascii()).ok())
        .collect()
}

/// Removes what is between neighbours only.
pub fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named = named_in_connection(headers);
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The protocol that a request or answer asks to change to, if it does (RFC 9110, section 7.8).
pub fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers.get_all(header::CONNECTION).into_iter().any(|line| {
        let mut names = line.as_bytes().split(|byte| *byte == b',');
        names.any(|name| name.trim_ascii().eq_ignore_ascii_case(b"upgrade"))
    });
    headers.get(header::UPGRADE).filter(|_| asked).cloned()
}

/// Takes our own cookies out of a request: what runs in a person's server never sees them.
pub fn strip_own_cookies(headers: &mut HeaderMap, sessions: &Sessions) {
    if !auth::cookie_pairs(headers).any(|pair| is_ours(pair, sessions)) {
        return;
    }
    let kept: Vec<&[u8]> = auth::cookie_pairs(headers)
        .filter(|pair| !is_ours(pair, sessions))
        .collect();
    let line = HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok();
    headers.remove(header::COOKIE);
    if let Some(line) = line.filter(|line| !line.is_empty()) {
        headers.insert(header::COOKIE, line);
    }
}

/// Says who asked and how, in place of what the client may have said.
pub fn set_forwarding(headers: &mut HeaderMap, client: IpAddr, scheme: &'static str) {
    let forged = |name: &str| name.starts_with("x-forwarded-") || FORWARDING.contains(&name);
    let forged: Vec<_> = headers.keys().filter(|name| forged(name.as_str())).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
    if let Ok(client) = HeaderValue::try_from(client.to_string()) {
        headers.insert("x-forwarded-for", client);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static(scheme));
}

/// Completes what Jupyter compares to tell its own pages from other sites: `Host` without a default port, and a
/// `Referer` for navigations that have none. Jupyter refuses files without one (`check_referer`, against cross-site
/// inclusion), which a bookmark and a link with `rel=noreferrer` lack; `Sec-Fetch-Site` tells those from other sites.
pub fn complete_origin(headers: &mut HeaderMap, host: &str, origin: &str) {
    if headers.get(header::HOST).is_some_and(|sent| sent != host)
        && let Ok(host) = HeaderValue::try_from(host)
    {
        headers.insert(header::HOST, host);
    }
    let is_own = headers
        .get("sec-fetch-site")
        .is_some_and(|site| site == "none" || site == "same-origin");
    if is_own
        && !headers.contains_key(header::REFERER)
        && let Ok(referer) = HeaderValue::try_from(format!("{origin}/"))
    {
        headers.insert(header::REFERER, referer);
    }
}

/// Whether `name=value` has the name of one of our cookies.
fn is_ours(pair: &[u8], sessions: &Sessions) -> bool {
    let equals = pair.iter().position(|byte| *byte == b'=');
    equals.is_some_and(|equals| {
        let name = pair[..equals].trim_ascii();
        sessions.owns(name) || hand_off::owns(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(n, v)| {
                (
                    HeaderName::from_static(n),
                    HeaderValue::from_bytes(v.as_bytes()).unwrap(),
                )
            })
            .collect()
    }

    #[test]
    fn what_connection_names_stays_between_neighbours() {
        let mut found = headers(&[
            ("connection", "close, X-Private"),
            ("x-private", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("accept", "*/*"),
        ]);
        strip_hop_by_hop(&mut found);
        assert_eq!(found, headers(&[("accept", "*/*")]));
    }

    #[test]
    fn trailers_are_wanted_by_name() {
        assert!(wants_trailers(&headers(&[("te", "gzip;q=0.5, Trailers")])));
        assert!(!wants_trailers(&headers(&[("te", "gzip"), ("trailer", "x-sum")])));
    }

    #[test]
    fn an_upgrade_has_to_be_named_in_connection_too() {
        let websocket = Some(HeaderValue::from_static("websocket"));
        assert_eq!(
            upgrade_of(&headers(&[
                ("connection", "keep-alive, Upgrade"),
                ("upgrade", "websocket")
            ])),
            websocket
        );
        assert_eq!(
            upgrade_of(&headers(&[("connection", "keep-alive"), ("upgrade", "websocket")])),
            None
        );
        assert_eq!(upgrade_of(&headers(&[("connection", "upgrade")])), None);
    }

    #[test]
    fn what_a_client_says_of_its_own_address_is_not_believed() {
        let mut found = headers(&[
            ("x-forwarded-for", "1.2.3.4"),
            ("forwarded", "for=1.2.3.4"),
            ("x-real-ip", "1.2.3.4"),
            ("x-forwarded-port", "1"),
        ]);
        set_forwarding(&mut found, IpAddr::from([192, 0, 2, 7]), "https");
        assert_eq!(
            found,
            headers(&[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")])
        );
    }

    #[test]
    fn a_bookmark_has_a_referer_of_this_site_and_a_link_of_another_site_has_none() {
        let completed = |lines: &[(&'static str, &'static str)]| {
            let mut found = headers(lines);
            complete_origin(&mut found, "hub.example.org", "https://hub.example.org");
            let text = |name: &str| found.get(name).map(|value| value.to_str().unwrap().to_owned());
            (text("host"), text("referer"))
        };
        let own = (
            Some("hub.example.org".to_owned()),
            Some("https://hub.example.org/".to_owned()),
        );
        assert_eq!(
            completed(&[("host", "hub.example.org:443"), ("sec-fetch-site", "none")]),
            own
        );
        assert_eq!(
            completed(&[("host", "hub.example.org"), ("sec-fetch-site", "same-origin")]),
            own
        );
        for lines in [
            &[("host", "hub.example.org"), ("sec-fetch-site", "cross-site")][..],
            &[("host", "hub.example.org"), ("sec-fetch-site", "same-site")],
            &[("host", "hub.example.org")],
        ] {
            assert_eq!(completed(lines).1, None, "{lines:?}");
        }
        let other = [
            ("host", "hub.example.org"),
            ("sec-fetch-site", "none"),
            ("referer", "https://x.org/"),
        ];
        assert_eq!(completed(&other).1.unwrap(), "https://x.org/");
    }

    fn sessions() -> Sessions {
        let key = crate::keys::Secret {
            path: "key".into(),
            bytes: (0..48).collect::<Vec<u8>>().into(),
        };
        Sessions::new(
            &[key],
            &std::sync::Arc::new(crate::config::Config::example()),
            crate::clock::Clock::fixed(0),
        )
    }

    #[test]
    fn letters_beyond_ascii_hide_neither_a_header_nor_a_cookie_that_stops_here() {
        let mut found = headers(&[("connection", "é, x-private"), ("x-private", "1"), ("cookie", "a=é; b")]);
        let more = headers(&[("cookie", "c=é; __Secure-slipway-user=secret")]);
        found.append("cookie", more["cookie"].clone());
        strip_hop_by_hop(&mut found);
        strip_own_cookies(&mut found, &sessions());
        assert_eq!(found, headers(&[("cookie", "a=é; b; c=é")]));
    }
}
