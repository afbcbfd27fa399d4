//! Slipway's own TLS.

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use slipway_tests::tls::{Authority, CERTIFICATE, KEY, KEYS, Pair, replace};
use slipway_tests::{Person, Plan, Site, program, repository, until};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::{exchange, exchange_at, port, request, said};

/// A site with a certificate, and who signed that.
async fn site() -> (Site, Arc<Authority>) {
    let authority = Arc::new(Authority::new());
    let plan = Plan {
        tls: Some(Arc::clone(&authority)),
        ..Plan::default()
    };
    (Site::start(plan).await, authority)
}

async fn tunnel(site: &Site, authority: &Authority, person: &Person) -> WebSocketStream<TlsStream<TcpStream>> {
    let url = person
        .url(&person.own("api/kernels/k/channels"))
        .replace("https://", "wss://");
    let mut request = url.into_client_request().unwrap();
    let headers = request.headers_mut();
    headers.insert("origin", person.origin().parse().unwrap());
    headers.insert("cookie", person.cookies(&person.own("")).parse().unwrap());
    let stream = authority.connect(port(&site.url)).await.unwrap();
    tokio_tungstenite::client_async(request, stream).await.unwrap().0
}

async fn echoes(tunnel: &mut WebSocketStream<TlsStream<TcpStream>>, text: &str) {
    tunnel.send(Message::text(text)).await.unwrap();
    assert_eq!(tunnel.next().await.unwrap().unwrap(), Message::text(text));
}

/// The certificate that a new browser is shown.
async fn shown(site: &Site, authority: &Authority) -> Vec<u8> {
    let stream = authority.connect(port(&site.url)).await.unwrap();
    stream.get_ref().1.peer_certificates().unwrap()[0].to_vec()
}

fn hang_up(site: &Site) {
    let pid = i32::try_from(site.slipway_pid().unwrap()).unwrap();
    kill_process(Pid::from_raw(pid).unwrap(), Signal::HUP).unwrap();
}

#[tokio::test]
async fn a_person_signs_in_and_works_without_any_proxy() {
    let (site, authority) = site().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let shown: Value = ada.get(&ada.own("show")).await.json();
    let headers = &shown["headers"];
    assert_eq!(
        (&headers["x-forwarded-for"], &headers["x-forwarded-proto"]),
        (&json!(["127.0.0.1"]), &json!(["https"]))
    );
    let length = 10 << 20;
    let bytes = ada
        .request(http::Method::GET, &ada.own(&format!("bytes/{length}")))
        .send()
        .await
        .unwrap();
    assert_eq!(bytes.bytes().await.unwrap().len(), length);
    let mut tunnel = tunnel(&site, &authority, &ada).await;
    echoes(&mut tunnel, "print('é')").await;
    let plain = exchange_at(port(&site.url), &request(&site.url)).await.unwrap();
    assert!(
        !plain.contains("HTTP/1.1"),
        "a request without TLS was answered: {plain}"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_new_certificate_is_for_new_connections_and_the_old_ones_go_on() {
    let (site, authority) = site().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let mut tunnel = tunnel(&site, &authority, &ada).await;
    echoes(&mut tunnel, "before").await;
    let before = shown(&site, &authority).await;

    authority.sign(&["127.0.0.1"]).write(&site.path(""));
    hang_up(&site);
    said(&site, "new connections get the new certificate").await;
    assert_ne!(shown(&site, &authority).await, before);
    echoes(&mut tunnel, "after").await;
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn half_a_renewal_keeps_the_old_pair_and_the_rest_is_noticed_without_a_signal() {
    let (site, authority) = site().await;
    let before = shown(&site, &authority).await;
    let next = authority.sign(&["127.0.0.1"]);
    replace(&site.path(CERTIFICATE), &next.certificate);
    hang_up(&site);
    said(&site, "is not the certificate of the key").await;
    hang_up(&site);
    said(&site, "still cannot be used").await;
    assert_eq!(shown(&site, &authority).await, before);

    replace(&site.path(KEY), &next.key);
    until("the new certificate", || async {
        (shown(&site, &authority).await != before).then_some(())
    })
    .await;
    let told = site.log().matches("is not the certificate of the key").count();
    assert_eq!(told, 1, "{}", site.log());
    site.shut_down().await;
}

#[test]
fn what_browsers_would_refuse_stops_the_start_with_the_reason() {
    let authority = Authority::new();
    let hosts = ["jupyter.example.org", "jupyter-user.example.org"];
    let (good, other) = (authority.sign(&hosts), authority.sign(&hosts));
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let example = std::fs::read_to_string(repository().join("slipway.example.toml")).unwrap();
    let text = example.replace("[server]\n", &format!("[server]\n{KEYS}"));
    let text = text.replace("# user_content_url", "user_content_url");
    std::fs::write(path("slipway.toml"), text).unwrap();
    let start = |pair: &Pair| {
        pair.write(folder.path());
        says(&path("slipway.toml"))
    };
    let pair = |certificate: &str, key: &str| Pair {
        certificate: certificate.to_owned(),
        key: key.to_owned(),
    };

    let words = start(&good);
    assert!(!words.contains("server.tls"), "a good pair was refused: {words}");
    for (pair, reason) in [
        (pair(&good.certificate, &other.key), "is not the certificate of the key"),
        (authority.sign_between(&hosts, 2000, 2020), "was good until 2020-01-01"),
        (
            authority.sign(&["elsewhere.example.org"]),
            "is not for jupyter.example.org",
        ),
        (authority.sign(&hosts[..1]), "is not for jupyter-user.example.org"),
        (pair("nothing", &good.key), "holds no certificate in PEM"),
        (pair(&good.key, &good.key), "holds no certificate in PEM"),
        (
            pair(&good.certificate, &good.certificate),
            "holds no private key in PEM",
        ),
    ] {
        let words = start(&pair);
        assert!(
            words.contains("server.tls") && words.contains(reason),
            "{reason}: {words}"
        );
        assert!(!words.contains("BEGIN"), "the key was told: {words}");
    }
    good.write(folder.path());
    std::fs::set_permissions(path(KEY), PermissionsExt::from_mode(0o640)).unwrap();
    let words = says(&path("slipway.toml"));
    assert!(
        words.contains("server.tls.key_file") && words.contains("chmod 600"),
        "{words}"
    );
    for file in [KEY, CERTIFICATE] {
        good.write(folder.path());
        std::fs::remove_file(path(file)).unwrap();
        let words = says(&path("slipway.toml"));
        assert!(
            words.contains("server.tls") && words.contains(file) && words.contains("No such file"),
            "{words}"
        );
    }
}

/// What `slipway serve` says when it does not start.
fn says(configuration: &std::path::Path) -> String {
    let output = Command::new(program("slipway"))
        .args(["serve", "--config"])
        .arg(configuration)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn half_open_handshakes_keep_nobody_out() {
    let (site, authority) = site().await;
    // More than there is room for, some with a first piece of a handshake.
    let mut silent = Vec::new();
    for n in 0..1100 {
        let mut stream = TcpStream::connect(("127.0.0.1", port(&site.url))).await.unwrap();
        if n % 2 == 0 {
            tokio::io::AsyncWriteExt::write_all(&mut stream, &[0x16, 3, 1, 2, 0])
                .await
                .unwrap();
        }
        silent.push(stream);
    }
    let started = Instant::now();
    let stream = authority.connect(port(&site.url)).await.unwrap();
    let answer = exchange(stream, &request(&site.url)).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let took = started.elapsed();
    assert!(took < Duration::from_secs(5), "it waited {took:?} for the others");
    site.shut_down().await;
}
