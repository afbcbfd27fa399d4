//! `slipway`: arguments, telemetry, and off.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use backend::auth::SESSION_AUDIT;
use backend::cli::Cli;
use backend::slurm::AUDIT;
use clap::Parser;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    let wanted = std::env::var("SLIPWAY_LOG").unwrap_or_else(|_| cli.log_filter().to_owned());
    let audited = |filter: &str| format!("{filter},{AUDIT}=info,{SESSION_AUDIT}=info");
    let filter = EnvFilter::try_new(audited(&wanted)).unwrap_or_else(|_| EnvFilter::new(audited(cli.log_filter())));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // They would go to the same place, by way of a panic: a log that nobody reads any more must end nothing.
        .log_internal_errors(false)
        .init();
    match cli.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "slipway: {message}");
            ExitCode::FAILURE
        }
    }
}
