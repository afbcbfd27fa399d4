//! local-slurm from outside: real HTTP on a free port, real processes.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod binary;
mod common;
mod faults;
mod jobs;
mod queue;
mod recorded;
mod tokens;
