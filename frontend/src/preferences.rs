//! What this browser remembers of a person's taste, language and colours; and what its tabs tell each other.

use leptos::prelude::{document, window};
use wasm_bindgen::JsCast;
use web_sys::{HtmlDocument, Storage};

use crate::clock;
use crate::paths::routes;

/// A year, in seconds.
const COOKIE_AGE: u32 = 31_536_000;

/// What was remembered under this name.
pub(crate) fn recall(name: &str) -> Option<String> {
    storage()?.get_item(name).ok()?
}

/// Remembers a value, here and in a cookie, so that the server's document already has it.
pub(crate) fn remember(name: &str, value: &str) {
    keep(name, value);
    if let Ok(document) = document().dyn_into::<HtmlDocument>() {
        let path = routes().base();
        drop(document.set_cookie(&format!(
            "{name}={value}; path={path}; max-age={COOKIE_AGE}; SameSite=Lax"
        )));
    }
}

/// Remembers a value here alone.
pub(crate) fn keep(name: &str, value: &str) {
    if let Some(storage) = storage() {
        drop(storage.set_item(name, value));
    }
}

/// Somebody signed in in this tab.
pub(crate) const SIGNED_IN: &str = "slipway-signed-in";
/// Somebody signed out in this tab.
pub(crate) const SIGNED_OUT: &str = "slipway-signed-out";

/// Tells the other tabs, each of which hears of a value that changes.
pub(crate) fn tell(what: &str) {
    keep(what, &clock::now().to_string());
}

/// Browsers can refuse it (private windows, policies): then nothing is remembered.
fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
