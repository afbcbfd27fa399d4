//! The configuration: one TOML file, read strictly. Every key is explained in `slipway.example.toml`.

mod amount;
mod cluster;
mod defaults;
mod event;
mod job;
mod limits;
mod policy;
mod server;
mod sign_in;
mod signer;
mod site;
mod slurm;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use shared::names::{InterfaceName, UserName};

use crate::parse_error;

pub use cluster::{Accounts, Gpu, Interactive, Route};
pub use defaults::Defaults;
use event::once;
pub use event::{Event, Groups, Interface, Profile};
pub use job::Job;
pub use limits::Limits;
pub use policy::{ChoosePartition, Most, Options};
pub use server::{ClientAddressIn, Server, Tls};
pub use sign_in::SignIn;
pub use signer::Signer;
pub use site::Site;
pub use slurm::{Identity, Slurm};

/// Everything a site configures.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where Slipway listens, and where people find it.
    pub server: Server,
    /// What people read.
    pub site: Site,
    /// Who may sign in.
    pub sign_in: SignIn,
    /// How to reach Slurm.
    pub slurm: Slurm,
    /// Slurm's key in a process of its own.
    pub signer: Option<Signer>,
    /// What a person's job is made of.
    pub job: Job,
    /// What the form proposes.
    #[serde(default)]
    pub defaults: Defaults,
    /// What the site decides about the options.
    #[serde(default)]
    pub options: Options,
    /// Which of Slurm's accounts are one for people.
    #[serde(default)]
    pub accounts: Accounts,
    /// Which partitions a job without one may reach; none: it is not known.
    #[serde(default, rename = "route")]
    pub routes: Vec<Route>,
    /// What the site says of types of GPU, by Slurm's name of them.
    #[serde(default, rename = "gpu")]
    pub gpus: BTreeMap<String, Gpu>,
    /// Interfaces, in the order in which people see them.
    #[serde(default = "Interface::usual", rename = "interface")]
    pub interfaces: Vec<Interface>,
    /// Choices that the site has a name for.
    #[serde(default, rename = "profile")]
    pub profiles: Vec<Profile>,
    /// People by what they have in common.
    #[serde(default)]
    pub groups: Groups,
    /// Dated things that change what some people may choose.
    #[serde(default, rename = "event")]
    pub events: Vec<Event>,
    /// What one person may do in a minute, and hold open.
    #[serde(default)]
    pub limits: Limits,
    /// Where homes are.
    pub identity: Identity,
}

/// Why a configuration cannot be used: file, line, key, and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{path}: {cause}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// Not TOML, an unknown or missing key, or a value of the wrong kind.
    #[error("{path}: {message}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, key and what would be right.
        message: String,
    },
    /// A value that cannot be.
    #[error("{path}, line {line}: {key}: {message}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The line of the key, or of its section where it is missing.
        line: usize,
        /// The key with its section.
        key: &'static str,
        /// What would be right.
        message: String,
    },
}

