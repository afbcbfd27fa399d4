//! `[server]`

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

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
        if self.tls.is_some() && !self.is_https() {
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
    pub fn origin(&self) -> String {
        origin(&self.hub_url())
    }

    /// The same of people's servers.
    pub fn user_origin(&self) -> String {
        origin(&self.user_url())
    }

    /// Host and port of the hub, as browsers send it in `Host`: without the scheme's own port.
    pub fn host(&self) -> String {
        host(&self.hub_url())
    }

    /// The same of people's servers.
    pub fn user_host(&self) -> String {
        host(&self.user_url())
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
        self.hub_url().scheme_str() == Some("https")
    }
}

fn origin(url: &Uri) -> String {
    format!("{}://{}", url.scheme_str().unwrap_or_default(), host(url))
}

fn host(url: &Uri) -> String {
    let default = if url.scheme_str() == Some("https") { 443 } else { 80 };
    match (url.host(), url.port_u16()) {
        (Some(host), Some(port)) if port != default => format!("{host}:{port}"),
        (host, _) => host.unwrap_or_default().to_owned(),
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
