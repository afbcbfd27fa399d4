//! `[slurm]` and `[identity]`

use std::path::{Path, PathBuf};

use serde::Deserialize;
use shared::names::UserName;

use super::{Signer, Wrong};

/// How to reach Slurm's REST API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slurm {
    /// Addresses of slurmrestd, tried in turn: `http://…`, `https://…`, `unix:///path`.
    pub urls: Vec<String>,
    /// The authority that signed slurmrestd's certificate, where the system does not know it.
    pub ca_file: Option<PathBuf>,
    /// The key that signs tokens: a PEM file (RS256) or Slurm's own secret (HS256). Either this or `signer`.
    pub key_file: Option<PathBuf>,
    /// The `kid` of the key in Slurm's jwks.json (RS256).
    pub key_id: Option<String>,
    /// Where `slipway sign` listens, which then alone has the key: `unix:///path`.
    pub signer: Option<String>,
    /// The account that asks what concerns nobody in particular; a Slurm Operator where `PrivateData` is set.
    pub service_user: UserName,
    /// How long a token lives.
    #[serde(default = "token_seconds")]
    pub token_seconds: u32,
}

fn token_seconds() -> u32 {
    120
}

impl Slurm {
    pub(super) fn check(&self, signer: Option<&Signer>) -> Result<(), Wrong> {
        let known = |url: &String| {
            ["http://", "https://", "unix:///"]
                .iter()
                .any(|scheme| url.starts_with(scheme))
        };
        if self.urls.is_empty() || !self.urls.iter().all(known) {
            let message = "needs one or more of http://host:port, https://host:port, unix:///path".into();
            return Err(("slurm.urls", message));
        }
        if !(10..=900).contains(&self.token_seconds) {
            return Err(("slurm.token_seconds", "has to be from 10 to 900".into()));
        }
        if self.service_user.is_numeric() {
            let message = "reads as a number, which Slurm could take for the uid of another user: give an account whose \
                           name has a letter";
            return Err(("slurm.service_user", message.into()));
        }
        self.check_key(signer)
    }

    fn check_key(&self, signer: Option<&Signer>) -> Result<(), Wrong> {
        let wrong = |key, message: &str| Err((key, message.to_owned()));
        match (&self.key_file, &self.signer) {
            (None, None) => wrong(
                "slurm.key_file",
                "is missing: give the key that signs tokens here, or signer, if `slipway sign` has the key",
            ),
            (Some(_), Some(_)) => wrong(
                "slurm.signer",
                "cannot be given beside key_file: with a signer the key is signer.key_file, and only `slipway sign` reads it",
            ),
            (None, Some(_)) if self.key_id.is_some() => {
                wrong("slurm.key_id", "belongs to the key: with a signer it is signer.key_id")
            }
            (None, Some(_)) if self.signer_socket().is_none() => wrong(
                "slurm.signer",
                "has to be unix:/// and the path of a socket, as in unix:///run/slipway/signer.sock",
            ),
            (Some(_), None) if signer.is_some() => wrong(
                "slurm.key_file",
                "is for a Slipway without a signer: with [signer] give slurm.signer, where it listens, instead",
            ),
            _ => Ok(()),
        }
    }

    /// The socket of `slipway sign`, if that has the key.
    pub fn signer_socket(&self) -> Option<&Path> {
        let path = Path::new(self.signer.as_ref()?.strip_prefix("unix://")?);
        path.is_absolute().then_some(path)
    }
}

/// Where homes are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// A person's home on the compute nodes; `{user}` is the name.
    pub home: String,
    /// The least number (uid) of a person: below are the system's own accounts. They cannot sign in where the source of
    /// accounts knows the uid, and no job of theirs begins.
    #[serde(default = "min_uid")]
    pub min_uid: u32,
    /// Whether people may have names that Slurm could read as a uid ([`UserName::is_numeric`]).
    #[serde(default)]
    pub numeric_names: bool,
}

fn min_uid() -> u32 {
    1000
}

impl Identity {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        if !self.home.starts_with('/') || !self.home.contains("{user}") {
            return Err((
                "identity.home",
                "has to be an absolute path with {user} in it, as in /home/{user}".into(),
            ));
        }
        Ok(())
    }

    /// A person's home.
    pub fn home_of(&self, user: &UserName) -> String {
        self.home.replace("{user}", user.as_str())
    }
}
