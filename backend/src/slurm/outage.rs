//! Whether Slurm answers: slurmctld and slurmdbd apart, as one can be away without the other.

use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::Notify;

use super::SlurmError;

/// The two halves of slurmrestd's API, and the daemons behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Area {
    /// slurmctld.
    Controller,
    /// slurmdbd.
    Database,
}

impl Area {
    /// The first part of its paths.
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Controller => "slurm",
            Self::Database => "slurmdb",
        }
    }
}

/// When each half stopped answering; 0 while it answers.
#[derive(Debug, Default)]
pub(super) struct Outages {
    controller: AtomicI64,
    database: AtomicI64,
    /// Wakes whoever finds out when Slurm is back.
    pub(super) began: Notify,
}

impl Outages {
    fn of(&self, area: Area) -> &AtomicI64 {
        match area {
            Area::Controller => &self.controller,
            Area::Database => &self.database,
        }
    }

    /// Since when this half has not answered; nothing while it does.
    pub(super) fn since(&self, area: Area) -> Option<i64> {
        Some(self.of(area).load(Ordering::Relaxed)).filter(|since| *since > 0)
    }

    /// While a half is away nobody waits for it but the poller, which finds out when it is back.
    pub(super) fn refuse(&self, area: Area, now: i64) -> Result<(), SlurmError> {
        match self.since(area) {
            None => Ok(()),
            Some(since) => Err(SlurmError::Unreachable {
                cause: format!("no answer for {} s", now - since),
                sent: false,
            }),
        }
    }

    /// Takes in an answer, or that there was none. An answer that we cannot use is an answer.
    pub(super) fn note<T>(&self, area: Area, result: &Result<T, SlurmError>, now: i64) {
        let since = self.of(area);
        match result {
            Err(SlurmError::Unreachable { cause, .. }) => {
                if since
                    .compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed)
                    .is_ok()
                {
                    tracing::warn!(?area, cause, "Slurm stopped answering");
                    self.began.notify_one();
                }
            }
            // Slurm was not asked.
            Err(SlurmError::NotSigned(_) | SlurmError::SignerAway(_)) => {}
            _ => {
                let since = since.swap(0, Ordering::Relaxed);
                if since > 0 {
                    tracing::info!(?area, silent_s = now - since, "Slurm answers again");
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_half_can_be_away_without_the_other() {
        let (outages, away) = (
            Outages::default(),
            Err::<(), _>(SlurmError::Unreachable {
                cause: "refused".into(),
                sent: false,
            }),
        );
        outages.note(Area::Database, &away, 100);
        outages.note(Area::Database, &away, 105);
        assert_eq!(
            (outages.since(Area::Database), outages.since(Area::Controller)),
            (Some(100), None)
        );
        assert!(
            outages
                .refuse(Area::Database, 110)
                .is_err_and(|error| error.is_outage())
        );
        assert_eq!(outages.refuse(Area::Controller, 110), Ok(()));
        outages.note(Area::Database, &Err::<(), _>(SlurmError::NotSigned("root".into())), 115);
        assert_eq!(outages.since(Area::Database), Some(100), "nobody was asked");
        outages.note(Area::Database, &Err::<(), _>(SlurmError::NotFound), 120);
        assert_eq!(outages.since(Area::Database), None, "a no is an answer");
    }
}
