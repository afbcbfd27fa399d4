//! From options to a running server: one Slurm job for each person, watched until Jupyter answers.
//!
//! Slurm is the database. What is kept here is a cache of what Slurm said, and the way to the node.

mod batch;
mod comment;
mod keys;
mod life;
mod poller;
mod probe;
mod server;

pub use keys::{JobKeys, ServerIdentity};
pub use life::{Known, Policy, Submission, derive};
pub use server::{Server, SpawnError, Spawner, Started};
