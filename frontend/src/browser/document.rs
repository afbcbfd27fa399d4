//! The document: what the server wrote into it, and what is done to all of it.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlDialogElement, HtmlDocument, HtmlElement, HtmlInputElement};

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

/// Sets an attribute of `<html>`. The browser looks at the style of everything again, whatever it was before.
pub(crate) fn set_attribute(name: &str, value: &str) {
    if attribute(name).as_deref() != Some(value)
        && let Some(root) = document().document_element()
    {
        drop(root.set_attribute(name, value));
    }
}

/// The browser's preferred language.
pub(crate) fn browser_language() -> Option<String> {
    window().navigator().language()
}

/// Says that the page cannot be loaded, until it can.
pub(crate) fn tell_not_loaded() {
    if let Some(told) = document().get_element_by_id("not-loaded") {
        drop(told.remove_attribute("hidden"));
    }
}

/// The document's title.
pub(crate) fn set_title(title: &str) {
    document().set_title(title);
}

/// Asks with the dialog of this id.
pub(crate) fn ask(id: &str) {
    let dialog = document().get_element_by_id(id);
    if let Some(dialog) = dialog.and_then(|element| element.dyn_into::<HtmlDialogElement>().ok())
        && !dialog.open()
    {
        drop(dialog.show_modal());
    }
}

/// Closes the dialog of this id.
pub(crate) fn close(id: &str) {
    let dialog = document().get_element_by_id(id);
    if let Some(dialog) = dialog.and_then(|element| element.dyn_into::<HtmlDialogElement>().ok()) {
        dialog.close();
    }
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

/// The text of the element of this id.
pub(crate) fn text(id: &str) -> Option<String> {
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
    if let Some(field) = field {
        field.unchecked_into::<HtmlInputElement>().select(); // As text areas do.
    }
    let document = document().dyn_into::<HtmlDocument>();
    document.is_ok_and(|document| document.exec_command("copy").unwrap_or(false))
}

fn is_filled(text: &str) -> bool {
    !text.is_empty() && !text.starts_with("{{")
}
