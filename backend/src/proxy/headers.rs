//! Which headers go through, and which stop here.

use std::net::IpAddr;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::auth::{self, SignIns};
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

/// What only Slipway may say to the Jupyter server, which believes it.
const FORWARDING: [&str; 6] = [
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "x-scheme",
];

/// Removes what is between neighbours only.
pub(super) fn strip_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named.iter().chain(&HOP_BY_HOP) {
        headers.remove(name);
    }
}

/// The protocol that a request or answer asks to change to, if it does (RFC 9110, section 7.8).
pub(super) fn upgrade_of(headers: &HeaderMap) -> Option<HeaderValue> {
    let asked = headers
        .get_all(header::CONNECTION)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.split(',').any(|item| item.trim().eq_ignore_ascii_case("upgrade")));
    headers.get(header::UPGRADE).filter(|_| asked).cloned()
}

fn is_ours(sign_ins: &SignIns, cookie: &str) -> bool {
    sign_ins.owns(cookie) || hand_off::owns(cookie)
}

/// Takes our own cookies out of a request: what runs in a person's server never sees them.
pub(super) fn strip_own_cookies(headers: &mut HeaderMap, sign_ins: &SignIns) {
    if !auth::cookies(headers).any(|(name, _)| is_ours(sign_ins, name)) {
        return;
    }
    let kept: Vec<String> = auth::cookies(headers)
        .filter(|(name, _)| !is_ours(sign_ins, name))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    headers.remove(header::COOKIE);
    if let Ok(value) = HeaderValue::try_from(kept.join("; "))
        && !kept.is_empty()
    {
        headers.insert(header::COOKIE, value);
    }
}

/// Says who asked and how, in place of what the client may have said.
pub(super) fn set_forwarding(headers: &mut HeaderMap, client: IpAddr, scheme: &'static str) {
    for name in FORWARDING {
        headers.remove(name);
    }
    if let Ok(client) = HeaderValue::try_from(client.to_string()) {
        headers.insert("x-forwarded-for", client);
    }
    headers.insert("x-forwarded-proto", HeaderValue::from_static(scheme));
}

/// Takes cookies for the hub out of an answer: a person's server must not sign anybody in or out.
pub(super) fn strip_set_cookies(headers: &mut HeaderMap, sign_ins: &SignIns) {
    let ours = |value: &HeaderValue| {
        value
            .to_str()
            .ok()
            .and_then(|text| text.split('=').next())
            .is_none_or(|name| is_ours(sign_ins, name.trim()))
    };
    if headers.get_all(header::SET_COOKIE).into_iter().any(ours) {
        let kept: Vec<_> = headers
            .get_all(header::SET_COOKIE)
            .into_iter()
            .filter(|v| !ours(v))
            .cloned()
            .collect();
        headers.remove(header::SET_COOKIE);
        for value in kept {
            headers.append(header::SET_COOKIE, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v)))
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
        ]);
        set_forwarding(&mut found, IpAddr::from([192, 0, 2, 7]), "https");
        assert_eq!(
            found,
            headers(&[("x-forwarded-for", "192.0.2.7"), ("x-forwarded-proto", "https")])
        );
    }
}
