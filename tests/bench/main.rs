//! `make bench`: what Slipway costs, beside the alternatives, in one run.
//!
//! Everything shares the machine's cores with the load, so rates are only recorded; CPU seconds, bytes and
//! memory are what counts. Each number is the median of interleaved rounds, with its spread.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement that cannot be made ends the run"
)]

mod hang;
mod jupyterhub;
mod login;
mod options;
mod proxy;
mod ready;
mod sign_in;
mod start;
mod table;
mod told;
mod waiting;

use std::process::Command;

use slipway_tests::{Plan, Site, repository};

use crate::jupyterhub::JupyterHub;
use crate::proxy::Nginx;

#[tokio::main]
async fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|wanted| wanted == name);
    let mut report = String::new();
    if wants("page") {
        report += &in_browser("page.mjs", &[]).await;
    }
    if wants("beside") {
        let hub = JupyterHub::start().await;
        let nginx = Nginx::compressing(&hub.url).await;
        report += &in_browser(
            "beside.mjs",
            &[("HUB", &hub.url), ("HUB_GZIP", &format!("{}/", nginx.url))],
        )
        .await;
        nginx.stop().await;
        hub.shut_down().await;
    }
    if wants("lighthouse") {
        report += &in_browser("lighthouse.mjs", &[]).await;
    }
    if wants("proxy") {
        report += &proxy::measure().await;
    }
    if wants("tunnels") {
        report += &proxy::measure_idle().await;
    }
    if wants("start") {
        report += &start::measure().await;
    }
    if wants("ready") {
        report += &ready::measure().await;
    }
    if wants("waiting") {
        report += &waiting::measure().await;
    }
    if wants("told") {
        report += &told::measure().await;
    }
    if wants("hang") {
        report += &hang::measure().await;
    }
    if wants("options") {
        report += &options::measure().await;
    }
    if wants("login") {
        report += &login::measure().await;
    }
    if wants("login-flood") {
        report += &login::measure_abandoned().await;
    }
    if wants("sign-in") {
        report += &sign_in::measure().await;
    }
    let folder = repository().join("target/bench");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("report.md"), &report).unwrap();
    println!("{report}");
}

/// What a script measures in a browser, told of Slipway and of these others.
async fn in_browser(script: &str, others: &[(&str, &str)]) -> String {
    let site = Site::start(Plan::default()).await;
    let output = Command::new("node")
        .arg(repository().join("tests/bench").join(script))
        .env("SITE", &site.url)
        .env("PASSWORD", site.password("ada"))
        .envs(others.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    site.shut_down().await;
    String::from_utf8(output.stdout).unwrap()
}
