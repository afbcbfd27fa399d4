//! Slurm's client, and the whole of Slipway, on a local cluster and on real Slurm: what passes on one and
//! fails on the other is a defect of the local one.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that finds nothing fails, and says how far it came"
)]

/// Each of these as a test on either release of real Slurm, which it is given by name.
macro_rules! on_each_release {
    ($($name:ident),+ $(,)?) => {
        mod real_slurm_24_11 {
            $(#[tokio::test] async fn $name() { super::$name("24.11").await; })+
        }
        mod real_slurm_26_05 {
            $(#[tokio::test] async fn $name() { super::$name("26.05").await; })+
        }
    };
}

mod chaos;
mod client;
mod connection;
mod debugger;
mod neighbours;
mod numeric_names;
mod offer;
mod outages;
mod recorded;
mod releases;
mod servers;
mod shared_node;
mod variants;
mod why;
