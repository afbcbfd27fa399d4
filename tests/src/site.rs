//! A whole site in a folder: cluster, keys, accounts, configuration, and Slipway as a process.

mod people;
mod process;
mod signer;

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use local_slurm::{Cluster, ClusterConfig};
use shared::names::UserName;
use tokio::process::Child;

pub use self::signer::Users;
use crate::tls::{self, Authority};
use crate::{Machine, Plan, RealSlurm, repository};

enum Slurm {
    Local(Box<Cluster>),
    Real(Box<RealSlurm>),
}

/// A running site.
pub struct Site {
    folder: tempfile::TempDir,
    slurm: Slurm,
    slipway: Option<Child>,
    successor: Mutex<Option<process::Successor>>,
    signer: Option<Child>,
    users: Option<Users>,
    log: &'static str,
    beside: Vec<Child>,
    machine: Option<Machine>,
    socket: Option<TcpListener>,
    /// `http://127.0.0.1:PORT` and the base path.
    pub url: String,
    /// Names and passwords.
    pub passwords: Vec<(String, String)>,
    /// Who signed Slipway's certificate, if it ends TLS itself.
    pub authority: Option<Arc<Authority>>,
}

impl Site {
    /// On a local cluster.
    pub async fn start(plan: Plan) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("slipway-")
            .tempdir()
            .expect("a temporary folder");
        let key = folder.path().join("slurm.key");
        backend::keys::create_secret(&key).expect("a key");
        let mut cluster = ClusterConfig {
            key: Some(key.clone()),
            users: (2001..)
                .zip(&plan.accounts)
                .map(|(uid, account)| account.to_slurm(uid))
                .collect(),
            minute_seconds: plan.minute_seconds,
            kill_wait_seconds: 2.0,
            ..ClusterConfig::default()
        };
        (plan.cluster)(&mut cluster);
        let cluster = Cluster::start(cluster).await.expect("local-slurm starts");
        let url = cluster.url();
        let home = folder.path().join("home/{user}").display().to_string();
        let mut site = Self {
            folder,
            slurm: Slurm::Local(Box::new(cluster)),
            slipway: None,
            successor: Mutex::default(),
            signer: None,
            users: None,
            log: plan.log,
            beside: Vec::new(),
            machine: plan.machine.clone(),
            socket: None,
            url: String::new(),
            passwords: Vec::new(),
            authority: plan.tls.clone(),
        };
        site.set_up(&plan, &url, &key, &home).await;
        site
    }

    /// On real Slurm: its people are alice, bob, carol, and dave who has no association.
    pub async fn start_on(slurm: RealSlurm, plan: Plan) -> Self {
        let folder = tempfile::Builder::new()
            .prefix("slipway-")
            .tempdir()
            .expect("a temporary folder");
        let (url, key) = (slurm.url.clone(), slurm.jwt_key.clone());
        let plan = Plan {
            jupyter: slurm.jupyter.clone(),
            ..plan
        };
        let mut site = Self {
            folder,
            slurm: Slurm::Real(Box::new(slurm)),
            slipway: None,
            successor: Mutex::default(),
            signer: None,
            users: None,
            log: plan.log,
            beside: Vec::new(),
            machine: plan.machine.clone(),
            socket: None,
            url: String::new(),
            passwords: Vec::new(),
            authority: plan.tls.clone(),
        };
        site.set_up(&plan, &url, &key, "/home/{user}").await;
        site
    }

    async fn set_up(&mut self, plan: &Plan, slurm_url: &str, slurm_key: &Path, home: &str) {
        let names: Vec<&str> = match &self.slurm {
            Slurm::Local(_) => plan.accounts.iter().map(|account| account.name).collect(),
            Slurm::Real(_) => vec!["alice", "bob", "carol", "dave"],
        };
        let users_file = self.path("users.toml");
        for name in names {
            let password = plan.password.map_or_else(random_password, str::to_owned);
            let user = UserName::new(name).expect("a name");
            backend::auth::add_user(&users_file, &user, &password.clone().into()).expect("an account");
            self.passwords.push((name.to_owned(), password));
            if matches!(self.slurm, Slurm::Local(_)) {
                std::fs::create_dir_all(home.replace("{user}", name)).expect("a home");
            }
        }
        let mut users = std::fs::read_to_string(&users_file).expect("the users file");
        for account in &plan.accounts {
            if let Some(since) = account.inactive {
                let header = format!("[users.{}]", account.name);
                users = users.replace(&header, &format!("{header}\ninactive = \"{since}\""));
            }
        }
        std::fs::write(&users_file, users).expect("the users file");
        // A port that was free a moment ago: the public URL has to name it before Slipway listens.
        let port = if plan.port == 0 { free_port() } else { plan.port };
        self.socket = plan
            .socket
            .then(|| TcpListener::bind(("127.0.0.1", port)).expect("a free port"));
        let scheme = if plan.tls.is_some() { "https" } else { "http" };
        let public_port = plan.front_port.unwrap_or(port);
        self.url = format!("{scheme}://127.0.0.1:{public_port}{}", plan.base);
        if let Some(authority) = &plan.tls {
            authority.sign(&["127.0.0.1"]).write(self.folder.path());
        }
        let configuration = self.configuration(plan, port, slurm_url, slurm_key, home);
        write_configuration(&self.path("slipway.toml"), &configuration);
        if let Some(machine) = &self.machine {
            machine.set_up(self.folder.path());
        }
        if plan.signer {
            self.separate_signer().await;
        }
        self.start_slipway().await;
    }

    fn configuration(&self, plan: &Plan, port: u16, slurm_url: &str, slurm_key: &Path, home: &str) -> String {
        let (assets, accounts) = match &self.machine {
            Some(_) => (Machine::page(self.folder.path()), "pam_service = \"slipway\""),
            None => (repository().join("dist"), "users_file = \"users.toml\""),
        };
        let random: [u8; 2] = backend::keys::random().expect("randomness");
        let first_port = 20_000 + u16::from_le_bytes(random) % 8_000;
        let mut text = format!(
            r#"
[server]
listen = "127.0.0.1:{port}"
public_url = "{url}"
assets = "{assets}"
state = "slipway.db"
{development}{split}{tls}{server}
[site]
name = "Slipway"
cluster = "Pretend"
[site.links]
documentation = {{ en = "https://example.org/docs", fr = "https://example.org/fr/docs" }}
status = {{ en = "https://status.example.org/", fr = "https://status.example.org/fr" }}
renew_account = {{ en = "https://example.org/renew", fr = "https://example.org/fr/renouveler" }}
cluster_access = {{ en = "https://example.org/access", fr = "https://example.org/fr/acces" }}
[sign_in]
{accounts}
key_file = "sign-in.key"
{sign_in}
[slurm]
urls = ["{slurm_url}"]
key_file = "{slurm_key}"
service_user = "slipway"
[job]
{partition}{job}jupyter = "{jupyter}"
setup = '''
{setup}
'''
bind = "{bind}"
ports = [{first_port}, {last_port}]
networks = ["127.0.0.0/8"]
key_file = "job.key"
start_timeout_seconds = {timeout}
[limits]
{limits}
[identity]
home = "{home}"
{identity}
"#,
            url = self.url,
            assets = assets.display(),
            development = plan.development_port.map_or_else(String::new, |port| format!(
                "development_origin = \"http://127.0.0.1:{port}\"\n"
            )),
            split = if plan.split {
                format!("user_content_url = \"{}\"\n", Self::user_url(&self.url))
            } else {
                String::new()
            },
            tls = plan.tls.as_ref().map_or("", |_| tls::KEYS),
            server = plan.server,
            sign_in = plan.sign_in,
            partition = plan
                .partition
                .map_or_else(String::new, |name| format!("partition = \"{name}\"\n")),
            job = plan.job,
            limits = plan.limits,
            // Jobs take ports by their numbers, and every cluster's first job is job 1.
            last_port = first_port + 1999,
            slurm_key = slurm_key.display(),
            jupyter = plan.jupyter,
            bind = plan.bind,
            setup = plan.setup,
            timeout = plan.start_timeout_seconds,
            identity = plan.identity,
        );
        let _ = writeln!(
            text,
            "[job.environment]\nPATH = \"/usr/local/bin:/usr/bin:/bin\"\n{}",
            plan.more
        );
        text
    }

    /// The same address by the other name of this machine, which a browser takes for another host.
    pub fn user_url(url: &str) -> String {
        url.replace("127.0.0.1", "localhost")
    }

    /// Where people's servers are.
    pub fn servers_url(&self) -> String {
        let config = std::fs::read_to_string(self.path("slipway.toml")).unwrap_or_default();
        if config.contains("user_content_url") {
            Self::user_url(&self.url)
        } else {
            self.url.clone()
        }
    }

    /// A file of the site.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The local cluster.
    pub fn cluster(&self) -> &Cluster {
        match &self.slurm {
            Slurm::Local(cluster) => cluster,
            Slurm::Real(_) => panic!("this site is on real Slurm"),
        }
    }

    /// The real one.
    pub fn real(&self) -> &RealSlurm {
        match &self.slurm {
            Slurm::Real(slurm) => slurm,
            Slurm::Local(_) => panic!("this site is on a local cluster"),
        }
    }

    /// The release of real Slurm (`26.05.5`), if it is one.
    pub fn slurm_release(&self) -> Option<&str> {
        match &self.slurm {
            Slurm::Local(_) => None,
            Slurm::Real(slurm) => Some(&slurm.release),
        }
    }

    /// A person's home, as their jobs see it.
    pub fn home(&self, name: &str) -> String {
        match self.slurm {
            Slurm::Local(_) => self.path(&format!("home/{name}")).display().to_string(),
            Slurm::Real(_) => format!("/home/{name}"),
        }
    }

    /// Where a file that a job names is, seen from here.
    pub fn file_of_job(&self, path: &str) -> PathBuf {
        match &self.slurm {
            Slurm::Local(_) => path.into(),
            Slurm::Real(slurm) => slurm.root.join(path.trim_start_matches('/')),
        }
    }

    /// Slurm's client as Slipway has it, for what people can do without Slipway.
    ///
    /// # Panics
    /// When the configuration cannot be used.
    pub fn slurm_client(&self) -> backend::slurm::Client {
        let config = backend::config::Config::load(&self.path("slipway.toml")).expect("the configuration");
        let secret = backend::keys::Secret::read(config.slurm.key_file.as_ref().expect("no signer")).expect("the key");
        let (limits, clock) = (backend::slurm::Limits::of(&config), backend::clock::Clock::system());
        let signer = backend::slurm::Signer::new(&secret, None, limits, clock.clone()).expect("a signer");
        let tokens = backend::slurm::Tokens::signed_here(signer, clock.clone());
        backend::slurm::Client::new(&config.slurm, tokens, clock).expect("a client")
    }

    /// Somebody writes into the comment of a job of theirs.
    ///
    /// # Panics
    /// When Slurm refuses it.
    pub async fn set_comment(&self, name: &str, id: u64, comment: &str) {
        let user = UserName::new(name).expect("a name");
        self.slurm_client()
            .person(&user)
            .set_comment(id, comment)
            .await
            .expect("the comment is theirs");
    }

    /// Ends everything, in order.
    pub async fn shut_down(mut self) {
        self.kill_slipway().await;
        self.kill_signer().await;
        for mut slipway in self.beside {
            slipway.kill().await.expect("it is ours to end");
        }
        match self.slurm {
            Slurm::Local(cluster) => cluster.shutdown().await,
            Slurm::Real(slurm) => slurm.shut_down().await,
        }
    }
}

/// Writes a configuration that its owner alone can change, whatever the umask of whoever runs the tests.
pub fn write_configuration(path: &Path, text: &str) {
    std::fs::write(path, text).expect("the configuration");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("its mode");
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0))).expect("a free port");
    listener.local_addr().expect("its address").port()
}

fn random_password() -> String {
    let bytes: [u8; 12] = backend::keys::random().expect("randomness");
    bytes
        .iter()
        .map(|byte| char::from(b"abcdefghijkmnpqrstuvwxyz23456789"[usize::from(byte % 32)]))
        .collect()
}
