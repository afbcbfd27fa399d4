//! What went wrong and what to do about it, in the words of whoever runs the cluster.

use std::io;
use std::net::SocketAddr;

use shared::names::UserName;
use shared::server::{EndCause, EndView};

use crate::config;
use crate::slurm::SlurmError;

/// Of slurmrestd and slurmctld.
pub(super) fn slurm(error: &SlurmError, config: &config::Slurm) -> String {
    match error {
        SlurmError::Unreachable { cause, .. } => format!(
            "Slurm does not answer at {} ({cause}): is slurmrestd running there (systemctl status slurmrestd), does a \
             firewall lie between, and does slurmctld answer (scontrol ping)?",
            config.urls.join(", ")
        ),
        SlurmError::SignerAway(cause) => format!(
            "nobody signs for us at {} ({cause}): does `slipway sign` run there, is signer.allow_uid the number of this \
             user (id -u), and may this user write to the socket and enter its folder?",
            config.signer.as_deref().unwrap_or_default()
        ),
        SlurmError::NotSigned(why) => format!("no token is signed: {why}"),
        SlurmError::TokenRefused(words) => format!(
            "Slurm refused our token ({words}): is {key} the key of AuthAltParameters (jwt_key or jwks), \
             {id} its kid, AuthAltTypes=auth/jwt set, and are the clocks together?",
            key = key_of(config, "key_file"),
            id = key_of(config, "key_id")
        ),
        SlurmError::Refused { message, code } => format!("Slurm says: {message} ({code})"),
        SlurmError::NotFound => "Slurm does not know what was asked for".to_owned(),
        SlurmError::NotUnderstood(cause) => {
            format!("no answer of slurmrestd's ({cause}): does slurm.urls lead to slurmrestd itself?")
        }
        SlurmError::Version(known) => format!(
            "slurmrestd offers none of {known}, which Slurm 24.11 to 26.05 have: slurmrestd -d list shows what it offers"
        ),
    }
}

/// Where the key is configured.
fn key_of(config: &config::Slurm, key: &str) -> String {
    let section = if config.signer.is_some() { "signer" } else { "slurm" };
    format!("{section}.{key}")
}

/// Of the accounting database behind slurmrestd.
pub(super) fn database(error: &SlurmError, config: &config::Slurm) -> String {
    match error {
        SlurmError::Unreachable { cause, .. } => format!(
            "the accounting database does not answer ({cause}): is slurmdbd running (sacctmgr ping), and does slurm.conf \
             on slurmrestd's machine name it (AccountingStorageHost)?"
        ),
        SlurmError::TokenRefused(_) => format!(
            "{}; slurmdbd.conf needs the same AuthAltTypes and AuthAltParameters",
            slurm(error, config)
        ),
        _ => slurm(error, config),
    }
}

/// Of somebody who cannot charge any compute account.
pub(super) fn no_association(user: &UserName) -> String {
    format!("{user} has no association, so no job can be charged: sacctmgr add user {user} account=ACCOUNT")
}

/// Of a job that Slurm did not take.
pub(super) fn refused(message: &str, code: i64, config: &config::Job, account: &str) -> String {
    format!(
        "Slurm refused the job: {message} ({code}); it asked for one core and one minute in {}, charged to {account}: \
         do the limits of partition, QoS and association allow that, and does a job submit plugin?",
        partition(config)
    )
}

/// Of a node whose address is outside of `job.networks`.
pub(super) fn outside(node: &str, addresses: &str, config: &config::Job) -> String {
    let networks: Vec<_> = config.networks.iter().map(ToString::to_string).collect();
    format!(
        "Slurm says that {node} is at {addresses}, outside of job.networks ({}): add its network there, or correct \
         NodeAddr in slurm.conf",
        networks.join(", ")
    )
}

/// Of a job that ended before it did what was awaited of it.
pub(super) fn end(id: Option<u64>, end: &EndView, awaited: &str, config: &config::Config) -> String {
    let job = &config.job;
    let log = end.log.as_deref().unwrap_or(&job.output);
    let look = format!("its output is in {log}");
    let text = match &end.cause {
        EndCause::GaveUp { reason } => format!(
            "it waited {} s and was cancelled; Slurm's reason: {}. Has {} a free node, and does \
             job.start_timeout_seconds fit this cluster?",
            job.start_timeout_seconds,
            reason.as_deref().unwrap_or("none given"),
            partition(job)
        ),
        EndCause::Cancelled => "somebody cancelled it".to_owned(),
        EndCause::Refused { message, code } => format!("Slurm refused it: {message} ({code})"),
        EndCause::Unreachable | EndCause::Lost => {
            "Slurm did not answer its submission, and does not know it: see the logs of slurmrestd and slurmctld".into()
        }
        EndCause::JupyterMissing => format!(
            "there is no command {} on the node: correct job.jupyter, or job.setup so that it is found; {look}",
            job.jupyter
        ),
        EndCause::ModuleMissing => format!("a module that the lines of job.setup load is not there; {look}"),
        EndCause::HomeMissing => format!(
            "the person's home is not on the node, or is not theirs to write to: does identity.home ({}) lead there? {look}",
            config.identity.home
        ),
        EndCause::HomeFull => format!("nothing more can be written to the person's home; {look}"),
        EndCause::NoFolder => format!(
            "nothing can be written to the temporary folder of the node, or to job.runtime_dir ({}); {look}",
            job.runtime_dir
        ),
        EndCause::SocketPathTooLong => format!(
            "paths of Unix sockets in job.runtime_dir ({}) would be longer than 107 bytes: name a folder with a shorter \
             path, such as /tmp",
            job.runtime_dir
        ),
        EndCause::SetupFailed => format!("the lines of job.setup ended with an error; {look}"),
        EndCause::NoPort => format!("no port was free on its node: widen job.ports {:?}", job.ports),
        EndCause::PortNotTold => format!(
            "it could not tell its port: scontrol update JobId=… Comment=… fails in a job. Is scontrol in the PATH of \
             job.environment, and can nodes talk to slurmctld? {look}"
        ),
        EndCause::JupyterFailed { exit_code } => format!(
            "its script ended with {exit_code}; {look}. Without such a file: does identity.home lead to the person's \
             home on the nodes?"
        ),
        EndCause::Finished => format!("it ended by itself: is job.jupyter ({}) Jupyter? {look}", job.jupyter),
        EndCause::TimeLimit => format!("its minute was over {awaited}: is job.setup or the start slow? {look}"),
        EndCause::OutOfMemory => format!(
            "it used more than {} MiB: raise defaults.memory",
            config.defaults.memory
        ),
        EndCause::NodeFailed => "its node failed: sinfo --list-reasons, and slurmd's log there".to_owned(),
        EndCause::Preempted => format!("it had to make room for another job in {}", partition(job)),
        EndCause::Other { slurm_state } => format!("Slurm calls it {slurm_state}; {look}"),
    };
    match id {
        Some(id) => format!("job {id}: {text}"),
        None => text,
    }
}

/// Of a server that could not be connected to from here for as long as its job ran.
pub(super) fn connection(error: &io::Error, address: SocketAddr, config: &config::Job) -> String {
    let [first, last] = config.ports;
    format!(
        "no connection from here to {address} ({error}) while the job ran: does Jupyter listen there (job.bind), does \
         a firewall let ports {first} to {last} (job.ports) through to the nodes, and is the network in job.networks \
         the one by which this machine reaches them?"
    )
}

fn partition(config: &config::Job) -> &str {
    config.partition.as_deref().unwrap_or("Slurm's default partition")
}
