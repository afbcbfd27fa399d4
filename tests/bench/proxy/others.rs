//! The alternatives in front of the server, as people set them up in front of Jupyter.

use std::path::Path;
use std::process::Stdio;

use slipway_tests::site::free_port;
use slipway_tests::until;
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::answers;
use super::stub::Stub;

/// One nginx with one worker.
pub(crate) struct Nginx {
    child: Child,
    /// The process that does the work.
    pub(super) worker: u32,
    pub(crate) url: String,
    _folder: TempDir,
}

impl Nginx {
    pub(super) async fn before(stub: &Stub) -> Self {
        let (_, address) = stub.url.split_once("://").unwrap();
        let pass = if stub.keys.is_none() {
            "proxy_pass http://jupyter;".to_owned()
        } else {
            format!(
                "proxy_pass https://jupyter; proxy_ssl_certificate {}; proxy_ssl_certificate_key {}; \
                 proxy_ssl_trusted_certificate {}; proxy_ssl_verify on; proxy_ssl_name slipway; \
                 proxy_ssl_protocols TLSv1.3;",
                stub.key("client.crt"),
                stub.key("client.key"),
                stub.key("server.crt"),
            )
        };
        Self::run(address, &pass, "user/ada/api/status").await
    }

    /// In front of a JupyterHub, which compresses nothing itself.
    pub(crate) async fn compressing(hub: &str) -> Self {
        let pass = "proxy_pass http://jupyter; gzip on; gzip_comp_level 6; gzip_proxied any; gzip_min_length 256;
                    gzip_types text/css text/javascript application/javascript application/json image/svg+xml;";
        let address = hub.trim_start_matches("http://").trim_end_matches('/');
        Self::run(address, pass, "hub/login").await
    }

    async fn run(upstream: &str, pass: &str, probe: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let port = free_port();
        let config = format!(
            "daemon off; user root; worker_processes 1; pid {at}/pid; error_log {at}/error.log;
             events {{ worker_connections 32768; }}
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
        answers(&format!("{url}/{probe}")).await;
        let worker = worker_of(child.id().unwrap()).await;
        Self {
            child,
            worker,
            url,
            _folder: folder,
        }
    }

    pub(crate) async fn stop(mut self) {
        // The master, which then ends its worker.
        let pid = self.child.id().unwrap().to_string();
        assert!(Command::new("kill").arg(pid).status().await.unwrap().success());
        self.child.wait().await.unwrap();
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

/// JupyterHub's own proxy.
pub(super) struct ConfigurableHttpProxy {
    child: Child,
    pub(super) url: String,
}

impl ConfigurableHttpProxy {
    pub(super) async fn before(stub: &Stub) -> Self {
        let (port, api) = (free_port(), free_port());
        let mut command = Command::new("configurable-http-proxy");
        command
            .args(["--ip=127.0.0.1", "--api-ip=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--api-port={api}"))
            .arg(format!("--default-target={}", stub.url));
        if stub.keys.is_some() {
            command
                .arg(format!("--client-ssl-cert={}", stub.key("client.crt")))
                .arg(format!("--client-ssl-key={}", stub.key("client.key")))
                .arg(format!("--client-ssl-ca={}", stub.key("server.crt")));
        }
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let url = format!("http://127.0.0.1:{port}");
        answers(&format!("{url}/user/ada/api/status")).await;
        Self { child, url }
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(super) async fn stop(mut self) {
        self.child.kill().await.unwrap();
    }
}
