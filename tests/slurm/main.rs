//! Slurm's client, and the whole of Slipway, on a local cluster and on real Slurm: what passes on one and
//! fails on the other is a defect of the local one.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

mod client;
mod connection;
mod recorded;
mod servers;
