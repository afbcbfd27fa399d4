//! `[defaults]`

use serde::Deserialize;
use shared::options::Interface;

use super::Wrong;

/// What the form proposes to somebody who has not chosen before.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Defaults {
    /// Minutes.
    pub time: u32,
    /// Cores.
    pub cores: u32,
    /// MiB.
    pub memory: u64,
    /// What opens.
    pub interface: Interface,
}

impl Default for Defaults {
    fn default() -> Self {
        Self {
            time: 60,
            cores: 1,
            memory: 2048,
            interface: Interface::Lab,
        }
    }
}

impl Defaults {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        if self.time == 0 {
            return Err(("defaults.time", "has to be at least 1 minute".into()));
        }
        if self.cores == 0 {
            return Err(("defaults.cores", "has to be at least 1".into()));
        }
        if self.memory == 0 {
            return Err(("defaults.memory", "has to be at least 1 MiB".into()));
        }
        Ok(())
    }
}
