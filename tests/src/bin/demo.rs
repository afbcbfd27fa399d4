//! `make demo` and `make dev`: a local cluster and a Slipway in front of it, until it is told to stop.

#![expect(clippy::print_stdout, reason = "this program talks to the person who started it")]

use std::process::ExitCode;

use futures_util::future::select_all;
use slipway_tests::{Account, Plan, Site};
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> ExitCode {
    let development = std::env::args().any(|argument| argument == "--dev");
    let number = |name: &str, otherwise| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    let port = number("PORT", 8000);
    if std::net::TcpListener::bind(("127.0.0.1", port)).is_err() {
        println!("Port {port} is taken. Choose another: make demo PORT=8001");
        return ExitCode::FAILURE;
    }
    let plan = Plan {
        port,
        password: None,
        ..Plan::default()
    };
    let plan = if development {
        Plan {
            development_port: Some(number("TRUNK_PORT", 8080)),
            ..plan
        }
    } else {
        plan.with_real_jupyter()
    };
    let site = Site::start(plan).await;
    let address = if development {
        format!("http://127.0.0.1:{}/hub/", number("TRUNK_PORT", 8080))
    } else {
        site.url.clone()
    };
    println!("\nSlipway is ready: {address}\n");
    for account in Account::all() {
        println!(
            "  user {:<16} password {}   {}",
            account.name,
            site.password(account.name),
            account.shows
        );
    }
    println!(
        "\nIts log: {}\nCtrl-C stops everything.\n",
        site.path("slipway.log").display()
    );
    told_to_stop().await;
    println!("\nStopping …");
    site.shut_down().await;
    ExitCode::SUCCESS
}

/// Ctrl-C, a kill, or a terminal that was closed.
async fn told_to_stop() {
    let signals = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    let mut signals: Vec<_> = signals.into_iter().filter_map(|kind| signal(kind).ok()).collect();
    select_all(signals.iter_mut().map(|signal| Box::pin(signal.recv()))).await;
}