/// A value that cannot be: the key with its section, and what would be right.
type Wrong = (&'static str, String);

impl Config {
    /// Reads and checks a file. Relative paths in it are taken from its own folder.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::Read {
            path: path.to_owned(),
            cause,
        })?;
        Self::parse(&text, path)
    }

    /// [`Config::load`] for a text that came from `path`.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|error| ConfigError::Parse {
            path: path.to_owned(),
            message: explain(&error, text),
        })?;
        config.resolve(path.parent().unwrap_or(Path::new(".")));
        config.check().map_err(|((key, message), nth)| ConfigError::Value {
            path: path.to_owned(),
            line: line_of(text, key, nth),
            key,
            message,
        })?;
        Ok(config)
    }

    /// Whether somebody of this name may sign in, if the password is right. Slipway's own account in Slurm sees
    /// everybody's jobs: it is nobody's to sign in with.
    pub fn may_sign_in(&self, user: &UserName) -> bool {
        *user != self.slurm.service_user && !self.is_blocked(user) && !self.is_refused_as_numeric(user)
    }

    /// Whether Slurm could read this name as a uid, and such names are not allowed.
    pub fn is_refused_as_numeric(&self, user: &UserName) -> bool {
        user.is_numeric() && !self.identity.numeric_names
    }

    fn resolve(&mut self, folder: &Path) {
        let paths = [
            &mut self.server.assets,
            &mut self.server.state,
            &mut self.sign_in.key_file,
            &mut self.job.key_file,
        ];
        let signer = self.signer.as_mut().map(|signer| &mut signer.key_file);
        let optional = [
            self.slurm.ca_file.as_mut(),
            self.slurm.key_file.as_mut(),
            signer,
            self.sign_in.users_file.as_mut(),
        ];
        let tls = self.server.tls.iter_mut();
        let tls = tls.flat_map(|tls| [&mut tls.certificate_file, &mut tls.key_file]);
        for path in paths
            .into_iter()
            .chain(optional.into_iter().flatten())
            .chain(tls)
            .chain(&mut self.job.previous_key_files)
            .chain(&mut self.sign_in.previous_key_files)
        {
            if path.is_relative() {
                *path = folder.join(&path);
            }
        }
    }

    /// What is wrong, and in which of several sections of one name.
    fn check(&self) -> Result<(), (Wrong, usize)> {
        self.check_sections().map_err(|wrong| (wrong, 0))?;
        each(&self.interfaces, |interface| interface.check(&self.groups))?;
        each(&self.profiles, Profile::check)?;
        each(&self.events, |event| event.check(&self.groups))?;
        once(
            "interface.name",
            self.interfaces.iter().map(|interface| &interface.name),
        )?;
        once("profile.name", self.profiles.iter().map(|profile| &profile.name))?;
        once("event.name", self.events.iter().map(|event| &event.name))
    }

    fn check_sections(&self) -> Result<(), Wrong> {
        self.server.check()?;
        self.site.check()?;
        self.sign_in.check()?;
        self.slurm.check(self.signer.as_ref())?;
        if self.is_blocked(&self.slurm.service_user) {
            let message =
                "is one of sign_in.blocked: it has to be an account of its own, for which nothing is done but asking";
            return Err(("slurm.service_user", message.into()));
        }
        self.job.check()?;
        self.identity.check()?;
        self.accounts.check()?;
        self.options.check()?;
        self.defaults.check()?;
        self.limits.check()?;
        if self
            .defaults
            .interface
            .as_ref()
            .is_some_and(|name| self.interface(name).is_none())
        {
            let names: Vec<_> = self
                .interfaces
                .iter()
                .map(|interface| interface.name.as_str())
                .collect();
            return Err(("defaults.interface", format!("has to be one of {}", names.join(", "))));
        }
        Ok(())
    }

    /// The interface of this name.
    pub fn interface(&self, name: &InterfaceName) -> Option<&Interface> {
        self.interfaces.iter().find(|interface| interface.name == *name)
    }

    fn is_blocked(&self, user: &UserName) -> bool {
        self.sign_in.blocked.contains(user)
    }
}

/// Line, column and key, with the key that was probably meant.
fn explain(error: &toml::de::Error, text: &str) -> String {
    let said = parse_error::toml(error, text);
    let message = error.message();
    let mut quoted = message.split('`').skip(1).step_by(2);
    let suggestion = message.starts_with("unknown field").then(|| {
        let unknown = quoted.next()?;
        quoted
            .filter(|known| strsim::damerau_levenshtein(known, unknown) <= 3)
            .min_by_key(|known| strsim::damerau_levenshtein(known, unknown))
    });
    match suggestion.flatten() {
        Some(known) => format!("{said}; did you mean `{known}`?"),
        None => match plain_words_at(error, text).filter(|words| !said.contains(words)) {
            Some(words) => format!("{said}: {words}"),
            None => said,
        },
    }
}

/// What stands where an error is, if that is a few plain words and certainly no secret.
fn plain_words_at<'a>(error: &toml::de::Error, text: &'a str) -> Option<&'a str> {
    const LONGEST: usize = 120;
    let span = error.span()?;
    let (before, words) = (text.get(..span.start)?, text.get(span)?);
    let line = before.rsplit('\n').next()?.to_lowercase();
    let header = before.lines().rfind(|line| line.starts_with('[')).unwrap_or_default();
    let is_secret = ["password", "secret", "token", "url"]
        .iter()
        .any(|word| line.contains(word));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ',' | ' ' | '"' | '[' | ']');
    let may_be_quoted = !is_secret && !header.contains("environment") && words.chars().all(is_plain);
    (may_be_quoted && (1..=LONGEST).contains(&words.len())).then_some(words)
}

