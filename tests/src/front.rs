//! What stands in front of Slipway: a forwarder that says whose connection it is, and the proxies that sites use.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

use crate::until;

/// Forwards every connection to a port of this machine, after these bytes.
pub fn forward(listener: TcpListener, to: u16, first: impl Into<Vec<u8>>) {
    let first = first.into();
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let first = first.clone();
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", to)).await?;
                far.write_all(&first).await?;
                tokio::io::copy_bidirectional(&mut near, &mut far).await
            });
        }
    });
}

/// nginx, Apache httpd or `HAProxy`, in the foreground as one process, with a configuration of its own. Installed by
/// tests/setup/front-proxies.sh. Ends when it is dropped.
pub struct FrontProxy {
    _child: Child,
    folder: TempDir,
}

impl FrontProxy {
    /// nginx with these directives in `http`; waits until it listens on these ports.
    pub async fn nginx(folder: TempDir, ports: &[u16], http: &str) -> Self {
        let at = folder.path().display();
        let config = format!(
            "daemon off; master_process off; pid {at}/nginx.pid; error_log {at}/error.log; events {{}}
             http {{
               access_log off; client_body_temp_path {at}/body; proxy_temp_path {at}/proxy;
               fastcgi_temp_path {at}/fastcgi; uwsgi_temp_path {at}/uwsgi; scgi_temp_path {at}/scgi;
               {http}
             }}"
        );
        let log = folder.path().join("error.log");
        let file = write_config(&folder, &config);
        let mut command = Command::new("nginx");
        command.arg("-e").arg(log).arg("-c").arg(file);
        Self::start(folder, ports, command).await
    }

    /// Apache httpd with these modules and directives.
    pub async fn apache(folder: TempDir, ports: &[u16], modules: &[&str], directives: &str) -> Self {
        let at = folder.path().display();
        let load = |name: &&str| format!("LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n");
        let modules = ["mpm_event", "authz_core"].iter().chain(modules).map(load);
        let modules = modules.collect::<Vec<_>>().concat();
        let listen = ports.iter().map(|port| format!("Listen 127.0.0.1:{port}\n"));
        let listen = listen.collect::<Vec<_>>().concat();
        // Where root starts it, it serves as nobody.
        let config = format!(
            "ServerRoot {at}\nDefaultRuntimeDir {at}\nPidFile {at}/apache.pid\nErrorLog {at}/error.log\n\
             ServerName 127.0.0.1\nUser #65534\nGroup #65534\n{modules}{listen}{directives}\n"
        );
        let mut command = Command::new("apache2");
        command.arg("-X").arg("-f").arg(write_config(&folder, &config));
        Self::start(folder, ports, command).await
    }

    /// `HAProxy` with these sections.
    pub async fn haproxy(folder: TempDir, ports: &[u16], sections: &str) -> Self {
        let mut command = Command::new("haproxy");
        command.arg("-db").arg("-f").arg(write_config(&folder, sections));
        Self::start(folder, ports, command).await
    }

    async fn start(folder: TempDir, ports: &[u16], mut command: Command) -> Self {
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin")).kill_on_drop(true);
        let mut child = command.spawn().expect("installed by `make setup`");
        for port in ports {
            until("the proxy in front", || {
                let ended = child.try_wait().expect("it is ours");
                assert!(ended.is_none(), "it ended: {}", error_log(folder.path()));
                async { TcpStream::connect(("127.0.0.1", *port)).await.ok() }
            })
            .await;
        }
        Self { _child: child, folder }
    }

    /// What it has said of failures.
    pub fn error_log(&self) -> String {
        error_log(self.folder.path())
    }
}

fn error_log(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("error.log")).unwrap_or_default()
}

/// Writes the configuration; whoever the proxy runs as can read the folder.
fn write_config(folder: &TempDir, text: &str) -> std::path::PathBuf {
    let everybody = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(folder.path(), everybody).expect("it is ours");
    let file = folder.path().join("proxy.conf");
    std::fs::write(&file, text).expect("a file");
    file
}
