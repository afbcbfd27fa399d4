//! Our own TLS: a certificate and its key, read again when the files change, without dropping a connection.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{CertificateError, InconsistentKeys, RootCertStore, ServerConfig};
use time::OffsetDateTime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::http2;
use crate::clock::Clock;
use crate::config::{Server, Tls};
use crate::keys::{KeyError, Secret};

/// How soon new files are noticed without a signal.
const CHECK: Duration = Duration::from_secs(30);

/// Why certificate and key cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The key cannot be read, or others can read it too.
    #[error("server.tls.key_file: {0}")]
    Secret(#[from] KeyError),
    /// Not a private key in PEM.
    #[error("server.tls.key_file: {0} holds no private key in PEM (one with a passphrase is of no use here)")]
    NoKey(PathBuf),
    /// The certificate cannot be read.
    #[error("server.tls.certificate_file: {path}: {cause}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Not a certificate in PEM.
    #[error("server.tls.certificate_file: {0} holds no certificate in PEM")]
    NoCertificate(PathBuf),
    /// Each is good, and they do not belong together.
    #[error("server.tls: {0} is not the certificate of the key in {1}")]
    Mismatch(PathBuf, PathBuf),
    /// The certificate is over.
    #[error("server.tls.certificate_file: {path} was good until {until} and is not now: renew it")]
    Expired {
        /// The file.
        path: PathBuf,
        /// The end of its time.
        until: String,
    },
    /// The time of the certificate has not come.
    #[error("server.tls.certificate_file: {0} is not good yet: is this machine's clock right?")]
    NotYet(PathBuf),
    /// Browsers would refuse it.
    #[error("server.tls.certificate_file: {path} is not for {host}, where people find Slipway")]
    OtherHost {
        /// The file.
        path: PathBuf,
        /// Our host.
        host: String,
    },
    /// Something else is wrong with one of them.
    #[error("server.tls: {path} cannot be used: {cause}")]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the library says.
        cause: rustls::Error,
    },
    /// SIGHUP cannot be listened to.
    #[error("server.tls: SIGHUP cannot be listened to: {0}")]
    Signal(std::io::Error),
}

/// Reads both files. Answers what shakes hands with the newest pair, as long as its follower lives.
pub(super) fn open(files: &Tls, server: &Server, clock: &Clock) -> Result<(Acceptor, Follower), TlsError> {
    let pair = Pair {
        files: files.clone(),
        hosts: server.host_names(),
        clock: clock.clone(),
        provider: Arc::new(aws_lc_rs::default_provider()),
    };
    let loaded = pair.load()?;
    let (sender, acceptor) = watch::channel(loaded.acceptor);
    let follower = Follower {
        pair: Arc::new(pair),
        chain: loaded.chain,
        sender,
        hangup: signal(SignalKind::hangup()).map_err(TlsError::Signal)?,
    };
    Ok((acceptor, follower))
}

/// Shakes hands with the newest pair.
pub(super) type Acceptor = watch::Receiver<TlsAcceptor>;

/// Looks for new files.
pub(super) struct Follower {
    pair: Arc<Pair>,
    chain: Vec<CertificateDer<'static>>,
    sender: watch::Sender<TlsAcceptor>,
    hangup: Signal,
}

impl Follower {
    /// Until the end: every half minute and at each SIGHUP. A pair that cannot be used, as between the two steps
    /// of a renewal, is told once and leaves the one before in use.
    pub(super) async fn follow(mut self, shutdown: CancellationToken) {
        let mut told = None;
        loop {
            let asked = tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(CHECK) => false,
                _ = self.hangup.recv() => true,
            };
            let pair = Arc::clone(&self.pair);
            match tokio::task::spawn_blocking(move || pair.load()).await {
                Ok(Ok(loaded)) => {
                    told = None;
                    if loaded.chain != self.chain {
                        self.chain = loaded.chain;
                        self.sender.send_replace(loaded.acceptor);
                        tracing::info!("new connections get the new certificate");
                    } else if asked {
                        tracing::info!("the certificate has not changed");
                    }
                }
                Ok(Err(error)) => {
                    let error = error.to_string();
                    if told.as_ref() != Some(&error) {
                        tracing::warn!(
                            error,
                            "certificate and key cannot be used: those that were read before stay in use"
                        );
                        told = Some(error);
                    } else if asked {
                        tracing::info!("certificate and key still cannot be used");
                    }
                }
                Err(error) => tracing::error!(%error, "the certificate could not be read"),
            }
        }
    }
}

