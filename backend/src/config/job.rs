//! `[job]`

use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;
use serde::Deserialize;

use super::{Interactive, Wrong};

/// What a person's job is made of, and where its server may be.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// The job's name: how Slipway knows its own jobs, and what makes Slurm run only one of them.
    #[serde(default = "name")]
    pub name: String,
    /// The partition of every job, or several; without it people choose one, or the site or Slurm does.
    pub partition: Option<String>,
    /// The class of service of every job; without it that of the compute account.
    pub qos: Option<String>,
    /// The workload characterization key of every job.
    pub wckey: Option<String>,
    /// Which of a person's other jobs may keep a new one waiting.
    #[serde(default)]
    pub interactive: Interactive,
    /// Shell lines before Jupyter starts (`module load …`).
    #[serde(default)]
    pub setup: String,
    /// The command that starts Jupyter, found after the set-up lines.
    #[serde(default = "jupyter")]
    pub jupyter: String,
    /// What the job's environment has besides what Slipway sets.
    #[serde(default)]
    pub environment: std::collections::BTreeMap<String, String>,
    /// The job's output file, below the home; `%j` is the job's id.
    #[serde(default = "output")]
    pub output: String,
    /// The folder on the node in which each job makes its private folder for the sockets of its kernels.
    #[serde(default = "runtime_dir")]
    pub runtime_dir: String,
    /// Kernels, by the names of their kernelspecs, that cannot use Unix sockets and get TCP.
    #[serde(default)]
    pub tcp_kernels: Vec<String>,
    /// Whether front ends offer debuggers, which listen on TCP without authentication.
    #[serde(default)]
    pub debugger: bool,
    /// The address that Jupyter listens on.
    #[serde(default = "bind")]
    pub bind: std::net::IpAddr,
    /// First and last port that Jupyter may listen on.
    pub ports: [u16; 2],
    /// The networks of the compute nodes: nothing else is ever connected to.
    pub networks: Vec<IpNet>,
    /// The secret from which each job's key is derived; made at the first start.
    pub key_file: PathBuf,
    /// Former secrets, for jobs that still run with them.
    #[serde(default)]
    pub previous_key_files: Vec<PathBuf>,
    /// How long a start may wait in the queue.
    #[serde(default = "start_timeout_seconds")]
    pub start_timeout_seconds: u32,
}

fn name() -> String {
    "slipway".into()
}

fn jupyter() -> String {
    "jupyter".into()
}

fn output() -> String {
    ".slipway-%j.log".into()
}

fn runtime_dir() -> String {
    "/tmp".into()
}

fn bind() -> std::net::IpAddr {
    std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED)
}

fn start_timeout_seconds() -> u32 {
    300
}

impl Job {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        let word =
            |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.".contains(&b));
        if !word(&self.name) {
            return Err(("job.name", "has to be made of letters, digits, - _ .".into()));
        }
        let [first, last] = self.ports;
        if first < 1024 || first > last {
            return Err((
                "job.ports",
                "has to be the first and the last port, from 1024 up, as in [20000, 29999]".into(),
            ));
        }
        if self.networks.is_empty() {
            return Err((
                "job.networks",
                "needs the networks of the compute nodes, as in [\"10.0.0.0/8\"]".into(),
            ));
        }
        if self.partitions().any(str::is_empty) {
            return Err(("job.partition", "names nothing; without it Slurm chooses".into()));
        }
        if self.jupyter.trim().is_empty() {
            return Err(("job.jupyter", "is empty; the command is usually jupyter".into()));
        }
        if !self.runtime_dir.starts_with('/') || !self.runtime_dir.split('/').skip(1).all(word) {
            return Err((
                "job.runtime_dir",
                "has to be the absolute path of a folder on the compute nodes, of letters, digits, - _ . and /, as in \"/tmp\"".into(),
            ));
        }
        if let Some(odd) = self.tcp_kernels.iter().find(|name| !word(name)) {
            return Err((
                "job.tcp_kernels",
                format!("{odd:?} is not the name of a kernelspec; `jupyter kernelspec list` shows them"),
            ));
        }
        if !(5..=86_400).contains(&self.start_timeout_seconds) {
            return Err(("job.start_timeout_seconds", "has to be from 5 to 86400".into()));
        }
        let named =
            |name: &String| !name.starts_with("SLIPWAY_") && !name.is_empty() && !name.contains(['=', '\0', '\n']);
        if let Some(odd) = self.environment.keys().find(|name| !named(name)) {
            return Err((
                "job.environment",
                format!("{odd:?} cannot be the name of a variable here"),
            ));
        }
        Ok(())
    }

    /// The partitions of every job.
    pub fn partitions(&self) -> impl Iterator<Item = &str> {
        self.partition.iter().flat_map(|names| names.split(',')).map(str::trim)
    }

    /// How long a start may wait in the queue.
    pub fn start_timeout(&self) -> Duration {
        Duration::from_secs(self.start_timeout_seconds.into())
    }
}
