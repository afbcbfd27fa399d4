//! How the page takes the place of what the server drew: it is built beside that, in short tasks, so that the browser can
//! follow a person meanwhile, and put in its place at once, with what was typed and pressed until then.

use std::cell::{Cell, RefCell};

use js_sys::Promise;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, Event, FocusOptions, HtmlElement, HtmlInputElement, NodeList};

use super::{document, history};
use crate::carried::Carried;
use crate::components::{CLUSTER_NAME, SITE_NAME};

/// What was done before the page had its place.
struct Done {
    /// The path and the query of the page as the server drew it.
    page: (String, String),
    /// What was pressed or changed, in its order.
    deeds: Vec<Deed>,
    /// What had the focus, and what was marked of its text.
    focus: Option<(Deed, Option<u32>, Option<u32>)>,
}

/// Something that was pressed or changed.
struct Deed {
    /// Its place among all that can be.
    place: u32,
    /// What it was done to.
    whose: String,
    /// What is in it.
    value: String,
    /// It is checked.
    checked: bool,
}

thread_local! {
    /// For how many answers the page does not take its place yet.
    static COMING: Cell<usize> = const { Cell::new(0) };
    /// What was done to is there again.
    static IS_THERE: Cell<bool> = const { Cell::new(false) };
    static DONE: RefCell<Option<Done>> = const { RefCell::new(None) };
    /// What is done as soon as the page has its place.
    static WAITING: RefCell<Vec<Box<dyn FnOnce()>>> = const { RefCell::new(Vec::new()) };
}

/// What the document says, and what is in its form to log in.
pub(crate) fn carried() -> Carried {
    Carried {
        site: document::text(SITE_NAME).unwrap_or_default(),
        cluster: document::text(CLUSTER_NAME).unwrap_or_default(),
        username: document::value("username"),
        password: document::value("password"),
        focus: document().active_element().map(|element| element.id()),
        error: document::text("login-error"),
    }
}

/// What is seen is what the server drew: all that can be done there is written down (`index.html`).
pub(crate) fn is_draft() -> bool {
    document::attribute("data-draft").is_some_and(|is| is == "yes")
}

/// Puts the page in its place: at once, or where the server drew it, when it has used all that came with the document. For
/// what has become old meanwhile and is asked for again it waits some seconds.
pub(crate) async fn take_place(body: Element) {
    let (page, is_drawn) = (history::here(), is_draft());
    for breath in 0..100 {
        if !is_drawn {
            break;
        }
        breathe(if breath < 20 { 0 } else { 50 }).await;
        if COMING.get() == 0 {
            break;
        }
    }
    if is_drawn {
        DONE.set(done(page));
    }
    if let Some(root) = document().document_element() {
        drop(root.remove_attribute("data-draft"));
        drop(root.remove_attribute("data-done"));
    }
    document().set_body(Some(body.unchecked_ref()));
    if IS_THERE.get() {
        do_again();
    }
    WAITING.take().into_iter().for_each(|run| run());
}

