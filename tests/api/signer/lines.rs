//! `slipway sign` alone, and the lines that are spoken with it.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use slipway_tests::site::write_configuration;
use slipway_tests::{program, repository};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

/// A signer of whoever runs the tests.
pub(super) struct OwnSigner {
    process: Child,
    socket: PathBuf,
    /// A few lines: less than a pipe holds.
    log: Option<BufReader<ChildStderr>>,
}

impl Drop for OwnSigner {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Runs it with a key and a socket in this folder, and one line more in its section.
fn run(folder: &Path, line: &str) -> Child {
    let key = folder.join("slurm.key");
    if !key.exists() {
        backend::keys::create_secret(&key).unwrap();
        std::fs::create_dir(folder.join("run")).unwrap();
    }
    let text = std::fs::read_to_string(repository().join("slipway.example.toml")).unwrap();
    let signer = format!("\nsigner = \"unix://{}\"", folder.join("run/socket").display());
    let text = text
        .replace("\nkey_file = \"slurm.pem\"", &signer)
        .replace("\nkey_id = ", "\n# key_id = ");
    let text = format!("{text}\n[signer]\nkey_file = \"slurm.key\"\n{line}\n");
    write_configuration(&folder.join("slipway.toml"), &text);
    Command::new(program("slipway"))
        .args(["sign", "--config"])
        .arg(folder.join("slipway.toml"))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// What a start says that has to fail.
pub(super) fn start_in_vain(folder: &Path) -> String {
    let output = run(folder, "").wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

impl OwnSigner {
    pub(super) fn start(folder: &Path, line: &str) -> Self {
        let mut process = run(folder, line);
        let mut log = BufReader::new(process.stderr.take().unwrap());
        let mut first = String::new();
        log.read_line(&mut first).unwrap();
        assert!(first.contains("signing"), "{first}");
        Self {
            process,
            socket: folder.join("run/socket"),
            log: Some(log),
        }
    }

    /// From now on nobody reads what it says.
    pub(super) fn stop_reading(&mut self) {
        self.log = None;
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.socket.clone()
    }

    pub(super) fn socket_mode(&self) -> u32 {
        std::fs::metadata(&self.socket).unwrap().permissions().mode() & 0o777
    }

    /// Ends it well, and answers all that it said.
    pub(super) fn terminate(mut self) -> String {
        super::signal("-TERM", Some(self.process.id()));
        assert!(self.process.wait().unwrap().success());
        self.log
            .take()
            .map_or_else(String::new, |log| std::io::read_to_string(log).unwrap())
    }
}

/// A connection to a signer.
pub(super) struct Lines(tokio::io::BufReader<UnixStream>);

impl Lines {
    pub(super) async fn connect(socket: &Path) -> Self {
        Self(tokio::io::BufReader::new(UnixStream::connect(socket).await.unwrap()))
    }

    /// One line there and one back; nothing if the connection is closed instead.
    pub(super) async fn ask(&mut self, order: &Value) -> Option<Value> {
        self.ask_line(&order.to_string()).await
    }

    /// The same with a text that may be no order.
    pub(super) async fn ask_line(&mut self, order: &str) -> Option<Value> {
        // What is refused may be closed before all of it is written.
        let _ = self.0.write_all(format!("{order}\n").as_bytes()).await;
        let mut line = String::new();
        match self.0.read_line(&mut line).await {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
        }
    }
}

/// What a token says.
pub(super) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}
