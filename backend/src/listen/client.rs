//! Whose address a request comes from: the one place that answers it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::ConnectInfo;
use http::{Extensions, HeaderMap};
use ipnet::IpNet;

use crate::config::{ClientAddressIn, Server};

const X_FORWARDED_FOR: &str = "x-forwarded-for";

/// The address of whoever asks, as far as it can be believed. Every request has one, which handlers take as
/// `ConnectInfo<ClientAddress>`. IPv4 is never written as IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Notes the address with a request.
    pub fn insert(self, extensions: &mut Extensions) {
        extensions.insert(ConnectInfo(self));
    }

    /// The address that was noted with a request.
    pub fn of(extensions: &Extensions) -> Option<IpAddr> {
        extensions
            .get::<ConnectInfo<Self>>()
            .map(|ConnectInfo(client)| client.0)
    }
}

/// Who is believed about whom they speak for.
#[derive(Clone, Debug)]
pub(super) struct Proxies {
    trusted: Vec<IpNet>,
    say_it_in: Option<ClientAddressIn>,
}

impl Proxies {
    /// As configured.
    pub(super) fn new(server: &Server) -> Self {
        Self {
            trusted: server.trusted_proxies.clone(),
            say_it_in: server.client_address,
        }
    }

    #[cfg(test)]
    pub(super) fn of(trusted: &[&str], say_it_in: Option<ClientAddressIn>) -> Self {
        let trusted = trusted.iter().map(|network| network.parse().unwrap()).collect();
        Self { trusted, say_it_in }
    }

    /// Whether this is one of the proxies.
    pub(super) fn trust(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.contains(&address))
    }

    /// Whether every connection has to start with a header of the PROXY protocol.
    pub(super) fn use_proxy_protocol(&self) -> bool {
        self.say_it_in == Some(ClientAddressIn::ProxyProtocol)
    }

    /// Whether requests of this neighbour are somebody else's.
    pub(super) fn forward_for_others(&self, neighbour: IpAddr) -> bool {
        self.say_it_in == Some(ClientAddressIn::XForwardedFor) && self.trust(neighbour)
    }

    /// Whose request it is. From right to left, each address was written by the one before it, so the first
    /// that is no proxy of ours is the last that can be believed. What is no address says nothing.
    pub(super) fn client(&self, neighbour: IpAddr, headers: &HeaderMap) -> ClientAddress {
        if !self.forward_for_others(neighbour) {
            return ClientAddress(neighbour);
        }
        let values = headers.get_all(X_FORWARDED_FOR).iter().rev();
        let items = values.flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        let mut client = neighbour;
        for item in items {
            match address(item.trim()) {
                Some(address) => client = address,
                None => return ClientAddress(neighbour),
            }
            if !self.trust(client) {
                break;
            }
        }
        ClientAddress(client)
    }
}

/// An address as proxies write it: some in brackets, some with the port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let address = bare
        .parse()
        .or_else(|_| text.parse().map(|address: SocketAddr| address.ip()));
    address.ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(say_it_in: Option<ClientAddressIn>, neighbour: &str, lines: &[&str]) -> String {
        let headers = lines
            .iter()
            .map(|line| (X_FORWARDED_FOR.parse().unwrap(), line.parse().unwrap()));
        let proxies = Proxies::of(&["127.0.0.1/32", "10.0.0.0/8", "2001:db8::/32"], say_it_in);
        let neighbour = neighbour.parse().unwrap();
        proxies.client(neighbour, &headers.collect()).0.to_string()
    }

    #[test]
    fn the_rightmost_address_that_is_no_proxy_is_whose_request_it_is() {
        for (lines, expected) in [
            (vec!["192.0.2.7"], "192.0.2.7"),
            (vec!["6.6.6.6, 192.0.2.7"], "192.0.2.7"),
            (vec!["6.6.6.6", "192.0.2.7,10.1.1.1"], "192.0.2.7"),
            (vec!["6.6.6.6, 192.0.2.7", "10.1.1.1"], "192.0.2.7"),
            (vec!["garbage, 192.0.2.7"], "192.0.2.7"),
            (vec!["192.0.2.7:50123"], "192.0.2.7"),
            (vec!["[2001:db9::7]:50123"], "2001:db9::7"),
            (vec!["[2001:db9::7]"], "2001:db9::7"),
            (vec!["2001:db9::7"], "2001:db9::7"),
            (vec!["::ffff:192.0.2.7"], "192.0.2.7"),
            // Somebody in a network of proxies.
            (vec!["10.1.1.2, 10.1.1.1"], "10.1.1.2"),
        ] {
            let found = client(Some(ClientAddressIn::XForwardedFor), "127.0.0.1", &lines);
            assert_eq!(found, expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_address_leaves_the_proxys_own() {
        for lines in [
            vec![],
            vec![""],
            vec!["unknown"],
            vec!["192.0.2.7, _hidden"],
            vec!["192.0.2.7, "],
            vec!["é"],
        ] {
            let found = client(Some(ClientAddressIn::XForwardedFor), "127.0.0.1", &lines);
            assert_eq!(found, "127.0.0.1", "{lines:?}");
        }
    }

    #[test]
    fn strangers_are_not_believed_and_nobody_is_unless_the_site_says_so() {
        let lines = ["192.0.2.7"];
        assert_eq!(
            client(Some(ClientAddressIn::XForwardedFor), "192.0.2.1", &lines),
            "192.0.2.1"
        );
        assert_eq!(
            client(Some(ClientAddressIn::ProxyProtocol), "127.0.0.1", &lines),
            "127.0.0.1"
        );
        assert_eq!(client(None, "127.0.0.1", &lines), "127.0.0.1");
    }
}
