//! Sentences in English: for clients that show text, and for support. The page has its own words.

use shared::server::{EndCause, EndView, Phase, StateView};

/// Where a server is in its life, or how it ended.
pub fn sentence(state: &StateView) -> String {
    match (state.phase, &state.end) {
        (Phase::Submitting, _) => "Sending the request to Slurm".into(),
        (Phase::Queued, _) => match &state.reason {
            Some(reason) => format!("Waiting in the queue: {reason}"),
            None => "Waiting in the queue".into(),
        },
        (Phase::Starting, _) => match &state.node {
            Some(node) => format!("Starting Jupyter on {node}"),
            None => "Starting Jupyter".into(),
        },
        (Phase::Ready, _) => "The server is ready".into(),
        (Phase::Stopping, _) => "The server is being stopped".into(),
        (Phase::Ended, Some(end)) => ended(end),
        (Phase::Ended, None) => "The server has ended".into(),
    }
}

/// How a server ended.
pub fn ended(end: &EndView) -> String {
    match &end.cause {
        EndCause::GaveUp { reason: Some(reason) } => format!("It did not start in time; Slurm's reason: {reason}"),
        EndCause::GaveUp { reason: None } => "It did not start in time".into(),
        EndCause::Refused { message, .. } => format!("Slurm refused the job: {message}"),
        EndCause::Cancelled => match &end.cancelled_by {
            Some(by) => format!("The job was cancelled by {by}"),
            None => "The job was cancelled".into(),
        },
        EndCause::Unreachable => "Slurm cannot be reached".into(),
        EndCause::Lost => "Slurm's answer was lost, and no job was found".into(),
        EndCause::JupyterMissing => "Jupyter is not installed where it should be".into(),
        EndCause::ModuleMissing => "A module that the site's set-up lines load is not there".into(),
        EndCause::HomeMissing => "The home is not on the node, or cannot be written to".into(),
        EndCause::HomeFull => "Nothing more can be written to the home".into(),
        EndCause::NoFolder => "The node has no room for temporary files".into(),
        EndCause::SocketPathTooLong => "The folder for the sockets of kernels has too long a path".into(),
        EndCause::SetupFailed => "The site's set-up lines failed".into(),
        EndCause::NoPort => "There was no free port on the node".into(),
        EndCause::PortNotTold => "The job could not tell its port through Slurm".into(),
        EndCause::JupyterFailed { exit_code } => format!("Jupyter ended with exit code {exit_code}"),
        EndCause::Finished => "Jupyter was shut down".into(),
        EndCause::TimeLimit => "The job's time is over".into(),
        EndCause::OutOfMemory => "The job used more memory than it had asked for".into(),
        EndCause::NodeFailed => "The node failed".into(),
        EndCause::Preempted => "The job had to make room for another".into(),
        EndCause::Other { slurm_state } => format!("The job ended: {slurm_state}"),
    }
}
