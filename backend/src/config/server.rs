//! `[server]`

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::OnceLock;

use http::Uri;
use ipnet::IpNet;
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::Wrong;

/// Where Slipway listens, and where people find it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// The address and port to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The address people type: scheme, host, port and base path, with a `/` at the end.
    pub public_url: String,
    /// A second host name for people's servers, which the hub then trusts with nothing: the same scheme and path as
    /// `public_url`, another host.
    pub user_content_url: Option<String>,
    /// Trunk's output.
    pub assets: PathBuf,
    /// The file of what has to be remembered (SQLite).
    pub state: PathBuf,
    /// Trunk's origin while a front-end developer works (`http://127.0.0.1:8080`). Never in production.
    pub development_origin: Option<String>,
    /// Our own certificate, where no proxy ends TLS.
    pub tls: Option<Tls>,
    /// The proxies in front that are believed when they say whose connection or request it is.
    #[serde(default, deserialize_with = "networks")]
    pub trusted_proxies: Vec<IpNet>,
    /// How they say it.
    pub client_address: Option<ClientAddressIn>,
    /// Connections at once.
    #[serde(default = "max_connections")]
    pub max_connections: usize,
    /// Connections at once from one client address on which nobody has signed in; without it 256, or half of all
    /// connections if that is fewer.
    pub max_connections_per_address: Option<usize>,
    /// Connections of one person at once: those that their browsers hold, and as many requests and tunnels to their server.
    #[serde(default = "max_connections_per_person")]
    pub max_connections_per_person: usize,
    /// For how many seconds the body of a request to Slipway itself may take to arrive.
    #[serde(default = "body_timeout_seconds")]
    pub body_timeout_seconds: u64,
    /// The least rate at which a client sends a request to its server, or takes an answer; 0 for none.
    #[serde(default = "min_bytes_per_second")]
    pub min_bytes_per_second: u64,
    /// Over how many seconds of waiting for the client that rate is measured.
    #[serde(default = "min_rate_seconds")]
    pub min_rate_seconds: u64,
    /// For how many seconds, once a new Slipway has taken over, this one keeps open tunnels and long transfers.
    #[serde(default = "drain_seconds")]
    pub drain_seconds: u64,
    /// The addresses above, taken apart.
    #[serde(skip)]
    urls: OnceLock<Urls>,
}

/// What each request is compared with.
#[derive(Clone, Debug)]
struct Urls {
    is_https: bool,
    origin: String,
    user_origin: String,
    host: String,
    user_host: String,
}

/// Files of our own TLS, PEM. They may be replaced while Slipway serves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate for the host of `public_url`, followed by its intermediates.
    pub certificate_file: PathBuf,
    /// Its private key, mode 0600.
    pub key_file: PathBuf,
}

/// Where trusted proxies write the address of whom they speak for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ClientAddressIn {
    /// In the header `X-Forwarded-For` of each request.
    XForwardedFor,
    /// Before the first byte of each connection (the PROXY protocol, version 1 or 2).
    ProxyProtocol,
}

fn max_connections() -> usize {
    8_000
}

fn drain_seconds() -> u64 {
    12 * 3600
}

fn max_connections_per_person() -> usize {
    256
}

fn body_timeout_seconds() -> u64 {
    15
}

fn min_bytes_per_second() -> u64 {
    1024
}

fn min_rate_seconds() -> u64 {
    30
}

/// Networks, of which a single address is one.
fn networks<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<IpNet>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    let network = |text: &String| {
        let address = text.parse::<IpAddr>().map(|address| address.to_canonical().into());
        address.or_else(|_| text.parse()).map_err(|_| {
            D::Error::custom(format!(
                "{text:?} is neither an address (192.0.2.1) nor a network (192.0.2.0/24)"
            ))
        })
    };
    texts.iter().map(network).collect()
}

