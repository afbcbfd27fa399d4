//! Which page the URL asks for, and how to get to another one without loading the document again.
//! `leptos_router` does more, nested routes above all, and would be a fifth of everything the page weighs.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

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
        let location = location();
        Self {
            path: location.pathname().unwrap_or_default(),
            search: location.search().unwrap_or_default(),
        }
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
    pub(crate) fn provide() -> Self {
        let go = Self(RwSignal::new(Url::current()));
        provide_context(go);
        let clicks = window_event_listener(ev::click, move |event| {
            if let Some(path) = followed(&event) {
                event.prevent_default();
                go.to(&path);
            }
        });
        let back = window_event_listener(ev::popstate, move |_| go.0.set(Url::current()));
        on_cleanup(move || {
            clicks.remove();
            back.remove();
        });
        go
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
        if is_page(path) {
            let history = window().history();
            drop(history.and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(path))));
            self.arrive();
        } else {
            drop(location().assign(path));
        }
    }

    /// To a path, leaving no trace of this page in the history: Back does not come here again.
    pub(crate) fn instead(self, path: &str) {
        if is_page(path) {
            let history = window().history();
            drop(history.and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(path))));
            self.arrive();
        } else {
            drop(location().replace(path));
        }
    }

    fn arrive(self) {
        let url = Url::current();
        if self.here() != url {
            self.0.set(url);
            window().scroll_to_with_x_and_y(0.0, 0.0);
        }
    }
}

/// Everything below `hub/` is this page, but for the way to another host name; everything else is Jupyter, or
/// another place.
fn is_page(path: &str) -> bool {
    path.starts_with(&routes().hub("")) && !path.starts_with(&routes().hub("hand-off"))
}

/// The path of the link that a click follows within the page: a plain click on a plain link.
fn followed(event: &MouseEvent) -> Option<String> {
    let other_use = event.button() != 0 || event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
    if other_use || event.default_prevented() {
        return None;
    }
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let link = target.closest("a[href]").ok()??.dyn_into::<HtmlAnchorElement>().ok()?;
    let path = format!("{}{}", link.pathname(), link.search());
    let elsewhere = link.rel() == "external" || link.origin() != location().origin().ok()?;
    (!elsewhere && is_page(&path)).then_some(path)
}
