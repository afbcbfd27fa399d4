//! What this browser remembers of a person's taste, language and colours; and what its tabs tell each other.

use js_sys::Date;
use leptos::ev;
use leptos::prelude::*;
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
    keep(name, Some(value));
    cookie(name, value);
}

/// Lets the server know how far the clock on the wall is behind UTC, for the times in its documents.
pub(super) fn tell_zone() {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "whole minutes, hundreds of them at the most"
    )]
    let minutes = Date::new_0().get_timezone_offset() as i64;
    cookie("slipway-behind-utc", &minutes.to_string());
}

fn cookie(name: &str, value: &str) {
    if let Ok(document) = document().dyn_into::<HtmlDocument>() {
        let path = routes().base();
        drop(document.set_cookie(&format!(
            "{name}={value}; path={path}; max-age={COOKIE_AGE}; SameSite=Lax"
        )));
    }
}

/// Remembers a value here alone, or nothing any more.
pub(crate) fn keep(name: &str, value: Option<&str>) {
    if let Some(storage) = storage() {
        drop(match value {
            Some(value) => storage.set_item(name, value),
            None => storage.remove_item(name),
        });
    }
}

/// Somebody signed in in this tab.
pub(crate) const SIGNED_IN: &str = "slipway-signed-in";
/// Somebody signed out in this tab.
pub(crate) const SIGNED_OUT: &str = "slipway-signed-out";

/// Tells the other tabs, each of which hears of a value that changes.
pub(crate) fn tell(what: &str) {
    keep(what, Some(&clock::now().to_string()));
}

/// Hears what other tabs tell, for as long as the component lives.
pub(crate) fn hear(heard: impl Fn(&str) + 'static) {
    let told = window_event_listener(ev::storage, move |event| heard(&event.key().unwrap_or_default()));
    on_cleanup(move || told.remove());
}

/// Browsers can refuse it (private windows, policies): then nothing is remembered.
fn storage() -> Option<Storage> {
    window().local_storage().ok()?
}
