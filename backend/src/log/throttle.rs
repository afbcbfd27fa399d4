//! How many lines of one kind are written in a minute.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

/// Lines a minute of a kind that names no person, address, job or request: a condition of Slipway itself. A warning or
/// an error that says the very same is written once.
const CONDITION: u64 = 6;
/// Lines a minute that report a problem of somebody, of all people together …
const PROBLEMS: u64 = 60;
/// … and of one person.
const PROBLEMS_OF_ONE: u64 = 10;
/// Lines a minute that report what somebody did, of all people together …
const EVENTS: u64 = 600;
/// … and of one person.
const EVENTS_OF_ONE: u64 = 60;
/// Lines a minute of a `debug` or `trace` kind, which an administrator has asked for.
const DETAILS: u64 = 6_000;
/// People and addresses that are told apart in a minute, for each kind.
const TOLD_APART: usize = 1000;

/// Fields that say whom or what a line is about.
const SUBJECTS: [&str; 5] = ["user", "address", "uid", "job.id", "request.id"];
/// Targets that begin with this are audits, of sessions and of signatures: one line each, never left out. What a person
/// can cause of them is bounded by rate limits of their own.
const AUDITS: &str = "slipway::";
/// The target of the lines that count what was left out.
const REPORT: &str = "backend::log";

/// Counts the lines of each kind. A kind is a place in the source, and the `code` of an error where the line has one.
#[derive(Default)]
pub struct LogThrottle {
    minute: Mutex<HashMap<Kind, Count>>,
    hasher: RandomState,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Kind {
    place: Identifier,
    code: Option<String>,
}

/// Lines of one kind in this minute.
struct Count {
    place: &'static Metadata<'static>,
    written: u64,
    written_by_user: HashMap<u64, u64>,
    /// Hashes of warnings about Slipway itself that have been written.
    conditions: HashSet<u64>,
    left_out: LeftOut,
}

#[derive(Default)]
struct LeftOut {
    lines: u64,
    /// From where, as far as they are told apart.
    addresses: HashSet<u64>,
}

/// How many lines of a kind may be written in a minute.
struct Limit {
    all: u64,
    one_user: u64,
}

impl LogThrottle {
    /// As a filter of a layer.
    pub fn filter<S: Subscriber>(self: Arc<Self>) -> impl Filter<S> {
        ThrottleFilter(self)
    }

    /// Logs at the end of each minute what was left out in it, the last time at shutdown.
    pub async fn report_until(&self, shutdown: CancellationToken) {
        let mut minutes = tokio::time::interval(Duration::from_mins(1));
        while !shutdown.is_cancelled() {
            tokio::select! { _ = minutes.tick() => {}, () = shutdown.cancelled() => {} }
            self.report();
        }
    }

    fn report(&self) {
        let minute = std::mem::take(&mut *self.minute.lock().unwrap_or_else(PoisonError::into_inner));
        for (kind, count) in minute {
            let LeftOut { lines, addresses } = count.left_out;
            if lines == 0 {
                continue;
            }
            // Not its message: whoever counts lines by their words counts none twice.
            let of = format!("{}:{}", count.place.target(), count.place.line().unwrap_or_default());
            let code = kind.code.map(tracing::field::display);
            let text = match addresses.len() {
                0 => format!("and {lines} more in the last minute"),
                some => format!("and {lines} more in the last minute, from {some} addresses"),
            };
            match *count.place.level() {
                Level::ERROR | Level::WARN => tracing::warn!(target: REPORT, of, code, "{text}"),
                Level::INFO => tracing::info!(target: REPORT, of, code, "{text}"),
                _ => tracing::debug!(target: REPORT, of, code, "{text}"),
            }
        }
    }

    /// Whether one more line may be written now; counted if not.
    fn allows(&self, event: &Event<'_>) -> bool {
        let metadata = event.metadata();
        if metadata.target() == REPORT || metadata.target().starts_with(AUDITS) {
            return true;
        }
        let mut subject = Subject::default();
        event.record(&mut subject);
        let limit = Limit::of(metadata, subject.is_known);
        let kind = Kind {
            place: metadata.callsite(),
            code: subject.code,
        };
        let mut minute = self.minute.lock().unwrap_or_else(PoisonError::into_inner);
        let count = minute.entry(kind).or_insert_with(|| Count {
            place: metadata,
            written: 0,
            written_by_user: HashMap::new(),
            conditions: HashSet::new(),
            left_out: LeftOut::default(),
        });
        let user = subject.user.map(|user| self.hasher.hash_one(user));
        let is_condition = !subject.is_known && *metadata.level() <= Level::WARN;
        let is_new = !is_condition || count.conditions.insert(self.hasher.hash_one(&subject.text));
        if is_new && count.written < limit.all && count.allows_user(user, limit.one_user) {
            count.written += 1;
            return true;
        }
        let left_out = &mut count.left_out;
        left_out.lines += 1;
        if let Some(address) = subject.address
            && left_out.addresses.len() < TOLD_APART
        {
            left_out.addresses.insert(self.hasher.hash_one(address));
        }
        false
    }
}

impl Count {
    fn allows_user(&mut self, user: Option<u64>, most: u64) -> bool {
        let Some(user) = user else { return true };
        if self.written_by_user.len() >= TOLD_APART && !self.written_by_user.contains_key(&user) {
            return true; // The limit of all people holds.
        }
        let written = self.written_by_user.entry(user).or_default();
        *written += 1;
        *written <= most
    }
}

impl Limit {
    fn of(metadata: &Metadata<'_>, has_subject: bool) -> Self {
        let is_problem = *metadata.level() <= Level::WARN || metadata.fields().field("reason").is_some();
        let (all, one_user) = match *metadata.level() {
            Level::DEBUG | Level::TRACE => (DETAILS, DETAILS),
            _ if !has_subject => (CONDITION, CONDITION),
            _ if is_problem => (PROBLEMS, PROBLEMS_OF_ONE),
            _ => (EVENTS, EVENTS_OF_ONE),
        };
        Self { all, one_user }
    }
}

/// Whom or what a line is about.
#[derive(Default)]
struct Subject {
    is_known: bool,
    user: Option<String>,
    address: Option<String>,
    code: Option<String>,
    /// All fields.
    text: String,
}

impl Visit for Subject {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.text, "{}={value:?} ", field.name());
        self.is_known |= SUBJECTS.contains(&field.name());
        let slot = match field.name() {
            "user" => &mut self.user,
            "address" => &mut self.address,
            "code" => &mut self.code,
            _ => return,
        };
        *slot = Some(format!("{value:?}"));
    }
}

