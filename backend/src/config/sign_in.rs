//! `[sign_in]`

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};
use shared::names::{NameError, UserName};

use super::Wrong;

/// Who may sign in, and for how long.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignIn {
    /// Names and password hashes (`slipway user add`); or else `pam_service`.
    pub users_file: Option<PathBuf>,
    /// The PAM service that finds out who somebody is: a file of `/etc/pam.d`.
    pub pam_service: Option<String>,
    /// The key that signs the cookies; made at the first start.
    pub key_file: PathBuf,
    /// Former keys, believed until the last sign-in that they signed has ended.
    #[serde(default)]
    pub previous_key_files: Vec<PathBuf>,
    /// How long a sign-in lasts at most.
    #[serde(default = "lifetime_hours")]
    pub lifetime_hours: u32,
    /// How long it lasts without a request.
    #[serde(default = "idle_hours")]
    pub idle_hours: u32,
    /// How often the account of everybody who has a session is looked up again, in seconds.
    #[serde(default = "recheck_seconds")]
    pub recheck_seconds: u64,
    /// Domains that people may write behind their names: `ada@example.org` is `ada`.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Whether logging out proposes to stop the server as well.
    #[serde(default)]
    pub stop_at_logout: bool,
    /// Names that may never sign in or run a job; root is always one of them.
    #[serde(default = "blocked", deserialize_with = "and_root")]
    pub blocked: BTreeSet<UserName>,
}

fn lifetime_hours() -> u32 {
    24
}

fn idle_hours() -> u32 {
    8
}

fn recheck_seconds() -> u64 {
    240
}

fn blocked() -> BTreeSet<UserName> {
    let names = ["root", "slurm", "slurmrestd", "munge", "admin", "nobody", "daemon"];
    names.into_iter().filter_map(|name| UserName::new(name).ok()).collect()
}

fn and_root<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeSet<UserName>, D::Error> {
    let mut names = BTreeSet::deserialize(deserializer)?;
    names.extend(UserName::new("root").ok());
    Ok(names)
}

impl SignIn {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        if !(1..=24 * 31).contains(&self.lifetime_hours) {
            return Err(("sign_in.lifetime_hours", "has to be from 1 to 744".into()));
        }
        if !(1..=self.lifetime_hours).contains(&self.idle_hours) {
            let message = "has to be from 1 to lifetime_hours".into();
            return Err(("sign_in.idle_hours", message));
        }
        // With a second look after an eighth of it, a closed account loses its sessions within five minutes.
        if !(1..=240).contains(&self.recheck_seconds) {
            return Err(("sign_in.recheck_seconds", "has to be from 1 to 240".into()));
        }
        match (&self.users_file, &self.pam_service) {
            (None, None) => {
                let message = "is missing; or else sign_in.pam_service, to ask PAM".into();
                Err(("sign_in.users_file", message))
            }
            (Some(_), Some(_)) => {
                let message = "cannot stand beside sign_in.users_file: one of them says who somebody is".into();
                Err(("sign_in.pam_service", message))
            }
            (None, Some(service)) => check_service(service),
            (Some(_), None) => Ok(()),
        }
    }

    /// The name for what a person typed: in lower case, without space around it and without the site's own domain.
    pub fn name(&self, typed: &str) -> Result<UserName, NameError> {
        let typed = typed.trim();
        let bare = typed.rsplit_once('@').filter(|(_, domain)| {
            let ours = self.domains.iter();
            ours.clone().any(|ours| ours.eq_ignore_ascii_case(domain))
        });
        UserName::from_typed(bare.map_or(typed, |(name, _)| name))
    }
}

fn check_service(service: &str) -> Result<(), Wrong> {
    let wrong = |message: &str| Err(("sign_in.pam_service", message.to_owned()));
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    if service.is_empty() || !service.chars().all(plain) {
        return wrong("has to be the name of a file of /etc/pam.d, as in slipway");
    }
    if !cfg!(feature = "pam") {
        return wrong("this Slipway was built without PAM: build it with `--features pam`");
    }
    // For a service without a file, PAM would take the rules of `other`.
    let folders = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/share/pam.d"].map(Path::new);
    if !folders.iter().any(|folder| folder.join(service).exists()) {
        return wrong("there is no such file in /etc/pam.d");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pam_service_is_a_file_that_is_there() {
        for wrong in ["", "../shadow", "a b", "no-such-service"] {
            assert_eq!(check_service(wrong).unwrap_err().0, "sign_in.pam_service", "{wrong:?}");
        }
        let (_, message) = check_service("no-such-service").unwrap_err();
        let right = if cfg!(feature = "pam") {
            "/etc/pam.d"
        } else {
            "--features pam"
        };
        assert!(message.contains(right), "{message}");
    }

    #[test]
    fn a_person_has_one_name_however_it_is_typed() {
        let mut sign_in = crate::config::Config::example().sign_in;
        sign_in.domains = vec!["Example.org".into()];
        for typed in ["ada", " Ada ", "ADA@example.ORG", "ada@example.org "] {
            assert_eq!(sign_in.name(typed).unwrap().as_str(), "ada", "{typed:?}");
        }
        for other in [
            "ada@example.com",
            "ada@",
            "@example.org",
            "a@b@example.org",
            "ada@example.org@evil.org",
        ] {
            assert!(sign_in.name(other).is_err(), "{other:?}");
        }
    }
}
