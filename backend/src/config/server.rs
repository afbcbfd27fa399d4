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
    /// Trunk's output.
    pub assets: PathBuf,
    /// The file of what has to be remembered (SQLite).
    pub state: PathBuf,
    /// Trunk's origin while a front-end developer works (`http://127.0.0.1:8080`). Never in production.
    pub development_origin: Option<String>,
}

impl Server {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let wrong = |message: String| Err(("server.public_url", message));
        let Ok(url) = self.public_url.parse::<Uri>() else {
            return wrong("is not a URL".into());
        };
        match (url.scheme_str(), url.authority()) {
            (Some("http" | "https"), Some(_)) => {}
            _ => return wrong("needs scheme and host, as in https://jupyter.example.org/".into()),
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
        if !url.path().ends_with('/') || !url.path().chars().all(plain) || url.path().contains("//") {
            return wrong("the path has to end with / and be made of letters, digits, - _ . ~".into());
        }
        if url.query().is_some() {
            return wrong("takes no query".into());
        }
        Ok(())
    }

    fn url(&self) -> Uri {
        self.public_url.parse().unwrap_or_default()
    }

    /// The base path: starts and ends with `/`.
    pub fn base(&self) -> String {
        self.url().path().to_owned()
    }

    /// Scheme, host and port, as browsers send it in `Origin`.
    pub fn origin(&self) -> String {
        let url = self.url();
        format!("{}://{}", url.scheme_str().unwrap_or_default(), self.host())
    }

    /// Host and port, as browsers send it in `Host`: without the scheme's own port.
    pub fn host(&self) -> String {
        let url = self.url();
        let default = if self.is_https() { 443 } else { 80 };
        match (url.host(), url.port_u16()) {
            (Some(host), Some(port)) if port != default => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        }
    }

    /// People reach Slipway by https: cookies are `Secure`.
    pub fn is_https(&self) -> bool {
        self.url().scheme_str() == Some("https")
    }
}
