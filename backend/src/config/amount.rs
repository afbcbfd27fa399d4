//! Amounts and moments as an administrator writes them.

use serde::{Deserialize, Deserializer, de};
use shared::units::{Memory, Minutes};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// A number in the option's unit, or a text with one.
#[derive(Deserialize)]
#[serde(untagged)]
enum Amount {
    Number(u64),
    Text(String),
}

impl Amount {
    fn text(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Minutes, or `"3 h"`.
pub(super) fn minutes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = Amount::deserialize(deserializer)?.text();
    let minutes =
        Minutes::parse(&text).map_err(|_| de::Error::custom(format!("{text:?} is not a time such as \"3 h\"")))?;
    Ok(Some(minutes.get().into()))
}

/// MiB, or `"8 GB"`.
pub(super) fn mib<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let text = Amount::deserialize(deserializer)?.text();
    let memory =
        Memory::parse(&text).map_err(|_| de::Error::custom(format!("{text:?} is not an amount such as \"8 GB\"")))?;
    Ok(Some(memory.get()))
}

/// A date with time and zone (`2026-12-01T09:00:00-05:00`), in seconds since 1970.
pub(super) fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let written = toml::value::Datetime::deserialize(deserializer)?;
    OffsetDateTime::parse(&written.to_string(), &Rfc3339)
        .map(OffsetDateTime::unix_timestamp)
        .map_err(|_| {
            de::Error::custom(format!(
                "{written} needs a date, a time with seconds and a zone, as in 2026-12-01T09:00:00-05:00"
            ))
        })
}

/// The same, where there may be none.
pub(super) fn moment_if_any<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    moment(deserializer).map(Some)
}
