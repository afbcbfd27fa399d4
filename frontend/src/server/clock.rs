//! The time, in the person's time zone as far as the server knows it.

use leptos::prelude::*;
use time::OffsetDateTime;

use crate::document::facts;
use crate::text::format::When;

/// Seconds since 1970.
pub(crate) fn now() -> i64 {
    facts().now
}

/// A moment as it is told to a person; in UTC, and so named, where their time zone is not known, or may be another one by
/// then: clocks are changed.
pub(crate) fn when(seconds: i64) -> When {
    let is_near = (seconds - now()).abs() < 2 * DAY;
    let behind = facts().behind_utc.filter(|_| is_near);
    let local = |seconds: i64| {
        let seconds = seconds - i64::from(behind.unwrap_or_default()) * 60;
        OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    };
    let (here, today) = (local(seconds), local(now()).date());
    When {
        hour: here.hour().into(),
        minute: here.minute().into(),
        days_away: (here.date() - today).whole_days(),
        year: here.year().try_into().unwrap_or_default(),
        day: here.day().into(),
        month: usize::from(u8::from(here.month())) - 1,
        utc: behind.is_none(),
    }
}

/// In seconds.
const DAY: i64 = 86_400;

/// The time of now.
pub(crate) fn ticking(_seconds: u64) -> ReadSignal<i64> {
    signal(now()).0
}

/// Nothing is done again.
pub(crate) fn every(_seconds: u64, _task: impl Fn() + 'static) {}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::document::Facts;

    /// 28 November 2026, 20:30 UTC.
    const NOW: i64 = 1_795_897_800;

    fn told(behind_utc: Option<i32>, seconds: i64) -> (bool, i64, u32, u32, String) {
        let owner = Owner::new();
        let when = owner.with(|| {
            let facts = Facts {
                now: NOW,
                behind_utc,
                ..Facts::default()
            };
            provide_context(Arc::new(facts));
            when(seconds)
        });
        let date = format!("{}-{:02}-{:02}", when.year, when.month + 1, when.day);
        (when.utc, when.days_away, when.hour, when.minute, date)
    }

    #[test]
    fn a_moment_is_told_in_the_persons_zone() {
        let here = (false, 0, 15, 30, "2026-11-28".to_owned());
        assert_eq!(told(Some(300), NOW), here, "Toronto");
        let here = (false, 1, 2, 0, "2026-11-29".to_owned());
        assert_eq!(told(Some(300), NOW + 37_800), here, "after midnight there");
        let here = (false, 0, 2, 15, "2026-11-29".to_owned());
        assert_eq!(told(Some(-345), NOW), here, "Kathmandu, where it is tomorrow");
    }

    #[test]
    fn a_moment_is_in_utc_where_the_zone_is_unknown_or_may_be_another_by_then() {
        let here = (true, 0, 20, 30, "2026-11-28".to_owned());
        assert_eq!(told(None, NOW), here);
        let here = (true, 33, 20, 30, "2026-12-31".to_owned());
        assert_eq!(
            told(Some(300), NOW + 33 * DAY),
            here,
            "after clocks may have been changed"
        );
        let here = (true, -2, 20, 30, "2026-11-26".to_owned());
        assert_eq!(told(Some(300), NOW - 2 * DAY), here);
    }
}
