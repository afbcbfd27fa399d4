//! Reaching slurmrestd: addresses, sockets, TLS, and the two kinds of keys.

use std::path::Path;
use std::time::Duration;

use backend::clock::Clock;
use backend::config::Slurm;
use backend::slurm::{Client, Limits, Signer, SlurmError, Tokens};
use local_slurm::{Cluster, ClusterConfig};
use shared::names::UserName;
use slipway_tests::site::free_port;
use slipway_tests::tls;

fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

/// A configuration for these addresses and this key.
pub(super) fn config(urls: &[&str], key: &Path) -> Slurm {
    Slurm {
        urls: urls.iter().map(ToString::to_string).collect(),
        ca_file: None,
        key_file: Some(key.to_owned()),
        key_id: None,
        signer: None,
        service_user: user("slipway"),
        token_seconds: 60,
    }
}

/// A client that signs for everybody but the blocked.
pub(super) fn client(config: &Slurm, blocked: &[&str]) -> Client {
    client_at(config, blocked, Clock::system())
}

fn client_at(config: &Slurm, blocked: &[&str], clock: Clock) -> Client {
    let secret = backend::keys::Secret::read(config.key_file.as_ref().unwrap()).unwrap();
    let limits = Limits {
        lifetime_seconds: config.token_seconds,
        blocked: blocked.iter().map(|name| UserName::new(*name).unwrap()).collect(),
        service_user: config.service_user.clone(),
        numeric_names: false,
    };
    let signer = Signer::new(&secret, config.key_id.clone(), limits, clock.clone()).unwrap();
    Client::new(config, Tokens::signed_here(signer, clock.clone()), clock).unwrap()
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
    client(&config(&[&nobody, &socket], &key), &[])
        .service()
        .ping()
        .await
        .unwrap();
    let alone = client(&config(&[&nobody], &key), &[]);
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
    let (url, ca) = tls::in_front_of(cluster.addr(), folder.path()).await;
    let ours = Slurm {
        ca_file: Some(ca),
        ..config(&[&url], &key)
    };
    client(&ours, &[]).service().nodes().await.unwrap();
    let stranger = client(&config(&[&url], &key), &[]);
    assert!(matches!(
        stranger.service().nodes().await,
        Err(SlurmError::Unreachable { .. })
    ));
    cluster.shutdown().await;
}

#[tokio::test]
async fn a_key_pair_signs_what_slurm_checks_with_the_public_half_and_another_key_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pair = backend::keys::create_slurm_key_pair(folder.path()).unwrap();
    let cluster = Cluster::start(ClusterConfig {
        jwks: Some(pair.public),
        ..ClusterConfig::default()
    })
    .await
    .unwrap();
    let ours = Slurm {
        key_id: Some(pair.key_id),
        ..config(&[&cluster.url()], &pair.private)
    };
    client(&ours, &[]).service().nodes().await.unwrap();
    let other = folder.path().join("other");
    backend::keys::create_secret(&other).unwrap();
    let stranger = client(&config(&[&cluster.url()], &other), &[]);
    assert!(matches!(
        stranger.service().nodes().await,
        Err(SlurmError::TokenRefused(_))
    ));
    cluster.shutdown().await;
}

#[tokio::test]
async fn a_token_that_ends_too_soon_for_slurms_clock_is_signed_anew_and_nobody_notices() {
    let (cluster, folder) = cluster(|_, _| {}).await;
    let config = config(&[&cluster.url()], &folder.path().join("key"));
    let clock = Clock::fixed(Clock::system().now());
    let client = client_at(&config, &[], clock.clone());
    client.service().nodes().await.unwrap();
    // The token has lived for a third of its life, and for all of it by Slurm's clock.
    clock.advance(Duration::from_secs(20));
    local_slurm::set_clock_ahead(61);
    client.service().nodes().await.unwrap();
    cluster.shutdown().await;
}

#[tokio::test]
async fn nothing_is_ever_signed_for_a_blocked_name_or_for_the_service_user_as_a_person() {
    let (cluster, folder) = cluster(|_, _| {}).await;
    let client_of = |blocked: &[&str]| client(&config(&[&cluster.url()], &folder.path().join("key")), blocked);
    let client = client_of(&["root"]);
    for name in ["root", "slipway"] {
        let refused = client.person(&user(name)).associations().await;
        assert!(matches!(refused, Err(SlurmError::NotSigned(_))), "{name}: {refused:?}");
    }
    client.service().nodes().await.unwrap();
    let of_nobody = client_of(&["slipway"]);
    let refused = of_nobody.service().nodes().await;
    assert!(matches!(refused, Err(SlurmError::NotSigned(_))), "{refused:?}");
    cluster.shutdown().await;
}
