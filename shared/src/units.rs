//! Amounts with their unit in the type, and how people write them.
//!
//! In the API `time` is minutes and `memory` is MiB; a text may carry a unit (`3h`, `3:00:00`,
//! `0-03:00`, `8G`, `8 Go`). 1 GB is 1024 MB, as `sbatch --mem` counts.

use serde::{Deserialize, Serialize};

/// Cores on one node, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "u32"))]
#[serde(try_from = "u32", into = "u32")]
pub struct Cores(u32);

/// Memory of the whole job in MiB, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "u64"))]
#[serde(try_from = "u64", into = "u64")]
pub struct Memory(u64);

/// A time limit in whole minutes, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "u32"))]
#[serde(try_from = "u32", into = "u32")]
pub struct Minutes(u32);

/// The text or number is not an amount of this kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAmount;

impl std::fmt::Display for NotAnAmount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("is not an amount")
    }
}

impl std::error::Error for NotAnAmount {}

macro_rules! amount {
    ($name:ident, $number:ty) => {
        impl $name {
            /// The amount, at least one.
            pub fn new(number: $number) -> Result<Self, NotAnAmount> {
                if number == 0 {
                    Err(NotAnAmount)
                } else {
                    Ok(Self(number))
                }
            }

            /// The bare number, in the unit of the type.
            pub fn get(self) -> $number {
                self.0
            }
        }

        impl TryFrom<$number> for $name {
            type Error = NotAnAmount;
            fn try_from(number: $number) -> Result<Self, NotAnAmount> {
                Self::new(number)
            }
        }

        impl From<$name> for $number {
            fn from(amount: $name) -> Self {
                amount.0
            }
        }
    };
}

amount!(Cores, u32);
amount!(Memory, u64);
amount!(Minutes, u32);

impl Cores {
    /// A whole number.
    pub fn parse(text: &str) -> Result<Self, NotAnAmount> {
        text.trim().parse().map_err(|_| NotAnAmount).and_then(Self::new)
    }
}

impl Memory {
    /// `8000`, `8000 MB`, `8G`, `8 Go`, `1,5 GB`, `2T`; without a unit MiB; rounded up to whole MiB.
    pub fn parse(text: &str) -> Result<Self, NotAnAmount> {
        let (number, unit) = split_unit(text)?;
        let factor = match unit.as_str() {
            "" | "m" | "mb" | "mo" | "mib" | "mio" => 1.0,
            "k" | "kb" | "ko" | "kib" | "kio" => 1.0 / 1024.0,
            "g" | "gb" | "go" | "gib" | "gio" => 1024.0,
            "t" | "tb" | "to" | "tib" | "tio" => 1024.0 * 1024.0,
            _ => return Err(NotAnAmount),
        };
        whole(number * factor).and_then(Self::new)
    }
}

impl Minutes {
    /// `90`, `90 min`, `3h`, `1,5 h`, `1h30`, `1 h 20 min`, `2 days`, `1:30` (hours and minutes), `3:00:00`,
    /// `0-03:00` (days, hours, minutes); without a unit minutes; rounded up to whole minutes. What
    /// the page itself writes ("1 h 19 min", with any kind of space) is among them.
    pub fn parse(text: &str) -> Result<Self, NotAnAmount> {
        let text = text.trim();
        if text.contains(':') || (text.contains('-') && !text.starts_with('-')) {
            return Self::parse_clock(text);
        }
        let minutes = whole(Self::sum_of_units(text)?)?;
        u32::try_from(minutes).map_err(|_| NotAnAmount).and_then(Self::new)
    }

    /// Adds up numbers with their units, the largest unit first. The last number may lack its unit: alone it is
    /// minutes, and behind hours it is minutes too ("1h30").
    fn sum_of_units(text: &str) -> Result<f64, NotAnAmount> {
        const HOUR: f64 = 60.0;
        let (mut minutes, mut last_unit, mut rest) = (0.0, None, text);
        loop {
            let (number, after) = split_number(rest)?;
            let end = after.find(|c: char| !c.is_alphabetic()).unwrap_or(after.len());
            let (unit, after) = after.split_at(end);
            rest = after.trim_start();
            let unit = match unit.to_ascii_lowercase().as_str() {
                "" if rest.is_empty() && last_unit.is_none_or(|last| last == HOUR) => 1.0,
                "m" | "min" | "mins" | "minute" | "minutes" => 1.0,
                "s" | "sec" | "second" | "seconds" | "seconde" | "secondes" => 1.0 / 60.0,
                "h" | "hr" | "hrs" | "hour" | "hours" | "heure" | "heures" => HOUR,
                "d" | "day" | "days" | "j" | "jour" | "jours" => 24.0 * HOUR,
                _ => return Err(NotAnAmount),
            };
            if last_unit.is_some_and(|last| unit >= last) {
                return Err(NotAnAmount);
            }
            minutes += number * unit;
            last_unit = Some(unit);
            if rest.is_empty() {
                return Ok(minutes);
            }
        }
    }

    /// Slurm's own forms (`days-hours:minutes:seconds`), with `a:b` read as hours and minutes, which is
    /// what people mean here; Slurm's minutes and seconds make no sense for a session.
    fn parse_clock(text: &str) -> Result<Self, NotAnAmount> {
        let (days, clock) = match text.split_once('-') {
            Some((days, clock)) => (digits(days)?, clock),
            None => (0, text),
        };
        let parts = clock.split(':').map(digits).collect::<Result<Vec<_>, _>>()?;
        let (hours, minutes, seconds) = match parts[..] {
            [h] => (h, 0, 0),
            [h, m] => (h, m, 0),
            [h, m, s] => (h, m, s),
            _ => return Err(NotAnAmount),
        };
        if minutes > 59 || seconds > 59 {
            return Err(NotAnAmount);
        }
        Self::new((days * 24 + hours) * 60 + minutes + seconds.div_ceil(60))
    }
}

