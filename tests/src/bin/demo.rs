//! `make demo` and `make dev`: a local cluster and a Slipway in front of it, until Ctrl-C.

#![expect(clippy::print_stdout, reason = "this program talks to the person who started it")]

use std::process::ExitCode;

use slipway_tests::{Account, Plan, Site};

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
    let _ = tokio::signal::ctrl_c().await;
    println!("\nStopping …");
    site.shut_down().await;
    ExitCode::SUCCESS
}
