//! The server behind all of them.

use slipway_tests::program;
use slipway_tests::site::free_port;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::answers;
use rcgen::generate_simple_self_signed;
use slipway_tests::until;

/// A Jupyter server in miniature.
pub(super) struct Stub {
    child: Child,
    /// `http://` or `https://`, address and port.
    pub(super) url: String,
    /// Where its certificate and that of its one client are, if it speaks mutual TLS.
    pub(super) keys: Option<TempDir>,
}

impl Stub {
    /// Over plain HTTP.
    pub(super) async fn plain() -> Self {
        let port = free_port();
        let child = command(port).arg("--plain=yes").spawn().unwrap();
        let url = format!("http://127.0.0.1:{port}");
        answers(&format!("{url}/user/ada/api/status")).await;
        Self { child, url, keys: None }
    }

    /// Over mutual TLS.
    pub(super) async fn with_tls() -> Self {
        let folder = TempDir::new().unwrap();
        for name in ["server", "client"] {
            let made = generate_simple_self_signed(["slipway", "127.0.0.1"].map(str::to_owned)).unwrap();
            std::fs::write(folder.path().join(format!("{name}.crt")), made.cert.pem()).unwrap();
            std::fs::write(
                folder.path().join(format!("{name}.key")),
                made.signing_key.serialize_pem(),
            )
            .unwrap();
        }
        let port = free_port();
        let file = |name: &str| folder.path().join(name).display().to_string();
        let child = command(port)
            .arg(format!("--ServerApp.certfile={}", file("server.crt")))
            .arg(format!("--ServerApp.keyfile={}", file("server.key")))
            .arg(format!("--ServerApp.client_ca={}", file("client.crt")))
            .spawn()
            .unwrap();
        until("the server with TLS", || async {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await.ok()
        })
        .await;
        Self {
            child,
            url: format!("https://127.0.0.1:{port}"),
            keys: Some(folder),
        }
    }

    /// One of its files.
    pub(super) fn key(&self, name: &str) -> String {
        self.keys.as_ref().unwrap().path().join(name).display().to_string()
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(super) async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}

fn command(port: u16) -> Command {
    let mut command = Command::new(program("stub-jupyter"));
    command
        .args(["lab", "--ip=127.0.0.1", "--ServerApp.base_url=/user/ada/"])
        .arg(format!("--port={port}"))
        .kill_on_drop(true);
    command
}
