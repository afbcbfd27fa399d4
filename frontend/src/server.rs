//! The page as the server draws it, for the document that loads it: the same components, as text. Nothing lives on:
//! what would follow a signal is written once, what waits for anything but an answer that is there is left out, and what
//! would listen does not. The page itself draws all of it again, and takes over what was done meanwhile.

pub(crate) mod built;
pub(crate) mod clock;
pub(crate) mod document;
pub(crate) mod element;
pub(crate) mod history;
pub(crate) mod http;
pub(crate) mod preferences;
pub(crate) mod query;
pub(crate) mod takeover;

use std::sync::Arc;

use leptos::prelude::*;

use crate::app;
use crate::carried::Carried;
use crate::document::Facts;
use crate::text::Locale;

/// A page, as far as it can be drawn before it runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Draft<'a> {
    /// The site's base path.
    pub base: &'a str,
    /// The path that was asked for.
    pub path: &'a str,
    /// Its query; empty, or with its question mark.
    pub search: &'a str,
    /// The tag of its language.
    pub language: &'a str,
    /// `system`, `light` or `dark`.
    pub theme: &'a str,
    /// Which announcements the person has dismissed, as the page remembers it.
    pub dismissed: &'a str,
    /// The URL of the site's logo; empty without one.
    pub logo: &'a str,
    /// The site's and the cluster's name.
    pub names: [&'a str; 2],
    /// Seconds since 1970.
    pub now: i64,
    /// By how many minutes the person's clock is behind UTC (`Date.getTimezoneOffset`), if that is known.
    pub behind_utc: Option<i32>,
    /// Answers of the API that come with the document, as JSON under their names.
    pub answers: &'a [(&'static str, String)],
}

/// Whether the page has something to show at this path, which is without the site's base path: `hub/home`.
#[must_use]
pub fn has_page(path: &str) -> bool {
    app::has_page(path)
}

impl Draft<'_> {
    /// What stands in the document's body.
    #[must_use]
    pub fn html(&self) -> String {
        self.drawn(|| app::PARTS.map(|part| part().into_html()).concat())
    }

    /// What stands above the page, for a document in which the rest is not drawn.
    #[must_use]
    pub fn head(&self) -> String {
        let [head, ..] = app::PARTS;
        self.drawn(|| head().into_html())
    }

    fn drawn(&self, draw: impl FnOnce() -> String) -> String {
        let locale = Locale::from_tag(self.language).unwrap_or(Locale::En);
        let facts = Facts {
            base: self.base.to_owned(),
            path: self.path.to_owned(),
            search: self.search.to_owned(),
            theme: self.theme.to_owned(),
            dismissed: self.dismissed.to_owned(),
            logo: self.logo.to_owned(),
            now: self.now,
            behind_utc: self.behind_utc,
            answers: self.answers.to_vec(),
        };
        let [site, cluster] = self.names.map(str::to_owned);
        let carried = Carried {
            site,
            cluster,
            ..Carried::default()
        };
        let owner = Owner::new();
        let html = owner.with(|| {
            provide_context(Arc::new(facts));
            untrack(|| {
                app::provide(carried, locale);
                draw()
            })
        });
        owner.cleanup();
        html
    }
}
