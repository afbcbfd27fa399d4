//! Why a job waits, or was refused: the texts are a file of their own for each language (`shared/words/`), loaded when
//! the first one is needed. Until then, Slurm's own word stands there.

use std::sync::OnceLock;

use leptos::prelude::*;
use shared::reason::{Said, Why, Words as Reasons};

use super::{Locale, Words};
use crate::task::spawn;
use crate::{api, document};

/// The files that have been loaded.
static LOADED: [OnceLock<Reasons>; 2] = [const { OnceLock::new() }; 2];

impl Locale {
    fn reasons(self) -> &'static OnceLock<Reasons> {
        let [en, fr] = &LOADED;
        match self {
            Self::En => en,
            Self::Fr => fr,
        }
    }
}

impl Words {
    /// Why, and what to do; until the texts are here, in Slurm's own words. Follows the language.
    pub(crate) fn explain(self, why: Option<&Why>, slurm: Option<&str>) -> Said {
        match (self.reasons(), why) {
            (Some(reasons), Some(why)) => reasons.explain(why),
            _ => Said {
                what: slurm.unwrap_or_default().to_owned(),
                what_to_do: String::new(),
            },
        }
    }

    /// Whether the texts are here; follows that, and loads them.
    pub(crate) fn can_explain(self) -> bool {
        self.reasons().is_some()
    }

    fn reasons(self) -> Option<&'static Reasons> {
        let slot = self.locale().reasons();
        self.reasons.track();
        if slot.get().is_none() {
            self.load_reasons(self.locale());
        }
        slot.get()
    }

    /// Loads the texts, unless that is under way. What does not come is asked for again by the next who needs it.
    fn load_reasons(self, locale: Locale) {
        if self.loading.get_value() == Some(locale) {
            return;
        }
        self.loading.set_value(Some(locale));
        let url = document::attribute(match locale {
            Locale::En => "data-why-en",
            Locale::Fr => "data-why-fr",
        });
        spawn(async move {
            if let Some(url) = url
                && let Some(lines) = api::reasons(url).await
            {
                let entry = |line: Vec<String>| {
                    let mut parts = line.into_iter();
                    let key = parts.next()?;
                    let (what, what_to_do) = (parts.next()?, parts.next()?);
                    Some((key, Said { what, what_to_do }))
                };
                drop(locale.reasons().set(lines.into_iter().filter_map(entry).collect()));
                self.reasons.notify();
            }
            self.loading.set_value(None);
        });
    }
}
