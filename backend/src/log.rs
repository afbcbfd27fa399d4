//! The log: which lines are written, how many of one kind, and how texts of others appear in them.
//!
//! Every line passes [`LogThrottle`], so that no condition, client or job owner can fill the disk or hide other lines.
//! Call sites only log; they need no throttle of their own. Libraries never write below `info`: their traces show
//! headers, cookies and statements.

mod throttle;

use std::fmt::{self, Write as _};
use std::io::IsTerminal;
use std::sync::{Arc, LazyLock};

use tokio_util::sync::CancellationToken;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::filter::{EnvFilter, FilterExt, filter_fn};
use tracing_subscriber::layer::{Filter, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, fmt as lines};

pub use self::throttle::LogThrottle;

/// Characters of a text that somebody sent.
const LONGEST: usize = 300;

/// The throttle of this process's log.
static THROTTLE: LazyLock<Arc<LogThrottle>> = LazyLock::new(Arc::default);

/// Starts writing the log to standard error. `wanted` is a filter as in `SLIPWAY_LOG`; one that cannot be parsed is
/// replaced by `default`. Lines of the targets `audits` are written whatever the filter.
pub fn init(wanted: &str, default: &str, audits: &[&str]) {
    let directives = |filter: &str| {
        let audits = audits.iter().map(|target| format!(",{target}=info"));
        audits.fold(filter.to_owned(), |all, one| all + &one)
    };
    let levels = EnvFilter::try_new(directives(wanted)).unwrap_or_else(|_| EnvFilter::new(directives(default)));
    let lines = lines::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        // They would go to the same place, by way of a panic: a log that nobody reads any more must end nothing.
        .log_internal_errors(false)
        .with_filter(levels.and(own_details()).and(Arc::clone(&THROTTLE).filter()));
    tracing_subscriber::registry().with(lines).init();
}

/// Lets `debug` and `trace` lines of Slipway's own crates through, and nobody else's.
fn own_details<S: Subscriber>() -> impl Filter<S> {
    filter_fn(|metadata| *metadata.level() <= Level::INFO || is_own(metadata)).with_max_level_hint(LevelFilter::TRACE)
}

fn is_own(metadata: &Metadata<'_>) -> bool {
    let root = metadata.target().split("::").next().unwrap_or_default();
    ["backend", "slipway", "shared", "frontend"].contains(&root)
}

/// Logs at the end of each minute how many lines were left out in it, the last time at shutdown.
pub async fn report_until(shutdown: CancellationToken) {
    THROTTLE.report_until(shutdown).await;
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
    fn a_text_that_somebody_sent_stays_on_its_line_and_short() {
        let text = "it's \"q\"\n2026 INFO forged\u{1b}[2J\r\0\u{202e}é";
        assert_eq!(
            Sent(text).to_string(),
            r#"it's "q"\n2026 INFO forged\u{1b}[2J\r\0\u{202e}é"#
        );
        assert_eq!(Sent(&"é".repeat(300)).to_string(), "é".repeat(300));
        assert_eq!(Sent(&"é".repeat(100_000)).to_string(), format!("{}…", "é".repeat(300)));
    }

    #[test]
    fn libraries_write_no_details_whatever_the_filter_says() {
        let (log, subscriber) = throttle::tests::subscriber(EnvFilter::new("trace,h2=trace").and(own_details()));
        tracing::subscriber::with_default(subscriber, || {
            tracing::trace!(target: "h2::codec", cookie = "secret", "received");
            tracing::debug!(target: "sqlx::query", "secret");
            tracing::info!(target: "sqlx::query", "slow");
            tracing::trace!(target: "backend::spawner", "own");
        });
        let log = log.text();
        assert!(!log.contains("secret"), "{log}");
        assert!(log.contains("slow") && log.contains("own"), "{log}");
    }
}
