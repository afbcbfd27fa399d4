//! What a local cluster is made of. Every field has a default; the default cluster is the one that
//! `slurm/README.md` describes (nodes c1, c2, g1; three partitions), without users.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

use crate::error::{ACCOUNTING_POLICY, SlurmError};

/// A cluster, its people and how it is reached. Read by the binary from TOML or JSON, filled in by tests.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterConfig {
    /// `ClusterName`; Slurm shows it in every answer.
    pub name: String,
    /// Where slurmrestd listens. Port 0 lets the system choose; see `Cluster::addr`.
    pub listen: SocketAddr,
    /// A Unix socket to listen on as well. An old one at this path is replaced.
    pub socket: Option<PathBuf>,
    /// File with the HS256 key, read as bytes (`jwt_key=`).
    pub key: Option<PathBuf>,
    /// File with public RS256 keys (`jwks=`). With both files, both kinds of token are accepted.
    pub jwks: Option<PathBuf>,
    /// A Slurm Operator: sees every job even when `private_data` is on.
    pub service_user: String,
    /// `PrivateData=jobs,usage,accounts,users`, for Slurm and its database alike.
    pub private_data: bool,
    /// The pretend nodes. Their "address" is this machine.
    pub nodes: Vec<NodeConfig>,
    /// The partitions; the first one is the default.
    pub partitions: Vec<PartitionConfig>,
    /// Classes of service besides `normal`.
    pub qos: Vec<QosConfig>,
    /// Nodes set aside.
    pub reservations: Vec<ReservationConfig>,
    /// The people with an account. A token for anybody else is valid, and can do nothing but look.
    pub users: Vec<UserConfig>,
    /// A program that jobs find as `scontrol`; it must call [`scontrol_main`](crate::scontrol_main) under that
    /// name, as the `local-slurm` binary does. `None`: a bash script of a few lines that does the same.
    pub scontrol: Option<PathBuf>,
    /// Seconds in a minute of a job's time limit: 60, or less so that a test need not wait.
    pub minute_seconds: f64,
    /// Seconds between SIGTERM and SIGKILL (`KillWait`).
    pub kill_wait_seconds: f64,
    /// Seconds that an ended job stays in `/slurm` (`MinJobAge`). It stays in `/slurmdb` for ever.
    pub min_job_age_seconds: u64,
    /// Seconds before a job whose node failed may start again (reason `BeginTime`).
    pub requeue_seconds: u64,
    /// The bearer token of `POST /local/…`. Without one these paths do not exist.
    pub control_token: Option<String>,
}

/// A pretend node.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// `NodeName`.
    pub name: String,
    /// Cores; every core is one CPU.
    pub cores: usize,
    /// MiB (`RealMemory`).
    pub memory: u64,
    /// GPUs, in the order of their device numbers.
    #[serde(default)]
    pub gpus: Vec<GpuConfig>,
    /// Where Slipway connects to.
    #[serde(default = "localhost")]
    pub address: String,
    /// `Features`: words that a job can ask for.
    #[serde(default)]
    pub features: Vec<String>,
    /// `PLANNED`: kept free for a job that waits, as far as anybody is told.
    #[serde(default)]
    pub planned: bool,
}

/// A class of service.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QosConfig {
    /// Its name.
    pub name: String,
    /// `MaxWall`, minutes: a longer job waits with `QOSMaxWallDurationPerJobLimit`.
    #[serde(default)]
    pub max_wall_minutes: Option<u32>,
    /// `MaxTRES=cpu=`: a larger job waits with `QOSMaxCpuPerJobLimit`.
    #[serde(default)]
    pub max_cores: Option<u64>,
}

/// Nodes set aside for some people, for a time.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReservationConfig {
    /// `ReservationName`.
    pub name: String,
    /// Seconds from the start of the cluster until it begins; negative if it has begun.
    pub starts_in: i64,
    /// Seconds from the start of the cluster until it ends.
    pub ends_in: i64,
    /// Its nodes, by name.
    pub nodes: Vec<String>,
    /// Who may use it …
    #[serde(default)]
    pub users: Vec<String>,
    /// … and with which compute accounts; either list may be empty.
    #[serde(default)]
    pub accounts: Vec<String>,
    /// It is for maintenance (`Flags=MAINT`).
    #[serde(default)]
    pub maintenance: bool,
}

impl ReservationConfig {
    /// Whether it has begun and not ended, so many seconds after the start of the cluster.
    pub(crate) fn is_on(&self, age: i64) -> bool {
        (self.starts_in..self.ends_in).contains(&age)
    }

