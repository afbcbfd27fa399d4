//! `local-slurm --config cluster.toml`, and, under the name `scontrol`, the command that jobs call.

use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use local_slurm::{Cluster, ClusterConfig, scontrol_main};
use tokio::signal::unix::{SignalKind, signal};

/// A slurmrestd for one machine, with real processes as jobs. Prints its address; all jobs end with it.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The cluster and its people, as TOML (or JSON, for a name that ends in .json).
    #[arg(long)]
    config: PathBuf,
    /// Where to listen, instead of what the configuration says; port 0 for any.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// A Unix socket to listen on as well.
    #[arg(long)]
    socket: Option<PathBuf>,
    /// End when standard input ends, so that no cluster outlives the program that started it.
    #[arg(long)]
    until_eof: bool,
}

fn main() -> ExitCode {
    let mut arguments = std::env::args();
    let name = arguments.next().unwrap_or_default();
    if Path::new(&name).file_name().is_some_and(|name| name == "scontrol") {
        return scontrol_main(arguments);
    }
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn run(arguments: Arguments) -> Result<(), Box<dyn Error>> {
    let mut config = read(&arguments.config)?;
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.socket = arguments.socket.or(config.socket);
    if config.scontrol.is_none() {
        config.scontrol = Some(std::env::current_exe()?);
    }
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let cluster = Cluster::start(config).await?;
    announce(&cluster);
    let end_of_input = end_of_input(arguments.until_eof);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        () = end_of_input => tracing::info!("end of standard input"),
    }
    cluster.shutdown().await;
    Ok(())
}

/// The end of standard input, if that is to be waited for. Read by a thread that nobody waits for.
async fn end_of_input(wanted: bool) {
    if !wanted {
        return std::future::pending().await;
    }
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    std::thread::spawn(move || {
        let read = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        drop((read, end));
    });
    let _ = ended.await; // The other half is only ever dropped.
}

#[expect(clippy::print_stdout, reason = "the program that started this one reads the address")]
fn announce(cluster: &Cluster) {
    println!("{}", cluster.url());
}

fn read(path: &Path) -> Result<ClusterConfig, Box<dyn Error>> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if path.extension().is_some_and(|extension| extension == "json") {
        return Ok(serde_json::from_str(&text)?);
    }
    Ok(toml::from_str(&text)?)
}
