//! One address of slurmrestd: what is sent there, and what comes back.

use std::time::Duration;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use super::super::SlurmError;
use super::super::wire::Answer;

/// slurmrestd itself waits 9 s for a slurmctld that is away; nobody here waits that long.
const TIMEOUT: Duration = Duration::from_secs(8);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// Where slurmrestd listens.
pub(super) struct Endpoint {
    /// As it was configured.
    pub(super) url: String,
    pub(super) base: String,
    pub(super) http: reqwest::Client,
}

/// A token as it is sent; no log of a library's shows it.
pub(super) fn header_value(token: &SecretString) -> Result<HeaderValue, SlurmError> {
    let mut value = HeaderValue::from_str(token.expose_secret())
        .map_err(|_| SlurmError::SignerAway("what it signed is no token".into()))?;
    value.set_sensitive(true);
    Ok(value)
}

pub(super) async fn receive(request: reqwest::RequestBuilder) -> Result<Answer, SlurmError> {
    let lost = |error: reqwest::Error| SlurmError::Unreachable {
        sent: !error.is_connect(),
        cause: chain(&error),
    };
    let response = request.send().await.map_err(lost)?;
    let status = response.status().as_u16();
    let body = response.bytes().await.map_err(lost)?;
    Answer::read(status, &body)
}

/// An error with what caused it, without the address: that is configuration, and the message may be shown.
fn chain(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "no answer in time".to_owned()
    } else {
        "connection failed".to_owned()
    };
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

impl Endpoint {
    pub(super) fn new(url: &str, ca: Option<&[reqwest::Certificate]>) -> Result<Self, String> {
        let mut builder = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(TIMEOUT)
            .connect_timeout(CONNECT_TIMEOUT);
        let base = match url.strip_prefix("unix://") {
            Some(path) => {
                builder = builder.unix_socket(path);
                "http://localhost".to_owned()
            }
            None => url.trim_end_matches('/').to_owned(),
        };
        // The system's own are a hundred files to read, which only TLS without a CA of its own needs.
        if ca.is_some() || !base.starts_with("https:") {
            builder = builder.tls_certs_only(ca.unwrap_or_default().iter().cloned());
        }
        let http = builder.build().map_err(|e| format!("slurm.urls: {url}: {e}"))?;
        Ok(Self {
            url: url.to_owned(),
            base,
            http,
        })
    }
}
