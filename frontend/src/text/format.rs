//! Numbers, amounts and times as people write them. Plain functions of their arguments.

/// No line break between a number and its unit.
pub(crate) const NBSP: char = '\u{a0}';

/// A moment in the person's own time zone, and how many days away it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct When {
    /// 0 to 23.
    pub(crate) hour: u32,
    /// 0 to 59.
    pub(crate) minute: u32,
    /// Days from today: 0 is today, 1 tomorrow, -1 yesterday.
    pub(crate) days_away: i64,
    /// The year.
    pub(crate) year: u32,
    /// 1 to 31.
    pub(crate) day: u32,
    /// 0 is January.
    pub(crate) month: usize,
    /// It is in UTC, as their time zone is not known.
    pub(crate) utc: bool,
}

/// A number given in hundredths: `1.5`, `0,25`, `3`.
pub(crate) fn decimal(hundredths: u64, comma: char) -> String {
    let (whole, rest) = (hundredths / 100, hundredths % 100);
    match (rest, rest % 10) {
        (0, _) => whole.to_string(),
        (_, 0) => format!("{whole}{comma}{}", rest / 10),
        _ => format!("{whole}{comma}{rest:02}"),
    }
}

/// Minutes as a number of hours where that is plain to read: `3`, `1.5`, `0.25`.
pub(crate) fn hours(minutes: u64, comma: char) -> Option<String> {
    (minutes.is_multiple_of(15) || minutes.is_multiple_of(6)).then(|| decimal(minutes * 100 / 60, comma))
}

/// Minutes as the form shows them: `3`, `1.5`, `1:20`.
pub(crate) fn hours_field(minutes: u64, comma: char) -> String {
    hours(minutes, comma).unwrap_or_else(|| format!("{}:{:02}", minutes / 60, minutes % 60))
}

/// Minutes with units: `3 h`, `1.5 h`, `45 min`, `1 h 20 min`.
pub(crate) fn duration(minutes: u64, comma: char) -> String {
    if minutes < 60 {
        return format!("{minutes}{NBSP}min");
    }
    match hours(minutes, comma) {
        Some(hours) => format!("{hours}{NBSP}h"),
        None => format!("{}{NBSP}h{NBSP}{}{NBSP}min", minutes / 60, minutes % 60),
    }
}

/// A span that is counted: `45 s`, `4 min 05 s`, `2 h 13 min`. Less than nothing is nothing.
pub(crate) fn span(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (0, 0, s) => format!("{s}{NBSP}s"),
        (0, m, s) => format!("{m}{NBSP}min{NBSP}{s:02}{NBSP}s"),
        (h, m, _) => format!("{h}{NBSP}h{NBSP}{m:02}{NBSP}min"),
    }
}

/// MiB in hundredths of a GB, rounded down: what is shown as a most can be typed in.
pub(crate) fn gb(mib: u64, comma: char) -> String {
    decimal(mib * 100 / 1024, comma)
}

/// MiB in hundredths of a GB, rounded up: what is shown as a least can be typed in.
pub(crate) fn gb_up(mib: u64, comma: char) -> String {
    decimal((mib * 100).div_ceil(1024), comma)
}

/// MiB as the form shows them, in GB, where that does not round.
pub(crate) fn gb_field(mib: u64, comma: char) -> Option<String> {
    (mib * 100).is_multiple_of(1024).then(|| gb(mib, comma))
}

/// The address of a number of minutes in a link, with its unit.
pub(crate) fn link_time(minutes: u32) -> String {
    if minutes.is_multiple_of(60) {
        format!("{}h", minutes / 60)
    } else {
        format!("{minutes}min")
    }
}

/// Memory in a link, with its unit.
pub(crate) fn link_memory(mib: u64) -> String {
    if mib.is_multiple_of(1024) {
        format!("{}GB", mib / 1024)
    } else {
        format!("{mib}MB")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        for (hundredths, text) in [(300, "3"), (150, "1,5"), (125, "1,25"), (5, "0,05"), (0, "0")] {
            assert_eq!(decimal(hundredths, ','), text);
        }
    }

    #[test]
    fn times_are_hours_where_that_is_plain() {
        for (minutes, field, words) in [
            (180, "3", "3 h"),
            (90, "1.5", "1.5 h"),
            (75, "1.25", "1.25 h"),
            (80, "1:20", "1 h 20 min"),
            (15, "0.25", "15 min"),
            (6, "0.1", "6 min"),
            (61, "1:01", "1 h 1 min"),
        ] {
            assert_eq!(hours_field(minutes, '.'), field);
            assert_eq!(duration(minutes, '.').replace(NBSP, " "), words);
        }
    }

    #[test]
    fn what_the_form_shows_reads_back_as_the_same_time() {
        for minutes in 1..2000_u32 {
            let field = hours_field(minutes.into(), ',');
            let read = shared::units::Minutes::parse(&shared::units::with_default_unit(&field, "h"));
            assert_eq!(read.map(shared::units::Minutes::get), Ok(minutes), "{field}");
            let link = shared::units::Minutes::parse(&link_time(minutes));
            assert_eq!(link.map(shared::units::Minutes::get), Ok(minutes));
        }
    }

    #[test]
    fn limits_of_memory_can_be_typed_in() {
        for mib in [256_u64, 1000, 4000, 8192, 15_900, 191_000, 768_001] {
            let parse =
                |text: String| shared::units::Memory::parse(&format!("{text} Go")).map(shared::units::Memory::get);
            assert!(parse(gb(mib, ',')).is_ok_and(|m| m <= mib), "{mib}");
            assert!(parse(gb_up(mib, ',')).is_ok_and(|m| m >= mib), "{mib}");
        }
    }

    #[test]
    fn a_span_counts_down_to_nothing() {
        for (seconds, text) in [
            (-3, "0 s"),
            (45, "45 s"),
            (245, "4 min 05 s"),
            (7980, "2 h 13 min"),
            (3600, "1 h 00 min"),
        ] {
            assert_eq!(span(seconds).replace(NBSP, " "), text);
        }
    }
}
