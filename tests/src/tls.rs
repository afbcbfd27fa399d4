//! TLS in front of slurmrestd, with a certificate of its own: how sites offer it to other machines.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::PrivateKeyDer;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

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
