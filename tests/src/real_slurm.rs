//! Real Slurm, started by `tests/slurm/run.sh` from Debian's packages.

use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::{program, repository};

#[derive(Deserialize)]
struct Ready {
    release: String,
    url: String,
    socket: PathBuf,
    jwt_key: PathBuf,
    rs256_key: PathBuf,
    rs256_kid: String,
    jupyter: String,
    root: PathBuf,
}

/// What some sites have and the cluster of `tests/slurm/conf` has not.
#[derive(Clone, Copy, Debug)]
pub enum Variant {
    /// People see their own jobs, accounts and reservations only.
    PrivateData,
    /// A job that no partition can ever run is refused at once.
    EnforcePartLimits,
    /// `conf/job_submit.lua` refuses rpp-x, and shortens what rrg-prof_cpu asks for.
    JobSubmitLua,
    /// Slurm has the public half of a key pair (RS256), and no secret of its own.
    PublicKeyOnly,
    /// The GPUs of g1 can be shared as well.
    Shards,
    /// Jobs of the partition `urgent` end others that are in their way.
    Preemption,
    /// c1 and c2 have an address of their own ([`RealSlurm::node_address`]), which can be cut off.
    NodeAddress,
}

impl Variant {
    /// The lines of slurm.conf that make it.
    const fn lines(self) -> &'static [&'static str] {
        match self {
            Self::PrivateData => &["PrivateData=jobs,usage,accounts,users,reservations"],
            Self::EnforcePartLimits => &["EnforcePartLimits=ALL"],
            Self::JobSubmitLua => &["JobSubmitPlugins=lua"],
            Self::PublicKeyOnly => &["AuthAltParameters=jwks=/etc/slurm/jwks.json"],
            Self::Preemption => &[
                "PreemptType=preempt/partition_prio",
                "PreemptMode=CANCEL",
                "PartitionName=urgent Nodes=c[1-2] MaxTime=01:00:00 PriorityTier=10 State=UP",
            ],
            Self::NodeAddress => &[
                // Else a slurmd listens on the address of the machine's own name alone.
                "CommunicationParameters=NoCtldInAddrAny",
                "NodeName=c1 NodeAddr=@ADDRESS@ Port=@C1@ RealMemory=16000",
                "NodeName=c2 NodeAddr=@ADDRESS@ Port=@C2@ RealMemory=16000",
            ],
            Self::Shards => &[
                "GresTypes=gpu,shard",
                "NodeName=g1 NodeAddr=127.0.0.1 Port=@G1@ RealMemory=32000 Gres=gpu:h100:4,gpu:nvidia_h100_80gb_hbm3_1g.10gb:2,shard:24",
            ],
        }
    }
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
    /// The private half of the RS256 key.
    pub rs256_key: PathBuf,
    /// The name of its public half in Slurm's jwks.json.
    pub rs256_kid: String,
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
        Self::start_with(release, &[]).await
    }

    /// Starts a release with what some sites have besides.
    ///
    /// # Panics
    /// When it cannot be started.
    pub async fn start_with(release: &str, variants: &[Variant]) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("slurm-")
            .tempdir()
            .expect("a temporary folder");
        let mut process = Command::new("bash")
            .arg(repository().join("tests/slurm/run.sh"))
            .args([release.as_ref(), folder.path().join("state").as_os_str()])
            .args(variants.iter().flat_map(|variant| variant.lines()))
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
            rs256_key,
            rs256_kid,
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
            rs256_key,
            rs256_kid,
            jupyter,
            root,
        }
    }

    /// Jobs find a Jupyter in miniature, which is there at once.
    ///
    /// # Panics
    /// When it cannot be put into the cluster.
    pub fn use_stub(&mut self) {
        let path = "/usr/local/bin/stub-jupyter";
        std::fs::copy(program("stub-jupyter"), self.root.join(&path[1..])).expect("a place for the stub");
        self.jupyter = path.into();
    }

    /// Where slurmrestd listens.
    ///
    /// # Panics
    /// Never: `run.sh` told the address.
    pub fn address(&self) -> std::net::SocketAddr {
        let address = self.url.trim_start_matches("http://").parse();
        address.expect("an address and a port")
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

    /// The address of c1 and c2, as Slurm has it.
    ///
    /// # Panics
    /// When Slurm does not tell.
    pub async fn node_address(&self) -> String {
        let shown = self.ctl(&["scontrol", "show", "node", "c1"]).await;
        let mut words = shown.split_whitespace();
        let address = words.find_map(|word| word.strip_prefix("NodeAddr="));
        address.expect("scontrol shows an address").to_owned()
    }

    /// Ends the cluster and waits for it.
    pub async fn shut_down(mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait().await;
    }
}
