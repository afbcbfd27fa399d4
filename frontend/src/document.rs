//! What the server wrote into the document, and what a person typed before the page took over.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDocument, HtmlElement, HtmlInputElement};

/// Carried over from the document: a page rendered in the browser replaces what stands there.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    /// The site's name.
    pub(crate) site: String,
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The login form's name as far as it was typed.
    pub(crate) username: String,
    /// The login form's password as far as it was typed.
    pub(crate) password: String,
    /// The id of the field that had the focus.
    pub(crate) focus: Option<String>,
    /// Why a login without a script failed.
    pub(crate) error: Option<String>,
}

impl Carried {
    /// What was carried over, for the first who asks.
    pub(crate) fn take() -> Self {
        expect_context::<StoredValue<Self>>()
            .try_update_value(std::mem::take)
            .unwrap_or_default()
    }
}

/// Takes over: reads the document, then empties its body.
pub(crate) fn take_over() -> Carried {
    let carried = Carried {
        site: text("site-name").unwrap_or_default(),
        cluster: text("cluster-name").unwrap_or_default(),
        username: value("username"),
        password: value("password"),
        focus: document().active_element().map(|element| element.id()),
        error: text("login-error"),
    };
    if let Some(body) = document().body() {
        body.set_text_content(None);
    }
    carried
}

/// An answer that is older, in milliseconds, is asked for anew.
const FRESH: f64 = 5_000.0;

/// An answer of the API that came with the document (`backend/src/answers.rs`); once, as it is of that moment.
pub(crate) fn answer(name: &str) -> Option<String> {
    let element = document().get_element_by_id(&format!("answer-{name}"))?;
    element.remove();
    let age = window().performance()?.now();
    element.text_content().filter(|_| age < FRESH)
}

/// The base path; `/` where no server filled it in (plain `trunk serve`).
pub(crate) fn base() -> String {
    attribute("data-base").unwrap_or_else(|| "/".to_owned())
}

/// An attribute of `<html>` that the server filled in.
pub(crate) fn attribute(name: &str) -> Option<String> {
    document()
        .document_element()?
        .get_attribute(name)
        .filter(|value| is_filled(value))
}

/// Sets an attribute of `<html>`.
pub(crate) fn set_attribute(name: &str, value: &str) {
    if let Some(root) = document().document_element() {
        drop(root.set_attribute(name, value));
    }
}

/// The browser's preferred language.
pub(crate) fn browser_language() -> Option<String> {
    window().navigator().language()
}

/// Focuses the element of this id.
pub(crate) fn focus(id: &str) {
    if let Some(element) = document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlElement>().ok())
    {
        drop(element.focus());
    }
}

fn text(id: &str) -> Option<String> {
    document()
        .get_element_by_id(id)?
        .text_content()
        .filter(|text| is_filled(text))
}

/// Whether the box of this id is checked.
pub(crate) fn is_checked(id: &str) -> bool {
    let input = document().get_element_by_id(id);
    let input = input.and_then(|element| element.dyn_into::<HtmlInputElement>().ok());
    input.is_some_and(|input| input.checked())
}

/// What is in the field of this id.
pub(crate) fn value(id: &str) -> String {
    document()
        .get_element_by_id(id)
        .and_then(|element| element.dyn_into::<HtmlInputElement>().ok())
        .map(|input| input.value())
        .filter(|value| is_filled(value))
        .unwrap_or_default()
}

/// Selects what is in the field of this id, and copies it; whether the browser did.
pub(crate) fn copy(id: &str) -> bool {
    let field = document().get_element_by_id(id);
    if let Some(field) = field.and_then(|element| element.dyn_into::<HtmlInputElement>().ok()) {
        field.select();
    }
    let document = document().dyn_into::<HtmlDocument>();
    document.is_ok_and(|document| document.exec_command("copy").unwrap_or(false))
}

fn is_filled(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("{{")
}
