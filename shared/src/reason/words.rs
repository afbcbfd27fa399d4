//! The texts: `shared/words/reasons.en.json` and `reasons.fr.json`, one entry for each key.
//!
//! `{0}` and `{1}` stand for what is filled in. Of a limit these are the resource's names from the same file, in the
//! form that the language's sentences need: `{0}` after "the limit on", `{1}` after "ask for", `{2}` amount by time
//! ("core-hours"; in French always a word that begins with "heures"). Of anything else, `{0}` is what Slurm said.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Reason, Refusal};
use crate::template::fill;

/// Why something waits or was refused, as the key of a text and what is filled into it: the server reads Slurm's words,
/// and whoever shows it has the texts of its language.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// The key of the text.
    pub key: String,
    /// Of a limit: the key of the resource's names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource: String,
    /// What Slurm says besides: nodes, a number, or its own words where they have no known meaning.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    /// Waiting is of no use: see [`Reason::hopeless`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hopeless: bool,
}

impl From<Reason<'_>> for Why {
    fn from(reason: Reason<'_>) -> Self {
        let resource = reason.limit().map(|limit| limit.resource.key().to_owned());
        Self {
            key: reason.key().to_owned(),
            resource: resource.unwrap_or_default(),
            detail: reason.detail().to_owned(),
            hopeless: reason.hopeless(),
        }
    }
}

impl From<Refusal<'_>> for Why {
    fn from(refusal: Refusal<'_>) -> Self {
        Self {
            key: refusal.key().to_owned(),
            detail: match refusal.key() {
                "refused_code" => refusal.code().to_string(),
                _ => refusal.said().to_owned(),
            },
            ..Self::default()
        }
    }
}

/// What is said to a person.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Said {
    /// What it means.
    pub what: String,
    /// What can be done.
    #[serde(rename = "do")]
    pub what_to_do: String,
}

/// The texts of one language.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<String, Said>")]
pub struct Words(Vec<(String, Said)>);

impl From<BTreeMap<String, Said>> for Words {
    fn from(texts: BTreeMap<String, Said>) -> Self {
        texts.into_iter().collect()
    }
}

impl FromIterator<(String, Said)> for Words {
    fn from_iter<T: IntoIterator<Item = (String, Said)>>(texts: T) -> Self {
        Self(texts.into_iter().collect())
    }
}

impl Words {
    /// The English file.
    #[cfg(any(test, feature = "words"))]
    pub const ENGLISH: &str = include_str!("../../words/reasons.en.json");

    /// The French file.
    #[cfg(any(test, feature = "words"))]
    pub const FRENCH: &str = include_str!("../../words/reasons.fr.json");

    /// Why, and what to do. Empty where the file does not have the text.
    pub fn explain(&self, why: &Why) -> Said {
        let said = if why.resource.is_empty() {
            self.say(&why.key, &[&why.detail])
        } else {
            let name = self.get(&why.resource);
            let (amount, hours) = name.what.split_once('|').unwrap_or((&name.what, ""));
            self.say(&why.key, &[amount, &name.what_to_do, hours])
        };
        if why.hopeless {
            let what = format!("{} {}", said.what, self.get("never").what);
            Said { what, ..said }
        } else {
            said
        }
    }

    /// Why a job waits.
    pub fn waits(&self, reason: &Reason<'_>) -> Said {
        self.explain(&Why::from(*reason))
    }

    /// Why Slurm did not take a job.
    pub fn refused(&self, refusal: &Refusal<'_>) -> Said {
        self.explain(&Why::from(*refusal))
    }

    fn get(&self, key: &str) -> &Said {
        static NONE: Said = Said {
            what: String::new(),
            what_to_do: String::new(),
        };
        let found = self.0.iter().find(|(name, _)| name == key);
        found.map_or(&NONE, |(_, said)| said)
    }

    fn say(&self, key: &str, with: &[&str]) -> Said {
        let text = self.get(key);
        Said {
            what: fill(&text.what, with),
            what_to_do: fill(&text.what_to_do, with),
        }
    }
}
