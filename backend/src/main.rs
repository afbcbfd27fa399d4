//! `slipway`: arguments, telemetry, and off.

use std::io::Write;
use std::process::ExitCode;

use backend::auth::SESSION_AUDIT;
use backend::cli::Cli;
use backend::log;
use backend::slurm::AUDIT;
use clap::Parser;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let wanted = std::env::var("SLIPWAY_LOG").unwrap_or_else(|_| cli.log_filter().to_owned());
    log::init(&wanted, cli.log_filter(), &[AUDIT, SESSION_AUDIT]);
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "slipway: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: Cli) -> Result<(), String> {
    cli.become_service_user()?; // Before the runtime has threads.
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime
        .map_err(|e| format!("cannot start the runtime: {e}"))?
        .block_on(cli.run())
}
