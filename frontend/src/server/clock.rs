//! The time, in the person's time zone as far as the server knows it.

use leptos::prelude::*;

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
    let local = |seconds: i64| seconds - i64::from(behind.unwrap_or_default()) * 60;
    let (here, today) = (local(seconds), local(now()).div_euclid(DAY));
    let days = here.div_euclid(DAY);
    let minutes = here.rem_euclid(DAY) / 60;
    let (year, month, day) = date(days);
    When {
        hour: small(minutes / 60),
        minute: small(minutes % 60),
        days_away: days - today,
        year: small(year),
        day: small(day),
        month: usize::try_from(month).unwrap_or_default(),
        utc: behind.is_none(),
    }
}

/// In seconds.
const DAY: i64 = 86_400;

fn small(number: i64) -> u32 {
    u32::try_from(number).unwrap_or_default()
}

/// Year, month (0 is January) and day of a day since 1970 (Howard Hinnant, `civil_from_days`).
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468; // Since the first of March of the year 0.
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153; // 0 is March.
    let day = of_year - (153 * month + 2) / 5 + 1;
    let before_march = i64::from(month >= 10);
    (year + era * 400 + before_march, (month + 2) % 12, day)
}

/// The time of now.
pub(crate) fn ticking(_seconds: u64) -> ReadSignal<i64> {
    signal(now()).0
}

/// Nothing is done again.
pub(crate) fn every(_seconds: u64, _task: impl Fn() + 'static) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        for (days, year, month, day) in [
            (0, 1970, 0, 1),
            (58, 1970, 1, 28),
            (59, 1970, 2, 1),
            (11_016, 2000, 1, 29),
            (11_017, 2000, 2, 1),
            (20_785, 2026, 10, 28),
            (20_818, 2026, 11, 31),
            (20_819, 2027, 0, 1),
        ] {
            assert_eq!(date(days), (year, month, day), "{days}");
        }
    }
}
