//! Other users of the compute node: they can reach the port, and nothing else.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme, Stream};
use serde_json::{Value, json};
use shared::server::{EndCause, Phase};
use slipway_tests::{Plan, Site};

use crate::ready;

/// Believes any server, as somebody who only wants to talk to it would.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }
}

/// What a request over TLS, without a certificate of Slipway's, is answered with.
fn ask_without_certificate(port: u16) -> Vec<u8> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from("slipway").unwrap()).unwrap();
    let mut socket = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let mut stream = Stream::new(&mut connection, &mut socket);
    let mut answer = Vec::new();
    let _ = stream.write_all(b"GET /user/ada/api/status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    let _ = stream.read_to_end(&mut answer);
    answer
}

async fn port_of(person: &slipway_tests::Person) -> u16 {
    let shown: Value = person.get(&person.own("show")).await.json();
    let port = shown["arguments"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|a| a.as_str()?.strip_prefix("--port="))
        .unwrap();
    port.parse().unwrap()
}

#[tokio::test]
async fn without_slipways_certificate_the_server_answers_nothing() {
    let (site, ada) = ready().await;
    let port = port_of(&ada).await;
    let answer = tokio::task::spawn_blocking(move || ask_without_certificate(port))
        .await
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&answer), "");
    // And without TLS nothing either.
    let mut plain = TcpStream::connect(("127.0.0.1", port)).unwrap();
    plain
        .write_all(b"GET /user/ada/api/status HTTP/1.1\r\nHost: x\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!answer.starts_with(b"HTTP"), "{}", String::from_utf8_lossy(&answer));
    site.shut_down().await;
}

#[tokio::test]
async fn nothing_secret_stays_in_the_environment_or_on_the_command_line() {
    let (site, ada) = ready().await;
    let shown: Value = ada.get(&ada.own("show")).await.json();
    let all = format!("{} {}", shown["environment"], shown["arguments"]);
    assert!(!all.contains("SLIPWAY_") && !all.contains("PRIVATE KEY"), "{all}");
    assert_eq!(shown["environment"]["USER"], "ada");
    let argument = |name: &str| {
        let found = shown["arguments"]
            .as_array()
            .unwrap()
            .iter()
            .find_map(|a| a.as_str()?.strip_prefix(name));
        found.unwrap().to_owned()
    };
    let key = argument("--ServerApp.keyfile=");
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&key).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    let folder = std::path::Path::new(&key).parent().unwrap().to_owned();
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&folder).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
    ada.delete(&ada.server_path()).await;
    ada.wait_for(Phase::Ended).await;
    slipway_tests::until("the folder to be gone", || async { (!folder.exists()).then_some(()) }).await;
    site.shut_down().await;
}

/// A process and those that it started, each with the environment that `/proc` shows of it.
fn environments(leader: i32) -> Vec<(i32, String)> {
    let mut found = vec![(leader, environment(leader))];
    let tasks = std::fs::read_dir(format!("/proc/{leader}/task")).unwrap().flatten();
    for task in tasks {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(
            children
                .split_whitespace()
                .flat_map(|child| environments(child.parse().unwrap())),
        );
    }
    found
}

fn environment(process: i32) -> String {
    String::from_utf8_lossy(&std::fs::read(format!("/proc/{process}/environ")).unwrap()).into_owned()
}

#[tokio::test]
#[cfg(target_os = "linux")]
async fn no_process_of_a_job_was_started_with_its_key() {
    let (site, _) = ready().await;
    let found = environments(site.cluster().job(1).unwrap().process.unwrap());
    assert!(found.len() >= 2, "the batch script and Jupyter: {found:?}");
    for (process, environment) in &found {
        assert!(environment.contains("SLURM_JOB_ID="), "{process}: {environment}");
        assert!(!environment.contains("PRIVATE KEY"), "{process}: {environment}");
        assert!(!environment.contains("SLIPWAY_"), "{process}: {environment}");
    }
    site.shut_down().await;
}

/// The private folders of a person's running job: with its key, and for the sockets of its kernels.
async fn folders_of(person: &slipway_tests::Person) -> [std::path::PathBuf; 2] {
    let shown: Value = person.get(&person.own("show")).await.json();
    let sockets = shown["environment"]["JUPYTER_RUNTIME_DIR"].as_str().unwrap();
    let mut arguments = shown["arguments"].as_array().unwrap().iter();
    let key = arguments
        .find_map(|a| a.as_str()?.strip_prefix("--ServerApp.keyfile="))
        .unwrap();
    [std::path::Path::new(key).parent().unwrap().to_owned(), sockets.into()]
}

fn in_folder(folder: &std::path::Path) -> Plan {
    Plan {
        job: format!("runtime_dir = \"{}\"\n", folder.display()),
        ..Plan::default()
    }
}