    pub(crate) fn takes(&self, user: &str, account: &str) -> bool {
        let listed = |list: &[String], name: &str| list.is_empty() || list.iter().any(|listed| listed == name);
        listed(&self.users, user) && listed(&self.accounts, account)
    }
}

/// Some GPUs of one type in a node (`Gres=gpu:<kind>:<count>`).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GpuConfig {
    /// The type's name.
    pub kind: String,
    /// How many.
    pub count: usize,
}

/// A partition.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartitionConfig {
    /// `PartitionName`.
    pub name: String,
    /// Its nodes, by name.
    pub nodes: Vec<String>,
    /// `MaxTime`, minutes; 4294967295 for no limit.
    pub max_minutes: u32,
    /// `DefaultTime`, minutes.
    #[serde(default = "one_hour")]
    pub default_minutes: u32,
    /// `DefMemPerCPU`, MiB.
    #[serde(default = "one_thousand")]
    pub memory_per_cpu: u64,
    /// UP, DOWN, INACTIVE or DRAIN.
    #[serde(default = "up")]
    pub state: String,
    /// `AllowAccounts`; empty for all. Others are refused.
    #[serde(default)]
    pub accounts: Vec<String>,
}

/// A person with Slurm associations (or, with no accounts, without).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserConfig {
    /// The name in the token's `sun`.
    pub name: String,
    /// What Slurm says the user's number is. Jobs run as whoever runs local-slurm.
    pub uid: u32,
    /// Another name of the same number, if the system finds that first: jobs are shown under it.
    #[serde(default)]
    pub shown_as: Option<String>,
    /// Compute accounts.
    #[serde(default)]
    pub accounts: Vec<AccountConfig>,
    /// What happens to this person's jobs.
    #[serde(default)]
    pub behaviour: Behaviour,
}

/// A person's association with a compute account.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// The account.
    pub name: String,
    /// Whether it is the one used when a job names none.
    #[serde(default)]
    pub default: bool,
    /// `MaxWall`, minutes: a longer job waits with `AssocMaxWallDurationPerJobLimit`.
    #[serde(default)]
    pub max_wall_minutes: Option<u32>,
    /// `MaxJobs`: one more waits with `AssocMaxJobsLimit`.
    #[serde(default)]
    pub max_jobs: Option<usize>,
    /// `MaxTRES=cpu=`: a larger job waits with `AssocMaxCpuPerJobLimit`.
    #[serde(default)]
    pub max_cores: Option<u64>,
    /// `QOS` and `DefaultQOS`; empty: `normal`.
    #[serde(default)]
    pub qos: Option<String>,
}

/// What happens to a person's jobs: in a test or a demo, the name says which case it shows.
/// In TOML: `behaviour = "normal"`, `behaviour = { waits = {} }`, `behaviour = { refused = {} }`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// They are scheduled like everybody's.
    #[default]
    Normal,
    /// They stay PENDING until cancelled.
    Waits {
        /// The reason Slurm gives.
        #[serde(default = "resources")]
        reason: String,
    },
    /// They are refused at submission.
    Refused {
        /// Slurm's number; 2050, "violates accounting/QOS policy", unless told otherwise.
        #[serde(default = "policy_number")]
        error_number: i32,
        /// Slurm's words.
        #[serde(default = "policy_text")]
        error: String,
    },
}

impl Default for ClusterConfig {
    fn default() -> Self {
        let cpu = |name: &str| NodeConfig {
            name: name.into(),
            cores: 8,
            memory: 16000,
            gpus: Vec::new(),
            address: localhost(),
            features: Vec::new(),
            planned: false,
        };
        let gpu = |kind: &str, count| GpuConfig {
            kind: kind.into(),
            count,
        };
        let gpus = vec![gpu("h100", 4), gpu("nvidia_h100_80gb_hbm3_1g.10gb", 2)];
        let partition = |name: &str, nodes: &[&str], hours: u32| PartitionConfig {
            name: name.into(),
            nodes: nodes.iter().map(ToString::to_string).collect(),
            max_minutes: hours * 60,
            default_minutes: one_hour(),
            memory_per_cpu: one_thousand(),
            state: up(),
            accounts: Vec::new(),
        };
        Self {
            name: "local".into(),
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            socket: None,
            key: None,
            jwks: None,
            service_user: "slipway".into(),
            private_data: false,
            nodes: vec![
                cpu("c1"),
                cpu("c2"),
                NodeConfig {
                    memory: 32000,
                    gpus,
                    ..cpu("g1")
                },
            ],
            partitions: vec![
                partition("cpubase_interac", &["c1", "c2"], 8),
                partition("gpubase_interac", &["g1"], 8),
                partition("long", &["c1", "c2", "g1"], 7 * 24),
            ],
            qos: Vec::new(),
            reservations: Vec::new(),
            users: Vec::new(),
            scontrol: None,
            minute_seconds: 60.0,
            kill_wait_seconds: 2.0,
            min_job_age_seconds: 300,
            requeue_seconds: 120,
            control_token: None,
        }
    }
}

