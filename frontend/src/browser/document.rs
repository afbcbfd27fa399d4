//! What the server wrote into the document, and what a person typed before the page took over.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlDialogElement, HtmlDocument, HtmlElement, HtmlInputElement, NodeList};

use crate::carried::{Carried, Deed};
use crate::history;

/// Takes over: reads the document, then empties its body.
pub(crate) fn take_over() -> Carried {
    let carried = Carried {
        site: text("site-name").unwrap_or_default(),
        cluster: text("cluster-name").unwrap_or_default(),
        username: value("username"),
        password: value("password"),
        focus: document().active_element().map(|element| element.id()),
        error: text("login-error"),
        page: history::here(),
        deeds: deeds(),
    };
    if let Some(root) = document().document_element() {
        drop(root.remove_attribute("data-draft"));
        drop(root.remove_attribute("data-done"));
    }
    if let Some(body) = document().body() {
        body.set_text_content(None);
    }
    carried
}

/// Does what was done before the page took over, once there is again what it was done to: on the same page, and as long
/// as each thing is what it was.
pub(crate) fn go_on() {
    let carried = Carried::take();
    if carried.page != history::here() {
        return;
    }
    let all = all();
    for deed in carried.deeds {
        let Some(element) = all.as_ref().and_then(|all| all.get(deed.place)) else {
            break;
        };
        let input: HtmlInputElement = element.unchecked_into();
        if whose(&input) != deed.whose {
            break;
        }
        if is_pressed(&input) {
            input.click();
            continue;
        }
        if is_box(&input) {
            input.set_checked(deed.checked);
        } else {
            input.set_value(&deed.value);
        }
        for name in ["input", "change"] {
            if let Ok(event) = Event::new(name) {
                drop(input.dispatch_event(&event));
            }
        }
    }
    focus(&carried.focus.unwrap_or_default());
}

/// What can be pressed or changed, as the script in `index.html` counts it.
fn all() -> Option<NodeList> {
    document().query_selector_all("input, select, button, summary").ok()
}

/// What an element is, by its own name and those of all that it stands in.
fn whose(element: &HtmlInputElement) -> String {
    let mut whose = element
        .get_attribute("value")
        .filter(|_| is_box(element))
        .unwrap_or_default();
    let mut next: Option<Element> = Some(element.clone().into());
    while let Some(element) = next {
        for part in [element.tag_name(), element.id(), element.class_name()] {
            whose.push(' ');
            whose.push_str(&part);
        }
        next = element.parent_element();
    }
    whose
}

/// Says that the page cannot be loaded, until it can.
pub(crate) fn tell_not_loaded() {
    if let Some(told) = document().get_element_by_id("not-loaded") {
        drop(told.remove_attribute("hidden"));
    }
}

fn is_pressed(element: &HtmlElement) -> bool {
    matches!(element.tag_name().as_str(), "BUTTON" | "SUMMARY")
}

fn is_box(input: &HtmlInputElement) -> bool {
    matches!(input.get_attribute("type").as_deref(), Some("radio" | "checkbox"))
}

/// What `index.html` has written down, in its order.
fn deeds() -> Vec<Deed> {
    let all = all();
    let deed = |place: &str| {
        let place = place.parse().ok()?;
        let input: HtmlInputElement = all.as_ref()?.get(place)?.unchecked_into();
        let value = if is_pressed(&input) {
            String::new()
        } else {
            input.value()
        };
        let checked = input.checked();
        let whose = whose(&input);
        Some(Deed {
            place,
            whose,
            value,
            checked,
        })
    };
    let done = attribute("data-done").unwrap_or_default();
    done.split(' ').filter_map(deed).collect()
}

/// An answer that is older, in milliseconds, is asked for anew: as old as what a page shows becomes.
const FRESH: f64 = 30_000.0;
/// Of a server, more is expected.
const FRESH_SERVER: f64 = 5_000.0;

/// An answer of the API that came with the document (`backend/src/answers.rs`); once, as it is of that moment.
pub(crate) fn answer(name: &str) -> Option<String> {
    let element = document().get_element_by_id(&format!("answer-{name}"))?;
    element.remove();
    let age = window().performance()?.now();
    let fresh = if name == "server" { FRESH_SERVER } else { FRESH };
    element.text_content().filter(|_| age < fresh)
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

/// Shows what the element of this id holds back.
pub(crate) fn unfold(id: &str) {
    if let Some(details) = document().get_element_by_id(id) {
        drop(details.set_attribute("open", ""));
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