/// Checks every section of one name.
fn each<T>(sections: &[T], check: impl Fn(&T) -> Result<(), Wrong>) -> Result<(), (Wrong, usize)> {
    let mut checked = sections.iter().enumerate();
    checked.try_for_each(|(nth, section)| check(section).map_err(|wrong| (wrong, nth)))
}

/// The line on which a key of the form `section.key` stands, or else its section, the nth of its name; counted from
/// 1, 0 for neither.
fn line_of(text: &str, key: &str, nth: usize) -> usize {
    let (section, key) = key.rsplit_once('.').unwrap_or(("", key));
    let (mut current, mut header_line, mut before) = (String::new(), 0, nth);
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.starts_with('[') {
            let header = line.trim_matches(['[', ']']);
            // A section below it (`[event.lock]`) is still of this one.
            if header == section && header_line == 0 {
                if before == 0 {
                    header_line = number + 1;
                    header.clone_into(&mut current);
                } else {
                    before -= 1;
                }
            } else {
                header.clone_into(&mut current);
                if header_line > 0 && header == format!("{section}.{key}") {
                    return number + 1;
                }
            }
        } else if current == section
            && (header_line > 0 || section.is_empty())
            && line.split('=').next().is_some_and(|name| name.trim() == key)
        {
            return number + 1;
        }
    }
    header_line
}

#[cfg(test)]
const EXAMPLE: &str = include_str!("../../slipway.example.toml");

