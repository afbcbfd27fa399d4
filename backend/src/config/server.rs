//! `[server]`

use std::net::SocketAddr;
use std::path::PathBuf;

use http::Uri;
use serde::Deserialize;

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
}

impl Server {
    pub(super) fn check(&self) -> Result<(), Wrong> {
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
