//! Certificates: of an authority of the tests' own, and in front of slurmrestd, how sites offer it to other machines.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// The file of a certificate.
pub const CERTIFICATE: &str = "certificate.pem";
/// The file of its key.
pub const KEY: &str = "certificate.key";
/// What `[server]` says of the two.
pub const KEYS: &str = "tls = { certificate_file = \"certificate.pem\", key_file = \"certificate.key\" }\n";

/// An authority that browsers of the tests believe.
pub struct Authority(CertifiedIssuer<'static, KeyPair>);

/// A certificate and its key, PEM.
pub struct Pair {
    /// The certificate.
    pub certificate: String,
    /// The key.
    pub key: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Panics
    /// When no key can be made.
    #[expect(clippy::new_without_default, reason = "it is made of chance")]
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A new pair for these hosts.
    pub fn sign(&self, hosts: &[&str]) -> Pair {
        self.sign_between(hosts, 2000, 2100)
    }

    /// A new pair for these hosts that is good from the beginning of a year to that of another.
    ///
    /// # Panics
    /// When such a host cannot be.
    pub fn sign_between(&self, hosts: &[&str], from: i32, until: i32) -> Pair {
        let mut params =
            CertificateParams::new(hosts.iter().map(ToString::to_string).collect::<Vec<_>>()).expect("hosts");
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        let key = KeyPair::generate().expect("a key");
        let signed = params.signed_by(&key, &self.0).expect("a certificate");
        Pair {
            certificate: signed.pem(),
            key: key.serialize_pem(),
        }
    }

    /// Its certificate, for clients.
    ///
    /// # Panics
    /// Never: it is one.
    pub fn certificate(&self) -> reqwest::Certificate {
        reqwest::Certificate::from_der(self.0.der()).expect("a certificate")
    }

    /// Connects to a port of this machine as a browser would that has not been there before.
    pub async fn connect(&self, port: u16) -> std::io::Result<TlsStream<TcpStream>> {
        self.connect_for(port, &[]).await
    }

    /// The same, for one of these protocols (ALPN).
    pub async fn connect_for(&self, port: u16, protocols: &[&[u8]]) -> std::io::Result<TlsStream<TcpStream>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).map_err(std::io::Error::other)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(std::io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        let host = ServerName::try_from("127.0.0.1").map_err(std::io::Error::other)?;
        let stream = TcpStream::connect(("127.0.0.1", port)).await?;
        TlsConnector::from(Arc::new(config)).connect(host, stream).await
    }
}

impl Pair {
    /// Puts both files into a folder.
    pub fn write(&self, folder: &Path) {
        replace(&folder.join(CERTIFICATE), &self.certificate);
        replace(&folder.join(KEY), &self.key);
    }
}

/// Replaces a file in one step, as programs do that renew certificates.
///
/// # Panics
/// When it cannot be written.
pub fn replace(path: &Path, text: &str) {
    let next = path.with_extension("next");
    std::fs::write(&next, text).expect("a file");
    std::fs::set_permissions(&next, PermissionsExt::from_mode(0o600)).expect("a mode");
    std::fs::rename(&next, path).expect("a file in its place");
}

/// Listens with TLS and forwards to an address. The URL, and a file in the folder with the authority to trust.
pub async fn in_front_of(slurmrestd: SocketAddr, folder: &Path) -> (String, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
    let ca = folder.join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).expect("a file for the certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("a key"),
        )
        .expect("a certificate of that key");
    let acceptor = TlsAcceptor::from(Arc::new(tls));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let port = listener.local_addr().expect("its address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut near) = acceptor.accept(stream).await
                && let Ok(mut far) = TcpStream::connect(slurmrestd).await
            {
                tokio::spawn(async move { tokio::io::copy_bidirectional(&mut near, &mut far).await });
            }
        }
    });
    (format!("https://localhost:{port}"), ca)
}