/// `text` with `unit` behind it where it carries none: the form's "3" hours are `3 h` to the parser.
pub fn with_default_unit(text: &str, unit: &str) -> String {
    let text = text.trim();
    let bare = !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b',' | b' '));
    if bare {
        format!("{text} {unit}")
    } else {
        text.to_owned()
    }
}

/// Up to five digits: every clock part of a time limit fits, no sum of them overflows.
fn digits(text: &str) -> Result<u32, NotAnAmount> {
    if text.is_empty() || text.len() > 5 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotAnAmount);
    }
    text.parse().map_err(|_| NotAnAmount)
}

/// The number, with a decimal point or comma, and the unit behind it in lower case.
fn split_unit(text: &str) -> Result<(f64, String), NotAnAmount> {
    let (number, unit) = split_number(text.trim())?;
    Ok((number, unit.to_ascii_lowercase()))
}

/// The number at the start, with a decimal point or comma, and what follows it.
fn split_number(text: &str) -> Result<(f64, &str), NotAnAmount> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | ',')))
        .unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    Ok((decimal(number).ok_or(NotAnAmount)?, rest.trim_start()))
}

/// A number with at most one decimal point or comma. Not `str::parse`: what that brings along to read every
/// number there is weighs 13 kB in the page, compressed.
#[expect(clippy::cast_precision_loss, reason = "at most 15 digits")]
fn decimal(text: &str) -> Option<f64> {
    let (whole, places) = text.split_once(['.', ',']).unwrap_or((text, ""));
    let digits = [whole, places].concat();
    if digits.len() > 15 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let number: u64 = digits.parse().ok()?;
    Some(places.bytes().fold(number as f64, |number, _| number / 10.0))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie within the target's range"
)]
fn whole(number: f64) -> Result<u64, NotAnAmount> {
    let up = (number - 1e-9).ceil();
    if (1.0..=1e12).contains(&up) {
        Ok(up as u64)
    } else {
        Err(NotAnAmount)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn time_is_read_as_people_write_it() {
        let cases = [
            ("90", 90),
            ("90 min", 90),
            ("3h", 180),
            ("1,5 h", 90),
            ("1.5h", 90),
            ("1h30", 90),
            ("1:30", 90),
            ("3:00:00", 180),
            ("0-03:00", 180),
            ("1-0", 1440),
            ("2 days", 2880),
            ("2 jours", 2880),
            (" 3 heures ", 180),
            ("0:00:30", 1),
            ("3 H", 180),
            ("1 h 20 min", 80),
            ("1 h 20", 80),
            ("1h30m", 90),
            ("1\u{202f}h\u{a0}19 min", 79),
            ("1 d 2 h 3 min", 1563),
            ("1 jour 12 heures", 2160),
            ("1 h 0 min 30 s", 61),
        ];
        for (text, minutes) in cases {
            assert_eq!(Minutes::parse(text).map(Minutes::get), Ok(minutes), "{text:?}");
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "0",
            "-1",
            "h",
            "3x",
            "1:60",
            "1:2:3:4",
            "99999999999",
            "1e3",
            "NaN",
            "inf",
            "-",
            ":",
            "3h-2",
            "20 min 1 h",
            "1 h 2 h",
            "1 day 5",
            "1 h 20 30",
            "1 h and 20 min",
            "1 h,",
        ] {
            assert_eq!(Minutes::parse(text), Err(NotAnAmount), "{text:?}");
        }
    }

    #[test]
    fn memory_is_read_as_people_write_it() {
        let cases = [
            ("8000", 8000),
            ("8000 MB", 8000),
            ("8G", 8192),
            ("8 Go", 8192),
            ("8GiB", 8192),
            ("1,5 GB", 1536),
            ("0.5G", 512),
            ("1 To", 1_048_576),
            ("1K", 1),
        ];
        for (text, mib) in cases {
            assert_eq!(Memory::parse(text).map(Memory::get), Ok(mib), "{text:?}");
        }
        for text in ["", "0", "-8G", "8 apples", "G", "8,,5G", "1e9", "∞"] {
            assert_eq!(Memory::parse(text), Err(NotAnAmount), "{text:?}");
        }
    }

    #[test]
    fn a_bare_number_in_the_form_takes_the_unit_of_its_label() {
        assert_eq!(with_default_unit("3", "h"), "3 h");
        assert_eq!(with_default_unit("1,5", "h"), "1,5 h");
        assert_eq!(with_default_unit("90 min", "h"), "90 min");
        assert_eq!(with_default_unit("1:30", "h"), "1:30");
        assert_eq!(with_default_unit("", "h"), "");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_parser_panic(text in "\\PC{0,24}") {
            let _ = (Minutes::parse(&text), Memory::parse(&text), Cores::parse(&text));
        }

        #[test]
        fn whole_minutes_and_mebibytes_come_back_unchanged(n in 1_u32..1_000_000) {
            prop_assert_eq!(Minutes::parse(&format!("{n} min")).map(Minutes::get), Ok(n));
            prop_assert_eq!(Memory::parse(&format!("{n}M")).map(Memory::get), Ok(u64::from(n)));
        }
    }
}
