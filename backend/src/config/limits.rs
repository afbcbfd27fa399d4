//! `[limits]`

use serde::Deserialize;

use super::Wrong;

/// Rate limits per person. They bound what one client can cost Slurm, the log and the other people.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Starts per person and minute that reach Slurm.
    pub starts_per_minute: u32,
    /// Requests per person and minute that change something, refused ones and starts included; sign-out is exempt.
    pub changes_per_minute: u32,
    /// Event streams and waiting requests per session at the same time.
    pub event_streams_per_session: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            starts_per_minute: 6,
            changes_per_minute: 60,
            event_streams_per_session: 12,
        }
    }
}

impl Limits {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        for (key, value) in [
            ("limits.starts_per_minute", self.starts_per_minute),
            ("limits.changes_per_minute", self.changes_per_minute),
            ("limits.event_streams_per_session", self.event_streams_per_session),
        ] {
            if value == 0 {
                let message = "has to be at least 1; for no limit in practice, give a large number".into();
                return Err((key, message));
            }
        }
        Ok(())
    }
}
