//! How many connections there is room for, and what is said seldom.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that are no connections: the store, the page, those to Slurm.
const OTHER_FILES: u64 = 100;
/// A connection of a browser's, and the one to a Jupyter server that it leads to.
const FILES_EACH: u64 = 2;

/// How many connections can be open at once: as many as wanted, unless the system lets this process have fewer
/// open files. What it may allow itself is asked for first: systemd and most shells start programs with 1024.
pub(super) fn places(wanted: usize) -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        if let Err(error) = setrlimit(Resource::Nofile, limit) {
            tracing::debug!(%error, "the limit of open files stays as it is");
        }
    }
    let Some(files) = getrlimit(Resource::Nofile).current else {
        return wanted;
    };
    let possible = usize::try_from(files.saturating_sub(OTHER_FILES) / FILES_EACH).unwrap_or(usize::MAX);
    if possible >= wanted {
        return wanted;
    }
    tracing::warn!(
        files,
        wanted,
        possible,
        "the limit of open files allows fewer connections than server.max_connections: raise it (LimitNOFILE, ulimit -n)"
    );
    possible.max(1)
}

/// Something that may be the case thousands of times and is said once a minute.
#[derive(Debug, Default)]
pub(super) struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    const EVERY: Duration = Duration::from_mins(1);

    /// Whether it is to be said now.
    pub(super) fn is_due(&self) -> bool {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = said.is_none_or(|said| said.elapsed() >= Self::EVERY);
        if due {
            *said = Some(Instant::now());
        }
        due
    }
}
