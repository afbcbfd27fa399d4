//! What is wrong with options.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::NAMES;

/// What is wrong with one option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Problem {
    /// There is no option of this name.
    Unknown,
    /// There has to be a value.
    Missing,
    /// Not an amount, or not one of this kind.
    Malformed,
    /// Less than the least.
    TooSmall {
        /// The least, in the option's unit.
        min: u64,
    },
    /// More than the most.
    TooLarge {
        /// The most, in the option's unit.
        max: u64,
    },
    /// Not among what this person may choose.
    NotOffered,
    /// Set by the site, and sent with another value.
    Locked,
    /// There is such a thing, but not with the options before it: this compute account may not use it.
    NotTogether,
    /// Each amount exists, but no single node has all of them.
    NoSuchNode {
        /// The most of this option that a node with the rest has.
        max: u64,
    },
}

/// What is wrong, and with which option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// The option's name, as it was sent.
    pub field: String,
    /// What is wrong with it.
    #[serde(flatten)]
    pub problem: Problem,
}

impl fmt::Display for FieldError {
    /// In English, for scripts and logs; the page has its own words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.field.as_str() {
            "time" => " minutes",
            "memory" => " MiB",
            _ => "",
        };
        // A name that somebody sent is shown, but never at any length.
        let field: String = self.field.chars().take(64).collect();
        match &self.problem {
            Problem::Unknown => write!(
                f,
                "{field}: there is no option of this name (there are: {})",
                NAMES.join(", ")
            ),
            Problem::Missing => write!(f, "{field}: is missing"),
            Problem::Malformed => write!(f, "{field}: cannot be understood"),
            Problem::TooSmall { min } => write!(f, "{field}: at least {min}{unit}"),
            Problem::TooLarge { max } => write!(f, "{field}: at most {max}{unit}"),
            Problem::NotOffered => write!(f, "{field}: is not among what you may choose"),
            Problem::Locked => write!(f, "{field}: is set by the site and cannot be changed"),
            Problem::NotTogether => write!(f, "{field}: cannot be had together with the other options"),
            Problem::NoSuchNode { max } => {
                write!(f, "{field}: no node has all of this; at most {max}{unit} with the rest")
            }
        }
    }
}
