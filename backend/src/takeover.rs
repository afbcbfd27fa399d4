//! A new Slipway in the place of this one while people work, for a new version or another configuration (SIGUSR2).
//!
//! The new one gets the listening socket as its standard input, so that there is no moment in which nobody listens, and
//! says on its standard output when it serves. Only then does this one take no more connections; it ends when the last of
//! those that it has is over.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};

/// Set for a new Slipway that takes over.
const TAKES_OVER: &str = "SLIPWAY_TAKES_OVER";
/// How long it may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// Why the new one did not take over.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// It could not be started.
    #[error("it cannot be started: {0}")]
    Start(#[from] io::Error),
    /// It ended before it served, and has said why.
    #[error("it ended before it served: {0}")]
    Ended(ExitStatus),
    /// It did not serve in time.
    #[error("it did not serve within a minute")]
    Slow,
}

/// Starts a new Slipway as this one was started and waits until it serves on this socket. Answers its process id.
pub async fn hand_over(socket: &OwnedFd) -> Result<u32, TakeoverError> {
    let mut arguments = env::args_os();
    // Not the file that runs now: that one may have been replaced.
    let program = arguments.next().ok_or(io::Error::from(io::ErrorKind::NotFound))?;
    let child = Command::new(program)
        .args(arguments)
        .env(TAKES_OVER, "1")
        // Of this process alone.
        .env_remove("LISTEN_PID")
        .env_remove("LISTEN_FDS")
        .stdin(Stdio::from(socket.try_clone()?))
        .stdout(Stdio::piped())
        .spawn()?;
    let mut new = Starting(Some(child));
    let serves = tokio::time::timeout(PATIENCE, new.serves()).await;
    match (serves, new.0.take()) {
        (Ok(true), Some(child)) => child.id().ok_or(TakeoverError::Slow),
        (Ok(false), Some(mut child)) => Err(TakeoverError::Ended(child.wait().await?)),
        (_, child) => {
            new.0 = child;
            Err(TakeoverError::Slow)
        }
    }
}

/// A new Slipway that does not serve yet. Nobody waits for one that is dropped: it is ended.
struct Starting(Option<Child>);

impl Starting {
    /// Waits until it serves. Says whether it does, or has ended.
    async fn serves(&mut self) -> bool {
        match self.0.as_mut().and_then(|child| child.stdout.as_mut()) {
            Some(said) => said.read_u8().await.is_ok(),
            None => false,
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0
            && let Err(error) = child.start_kill()
        {
            tracing::warn!(%error, "a new Slipway that was not wanted any more could not be ended");
        }
    }
}

/// The socket of the Slipway that this one takes over from, if there is one.
pub fn inherited() -> io::Result<Option<TcpListener>> {
    if env::var_os(TAKES_OVER).is_none() {
        return Ok(None);
    }
    let socket = io::stdin().as_fd().try_clone_to_owned()?;
    // Else it would stay open for as long as this process is there.
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    Ok(Some(socket.into()))
}

/// Tells the Slipway that this one takes over from that it serves. Says whether there is one.
pub fn tell_predecessor() -> bool {
    let there_is = env::var_os(TAKES_OVER).is_some();
    if there_is && let Err(error) = io::stdout().write_all(b"\n").and_then(|()| io::stdout().flush()) {
        tracing::debug!(%error, "the Slipway before this one is gone");
    }
    there_is
}