/// The two files.
struct Pair {
    files: Tls,
    hosts: [String; 2],
    clock: Clock,
    provider: Arc<CryptoProvider>,
}

struct Loaded {
    chain: Vec<CertificateDer<'static>>,
    acceptor: TlsAcceptor,
}

impl Pair {
    fn load(&self) -> Result<Loaded, TlsError> {
        let Tls {
            certificate_file,
            key_file,
        } = &self.files;
        let secret = Secret::read(key_file)?;
        let key = PrivateKeyDer::from_pem_slice(secret.expose()).map_err(|_| TlsError::NoKey(key_file.clone()))?;
        let chain = chain(certificate_file)?;
        let unusable = |path: &Path, cause| TlsError::Unusable {
            path: path.to_owned(),
            cause,
        };
        let pair = CertifiedKey::from_der(chain.clone(), key, &self.provider).map_err(|error| match error {
            rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch) => {
                TlsError::Mismatch(certificate_file.clone(), key_file.clone())
            }
            error => unusable(key_file, error),
        })?;
        self.check(pair.end_entity_cert().map_err(|e| unusable(certificate_file, e))?)?;

        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| unusable(certificate_file, e))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(pair)));
        config.alpn_protocols = http2::PROTOCOLS.map(<[u8]>::to_vec).into();
        // A browser that comes back is spared most of the handshake.
        config.ticketer = aws_lc_rs::Ticketer::new().map_err(|e| unusable(key_file, e))?;
        Ok(Loaded {
            chain,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }

    /// What every browser would check, but for who signed it: that is between the site and its people.
    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), TlsError> {
        let path = || self.files.certificate_file.clone();
        let unusable = |cause| TlsError::Unusable { path: path(), cause };
        let certificate = ParsedCertificate::try_from(certificate).map_err(unusable)?;
        let is_for = |host: &str| {
            let name = ServerName::try_from(host).ok();
            name.is_some_and(|name| verify_server_name(&certificate, &name).is_ok())
        };
        if let Some(host) = self.hosts.iter().find(|host| !is_for(host)) {
            let host = host.clone();
            return Err(TlsError::OtherHost { path: path(), host });
        }

        let now = Duration::from_secs(u64::try_from(self.clock.now()).unwrap_or_default());
        // With no authorities to trust it can come to one good end only: an unknown issuer. Dates are checked before.
        let checked = verify_server_cert_signed_by_trust_anchor(
            &certificate,
            &RootCertStore::empty(),
            &[],
            UnixTime::since_unix_epoch(now),
            self.provider.signature_verification_algorithms.all,
        );
        match checked {
            Err(rustls::Error::InvalidCertificate(CertificateError::ExpiredContext { not_after, .. })) => {
                let seconds = i64::try_from(not_after.as_secs()).unwrap_or(i64::MAX);
                let until = OffsetDateTime::from_unix_timestamp(seconds).map_or_else(|_| "?".into(), |t| t.to_string());
                Err(TlsError::Expired { path: path(), until })
            }
            Err(rustls::Error::InvalidCertificate(CertificateError::NotValidYetContext { .. })) => {
                Err(TlsError::NotYet(path()))
            }
            _ => Ok(()),
        }
    }
}

/// The certificate and those between it and an authority.
fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = std::fs::read(path).map_err(|cause| TlsError::Unreadable {
        path: path.to_owned(),
        cause,
    })?;
    let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    chain
        .ok()
        .filter(|chain| !chain.is_empty())
        .ok_or_else(|| TlsError::NoCertificate(path.to_owned()))
}
