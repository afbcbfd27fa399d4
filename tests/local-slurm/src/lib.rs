//! A slurmrestd for one machine: API v0.0.42 as Slurm 24.11 answers it, with jobs that are real local processes.
//!
//! It is the cluster behind `make demo` and most tests. A test starts one on a free port:
//!
//! ```no_run
//! # async fn example() -> std::io::Result<()> {
//! use local_slurm::{AccountConfig, Cluster, ClusterConfig, UserConfig};
//!
//! let account = AccountConfig { name: "def-ada".into(), default: true, ..AccountConfig::default() };
//! let ada = UserConfig { name: "ada".into(), uid: 2001, accounts: vec![account], ..UserConfig::default() };
//! let cluster = Cluster::start(ClusterConfig {
//!     key: Some("slurm.key".into()),
//!     users: vec![ada],
//!     minute_seconds: 0.5,
//!     ..ClusterConfig::default()
//! })
//! .await?;
//! println!("slurmrestd is at {}", cluster.url());
//! cluster.stop_answering();
//! cluster.resume();
//! cluster.shutdown().await; // Or drop it. Either way every job ends.
//! # Ok(())
//! # }
//! ```
//!
//! What real Slurm does and this does not: see `tests/local-slurm/README.md`.

mod answers;
mod auth;
mod clock;
mod cluster;
mod config;
mod error;
mod http;
mod job;
mod process;
mod resources;
mod runner;
mod schedule;
mod scontrol;
mod submission;

pub use clock::set_clock_ahead;
pub use cluster::{Cluster, Fault, JobView};
pub use config::{
    AccountConfig, Behaviour, ClusterConfig, GpuConfig, NodeConfig, PartitionConfig, QosConfig, ReservationConfig,
    UserConfig,
};
pub use job::JobState;
pub use scontrol::scontrol_main;