/// Does something with the document once the page is in it.
pub(crate) fn once_placed(run: Box<dyn FnOnce()>) {
    if is_draft() {
        WAITING.with_borrow_mut(|waiting| waiting.push(run));
    } else {
        run();
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
    let Some(all) = all() else { return };
    for deed in done.deeds {
        let Some(input) = deed.found(&all) else { break };
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
    if let Some((deed, start, end)) = done.focus
        && let Some(input) = deed.found(&all)
    {
        // No other part of the page is shown for it.
        let options = FocusOptions::new();
        options.set_prevent_scroll(true);
        drop(input.focus_with_options(&options));
        if let (Some(start), Some(end)) = (start, end) {
            drop(input.set_selection_range(start, end));
        }
    }
}

/// An answer that is older, in milliseconds, is asked for anew: as old as what a page shows becomes.
const FRESH: f64 = 30_000.0;
/// Of a server, more is expected.
const FRESH_SERVER: f64 = 5_000.0;

/// An answer of the API that came with the document (`backend/src/answers.rs`); once, as it is of that moment. What is
/// built from it has a task of its own. With it comes what keeps the page from taking its place, until it is dropped.
pub(crate) async fn answer(name: &str) -> (Option<String>, Option<Coming>) {
    let Some(element) = document().get_element_by_id(&format!("answer-{name}")) else {
        return (None, None);
    };
    element.remove();
    let coming = Coming::new();
    pause().await;
    let age = window().performance().map_or(f64::MAX, |performance| performance.now());
    let fresh = if name == "server" { FRESH_SERVER } else { FRESH };
    (element.text_content().filter(|_| age < fresh), Some(coming))
}

/// An answer that the page waits for before it takes its place.
pub(crate) struct Coming(());

impl Coming {
    fn new() -> Self {
        COMING.set(COMING.get() + 1);
        Self(())
    }
}

impl Drop for Coming {
    fn drop(&mut self) {
        COMING.set(COMING.get() - 1);
    }
}

/// Ends a task of the browser's and goes on in another one, as long as nobody waits for the page. In a tab that nobody
/// looks at that would take a second.
pub(crate) async fn pause() {
    if is_draft() && !document().hidden() {
        breathe(0).await;
    }
}

/// Lets the browser do what else there is to do, for so many milliseconds.
async fn breathe(milliseconds: i32) {
    let next = Promise::new(&mut |resolve, _| {
        drop(window().set_timeout_with_callback_and_timeout_and_arguments_0(&resolve, milliseconds));
    });
    drop(JsFuture::from(next).await);
}

/// What can be pressed, changed or reached, as the script in `index.html` counts it.
fn all() -> Option<NodeList> {
    document().query_selector_all("a, input, select, button, summary").ok()
}

/// All that `index.html` has written down, and what has the focus.
fn done(page: (String, String)) -> Option<Done> {
    let all = all()?;
    // Who was told that nothing is carried out has been told so.
    let told = document().query_selector("#not-loaded:not([hidden])");
    let in_vain = told.is_ok_and(|told| told.is_some());
    let deeds = document::attribute("data-done").unwrap_or_default();
    let deeds = deeds.split(' ').filter_map(|place| {
        let place = place.parse().ok()?;
        let input = at(&all, place)?;
        (!in_vain || !is_pressed(&input)).then(|| Deed::new(place, &input))
    });
    let deeds = deeds.collect();
    let active: Option<Element> = document().active_element();
    let mut focus = None;
    for place in 0..all.length() {
        if let Some(input) = at(&all, place)
            && active.as_ref() == Some(&input)
        {
            let (start, end) = (input.selection_start(), input.selection_end());
            focus = Some((Deed::new(place, &input), start.ok().flatten(), end.ok().flatten()));
        }
    }
    Some(Done { page, deeds, focus })
}

impl Deed {
    fn new(place: u32, input: &HtmlInputElement) -> Self {
        Self {
            place,
            whose: whose(input),
            // Buttons have none.
            value: if is_pressed(input) {
                String::new()
            } else {
                input.value()
            },
            checked: input.checked(),
        }
    }

    /// What it was done to, if that is what stands in its place.
    fn found(&self, all: &NodeList) -> Option<HtmlInputElement> {
        at(all, self.place).filter(|input| whose(input) == self.whose)
    }
}

fn at(all: &NodeList, place: u32) -> Option<HtmlInputElement> {
    Some(all.get(place)?.unchecked_into())
}

/// What an element is, by its words, its own name and those of all that it stands in.
fn whose(element: &HtmlInputElement) -> String {
    let words = if is_box(element) {
        element.get_attribute("value")
    } else {
        element.text_content()
    };
    let mut whose = words.unwrap_or_default();
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

/// Links are for the browser.
fn is_pressed(element: &HtmlElement) -> bool {
    matches!(element.tag_name().as_str(), "BUTTON" | "SUMMARY" | "A")
}

fn is_box(input: &HtmlInputElement) -> bool {
    matches!(input.get_attribute("type").as_deref(), Some("radio" | "checkbox"))
}
