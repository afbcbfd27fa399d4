//! Which page the URL asks for, and how to get to another one without loading the document again.
//! `leptos_router` does more, nested routes above all, and would be a fifth of everything the page weighs.

use leptos::prelude::*;

use crate::history;
use crate::paths::routes;

/// The path and the query of the page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Url {
    /// As the browser has it, percent-encoded.
    pub(crate) path: String,
    /// Empty, or with its question mark.
    pub(crate) search: String,
}

impl Url {
    fn current() -> Self {
        let (path, search) = history::here();
        Self { path, search }
    }

    /// The parts of the path below the base path.
    pub(crate) fn segments(&self) -> Vec<&str> {
        let below = self.path.strip_prefix(routes().base()).unwrap_or_default();
        below.split('/').filter(|segment| !segment.is_empty()).collect()
    }
}

/// Goes to a path: within the page where the page has it, else by loading it.
#[derive(Clone, Copy)]
pub(crate) struct Go(RwSignal<Url>);

impl Go {
    /// Made once; from then on links and the browser's own buttons are followed here.
    pub(crate) fn provide() {
        let go = Self(RwSignal::new(Url::current()));
        provide_context(go);
        let follow = move |path: &str| {
            let is_ours = is_page(path);
            if is_ours {
                go.to(path);
            }
            is_ours
        };
        // A fragment comes and goes on the same page.
        let back = move || {
            let url = Url::current();
            if go.here() != url {
                go.0.set(url);
            }
        };
        history::listen(follow, back);
    }

    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Where the page is; follows it.
    pub(crate) fn url(self) -> Url {
        self.0.get()
    }

    /// Where the page is now.
    pub(crate) fn here(self) -> Url {
        self.0.get_untracked()
    }

    /// To a path.
    pub(crate) fn to(self, path: &str) {
        self.go(path, false);
    }

    /// To a path, leaving no trace of this page in the history: Back does not come here again.
    pub(crate) fn instead(self, path: &str) {
        self.go(path, true);
    }

    fn go(self, path: &str, instead: bool) {
        if !is_page(path) {
            return history::load(path, instead);
        }
        history::go(path, instead);
        let url = Url::current();
        if self.here() != url {
            self.0.set(url);
            history::scroll_up();
        }
    }
}

/// Everything below `hub/` is this page, but for the way to another host name; everything else is Jupyter, or
/// another place.
fn is_page(path: &str) -> bool {
    path.starts_with(&routes().hub("")) && !path.starts_with(&routes().hub("hand-off"))
}