impl Server {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        self.check_urls()?;
        self.check_front()
    }

    fn check_urls(&self) -> Result<(), Wrong> {
        check_url("server.public_url", &self.public_url)?;
        let Some(url) = &self.user_content_url else {
            return Ok(());
        };
        let key = "server.user_content_url";
        check_url(key, url)?;
        let (hub, user) = (self.hub_url(), self.user_url());
        if (hub.scheme(), hub.path()) != (user.scheme(), user.path()) {
            return Err((key, "needs the same scheme and path as server.public_url".into()));
        }
        // Cookies know no ports.
        if hub.host() == user.host() {
            return Err((
                key,
                "needs another host name than server.public_url, or may be left out".into(),
            ));
        }
        Ok(())
    }

    fn check_front(&self) -> Result<(), Wrong> {
        if self.tls.is_some() && self.hub_url().scheme_str() != Some("https") {
            return Err((
                "server.public_url",
                "has to start with https:// where server.tls is set".into(),
            ));
        }
        if let Some(all) = self.trusted_proxies.iter().find(|network| network.prefix_len() == 0) {
            let message = format!("{all} is everybody: name the proxies themselves");
            return Err(("server.trusted_proxies", message));
        }
        match (self.trusted_proxies.is_empty(), self.client_address) {
            (false, None) => Err((
                "server.trusted_proxies",
                "needs server.client_address: \"x-forwarded-for\" or \"proxy-protocol\"".into(),
            )),
            (true, Some(_)) => Err((
                "server.client_address",
                "needs server.trusted_proxies: the addresses that are believed".into(),
            )),
            _ if self.max_connections == 0 => Err(("server.max_connections", "has to be at least 1".into())),
            _ if self.max_connections_per_address == Some(0) => {
                Err(("server.max_connections_per_address", "has to be at least 1".into()))
            }
            _ if self.body_timeout_seconds == 0 => Err(("server.body_timeout_seconds", "has to be at least 1".into())),
            _ if self.min_rate_seconds == 0 => Err((
                "server.min_rate_seconds",
                "has to be at least 1; without a minimum rate, server.min_bytes_per_second is 0".into(),
            )),
            // A Lab that is opened asks for dozens of things at once.
            _ if self.max_connections_per_person < 32 => {
                Err(("server.max_connections_per_person", "has to be at least 32".into()))
            }
            _ => Ok(()),
        }
    }

    fn hub_url(&self) -> Uri {
        self.public_url.parse().unwrap_or_default()
    }

    fn user_url(&self) -> Uri {
        let url = self.user_content_url.as_ref().unwrap_or(&self.public_url);
        url.parse().unwrap_or_default()
    }

    /// Whether people's servers have a host name of their own.
    pub fn is_split(&self) -> bool {
        self.user_content_url.is_some()
    }

    /// The base path: starts and ends with `/`.
    pub fn base(&self) -> String {
        self.hub_url().path().to_owned()
    }

    /// Scheme, host and port of the hub, as browsers send it in `Origin`.
    pub fn origin(&self) -> &str {
        &self.urls().origin
    }

    /// The same of people's servers.
    pub fn user_origin(&self) -> &str {
        &self.urls().user_origin
    }

    /// Host and port of the hub, as browsers send it in `Host`: without the scheme's own port.
    pub fn host(&self) -> &str {
        &self.urls().host
    }

    /// The same of people's servers.
    pub fn user_host(&self) -> &str {
        &self.urls().user_host
    }

    /// The hosts of both alone, as certificates name them.
    pub fn host_names(&self) -> [String; 2] {
        [self.hub_url(), self.user_url()].map(|url| {
            let host = url.host().unwrap_or_default();
            host.trim_matches(['[', ']']).to_owned()
        })
    }

    /// People reach Slipway by https: cookies are `Secure`.
    pub fn is_https(&self) -> bool {
        self.urls().is_https
    }

    fn urls(&self) -> &Urls {
        self.urls.get_or_init(|| {
            let (hub, user) = (self.hub_url(), self.user_url());
            Urls {
                is_https: hub.scheme_str() == Some("https"),
                origin: origin(&hub),
                user_origin: origin(&user),
                host: host(&hub),
                user_host: host(&user),
            }
        })
    }
}

fn origin(url: &Uri) -> String {
    format!("{}://{}", url.scheme_str().unwrap_or_default(), host(url))
}

fn host(url: &Uri) -> String {
    let default = if url.scheme_str() == Some("https") { 443 } else { 80 };
    match (url.host(), url.port_u16()) {
        (Some(host), Some(port)) if port != default => format!("{}:{port}", host.to_ascii_lowercase()),
        (host, _) => host.unwrap_or_default().to_ascii_lowercase(), // As browsers send it.
    }
}

fn check_url(key: &'static str, url: &str) -> Result<(), Wrong> {
    let wrong = |message: &str| Err((key, message.to_owned()));
    let Ok(url) = url.parse::<Uri>() else {
        return wrong("is not a URL");
    };
    match (url.scheme_str(), url.authority()) {
        (Some("http" | "https"), Some(_)) => {}
        _ => return wrong("needs scheme and host, as in https://jupyter.example.org/"),
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    if !url.path().ends_with('/') || !url.path().chars().all(plain) || url.path().contains("//") {
        return wrong("the path has to end with / and be made of letters, digits, - _ . ~");
    }
    if url.query().is_some() {
        return wrong("takes no query");
    }
    Ok(())
}
