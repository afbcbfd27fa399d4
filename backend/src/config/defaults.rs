//! `[defaults]`

use serde::Deserialize;
use shared::names::InterfaceName;

use super::{Wrong, amount};

/// What the form proposes to somebody who has not chosen before.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Minutes.
    #[serde(default = "time", deserialize_with = "minutes")]
    pub time: u32,
    /// Cores.
    #[serde(default = "cores")]
    pub cores: u32,
    /// MiB.
    #[serde(default = "memory", deserialize_with = "mib")]
    pub memory: u64,
    /// What opens; the first interface where nothing is said.
    pub interface: Option<InterfaceName>,
}

fn time() -> u32 {
    60
}

fn cores() -> u32 {
    1
}

fn memory() -> u64 {
    2048
}

fn minutes<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let minutes = amount::minutes(deserializer)?.unwrap_or(0);
    u32::try_from(minutes).map_err(serde::de::Error::custom)
}

fn mib<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(amount::mib(deserializer)?.unwrap_or(0))
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            time: time(),
            cores: cores(),
            memory: memory(),
            interface: None,
        }
    }
}

impl Defaults {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        if self.cores == 0 {
            return Err(("defaults.cores", "has to be at least 1".into()));
        }
        Ok(())
    }
}
