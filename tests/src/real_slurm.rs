//! Real Slurm, started by `tests/slurm/run.sh` from Debian's packages.

use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::repository;

#[derive(Deserialize)]
struct Ready {
    release: String,
    url: String,
    socket: PathBuf,
    jwt_key: PathBuf,
    jupyter: String,
    root: PathBuf,
}

/// A running cluster; ends with this value.
pub struct RealSlurm {
    process: Child,
    folder: tempfile::TempDir,
    /// Slurm's own version.
    pub release: String,
    /// slurmrestd.
    pub url: String,
    /// slurmrestd's Unix socket.
    pub socket: PathBuf,
    /// The HS256 key.
    pub jwt_key: PathBuf,
    /// The path of Jupyter inside the cluster.
    pub jupyter: String,
    /// Where the cluster's files are, seen from outside.
    pub root: PathBuf,
}

impl RealSlurm {
    /// Starts a release (`24.11`).
    ///
    /// # Panics
    /// When it cannot be started: a suite that could not run has failed.
    pub async fn start(release: &str) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("slurm-")
            .tempdir()
            .expect("a temporary folder");
        let mut process = Command::new("bash")
            .arg(repository().join("tests/slurm/run.sh"))
            .args([release.as_ref(), folder.path().join("state").as_os_str()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("bash");
        let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let line = lines.next_line().await.expect("readable output");
        let line = line.unwrap_or_else(|| panic!("Slurm {release} did not start; `make setup` says what is missing"));
        let ready: Ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let Ready {
            release,
            url,
            socket,
            jwt_key,
            jupyter,
            root,
        } = ready;
        Self {
            process,
            folder,
            release,
            url,
            socket,
            jwt_key,
            jupyter,
            root,
        }
    }

    /// Runs a command inside the cluster (`stop slurmctld`, `scontrol show job 1`).
    ///
    /// # Panics
    /// When it fails.
    pub async fn ctl(&self, arguments: &[&str]) -> String {
        let output = Command::new("bash")
            .arg(repository().join("tests/slurm/ctl.sh"))
            .arg(self.folder.path().join("state"))
            .args(arguments)
            .output()
            .await
            .expect("bash");
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Ends the cluster and waits for it.
    pub async fn shut_down(mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait().await;
    }
}
