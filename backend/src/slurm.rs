//! Everything that knows slurmrestd: its addresses, versions, tokens, requests and answers.
//!
//! Outside this folder there are people, jobs, nodes and [`SlurmError`]; no JSON of Slurm's.

mod client;
mod error;
mod job;
mod outage;
mod resources;
mod token;
mod version;
mod wire;

pub use client::{AsPerson, AsService, Client};
pub use error::SlurmError;
pub use job::{HELD_BY_USER, Job, JobDescription, JobState, NO_OUTPUT};
pub use resources::{Association, JobLimits, Node, Partition, Qos, Reservation};
pub(crate) use token::audit_owner;
pub use token::{AUDIT, Limits, Signer, Tokens, answer_line, decode_reply, sign_for_others};
pub use version::ApiVersion;
pub use wire::decode_exchange;
