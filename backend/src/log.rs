//! What strangers can make the log say: how often, and how much of what they sent.
//!
//! Whoever can cause a line as often as they like could fill the disk, or hide in the noise what matters.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write as _};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared::api::ErrorCode;
use tokio_util::sync::CancellationToken;

/// Lines of one kind in a minute.
const LINES: u64 = 60;
/// Addresses that are told apart in a minute.
const ADDRESSES: usize = 1000;
/// Characters of a text that somebody sent.
const LONGEST: usize = 300;

/// A kind of line that strangers can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A sign-in was refused.
    RefusedSignIn,
    /// A second factor was asked for, or not answered. Of its own, so that a flood of wrong passwords does not hide it.
    SecondFactor,
    /// A request failed.
    FailedRequest(ErrorCode),
}

/// How many lines of each kind there may be: some in each minute, and one more that counts the rest.
#[derive(Default)]
pub struct LogBudget {
    this_minute: Mutex<HashMap<Kind, Spent>>,
}

#[derive(Default)]
struct Spent {
    lines: u64,
    rest: Rest,
}

/// What was not written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Rest {
    lines: u64,
    /// From where, as far as they are told apart.
    addresses: HashSet<IpAddr>,
}

impl LogBudget {
    /// Whether one more line may be written now; counted if not.
    pub fn allows(&self, kind: Kind, address: IpAddr) -> bool {
        let mut kinds = self.this_minute.lock().unwrap_or_else(PoisonError::into_inner);
        let Spent { lines, rest } = kinds.entry(kind).or_default();
        if *lines < LINES {
            *lines += 1;
            return true;
        }
        rest.lines += 1;
        if rest.addresses.len() < ADDRESSES {
            rest.addresses.insert(address);
        }
        false
    }

    /// Ends each minute with what was not written in it, the last one at shutdown.
    pub async fn end_minutes(&self, shutdown: CancellationToken) {
        let mut minutes = tokio::time::interval(Duration::from_mins(1));
        while !shutdown.is_cancelled() {
            tokio::select! { _ = minutes.tick() => {}, () = shutdown.cancelled() => {} }
            for (kind, rest) in self.end_minute() {
                let (lines, addresses) = (rest.lines, rest.addresses.len());
                tracing::warn!(?kind, "and {lines} more in the last minute, from {addresses} addresses");
            }
        }
    }

    fn end_minute(&self) -> Vec<(Kind, Rest)> {
        let minute = std::mem::take(&mut *self.this_minute.lock().unwrap_or_else(PoisonError::into_inner));
        let rest = minute.into_iter().map(|(kind, spent)| (kind, spent.rest));
        rest.filter(|(_, rest)| rest.lines > 0).collect()
    }
}

/// A text that somebody else wrote, as a log line may have it: not at any length, and without characters that end a
/// line, move a terminal's cursor or turn the direction of writing.
pub struct Sent<'a>(pub &'a str);

impl fmt::Display for Sent<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for character in self.0.chars().take(LONGEST) {
            match character {
                '\'' | '"' => f.write_char(character)?,
                other => write!(f, "{}", other.escape_debug())?,
            }
        }
        match self.0.char_indices().nth(LONGEST) {
            Some(_) => f.write_char('…'),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_budget_is_counted_by_kind_and_told_once_a_minute() {
        let budget = LogBudget::default();
        let here = |n: u64| IpAddr::from([192, 0, 2, u8::try_from(n % 3).unwrap()]);
        let written = (0..4372)
            .filter(|n| budget.allows(Kind::RefusedSignIn, here(*n)))
            .count();
        assert_eq!(written, 60);
        let other = Kind::FailedRequest(ErrorCode::Internal);
        assert!(budget.allows(other, here(0)), "a flood of one kind hides another");
        let [(Kind::RefusedSignIn, rest)] = &budget.end_minute()[..] else {
            panic!("another kind was told of, or none")
        };
        assert_eq!((rest.lines, rest.addresses.len()), (4312, 3));
        assert_eq!(budget.end_minute(), []);
        assert!(
            budget.allows(Kind::RefusedSignIn, here(0)),
            "the next minute has its own lines"
        );
    }

    #[test]
    fn addresses_without_number_take_no_memory_without_bound() {
        let budget = LogBudget::default();
        for n in 0..100_000_u32 {
            budget.allows(Kind::RefusedSignIn, IpAddr::from(n.to_be_bytes()));
        }
        assert_eq!(budget.end_minute()[0].1.addresses.len(), ADDRESSES);
    }

    #[test]
    fn a_text_that_somebody_sent_stays_on_its_line_and_short() {
        let text = "it's \"q\"\n2026 INFO forged\u{1b}[2J\r\0\u{202e}é";
        assert_eq!(
            Sent(text).to_string(),
            r#"it's "q"\n2026 INFO forged\u{1b}[2J\r\0\u{202e}é"#
        );
        assert_eq!(Sent(&"é".repeat(300)).to_string(), "é".repeat(300));
        assert_eq!(Sent(&"é".repeat(100_000)).to_string(), format!("{}…", "é".repeat(300)));
    }
}
