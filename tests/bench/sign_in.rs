//! What somebody costs who guesses passwords, with made-up names and from several addresses.

use std::time::Instant;

use slipway_tests::flood::flood;
use slipway_tests::{Plan, Site};

use crate::table::markdown;

/// Unless `SLIPWAY_FAILURES` says another number.
const FAILURES: u64 = 1_000_000;
const NAMES: u64 = 100_000;
const ADDRESSES: u8 = 8;

pub(crate) async fn measure() -> String {
    let failures = std::env::var("SLIPWAY_FAILURES").map_or(FAILURES, |number| number.parse().unwrap());
    let plan = Plan {
        log: "info",
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    site.sign_in("ada").await;
    let started = Instant::now();
    let flood = flood(&site, failures, NAMES, ADDRESSES).await;
    let seconds = started.elapsed().as_secs();
    site.shut_down().await;
    let megabytes = |kib: u64| format!("{}.{}", kib / 1024, kib % 1024 * 10 / 1024);
    let [before, after] = flood.memory;
    let header = [
        "failures",
        "made-up names",
        "addresses",
        "passwords checked",
        "seconds",
        "memory before (PSS, MiB)",
        "after",
        "log, kB",
    ];
    let row = [
        failures.to_string(),
        NAMES.to_string(),
        ADDRESSES.to_string(),
        flood.checked.to_string(),
        seconds.to_string(),
        megabytes(before),
        megabytes(after),
        (flood.logged / 1000).to_string(),
    ];
    markdown("Guessing passwords", &header, &[row.into()])
}
