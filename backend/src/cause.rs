//! What work is done for: a browser's request, by the id that its answer carries, or a task of Slipway's own.
//!
//! It goes along with the work by itself, so that whoever asks later who wanted this finds the request. A task
//! that is spawned for a request takes it over with [`Cause::carried`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::keys;

tokio::task_local! {
    static CURRENT: Cause;
}

/// The longest text of a cause.
const LONGEST: usize = 64;

/// A request's id, or the name of a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cause(String);

impl Cause {
    /// A new request; the id is not guessable, and tells nothing.
    pub fn request() -> Self {
        let bytes: [u8; 8] = keys::random().unwrap_or_default();
        Self(format!("{:016x}", u64::from_be_bytes(bytes)))
    }

    /// A task of Slipway's own.
    pub fn task(name: &'static str) -> Self {
        Self(name.to_owned())
    }

    /// What the work that asks is done for.
    pub fn current() -> Self {
        CURRENT
            .try_with(Self::clone)
            .unwrap_or_else(|_| Self::task("background"))
    }

    /// Does work for this cause.
    pub fn during<F: Future>(self, work: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(self, work)
    }

    /// Work that goes on elsewhere, for the cause of whoever sends it there.
    pub fn carried<F: Future>(work: F) -> impl Future<Output = F::Output> {
        Self::current().during(work)
    }
}

/// Plain letters, digits and `-`: it goes into logs as it is, also what another process says.
impl TryFrom<String> for Cause {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if plain && (1..=LONGEST).contains(&text.len()) {
            Ok(Self(text))
        } else {
            Err("a cause is made of at most 64 letters, digits and -")
        }
    }
}

impl From<Cause> for String {
    fn from(cause: Cause) -> Self {
        cause.0
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_spawned_for_a_request_is_done_for_it_and_everything_else_for_nobody() {
        let cause = Cause::try_from("ab12".to_owned()).unwrap();
        let (carried, other) = cause
            .clone()
            .during(async {
                let carried = tokio::spawn(Cause::carried(async { Cause::current() }));
                let other = tokio::spawn(async { Cause::current() });
                (carried.await.unwrap(), other.await.unwrap())
            })
            .await;
        assert_eq!((carried, other), (cause, Cause::task("background")));
    }

    #[test]
    fn a_cause_cannot_write_a_second_line_into_a_log() {
        for bad in ["", "a\nb", "a b", "\u{1b}[2J", &"x".repeat(65)] {
            assert!(Cause::try_from(bad.to_owned()).is_err(), "{bad:?} was taken");
        }
    }
}
