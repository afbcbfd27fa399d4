//! `[sign_in]`

use std::path::PathBuf;

use serde::Deserialize;

use super::Wrong;

/// Who may sign in, and for how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Names and password hashes (`slipway user add`).
    pub users_file: PathBuf,
    /// The key that signs the cookies; made at the first start.
    pub key_file: PathBuf,
    /// How long a sign-in lasts.
    #[serde(default = "lifetime_hours")]
    pub lifetime_hours: u32,
    /// Names that may never sign in or run a job.
    #[serde(default = "blocked")]
    pub blocked: Vec<String>,
}

fn lifetime_hours() -> u32 {
    24
}

fn blocked() -> Vec<String> {
    ["root", "slurm", "slurmrestd", "munge", "admin", "nobody", "daemon"]
        .map(str::to_owned)
        .to_vec()
}

impl SignIn {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        if !(1..=24 * 31).contains(&self.lifetime_hours) {
            return Err(("sign_in.lifetime_hours", "has to be from 1 to 744".into()));
        }
        Ok(())
    }
}
