//! Reaching slurmrestd: addresses, sockets, TLS, and the two kinds of keys.

use std::path::Path;
use std::sync::Arc;

use backend::slurm::{Client, SlurmError};
use local_slurm::{Cluster, ClusterConfig};
use rustls::pki_types::PrivateKeyDer;
use shared::names::UserName;
use slipway_tests::site::free_port;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

/// A client for these addresses; an authority of its own, if there is one.
fn client(urls: &[&str], key: &Path, key_id: Option<String>, ca: Option<&Path>, blocked: &[&str]) -> Client {
    let config = backend::config::Slurm {
        urls: urls.iter().map(ToString::to_string).collect(),
        ca_file: ca.map(Path::to_owned),
        key_file: key.to_owned(),
        key_id: key_id.clone(),
        service_user: user("slipway"),
        token_seconds: 60,
    };
    let secret = backend::keys::Secret::read(key).unwrap();
    let clock = backend::clock::Clock::system();
    let blocked = blocked.iter().map(ToString::to_string).collect();
    let signer = backend::slurm::Signer::new(&secret, key_id, 60, blocked, clock.clone()).unwrap();
    Client::new(&config, signer, clock).unwrap()
}

/// A cluster, its key, and a folder for more.
async fn cluster(change: impl FnOnce(&mut ClusterConfig, &Path)) -> (Cluster, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    backend::keys::create_secret(&key).unwrap();
    let mut config = ClusterConfig {
        key: Some(key),
        ..ClusterConfig::default()
    };
    change(&mut config, folder.path());
    (Cluster::start(config).await.unwrap(), folder)
}

#[tokio::test]
async fn addresses_are_tried_in_turn_and_a_unix_socket_is_one() {
    let (cluster, folder) = cluster(|config, folder| config.socket = Some(folder.join("sock"))).await;
    let key = folder.path().join("key");
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let socket = format!("unix://{}", folder.path().join("sock").display());
    client(&[&nobody, &socket], &key, None, None, &[])
        .service()
        .ping()
        .await
        .unwrap();
    let alone = client(&[&nobody], &key, None, None, &[]);
    assert!(matches!(
        alone.service().ping().await,
        Err(SlurmError::Unreachable { sent: false, .. })
    ));
    assert!(alone.silent_since().is_some());
    cluster.shutdown().await;
}

#[tokio::test]
async fn behind_tls_the_sites_own_authority_counts_and_no_other() {
    let (cluster, folder) = cluster(|_, _| {}).await;
    let key = folder.path().join("key");
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, made.cert.pem()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![made.cert.der().clone()],
            PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap(),
        )
        .unwrap();
    let (acceptor, slurmrestd) = (TlsAcceptor::from(Arc::new(tls)), cluster.addr());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut near) = acceptor.accept(stream).await {
                let mut far = TcpStream::connect(slurmrestd).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
            }
        }
    });
    client(&[&url], &key, None, Some(&ca), &[])
        .service()
        .nodes()
        .await
        .unwrap();
    let stranger = client(&[&url], &key, None, None, &[]);
    assert!(matches!(
        stranger.service().nodes().await,
        Err(SlurmError::Unreachable { .. })
    ));
    cluster.shutdown().await;
}

#[tokio::test]
async fn a_key_pair_signs_what_slurm_checks_with_the_public_half_and_another_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (private, public) = backend::keys::create_slurm_key_pair(folder.path()).unwrap();
    let jwks: serde_json::Value = serde_json::from_slice(&std::fs::read(&public).unwrap()).unwrap();
    let id = jwks["keys"][0]["kid"].as_str().unwrap().to_owned();
    let cluster = Cluster::start(ClusterConfig {
        jwks: Some(public),
        ..ClusterConfig::default()
    })
    .await
    .unwrap();
    client(&[&cluster.url()], &private, Some(id), None, &[])
        .service()
        .nodes()
        .await
        .unwrap();
    let other = folder.path().join("other");
    backend::keys::create_secret(&other).unwrap();
    let stranger = client(&[&cluster.url()], &other, None, None, &[]);
    assert!(matches!(
        stranger.service().nodes().await,
        Err(SlurmError::TokenRefused(_))
    ));
    cluster.shutdown().await;
}

#[tokio::test]
async fn nothing_is_ever_signed_for_a_blocked_name() {
    let (cluster, folder) = cluster(|_, _| {}).await;
    let client = client(&[&cluster.url()], &folder.path().join("key"), None, None, &["root"]);
    let root = user("root");
    assert!(matches!(
        client.person(&root).associations().await,
        Err(SlurmError::TokenRefused(_))
    ));
    cluster.shutdown().await;
}
