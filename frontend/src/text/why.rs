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

    fn reasons(self) -> &'static OnceLock<Reasons> {
        let [en, fr] = &LOADED;
        match self {
            Self::En => en,
            Self::Fr => fr,
        }
    }
}

impl Words {
    /// Why a job waits, from Slurm's word for it; follows the language.
    pub(crate) fn waits(self, word: Option<&str>) -> Said {
        let word = word.unwrap_or_default();
        match self.reasons() {
            Some(reasons) => reasons.waits(&Reason::from_slurm(word)),
            None => literally(word),
        }
    }

    /// The same for somebody else than the person whose job it is: in Slurm's word where the text speaks to them.
    pub(crate) fn waits_for_others(self, word: Option<&str>) -> String {
        let reason = Reason::from_slurm(word.unwrap_or_default());
        let is_theirs = reason.whose() == Some(Whose::Person) || reason.key() == "held_by_you";
        match word {
            Some(word) if is_theirs => word.to_owned(),
            word => self.waits(word).what,
        }
    }

    /// Why Slurm refused a job, from its error number and its words; follows the language.
    pub(crate) fn refused(self, code: i64, message: &str) -> Said {
        match self.reasons() {
            Some(reasons) => reasons.refused(&Refusal::from_code(code).saying(message)),
            None => literally(message),
        }
    }

    /// Something of these, which follows the language.
    pub(crate) fn why(self, said: impl Fn(Self) -> Said + Send + Sync + 'static) -> Memo<Said> {
        memo(move || said(self))
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
