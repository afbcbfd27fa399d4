//! How a person wants the document: its language and its colours.

use http::{HeaderMap, header};
use serde::{Deserialize, Serialize};

use crate::auth;

/// The language of a document, and of the Jupyter that is started from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    En,
    /// French.
    Fr,
}

impl Language {
    /// The one that the person chose before, or the first of the browser's that there is; nothing for a program, which
    /// has none.
    pub(crate) fn wanted(headers: &HeaderMap) -> Option<Self> {
        let chosen = chosen(headers, "slipway-language");
        let accepted = headers
            .get(header::ACCEPT_LANGUAGE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let first = accepted
            .split(',')
            .map(|tag| tag.trim().get(..2).unwrap_or_default().to_ascii_lowercase());
        match chosen
            .map(str::to_owned)
            .into_iter()
            .chain(first)
            .find(|tag| tag == "en" || tag == "fr")
            .as_deref()
        {
            Some("fr") => Some(Self::Fr),
            Some("en") => Some(Self::En),
            _ => None,
        }
    }

    /// For `lang="…"`.
    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }

    /// One of two texts.
    pub(crate) fn pick<'a>(self, en: &'a str, fr: &'a str) -> &'a str {
        match self {
            Self::En => en,
            Self::Fr => fr,
        }
    }
}

/// How a person wants the document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Look {
    pub(crate) language: Language,
    /// `system`, `light` or `dark`.
    pub(crate) theme: &'static str,
    /// How many minutes the person's clock is behind UTC, if their browser has told.
    pub(crate) behind_utc: Option<i32>,
    /// Which announcements the person has dismissed (`frontend/src/components/announcements.rs`).
    pub(crate) dismissed: String,
}

/// No clock is further from UTC, in minutes.
const FURTHEST: i32 = 14 * 60;

impl Look {
    /// What the page remembered in cookies, or else the browser's language and the system's colours.
    pub fn of(headers: &HeaderMap) -> Self {
        let chosen = chosen(headers, "slipway-theme").unwrap_or_default();
        let theme = ["light", "dark"].into_iter().find(|theme| *theme == chosen);
        Self {
            language: Language::wanted(headers).unwrap_or(Language::En),
            theme: theme.unwrap_or("system"),
            behind_utc: self::chosen(headers, "slipway-behind-utc")
                .and_then(|minutes| minutes.parse().ok())
                .filter(|minutes| (-FURTHEST..=FURTHEST).contains(minutes)),
            dismissed: self::chosen(headers, "slipway-dismissed")
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

/// What this browser's page remembers under this name (`frontend/src/preferences.rs`).
fn chosen<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    auth::cookies(headers)
        .find(|(found, _)| *found == name.as_bytes())
        .and_then(|(_, value)| std::str::from_utf8(value).ok())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn the_language_is_the_chosen_one_or_the_browsers_first_that_there_is() {
        let headers = |name: header::HeaderName, value: &'static str| {
            HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
        };
        assert_eq!(
            Language::wanted(&headers(header::ACCEPT_LANGUAGE, "de, fr-CA;q=0.9, en;q=0.8")),
            Some(Language::Fr)
        );
        assert_eq!(
            Language::wanted(&headers(header::COOKIE, "x=1; slipway-language=fr")),
            Some(Language::Fr)
        );
        for none in ["de", "*", ""] {
            let headers = headers(header::ACCEPT_LANGUAGE, none);
            assert_eq!(Language::wanted(&headers), None, "{none}");
            assert_eq!(Look::of(&headers).language, Language::En, "{none}");
        }
    }

    #[test]
    fn the_time_zone_is_the_browsers_if_there_can_be_such_a_one() {
        let behind = |cookie: &'static str| {
            Look::of(&HeaderMap::from_iter([(
                header::COOKIE,
                HeaderValue::from_static(cookie),
            )]))
            .behind_utc
        };
        assert_eq!(behind("slipway-behind-utc=300"), Some(300));
        assert_eq!(behind("slipway-behind-utc=-345"), Some(-345));
        for cookie in [
            "slipway-behind-utc=99999",
            "slipway-behind-utc=-2147483648",
            "slipway-behind-utc=<p>",
            "x=1",
        ] {
            assert_eq!(behind(cookie), None, "{cookie}");
        }
    }

    #[test]
    fn colours_are_the_chosen_ones_and_no_other_word_gets_into_the_document() {
        let theme = |cookie: &'static str| {
            Look::of(&HeaderMap::from_iter([(
                header::COOKIE,
                HeaderValue::from_static(cookie),
            )]))
            .theme
        };
        assert_eq!(theme("slipway-theme=dark; x=1"), "dark");
        assert_eq!(theme("slipway-theme=\"><script>"), "system");
        assert_eq!(theme("x=dark"), "system");
    }
}
