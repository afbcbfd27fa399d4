//! One line for each hop.

use std::io::Write;

/// How a line begins.
#[derive(Clone, Copy, Debug)]
pub(super) enum Outcome {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// What has to be put right.
    Failed,
}

impl Outcome {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Failed => "failed",
        }
    }
}

/// Writes one line. A reader who has gone away must not keep the job from being cancelled.
pub(super) fn say(outcome: Outcome, hop: &str, text: &str) {
    let _ = writeln!(std::io::stdout(), "{:<7} {hop}: {text}", outcome.word());
}

/// Tries one hop and says how it went. An error names the hop; what to do has been said.
pub(super) async fn hop<T>(
    name: &'static str,
    attempt: impl Future<Output = Result<(String, T), String>>,
) -> Result<T, String> {
    match attempt.await {
        Ok((text, found)) => {
            say(Outcome::Ok, name, &text);
            Ok(found)
        }
        Err(text) => {
            say(Outcome::Failed, name, &text);
            Err(format!("the check failed at: {name}"))
        }
    }
}
