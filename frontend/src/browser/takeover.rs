//! How the page takes the place of what the server drew: it is built beside that, in short tasks, so that the browser can
//! follow a person meanwhile, and put in its place at once, with what was typed and pressed until then.

use std::cell::{Cell, RefCell};

use js_sys::Promise;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Event, HtmlElement, HtmlInputElement, NodeList};

use super::{document, history};
use crate::carried::Carried;

/// What was done before the page had its place.
struct Done {
    /// The path and the query of the page as the server drew it.
    page: (String, String),
    /// The id of what had the focus.
    focus: String,
    /// What was pressed or changed, in its order.
    deeds: Vec<Deed>,
}

/// Something that was pressed or changed.
struct Deed {
    /// Its place among all that can be.
    place: u32,
    /// What it was done to, by what stands around it.
    whose: String,
    /// What is in it.
    value: String,
    /// It is checked.
    checked: bool,
}

thread_local! {
    /// How many of the document's answers are about to be used.
    static COMING: Cell<usize> = const { Cell::new(0) };
    /// What was done to is there again.
    static IS_THERE: Cell<bool> = const { Cell::new(false) };
    static DONE: RefCell<Option<Done>> = const { RefCell::new(None) };
}

/// What the document says, and what is in its form to log in.
pub(crate) fn carried() -> Carried {
    Carried {
        site: document::text("site-name").unwrap_or_default(),
        cluster: document::text("cluster-name").unwrap_or_default(),
        username: document::value("username"),
        password: document::value("password"),
        focus: focused(),
        error: document::text("login-error"),
    }
}

/// What is seen is what the server drew: all that can be done there is written down (`index.html`).
pub(crate) fn is_draft() -> bool {
    document::attribute("data-draft").is_some_and(|is| is == "yes")
}

/// Puts the page in its place: at once, or where the server drew it, when it has used all that came with the document.
pub(crate) async fn take_place(body: Element) {
    let page = history::here();
    while is_draft() {
        breathe().await;
        if COMING.get() == 0 {
            break;
        }
    }
    let (focus, deeds) = (focused().unwrap_or_default(), deeds());
    DONE.set(Some(Done { page, focus, deeds }));
    if let Some(root) = document().document_element() {
        drop(root.remove_attribute("data-draft"));
        drop(root.remove_attribute("data-done"));
    }
    document().set_body(Some(body.unchecked_ref()));
    if IS_THERE.get() {
        do_again();
    }
}

/// Does what was done before the page had its place, now that there is again what it was done to.
pub(crate) fn go_on() {
    IS_THERE.set(true);
    do_again();
}

/// On the same page, and as long as each thing is what it was.
fn do_again() {
    let Some(done) = DONE.take().filter(|done| done.page == history::here()) else {
        return;
    };
    let all = all();
    for deed in done.deeds {
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
    document::focus(&done.focus);
}

/// An answer that is older, in milliseconds, is asked for anew: as old as what a page shows becomes.
const FRESH: f64 = 30_000.0;
/// Of a server, more is expected.
const FRESH_SERVER: f64 = 5_000.0;

/// An answer of the API that came with the document (`backend/src/answers.rs`); once, as it is of that moment. What is
/// built from it has a task of its own, as long as nobody waits for the page.
pub(crate) async fn answer(name: &str) -> Option<String> {
    let element = document().get_element_by_id(&format!("answer-{name}"))?;
    element.remove();
    if is_draft() {
        COMING.set(COMING.get() + 1);
        breathe().await;
        COMING.set(COMING.get() - 1);
    }
    let age = window().performance()?.now();
    let fresh = if name == "server" { FRESH_SERVER } else { FRESH };
    element.text_content().filter(|_| age < fresh)
}

/// Ends a task of the browser's and goes on in another one, as long as nobody waits for the page.
pub(crate) async fn pause() {
    if is_draft() {
        breathe().await;
    }
}

/// Lets the browser do what else there is to do.
async fn breathe() {
    let next = Promise::new(&mut |resolve, _| drop(window().set_timeout_with_callback(&resolve)));
    drop(JsFuture::from(next).await);
}

fn focused() -> Option<String> {
    document().active_element().map(|element| element.id())
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
    let done = document::attribute("data-done").unwrap_or_default();
    done.split(' ').filter_map(deed).collect()
}
