//! What a site is to be like.

use std::sync::Arc;

use local_slurm::{AccountConfig, Behaviour, ClusterConfig, UserConfig};

use crate::tls::Authority;
use crate::{Machine, program};

/// An account of a local cluster and what it shows.
#[derive(Clone, Debug)]
pub struct Account {
    /// The name.
    pub name: &'static str,
    /// What it shows, for the person who tries the demo.
    pub shows: &'static str,
    /// Compute accounts, the first the default.
    pub compute_accounts: Vec<String>,
    /// What happens to its jobs.
    pub behaviour: Behaviour,
    /// Not active since then.
    pub inactive: Option<&'static str>,
}

impl Account {
    fn new(name: &'static str, shows: &'static str, compute_accounts: &[&str]) -> Self {
        let compute_accounts = compute_accounts.iter().map(ToString::to_string).collect();
        Self {
            name,
            shows,
            compute_accounts,
            behaviour: Behaviour::Normal,
            inactive: None,
        }
    }

    /// The accounts of `make demo`, named after what they show.
    pub fn all() -> Vec<Self> {
        let many: Vec<String> = (1..=40)
            .map(|n| format!("{}-group{n:02}", ["def", "rrg", "rpp", "ctb"][n % 4]))
            .collect();
        let waits = Behaviour::Waits {
            reason: "Resources".into(),
        };
        let refused = Behaviour::Refused {
            error_number: 2050,
            error: "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)".into(),
        };
        vec![
            Self::new("ada", "an ordinary account", &["def-ada", "rrg-ada"]),
            Self {
                compute_accounts: many,
                ..Self::new("many-accounts", "forty compute accounts to choose from", &[])
            },
            Self::new("no-association", "signs in, and has no compute account in Slurm", &[]),
            Self {
                inactive: Some("2026-04-01"),
                ..Self::new("inactive", "an account that was not renewed", &["def-ada"])
            },
            Self {
                behaviour: waits,
                ..Self::new("waits", "jobs that wait until they are given up", &["def-waits"])
            },
            Self {
                behaviour: refused,
                ..Self::new("refused", "jobs that Slurm refuses", &["def-refused"])
            },
        ]
    }

    pub(crate) fn to_slurm(&self, uid: u32) -> UserConfig {
        let account = |(n, name): (usize, &String)| AccountConfig {
            name: name.clone(),
            default: n == 0,
            ..AccountConfig::default()
        };
        UserConfig {
            name: self.name.into(),
            uid,
            shown_as: None,
            accounts: self.compute_accounts.iter().enumerate().map(account).collect(),
            behaviour: self.behaviour.clone(),
        }
    }
}

/// What to set up.
#[derive(Clone)]
pub struct Plan {
    /// The command that starts Jupyter in jobs.
    pub jupyter: String,
    /// Accounts.
    pub accounts: Vec<Account>,
    /// The port of Slipway; 0 takes a free one.
    pub port: u16,
    /// The port of a proxy in front, if people come through one.
    pub front_port: Option<u16>,
    /// Who signed Slipway's certificate, if it ends TLS itself.
    pub tls: Option<Arc<Authority>>,
    /// Somebody holds its listening socket for it, as systemd does.
    pub socket: bool,
    /// More lines of `[server]`.
    pub server: String,
    /// Trunk's port, if the page comes from there.
    pub development_port: Option<u16>,
    /// How long a start may wait.
    pub start_timeout_seconds: u32,
    /// The address that Jupyter listens on, on its node.
    pub bind: &'static str,
    /// Set-up lines.
    pub setup: String,
    /// The base path.
    pub base: &'static str,
    /// Whether people's servers have a host name of their own: `localhost`.
    pub split: bool,
    /// Lines of `[sign_in]`.
    pub sign_in: String,
    /// The partition of every job; nothing lets people choose.
    pub partition: Option<&'static str>,
    /// Lines of `[limits]`. Tests are faster than people: unless this is empty, the limits are out of their way.
    pub limits: &'static str,
    /// More lines of `[job]`.
    pub job: String,
    /// More lines of `[identity]`.
    pub identity: String,
    /// More sections.
    pub more: String,
    /// Slurm's seconds in a minute.
    pub minute_seconds: f64,
    /// One password for everybody, or one each.
    pub password: Option<&'static str>,
    /// Slurm's key is in a process of its own, under a user of its own.
    pub signer: bool,
    /// What is logged, in the form of `SLIPWAY_LOG`, unless that is set.
    pub log: &'static str,
    /// The machine whose PAM says who people are, in place of a users file.
    pub machine: Option<Machine>,
    /// What else is different in a local cluster.
    pub cluster: fn(&mut ClusterConfig),
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            jupyter: program("stub-jupyter").display().to_string(),
            accounts: Account::all(),
            port: 0,
            front_port: None,
            tls: None,
            socket: false,
            server: String::new(),
            development_port: None,
            start_timeout_seconds: 300,
            bind: "127.0.0.1",
            setup: String::new(),
            base: "/",
            split: false,
            sign_in: String::new(),
            partition: Some("cpubase_interac"),
            limits: "starts_per_minute = 10000\nchanges_per_minute = 100000\nevent_streams_per_session = 1000",
            job: String::new(),
            identity: String::new(),
            more: String::new(),
            minute_seconds: 60.0,
            password: Some("correct horse battery"),
            signer: false,
            log: "info,backend=debug",
            machine: None,
            cluster: |_| {},
        }
    }
}

impl Plan {
    /// With the real Jupyter that `make setup` installed.
    ///
    /// # Panics
    /// When nobody said where it is.
    #[must_use]
    pub fn with_real_jupyter(self) -> Self {
        let jupyter = std::env::var("SLIPWAY_JUPYTER").expect("SLIPWAY_JUPYTER is set by tests/setup/env.sh");
        // Jupyter refuses root, which is who runs the jobs of a local cluster in a container.
        let root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
        if root {
            let setup = format!(
                "{}\njupyter_as_root() {{ exec '{jupyter}' \"$@\" --allow-root; }}",
                self.setup
            );
            return Self {
                jupyter: "jupyter_as_root".into(),
                setup,
                ..self
            };
        }
        Self { jupyter, ..self }
    }
}