#[tokio::test]
async fn the_folder_of_a_killed_job_is_removed_by_the_next_job_and_that_of_a_running_job_stays() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(in_folder(folder.path())).await;
    let (ada, other) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    ada.start_and_wait(&json!({})).await;
    other.start_and_wait(&json!({})).await;
    let ([key, killed], [_, running]) = (folders_of(&ada).await, folders_of(&other).await);
    assert!(killed.starts_with(folder.path()), "{}", killed.display());
    let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&killed).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o700);
    let group = format!("-{}", site.cluster().job(1).unwrap().process.unwrap());
    let kill = std::process::Command::new("kill")
        .args(["-KILL", "--", &group])
        .status();
    assert!(kill.unwrap().success());
    ada.wait_for(Phase::Ended).await;
    assert!(key.exists() && killed.exists(), "nothing could remove them yet");
    ada.start_and_wait(&json!({})).await;
    assert!(
        !killed.exists() && !key.exists(),
        "{} {}",
        killed.display(),
        key.display()
    );
    assert!(running.exists(), "{}", running.display());
    let sockets = folders_of(&ada).await[1].clone();
    ada.delete(&ada.server_path()).await;
    ada.wait_for(Phase::Ended).await;
    slipway_tests::until("the folder to be gone", || async { (!sockets.exists()).then_some(()) }).await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_folder_whose_sockets_would_have_too_long_paths_is_named() {
    let folder = tempfile::Builder::new().prefix(&"long-".repeat(10)).tempdir().unwrap();
    let site = Site::start(in_folder(folder.path())).await;
    let ada = site.sign_in("ada").await;
    assert_eq!(ada.start(&json!({})).await.status, 202);
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!(end.cause, EndCause::SocketPathTooLong);
    let log = std::fs::read_to_string(end.log.unwrap()).unwrap();
    assert!(
        log.contains("longer than 107 bytes: ") && log.contains("-ipc-99"),
        "{log}"
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "its folder stayed"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_folder_for_sockets_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::start(in_folder(&folder.path().join("missing"))).await;
    let ada = site.sign_in("ada").await;
    assert_eq!(ada.start(&json!({})).await.status, 202);
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!(end.cause, EndCause::NoFolder);
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_takes_the_port_after_the_server_is_not_spoken_to() {
    let (site, ada) = ready().await;
    let port = port_of(&ada).await;
    // The server goes away, its job stays: a process of the job's lives on.
    let mut site = site;
    site.kill_slipway().await;
    site.cluster().stop_answering();
    let pid = site.cluster().job(1).unwrap().process.unwrap();
    let _ = std::process::Command::new("pkill")
        .args(["-KILL", "-f", &format!("stub-jupyter.*--port={port}")])
        .status();
    let thief = slipway_tests::until("the port", || async { TcpListener::bind(("127.0.0.1", port)).ok() }).await;
    thief.set_nonblocking(false).unwrap();
    let heard = std::thread::spawn(move || {
        let (mut stream, _) = thief.accept().unwrap();
        stream
            .set_read_timeout(Some(std::time::Duration::from_secs(5)))
            .unwrap();
        let mut bytes = vec![0; 65_536];
        let count = stream.read(&mut bytes).unwrap_or(0);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nstolen");
        bytes.truncate(count);
        bytes
    });
    site.start_slipway().await;
    let reply = ada.get("user/ada/lab?secret-path").await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "not_answering"),
        "{pid}: {}",
        reply.text
    );
    let heard = heard.join().unwrap();
    assert_eq!(heard.first(), Some(&0x16), "a TLS handshake and nothing else");
    assert!(!String::from_utf8_lossy(&heard).contains("secret-path"));
    site.shut_down().await;
}

#[tokio::test]
async fn a_job_that_tells_another_port_than_its_own_leads_nowhere() {
    let site = Site::start(Plan::default()).await;
    let (ada, other) = (site.sign_in("ada").await, site.sign_in("many-accounts").await);
    ada.start_and_wait(&json!({})).await;
    other.start_and_wait(&json!({})).await;
    // The other person writes ada's document, nonce and port into the comment of their own job, and has
    // Slipway read it anew.
    let comment = |id| site.cluster().job(id).unwrap().comment;
    let (stolen, id) = (comment(1), other.server().await.unwrap().state.job_id.unwrap());
    let mut site = site;
    site.kill_slipway().await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(site.path(&format!("slipway.db{suffix}")));
    }
    site.set_comment("many-accounts", id, &stolen).await;
    site.start_slipway().await;
    let reply = other.get("user/many-accounts/show").await;
    assert_eq!(reply.status, 424, "{}", reply.text);
    let state = other.server().await.unwrap().state;
    assert_eq!(state.phase, Phase::Starting, "it was taken for ready");
    ada.wait_for(Phase::Ready).await;
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    site.shut_down().await;
}
