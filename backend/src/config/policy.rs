//! `[options]`: what a site decides about the options, for everybody.

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::api::{Landing, Note};
use shared::options::NAMES;
use shared::raw::{RawOptions, RawValue};
use shared::units::{Cores, Memory, Minutes};

use super::{Wrong, amount};

/// What a site decides about the options.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// Whether people choose a partition.
    pub partition: ChoosePartition,
    /// Where people get to who have just logged in.
    pub landing: Landing,
    /// What is said beside the options.
    pub note: Option<Note>,
    /// Options that are set, and cannot be changed.
    pub lock: RawOptions,
    /// What is left of the choices of an option.
    pub choices: BTreeMap<String, Vec<String>>,
    /// The most that may be asked for.
    pub most: Most,
}

/// Whether people choose a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChoosePartition {
    /// They may, among the options that few need.
    #[default]
    May,
    /// The site or Slurm chooses.
    No,
}

/// The most that may be asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Most {
    /// Minutes.
    #[serde(deserialize_with = "amount::minutes")]
    pub time: Option<u64>,
    /// Cores.
    pub cores: Option<u64>,
    /// MiB.
    #[serde(deserialize_with = "amount::mib")]
    pub memory: Option<u64>,
}

/// Options of which there are a few to choose from.
const CHOICES: [&str; 7] = [
    "profile",
    "account",
    "gpu",
    "reservation",
    "partition",
    "features",
    "interface",
];

impl Options {
    pub(super) fn check(&self) -> Result<(), Wrong> {
        check_lock("options.lock", &self.lock)?;
        check_choices("options.choices", &self.choices)
    }
}

/// Whether options can be set to these values at all.
pub(super) fn check_lock(key: &'static str, lock: &RawOptions) -> Result<(), Wrong> {
    if let Some(name) = lock
        .0
        .keys()
        .find(|name| !NAMES.contains(&name.as_str()) || *name == "profile")
    {
        let names = NAMES.iter().skip(1).copied().collect::<Vec<_>>().join(", ");
        return Err((key, format!("there is no option {name:?} to set; there are {names}")));
    }
    for (name, value) in &lock.0 {
        let text = match value {
            RawValue::Text(text) => text.clone(),
            RawValue::Number(number) => number.to_string(),
            RawValue::List(_) if name == "features" => continue,
            _ => String::new(),
        };
        let fits = match name.as_str() {
            "time" => Minutes::parse(&text).is_ok(),
            "cores" => Cores::parse(&text).is_ok(),
            "memory" => Memory::parse(&text).is_ok(),
            _ => !text.trim().is_empty(),
        };
        if !fits {
            return Err((key, format!("{name} cannot be set to that")));
        }
    }
    Ok(())
}

/// Whether there are such choices.
pub(super) fn check_choices(key: &'static str, choices: &BTreeMap<String, Vec<String>>) -> Result<(), Wrong> {
    match choices
        .iter()
        .find(|(name, left)| !CHOICES.contains(&name.as_str()) || left.is_empty())
    {
        None => Ok(()),
        Some((name, left)) if left.is_empty() && CHOICES.contains(&name.as_str()) => {
            Err((key, format!("{name}: nothing is left to choose")))
        }
        Some((name, _)) => Err((
            key,
            format!("{name:?} is none of the options with choices: {}", CHOICES.join(", ")),
        )),
    }
}
