//! The other process that has Slurm's key, seen from the one that serves.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use secrecy::SecretString;
use tokio::net::UnixStream;
use tokio_util::codec::{Framed, LinesCodec, LinesCodecError};

use super::order::{Order, Reply, Token};
use crate::slurm::SlurmError;

/// Nobody waits longer for a signature, which takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longer than any line of either side.
pub(super) const LONGEST_LINE: usize = 4096;
/// Connections that are kept for the next.
const IDLE: usize = 8;

/// Lines both ways on the signer's socket.
pub(super) type Lines = Framed<UnixStream, LinesCodec>;

/// A connection's lines, of bounded length.
pub(super) fn lines(stream: UnixStream) -> Lines {
    Framed::new(stream, LinesCodec::new_with_max_length(LONGEST_LINE))
}

/// The signer's socket.
pub(super) struct Remote {
    path: PathBuf,
    idle: Mutex<Vec<Lines>>,
}

impl Remote {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            idle: Mutex::default(),
        }
    }

    /// Has a token signed. [`SlurmError::SignerAway`] if nobody does, and soon.
    pub(super) async fn sign(&self, order: &Order) -> Result<Token, SlurmError> {
        let away = |cause: &str| SlurmError::SignerAway(format!("{}: {cause}", self.path.display()));
        let line = serde_json::to_string(order).map_err(|e| away(&e.to_string()))?;
        let answered = tokio::time::timeout(PATIENCE, self.ask(&line)).await;
        let answer = answered.map_err(|_| away("no answer in time"))?;
        let answer = answer.map_err(|e| away(&e.to_string()))?;
        read_reply(&answer, away)
    }

    async fn ask(&self, line: &str) -> io::Result<String> {
        // One of before may have been closed meanwhile, with the signer that was at its other end.
        while let Some(mut connection) = self.take_idle() {
            if let Ok(answer) = exchange(&mut connection, line).await {
                self.keep(connection);
                return Ok(answer);
            }
        }
        let mut connection = lines(UnixStream::connect(&self.path).await?);
        let answer = exchange(&mut connection, line).await?;
        self.keep(connection);
        Ok(answer)
    }

    fn take_idle(&self) -> Option<Lines> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, connection: Lines) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < IDLE {
            idle.push(connection);
        }
    }
}

/// The token in a signer's line, or why there is none.
fn read_reply(line: &str, away: impl Fn(&str) -> SlurmError) -> Result<Token, SlurmError> {
    match serde_json::from_str(line) {
        Ok(Reply::Signed { token, until }) => Ok(Token {
            text: SecretString::from(token),
            until,
        }),
        Ok(Reply::Refused(why)) => Err(SlurmError::NotSigned(why)),
        Ok(Reply::NotServed(why)) => Err(away(&why)),
        // Not the error, which may quote what was said.
        Err(_) => Err(away("an answer that is none of `slipway sign`")),
    }
}

/// Reads a signer's line as `slipway serve` would, for tests: when the token ends.
pub fn decode_reply(line: &str) -> Result<i64, SlurmError> {
    let away = |cause: &str| SlurmError::SignerAway(cause.to_owned());
    read_reply(line, away).map(|token| token.until)
}

async fn exchange(connection: &mut Lines, line: &str) -> io::Result<String> {
    let failed = |error| match error {
        LinesCodecError::Io(error) => error,
        error @ LinesCodecError::MaxLineLengthExceeded => io::Error::other(error),
    };
    // The signer may have said why it does not listen, and closed: that is still to be read.
    let sent = connection.send(line).await;
    match connection.next().await {
        Some(answer) => answer.map_err(failed),
        None => Err(sent
            .map_err(failed)
            .err()
            .unwrap_or_else(|| io::ErrorKind::UnexpectedEof.into())),
    }
}
