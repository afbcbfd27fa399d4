//! What the tests, the benchmark and `make demo` have in common: a cluster, a Slipway in front of it, and
//! people who use it.

#![expect(
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test that cannot be set up fails"
)]

pub mod flood;
pub mod front;
pub mod jobs;
pub mod kernel;
pub mod machine;
pub mod person;
pub mod plan;
pub mod real_slurm;
pub mod site;
pub mod tls;
pub mod wait;

pub use jobs::sleeping_job;
pub use kernel::Kernel;
pub use machine::{Machine, SERVICE_USER, SHADOW};
pub use person::{Person, Reply};
pub use plan::{Account, Plan};
pub use real_slurm::{RealSlurm, Variant};
pub use site::Site;
pub use wait::until;

/// The folder of the repository.
pub fn repository() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ is in the repository")
        .to_owned()
}

/// A program of this workspace, built beside the one that runs.
pub fn program(name: &str) -> std::path::PathBuf {
    let mut folder = std::env::current_exe().expect("this program has a path");
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let path = folder.join(name);
    assert!(
        path.exists(),
        "{} is not built: run `make build` (or `cargo build --workspace --bins`)",
        path.display()
    );
    path
}