struct ThrottleFilter(Arc<LogThrottle>);

impl<S: Subscriber> Filter<S> for ThrottleFilter {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        self.0.allows(event)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::TRACE)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io;
    use std::net::Ipv4Addr;

    use tracing_subscriber::layer::SubscriberExt;
    use tracing_subscriber::{Layer, Registry};

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    pub(in crate::log) struct Written(Arc<Mutex<Vec<u8>>>);

    impl Written {
        pub(in crate::log) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }

        fn count(&self, words: &str) -> usize {
            self.text().matches(words).count()
        }
    }

    impl io::Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    pub(in crate::log) fn subscriber(
        filter: impl Filter<Registry> + Send + Sync + 'static,
    ) -> (Written, impl Subscriber + Send + Sync) {
        let written = Written::default();
        let writer = written.clone();
        let lines = tracing_subscriber::fmt::layer()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .with_filter(filter);
        (written, tracing_subscriber::registry().with(lines))
    }

    fn throttled(log: impl FnOnce()) -> Written {
        let throttle = Arc::new(LogThrottle::default());
        let (written, subscriber) = subscriber(Arc::clone(&throttle).filter());
        tracing::subscriber::with_default(subscriber, || {
            log();
            throttle.report();
        });
        written
    }

    #[test]
    fn a_flood_of_strangers_is_cut_off_counted_with_its_addresses_and_hides_no_other_kind() {
        let log = throttled(|| {
            for n in 0..4372_u64 {
                let address = Ipv4Addr::new(192, 0, 2, u8::try_from(n % 3).unwrap());
                tracing::info!(user = format!("made-up-{n}"), %address, reason = "wrong", "a sign-in was refused");
            }
            tracing::info!(user = "ada", "signed in");
        });
        assert_eq!(log.count("a sign-in was refused user"), 60);
        assert_eq!(
            log.count("and 4312 more in the last minute, from 3 addresses"),
            1,
            "{}",
            log.text()
        );
        assert_eq!(log.count("signed in"), 1);
    }

    #[test]
    fn one_code_of_an_error_hides_no_other() {
        let log = throttled(|| {
            for n in 0..100 {
                let code = if n == 99 { "Internal" } else { "NotAnswering" };
                tracing::warn!(request.id = n, code, "a request failed");
            }
        });
        assert_eq!(log.count("code=\"Internal\""), 1, "{}", log.text());
        assert_eq!(log.count("a request failed"), 61, "{}", log.text());
    }

    #[test]
    fn one_person_cannot_use_up_the_lines_of_the_others() {
        let log = throttled(|| {
            let warn = |user: &str, why: u32| tracing::warn!(user, why, "cannot connect to the server");
            (0..120).for_each(|n| warn("eve", n));
            warn("ada", 1);
        });
        assert_eq!(log.count("user=\"eve\""), 10);
        assert_eq!(log.count("user=\"ada\""), 1);
        assert_eq!(log.count("and 110 more in the last minute"), 1);
    }

    #[test]
    fn a_condition_of_slipway_itself_is_logged_once_or_if_it_changes_a_few_times_a_minute() {
        let log = throttled(|| {
            for n in 0..1000 {
                tracing::error!("cannot accept connections");
                tracing::warn!(silent_s = n, "Slurm does not answer");
            }
        });
        assert_eq!((log.count("ERROR"), log.count("silent_s")), (1, 6));
        assert_eq!(log.count("and 999 more in the last minute"), 1);
        assert_eq!(log.count("and 994 more in the last minute"), 1);
    }

    #[test]
    fn every_line_of_an_audit_is_written() {
        let log = throttled(|| {
            for _ in 0..2000 {
                tracing::info!(target: "slipway::signatures", sun = "ada", "signed a token for Slurm");
            }
        });
        assert_eq!(log.count("signed a token"), 2000);
    }

    #[test]
    fn made_up_names_and_addresses_take_bounded_memory() {
        let throttle = Arc::new(LogThrottle::default());
        let (_, subscriber) = subscriber(Arc::clone(&throttle).filter());
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..20_000_u32 {
                tracing::info!(user = n, address = n, reason = "wrong", "a sign-in was refused");
            }
        });
        let minute = throttle.minute.lock().unwrap();
        let count = minute.values().next().unwrap();
        assert!(count.written_by_user.len() <= TOLD_APART && count.left_out.addresses.len() <= TOLD_APART);
    }
}