impl ClusterConfig {
    /// The partition of this name.
    pub(crate) fn partition(&self, name: &str) -> Option<&PartitionConfig> {
        self.partitions.iter().find(|partition| partition.name == name)
    }

    /// The person of this name.
    pub(crate) fn user(&self, name: &str) -> Option<&UserConfig> {
        self.users.iter().find(|user| user.name == name)
    }

    /// Whom slurmctld takes a text for (`uid_from_string`): the user of this name, or else the one whose uid `strtol` reads
    /// the whole text as, in base 10. Anything else stays as it is.
    pub(crate) fn resolve(&self, text: &str) -> String {
        if text == "root" || self.user(text).is_some() {
            return text.to_owned();
        }
        uid(text).and_then(|uid| self.name_of(uid)).unwrap_or(text).to_owned()
    }

    /// The same of a query's value that the API has as a uid: a number is one, whoever has it as a name.
    pub(crate) fn resolve_uid(&self, text: &str) -> String {
        let by_uid = uid(text).and_then(|uid| self.name_of(uid));
        by_uid.map_or_else(|| self.resolve(text), str::to_owned)
    }

    fn name_of(&self, uid: u32) -> Option<&str> {
        let found = self.users.iter().find(|user| user.uid == uid);
        found.map(|user| user.name.as_str()).or((uid == 0).then_some("root"))
    }

    /// Whether this user may do everything.
    pub(crate) fn is_operator(&self, user: &str) -> bool {
        user == self.service_user || user == "root"
    }

    /// All associations with the number Slurm's accounting gives them.
    pub(crate) fn associations(&self) -> impl Iterator<Item = (u32, &UserConfig, &AccountConfig)> {
        let pairs = self
            .users
            .iter()
            .flat_map(|user| user.accounts.iter().map(move |account| (user, account)));
        (2..).zip(pairs).map(|(id, (user, account))| (id, user, account))
    }

    /// What cannot work, in words; asked once at start.
    pub(crate) fn check(&self) -> Result<(), String> {
        if self.key.is_none() && self.jwks.is_none() {
            return Err("one of `key` and `jwks` is needed: without it no token can be checked".into());
        }
        if self.partitions.is_empty() {
            return Err("at least one partition is needed".into());
        }
        for partition in &self.partitions {
            if let Some(stray) = partition
                .nodes
                .iter()
                .find(|name| !self.nodes.iter().any(|node| node.name == **name))
            {
                return Err(format!(
                    "partition {} names node {stray}, which does not exist",
                    partition.name
                ));
            }
        }
        let sane = |seconds: f64| seconds.is_finite() && (0.0..=86_400.0).contains(&seconds);
        if !sane(self.minute_seconds) || !sane(self.kill_wait_seconds) {
            return Err("minute_seconds and kill_wait_seconds are seconds, at most a day".into());
        }
        Ok(())
    }
}

impl Behaviour {
    /// The refusal of this person's submissions, if they are refused.
    pub(crate) fn refusal(&self) -> Option<SlurmError> {
        match self {
            Self::Refused { error_number, error } => Some(SlurmError::new(*error_number, error.clone())),
            Self::Normal | Self::Waits { .. } => None,
        }
    }
}

/// A uid as `strtol` reads it in base 10: after white space and a sign, and only if nothing follows.
fn uid(text: &str) -> Option<u32> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let digits = text.strip_prefix('+').unwrap_or(text);
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

fn localhost() -> String {
    "127.0.0.1".into()
}
fn one_hour() -> u32 {
    60
}
fn one_thousand() -> u64 {
    1000
}
fn up() -> String {
    "UP".into()
}
fn resources() -> String {
    "Resources".into()
}
fn policy_number() -> i32 {
    ACCOUNTING_POLICY.number
}
fn policy_text() -> String {
    ACCOUNTING_POLICY.text.into_owned()
}
