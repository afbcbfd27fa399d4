//! The command line.

use std::io::{IsTerminal, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};
use secrecy::SecretString;
use shared::names::UserName;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::auth::add_user;
use crate::cause::Cause;
use crate::check::check_live;
use crate::clock::Clock;
use crate::config::Config;
use crate::service_user::ServiceUser;
use crate::store::{EndReason, Store, StoreError};
use crate::{keys, permissions, serve, support};

/// Jupyter on a Slurm cluster, from a browser.
#[derive(Debug, Parser)]
#[command(version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM.
    Serve {
        /// The configuration.
        #[arg(long, default_value = "/etc/slipway/slipway.toml")]
        config: PathBuf,
    },
    /// Sign Slurm's tokens for `serve`, with a key that `serve` cannot read, until SIGTERM.
    Sign {
        /// The configuration.
        #[arg(long, default_value = "/etc/slipway/slipway.toml")]
        config: PathBuf,
    },
    /// Say what is wrong with a configuration.
    Check {
        /// The configuration.
        #[arg(default_value = "/etc/slipway/slipway.toml")]
        config: PathBuf,
        /// Then try every hop to Jupyter, with a job of one minute.
        #[arg(long, requires = "user")]
        live: bool,
        /// For whom that job is submitted.
        #[arg(long = "as", value_name = "USER", requires = "live")]
        user: Option<String>,
    },
    /// Say all that is known of a job or of a person's server, as support needs it: what the page's "Copy for
    /// support" copies.
    Explain {
        /// The number of a job, or the name of a person.
        #[arg(value_name = "JOB|USER")]
        what: String,
        /// The configuration.
        #[arg(long, default_value = "/etc/slipway/slipway.toml")]
        config: PathBuf,
    },
    /// End all sessions of a user, at every Slipway that has this configuration's `server.state`.
    SignOut {
        /// The name, as people type it.
        name: String,
        /// The configuration.
        #[arg(long, default_value = "/etc/slipway/slipway.toml")]
        config: PathBuf,
    },
    /// Accounts of the users file.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Secrets.
    Key {
        #[command(subcommand)]
        command: KeyCommand,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add an account, or give it a new password; the password is read from standard input.
    Add {
        /// The users file; made with mode 0600 if there is none.
        file: PathBuf,
        /// The name.
        name: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeyCommand {
    /// Make the key that signs Slurm's tokens, and the jwks.json with which Slurm checks them.
    New {
        #[command(subcommand)]
        kind: KeyKind,
    },
}

#[derive(Debug, Subcommand)]
enum KeyKind {
    /// A pair for Slurm: FOLDER/slurm.pem (private) and FOLDER/jwks.json (for Slurm), beside those of before.
    Slurm {
        /// Where to write them.
        folder: PathBuf,
    },
    /// Any other secret: 48 random bytes, mode 0600.
    Secret {
        /// The file to write.
        file: PathBuf,
    },
}

impl Cli {
    /// What is logged unless `SLIPWAY_LOG` says otherwise: whoever checks reads the check's own lines.
    pub fn log_filter(&self) -> &'static str {
        match self.command {
            Command::Check { .. } | Command::Explain { .. } | Command::SignOut { .. } => "error",
            _ => "info",
        }
    }

    /// The configuration of a command that works on the state of a running service, and so with its files.
    fn works_on_state_of(&self) -> Option<&Path> {
        match &self.command {
            Command::Check { config, .. } | Command::Explain { config, .. } | Command::SignOut { config, .. } => {
                Some(config)
            }
            Command::Serve { .. } | Command::Sign { .. } | Command::User { .. } | Command::Key { .. } => None,
        }
    }

    /// Where root runs such a command and the state belongs to another user, becomes that user. Called before there is
    /// a second thread.
    pub fn become_service_user(&self) -> Result<(), String> {
        // What is wrong with the configuration, the command itself says.
        let config = self.works_on_state_of().and_then(|path| Config::load(path).ok());
        let user = config.and_then(|config| ServiceUser::of_state(&config.server.state));
        let Some(user) = user.filter(ServiceUser::differs_from_root) else {
            return Ok(());
        };
        user.switch()?;
        writeln!(std::io::stderr(), "slipway: {}", user.describe()).map_err(|e| e.to_string())
    }

    /// Does what was asked for. An error is one sentence for the person at the keyboard.
    pub async fn run(self) -> Result<(), String> {
        match self.command {
            Command::Serve { config } => {
                let config = load(&config)?;
                permissions::check_files(&config)?;
                serve::serve(config).await
            }
            Command::Sign { config } => serve::sign(load(&config)?).await,
            Command::Check { config, live: _, user } => {
                let loaded = load(&config)?;
                permissions::check_files(&loaded)?;
                permissions::check_keys(&loaded)?;
                say(&format!("{}: good", config.display()))?;
                match user {
                    Some(user) => check_live(loaded, &user_name(&user)?).await,
                    None => Ok(()),
                }
            }
            Command::Explain { what, config } => {
                let config = load(&config)?;
                refuse_before_first_start(&config)?;
                let explain = async {
                    let app = App::build(config, CancellationToken::new()).await?;
                    support::explain(&app, &what).await
                };
                say(Box::pin(Cause::task("explain").during(explain)).await?.trim_end())
            }
            Command::SignOut { name, config } => sign_out(&load(&config)?, &name).await,
            Command::User {
                command: UserCommand::Add { file, name },
            } => {
                add_user(&file, &user_name(&name)?, &password()?)?;
                tell_owner(&file)
            }
            Command::Key {
                command: KeyCommand::New { kind },
            } => match kind {
                KeyKind::Slurm { folder } => {
                    let made = keys::create_slurm_key_pair(&folder).map_err(|e| e.to_string())?;
                    tell_owner(&made.private)?;
                    say(&format!(
                        "made {} (keep it here: slurm.key_file) and {} (give it to Slurm)\nslurm.key_id = \"{}\"",
                        made.private.display(),
                        made.public.display(),
                        made.key_id
                    ))
                }
                KeyKind::Secret { file } => {
                    keys::create_secret(&file).map_err(|e| e.to_string())?;
                    tell_owner(&file)
                }
            },
        }
    }
}

/// Works beside `slipway serve`, which reads the store each second.
async fn sign_out(config: &Config, typed: &str) -> Result<(), String> {
    let user = config.sign_in.name(typed).map_err(|e| format!("the name {e}"))?;
    let path = &config.server.state;
    let failed = |error: StoreError| {
        format!(
            "server.state: {}: {error}: nobody was signed out; run this on the machine of `slipway serve`, as its user or \
             as root, once it has been started",
            path.display()
        )
    };
    let store = Store::open_existing(path).await.map_err(failed)?;
    let now = Clock::system().now();
    let ended = store.end_sessions_of(&user, now, EndReason::Administrator, now).await;
    store.close().await;
    let sessions = match ended.map_err(failed)? {
        1 => "1 session".to_owned(),
        ended => format!("{ended} sessions"),
    };
    say(&format!(
        "{user}: {sessions} ended; every other one that began before now is refused too, within two seconds. The account \
         itself is unchanged, and a server goes on."
    ))
}

fn user_name(typed: &str) -> Result<UserName, String> {
    UserName::from_typed(typed).map_err(|e| format!("the name {e}"))
}

fn load(path: &Path) -> Result<Config, String> {
    permissions::check_trusted(path).map_err(|e| e.to_string())?;
    Config::load(path).map_err(|e| e.to_string())
}

/// `slipway explain` reads what `slipway serve` has made, and makes nothing in its place.
fn refuse_before_first_start(config: &Config) -> Result<(), String> {
    for path in [&config.server.state, &config.sign_in.key_file, &config.job.key_file] {
        if let Ok(false) = path.try_exists() {
            return Err(format!(
                "{} does not exist: `slipway serve` has not been started yet with this configuration",
                path.display()
            ));
        }
    }
    Ok(())
}

/// Tells root that a file which was just made belongs to root.
fn tell_owner(file: &Path) -> Result<(), String> {
    let is_roots = std::fs::metadata(file).is_ok_and(|file| file.uid() == 0);
    if !is_roots {
        return Ok(());
    }
    let file = file.display();
    let text = format!(
        "slipway: {file} belongs to root; where another user runs `slipway serve`, give it to that user: chown USER {file}"
    );
    writeln!(std::io::stderr(), "{text}").map_err(|e| e.to_string())
}

fn say(text: &str) -> Result<(), String> {
    writeln!(std::io::stdout(), "{text}").map_err(|e| e.to_string())
}

/// Typed twice at a terminal, which does not show it, or else the first line of standard input; never an argument, which
/// other users of the machine could read.
fn password() -> Result<SecretString, String> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        let ask = |prompt| rpassword::prompt_password(prompt).map_err(|e| format!("cannot read the password: {e}"));
        let (password, repeated) = (ask("Password: ")?, ask("Again: ")?);
        if password != repeated {
            return Err("the two passwords differ; nothing was changed".into());
        }
        return nonempty(&password);
    }
    let mut text = String::new();
    input.read_to_string(&mut text).map_err(|e| e.to_string())?;
    nonempty(&text)
}

fn nonempty(text: &str) -> Result<SecretString, String> {
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        Err("the password is empty".into())
    } else {
        Ok(SecretString::from(line))
    }
}
