//! How many connections there is room for.

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
