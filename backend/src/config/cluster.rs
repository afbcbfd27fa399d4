//! `[accounts]`, `[[route]]` and `[gpu.NAME]`: what Slurm does not say of itself.

use serde::Deserialize;
use shared::api::Bilingual;
use shared::names::SlurmName;

use super::{Wrong, amount};

/// Which of Slurm's accounts are one for people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Accounts {
    /// What names of accounts for jobs without GPUs end in.
    pub cpu_suffix: Option<String>,
    /// What names of accounts for jobs with GPUs end in.
    pub gpu_suffix: Option<String>,
}

impl Accounts {
    /// The name that people choose, and whether the account is for jobs with GPUs, if it is for one kind only.
    pub fn split<'a>(&self, account: &'a str) -> (&'a str, Option<bool>) {
        let of = |suffix: &Option<String>| {
            let name = account.strip_suffix(suffix.as_deref()?)?;
            (!name.is_empty()).then_some(name)
        };
        match (of(&self.cpu_suffix), of(&self.gpu_suffix)) {
            (Some(name), _) => (name, Some(false)),
            (None, Some(name)) => (name, Some(true)),
            (None, None) => (account, None),
        }
    }

    pub(super) fn check(&self) -> Result<(), Wrong> {
        let (cpu, gpu) = (&self.cpu_suffix, &self.gpu_suffix);
        if cpu.is_some() != gpu.is_some() {
            let message = "needs both cpu_suffix and gpu_suffix, as in \"_cpu\" and \"_gpu\"";
            return Err(("accounts.cpu_suffix", message.into()));
        }
        if cpu.as_deref() == Some("") || gpu.as_deref() == Some("") || (cpu.is_some() && cpu == gpu) {
            return Err((
                "accounts.gpu_suffix",
                "the two suffixes have to be different, and not empty".into(),
            ));
        }
        Ok(())
    }
}

/// Partitions that a job without one may reach.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Only jobs with GPUs, or only jobs without.
    pub gpu: Option<bool>,
    /// Only jobs of at most so many minutes.
    #[serde(default, deserialize_with = "amount::minutes")]
    pub time_max: Option<u64>,
    /// The partitions.
    pub partitions: Vec<SlurmName>,
    /// Slipway names those that fit to Slurm. Else the site's own plugin chooses, and Slipway only knows.
    #[serde(default)]
    pub named: bool,
}

/// What a site says of a type of GPU.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gpu {
    /// Its name for people.
    pub label: Option<Bilingual>,
    /// The memory of one, in MiB.
    #[serde(deserialize_with = "amount::mib")]
    pub memory: Option<u64>,
    /// Which part of a whole GPU it is, in hundredths.
    pub percent: Option<u32>,
    /// The most of them in one request.
    pub max: Option<u32>,
    /// The cores that are proposed with one.
    pub cores: Option<u64>,
    /// The memory of the job that is proposed with one, in MiB.
    #[serde(deserialize_with = "amount::mib")]
    pub job_memory: Option<u64>,
}

/// Which of a person's other jobs may keep a new one waiting.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Interactive {
    /// Jobs that were made by these commands …
    pub commands: Vec<String>,
    /// … or wait or run in these partitions; `*` stands for anything.
    pub partitions: Vec<String>,
}

impl Default for Interactive {
    fn default() -> Self {
        Self {
            commands: vec!["salloc".into(), "srun".into()],
            partitions: Vec::new(),
        }
    }
}

impl Interactive {
    /// Whether a job of this command, in this partition or waiting for one of several, is one.
    pub fn includes(&self, command: &str, partitions: &str) -> bool {
        let here = |pattern: &String| partitions.split(',').any(|partition| matches(pattern, partition));
        self.commands.iter().any(|known| known == command) || self.partitions.iter().any(here)
    }
}

/// Whether a name is what a pattern with `*` stands for.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => {
            let after = name.strip_prefix(start);
            after
                .is_some_and(|after| (0..=after.len()).any(|n| after.is_char_boundary(n) && matches(rest, &after[n..])))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, name, yes) in [
            ("*interac*", "cpubase_interac", true),
            ("*interac*", "gpubase_interactive_b1", true),
            ("*interac*", "cpubase_bynode", false),
            ("cpu*", "cpubase", true),
            ("cpu*", "gpu", false),
            ("debug", "debug", true),
            ("debug", "debug2", false),
            ("*", "", true),
        ] {
            assert_eq!(matches(pattern, name), yes, "{pattern} {name}");
        }
    }

    #[test]
    fn suffixes_say_what_an_account_is_for() {
        let accounts = Accounts {
            cpu_suffix: Some("_cpu".into()),
            gpu_suffix: Some("_gpu".into()),
        };
        assert_eq!(accounts.split("rrg-x_cpu"), ("rrg-x", Some(false)));
        assert_eq!(accounts.split("rrg-x_gpu"), ("rrg-x", Some(true)));
        assert_eq!(accounts.split("rpp-x"), ("rpp-x", None));
        assert_eq!(accounts.split("_cpu"), ("_cpu", None));
        assert_eq!(Accounts::default().split("rrg-x_cpu"), ("rrg-x_cpu", None));
    }
}