#[cfg(test)]
impl Config {
    /// The one of `slipway.example.toml`.
    pub(crate) fn example() -> Self {
        Self::parse(EXAMPLE, Path::new("/etc/slipway/slipway.toml")).unwrap()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("/etc/slipway/slipway.toml")).map_err(|e| e.to_string())
    }

    #[test]
    fn the_example_is_a_configuration() {
        let config = parse(EXAMPLE).unwrap();
        assert_eq!(config.server.state, Path::new("/var/lib/slipway/slipway.db"));
        let users = config.sign_in.users_file.unwrap();
        assert_eq!(users, Path::new("/etc/slipway/users.toml"));
    }

    #[test]
    fn every_key_of_the_example_that_is_commented_out_is_known() {
        let uncommented: String = EXAMPLE
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.split_once(" = ").is_some_and(|(key, _)| !key.contains(' ')) => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        assert!(uncommented.len() < EXAMPLE.len(), "no key was commented out");
        parse(&uncommented).unwrap();
    }

    /// The example with the signer that its comments describe.
    fn with_signer() -> String {
        let mut text = EXAMPLE
            .replace("\nkey_file = \"slurm.pem\"", "")
            .replace("\nkey_id = ", "\n# key_id = ");
        for line in ["signer = ", "[signer]", "key_file = ", "key_id = ", "allow_uid = "] {
            text = text.replacen(&format!("\n#   {line}"), &format!("\n{line}"), 1);
        }
        text
    }

    #[test]
    fn slurms_key_is_either_in_this_process_or_in_the_signers() {
        let config = parse(&with_signer()).unwrap();
        assert_eq!(
            config.slurm.signer_socket(),
            Some(Path::new("/run/slipway/signer.sock"))
        );
        assert_eq!(
            (config.slurm.key_file, config.signer.unwrap().allow_uid),
            (None, Some(990))
        );
        let key = "\nkey_file = \"slurm.pem\"";
        for (text, key, words) in [
            (EXAMPLE.replace(key, ""), "slurm.key_file", "is missing"),
            (
                EXAMPLE.replace(key, &format!("{key}\nsigner = \"unix:///s\"")),
                "slurm.signer",
                "beside key_file",
            ),
            (
                with_signer().replace(
                    "signer = \"unix:///run/slipway/signer.sock\"",
                    "key_file = \"slurm.pem\"",
                ),
                "slurm.key_file",
                "give slurm.signer",
            ),
            (
                with_signer().replace("# key_id", "key_id"),
                "slurm.key_id",
                "signer.key_id",
            ),
            (
                with_signer().replace("unix:///run", "/run"),
                "slurm.signer",
                "has to be unix:///",
            ),
        ] {
            let error = parse(&text).unwrap_err();
            let start = error.split_once(&format!(": {key}: ")).map(|(start, _)| start);
            let line = start.and_then(|start| start.rsplit(' ').next()?.parse::<usize>().ok());
            assert!(line.is_some_and(|line| line > 0) && error.contains(words), "{error}");
        }
    }

    #[test]
    fn root_is_blocked_whoever_else_is_and_host_names_are_as_browsers_send_them() {
        let text = EXAMPLE
            .replace("\n# blocked = [\"root\", ", "\nblocked = [")
            .replace("//jupyter.example.org/", "//Jupyter.Example.ORG/");
        let config = parse(&text).unwrap();
        let may = |name| config.may_sign_in(&UserName::new(name).unwrap());
        assert_eq!(["ada", "munge", "root"].map(may), [true, false, false]);
        assert_eq!(config.server.origin(), "https://jupyter.example.org");
        let error = parse(&text.replace("\"munge\"", "\"Admin\"")).unwrap_err();
        assert!(error.contains("Admin"), "{error}");
    }

    #[test]
    fn a_mistyped_key_is_refused_with_its_line_and_the_key_that_was_meant() {
        let error = parse(&EXAMPLE.replace("listen =", "lisen =")).unwrap_err();
        assert!(
            error.starts_with("/etc/slipway/slipway.toml: TOML parse error at line "),
            "{error}"
        );
        assert!(
            error.contains("lisen") && error.contains("did you mean `listen`?"),
            "{error}"
        );
    }

    #[test]
    fn a_moment_needs_its_zone_and_amounts_may_have_units() {
        let config = parse(EXAMPLE).unwrap();
        assert_eq!((config.defaults.memory, config.routes[0].time_max), (2048, Some(180)));
        assert_eq!(config.events[0].until - config.events[0].from, 3 * 3600);
        for (bad, words) in [
            (
                "from = 2026-12-01T09:00:00",
                "needs a date, a time with seconds and a zone",
            ),
            ("from = 2026-12-01", "needs a date"),
        ] {
            let error = parse(&EXAMPLE.replace("from = 2026-12-01T09:00:00-05:00", bad)).unwrap_err();
            assert!(error.contains(words) && error.contains("line "), "{error}");
        }
        let error = parse(&EXAMPLE.replace("time_max = \"3 h\"", "time_max = \"soon\"")).unwrap_err();
        assert!(error.contains("\"soon\" is not a time"), "{error}");
    }

    #[test]
    fn own_tls_needs_https_and_proxies_are_addresses_or_networks() {
        let tls = EXAMPLE.replace("# tls =", "tls =");
        let config = parse(&tls).unwrap();
        assert_eq!(
            config.server.tls.unwrap().key_file,
            Path::new("/etc/slipway/privkey.pem")
        );
        let error = parse(&tls.replace("https://jupyter", "http://jupyter")).unwrap_err();
        assert!(
            error.contains("server.public_url: has to start with https://"),
            "{error}"
        );

        let proxies = |value: &str| {
            parse(&EXAMPLE.replace("# client_address", "client_address").replace(
                "# trusted_proxies = [\"127.0.0.1\", \"::1\"]",
                &format!("trusted_proxies = {value}"),
            ))
        };
        let found = proxies("[\"127.0.0.1\", \"10.0.0.0/8\", \"::ffff:192.0.2.1\"]").unwrap();
        let texts: Vec<_> = found.server.trusted_proxies.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["127.0.0.1/32", "10.0.0.0/8", "192.0.2.1/32"]);
        let error = proxies("[\"proxy.example.org\"]").unwrap_err();
        assert!(
            error.contains("trusted_proxies") && error.contains("neither an address"),
            "{error}"
        );
    }

    #[test]
    fn a_runtime_dir_or_a_kernel_that_the_job_could_not_use_is_refused() {
        let kernels = parse(&EXAMPLE.replace("# tcp_kernels", "tcp_kernels")).unwrap();
        assert_eq!(kernels.job.tcp_kernels, ["scala"]);
        assert_eq!(
            (kernels.job.runtime_dir.as_str(), kernels.job.debugger),
            ("/tmp", false)
        );
        for (good, bad, key) in [
            ("# runtime_dir = \"/tmp\"", "runtime_dir = \"tmp\"", "job.runtime_dir"),
            ("# runtime_dir = \"/tmp\"", "runtime_dir = \"/a:/b\"", "job.runtime_dir"),
            (
                "# tcp_kernels = [\"scala\"]",
                "tcp_kernels = [\"Scala 2\"]",
                "job.tcp_kernels",
            ),
            ("# debugger = false", "debugger = \"no\"", "job.debugger"),
        ] {
            let text = EXAMPLE.replace(good, bad);
            assert_ne!(text, EXAMPLE, "{good} is not in the example");
            let error = parse(&text).unwrap_err();
            assert!(
                error.contains(key) || key == "job.debugger" && error.contains("debugger"),
                "{error}"
            );
        }
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table of values")]
    fn a_value_that_cannot_be_is_refused_with_file_line_key_and_what_would_be_right() {
        for (good, bad, key) in [
            (
                "public_url = \"https://jupyter.example.org/\"",
                "public_url = \"jupyter.example.org\"",
                "server.public_url",
            ),
            ("ports = [20000, 29999]", "ports = [29999, 20000]", "job.ports"),
            ("home = \"/home/{user}\"", "home = \"/home\"", "identity.home"),
            ("urls = [\"https://slurm.example.org:6820\"]", "urls = []", "slurm.urls"),
            ("lifetime_hours = 24", "lifetime_hours = 0", "sign_in.lifetime_hours"),
            (
                "start_timeout_seconds = 300",
                "start_timeout_seconds = 1",
                "job.start_timeout_seconds",
            ),
            ("networks = [\"10.0.0.0/8\"]", "networks = []", "job.networks"),
            (
                "# partition = \"cpubase_interac\"",
                "partition = \"cpu,\"",
                "job.partition",
            ),
            (
                "# max_connections = 8000",
                "max_connections = 0",
                "server.max_connections",
            ),
            (
                "# max_connections_per_address = 256",
                "max_connections_per_address = 0",
                "server.max_connections_per_address",
            ),
            (
                "# body_timeout_seconds = 15",
                "body_timeout_seconds = 0",
                "server.body_timeout_seconds",
            ),
            (
                "# min_rate_seconds = 30",
                "min_rate_seconds = 0",
                "server.min_rate_seconds",
            ),
            (
                "# trusted_proxies = [\"127.0.0.1\", \"::1\"]",
                "trusted_proxies = [\"127.0.0.1\"]",
                "server.trusted_proxies",
            ),
            (
                "# trusted_proxies = [\"127.0.0.1\", \"::1\"]",
                "trusted_proxies = [\"0.0.0.0/0\"]",
                "server.trusted_proxies",
            ),
            (
                "# client_address = \"x-forwarded-for\"",
                "client_address = \"proxy-protocol\"",
                "server.client_address",
            ),
            (
                "service_user = \"slipway\"",
                "service_user = \"root\"",
                "slurm.service_user",
            ),
            (
                "service_user = \"slipway\"",
                "service_user = \"990\"",
                "slurm.service_user",
            ),
            ("gpu_suffix = \"_gpu\"", "gpu_suffix = \"_cpu\"", "accounts.gpu_suffix"),
            ("path = \"rstudio/\"", "path = \"../rstudio\"", "interface.path"),
            (
                "modules = [\"rstudio-server/4.4\"]",
                "modules = [\"a; rm -rf /\"]",
                "interface.modules",
            ),
            (
                "groups = [\"bio101\"]\n\n# Choices",
                "groups = [\"bio102\"]\n\n# Choices",
                "interface.groups",
            ),
            (
                "gpu = \"h100:1\", time = \"1 h\"",
                "gpus = \"h100:1\", time = \"1 h\"",
                "profile.options",
            ),
            (
                "until = 2026-12-01T12:00:00-05:00",
                "until = 2026-12-01T08:00:00-05:00",
                "event.until",
            ),
            ("# open = \"lab/tree/bio101\"", "open = \"/hub/home\"", "event.open"),
            (
                "# choices = { gpu = [\"none\"] }",
                "choices = { cores = [\"1\"] }",
                "event.choices",
            ),
            ("name = \"rstudio\"", "name = \"lab\"", "interface.name"),
        ] {
            let text = EXAMPLE.replace(good, bad);
            assert_ne!(text, EXAMPLE, "{good} is not in the example");
            // The last of them: a second interface of one name is the one that is wrong.
            let bad = bad.lines().next().unwrap();
            let line = text
                .lines()
                .enumerate()
                .filter(|(_, line)| line.contains(bad))
                .last()
                .unwrap()
                .0
                + 1;
            let error = parse(&text).unwrap_err();
            assert!(
                error.starts_with(&format!("/etc/slipway/slipway.toml, line {line}: {key}: ")),
                "{error}"
            );
        }
    }
}
