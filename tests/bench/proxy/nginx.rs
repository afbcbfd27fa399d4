//! nginx in front of the stub, as people set it up in front of Jupyter.

use std::path::Path;

use rcgen::generate_simple_self_signed;
use slipway_tests::site::free_port;
use slipway_tests::{program, until};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::answers;

/// One nginx with one worker.
pub(super) struct Nginx {
    child: Child,
    /// The process that does the work.
    pub(super) worker: u32,
    pub(super) url: String,
    stub: Option<Child>,
    _folder: TempDir,
}

impl Nginx {
    /// Before a server that speaks plain HTTP.
    pub(super) async fn start(upstream: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let address = upstream.strip_prefix("http://").unwrap();
        Self::run(folder, address, "proxy_pass http://jupyter;", None).await
    }

    /// Before one that speaks mutual TLS.
    pub(super) async fn start_with_tls() -> Self {
        let folder = TempDir::new().unwrap();
        let at = folder.path();
        for name in ["server", "client"] {
            let made = generate_simple_self_signed(vec!["slipway".to_owned()]).unwrap();
            std::fs::write(at.join(format!("{name}.crt")), made.cert.pem()).unwrap();
            std::fs::write(at.join(format!("{name}.key")), made.signing_key.serialize_pem()).unwrap();
        }
        let port = free_port();
        let file = |name: &str| at.join(name).display().to_string();
        let stub = Command::new(program("stub-jupyter"))
            .args(["lab", "--ip=127.0.0.1", "--ServerApp.base_url=/user/ada/"])
            .arg(format!("--port={port}"))
            .arg(format!("--ServerApp.certfile={}", file("server.crt")))
            .arg(format!("--ServerApp.keyfile={}", file("server.key")))
            .arg(format!("--ServerApp.client_ca={}", file("client.crt")))
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let pass = format!(
            "proxy_pass https://jupyter; proxy_ssl_certificate {}; proxy_ssl_certificate_key {}; \
             proxy_ssl_trusted_certificate {}; proxy_ssl_verify on; proxy_ssl_name slipway; proxy_ssl_protocols TLSv1.3;",
            file("client.crt"),
            file("client.key"),
            file("server.crt"),
        );
        Self::run(folder, &format!("127.0.0.1:{port}"), &pass, Some(stub)).await
    }

    async fn run(folder: TempDir, upstream: &str, pass: &str, stub: Option<Child>) -> Self {
        let port = free_port();
        let config = format!(
            "daemon off; user root; worker_processes 1; pid {at}/pid; error_log {at}/error.log;
             events {{ worker_connections 8192; }}
             http {{
               access_log off; client_body_temp_path {at}; proxy_temp_path {at}; fastcgi_temp_path {at};
               uwsgi_temp_path {at}; scgi_temp_path {at}; client_max_body_size 0; keepalive_requests 1000000000;
               map $http_upgrade $connection_upgrade {{ default upgrade; '' ''; }}
               upstream jupyter {{ server {upstream}; keepalive 128; keepalive_requests 1000000000; }}
               server {{
                 listen 127.0.0.1:{port};
                 location / {{
                   {pass}
                   proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_request_buffering off;
                   proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
                 }}
               }}
             }}",
            at = folder.path().display(),
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let child = Command::new("nginx")
            .arg("-c")
            .arg(&file)
            .kill_on_drop(true)
            .spawn()
            .unwrap(); // `setup.sh bench` installs it.
        let url = format!("http://127.0.0.1:{port}");
        answers(&format!("{url}/user/ada/api/status")).await;
        let worker = worker_of(child.id().unwrap()).await;
        Self {
            child,
            worker,
            url,
            stub,
            _folder: folder,
        }
    }

    pub(super) async fn stop(mut self) {
        // The master, which then ends its worker.
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").arg(pid).status().await.unwrap().success());
        self.child.wait().await.unwrap();
        if let Some(mut stub) = self.stub {
            stub.kill().await.unwrap();
        }
    }
}

async fn worker_of(master: u32) -> u32 {
    let children = format!("/proc/{master}/task/{master}/children");
    until("nginx' worker", || async {
        let children = std::fs::read_to_string(Path::new(&children)).ok()?;
        children.split_whitespace().next()?.parse().ok()
    })
    .await
}
