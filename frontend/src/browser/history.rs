//! Where the browser is, and how it gets elsewhere.

use leptos::ev;
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Element, HtmlAnchorElement, MouseEvent};

use super::takeover;

/// The path as the browser has it, percent-encoded, and the query: empty, or with its question mark.
pub(crate) fn here() -> (String, String) {
    let location = location();
    (
        location.pathname().unwrap_or_default(),
        location.search().unwrap_or_default(),
    )
}

/// What stands before the path.
pub(crate) fn origin() -> String {
    location().origin().unwrap_or_default()
}

/// Another path for the page that is shown; in place of this one, or after it.
pub(crate) fn go(path: &str, instead: bool) {
    let Ok(history) = window().history() else { return };
    drop(if instead {
        history.replace_state_with_url(&JsValue::NULL, "", Some(path))
    } else {
        history.push_state_with_url(&JsValue::NULL, "", Some(path))
    });
}

/// Another document; in place of this one, or after it.
pub(crate) fn load(path: &str, instead: bool) {
    drop(if instead {
        location().replace(path)
    } else {
        location().assign(path)
    });
}

/// To the page's beginning.
pub(crate) fn scroll_up() {
    window().scroll_to_with_x_and_y(0.0, 0.0);
}

/// Tells of links that are clicked, which may be followed in another way, and of the browser's own buttons; for as long
/// as the component lives.
pub(crate) fn listen(follow: impl Fn(&str) -> bool + 'static, back: impl Fn() + 'static) {
    let clicks = window_event_listener(ev::click, move |event| {
        if followed(&event).is_some_and(|path| follow(&path)) {
            event.prevent_default();
        }
    });
    let back = window_event_listener(ev::popstate, move |_| back());
    on_cleanup(move || {
        clicks.remove();
        back.remove();
    });
}

/// The path of the link that a click follows within the site: a plain click on a plain link.
fn followed(event: &MouseEvent) -> Option<String> {
    if takeover::is_draft() {
        return None; // The page that would follow it is not there yet.
    }
    let other_use = event.button() != 0 || event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key();
    if other_use || event.default_prevented() {
        return None;
    }
    let target = event.target()?.dyn_into::<Element>().ok()?;
    let link = target.closest("a[href]").ok()??.dyn_into::<HtmlAnchorElement>().ok()?;
    let elsewhere = link.rel() == "external" || link.origin() != location().origin().ok()?;
    (!elsewhere).then(|| format!("{}{}", link.pathname(), link.search()))
}
