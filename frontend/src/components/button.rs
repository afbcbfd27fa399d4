//! Buttons, and links that look like them.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt};
use crate::element::el;
use crate::task::follow;

/// The one thing to do.
pub(crate) const FIRST: &str = "button";
/// Something else that can be done.
pub(crate) const SECOND: &str = "button button--second";
/// Something that cannot be taken back.
pub(super) const BAD: &str = "button button--bad";
/// Something small, in the frame or in a field.
pub(crate) const QUIET: &str = "button button--quiet";

/// A button. While it is busy it stays where it is, and keeps the focus.
#[component]
pub(crate) fn Button(
    /// Its words.
    label: Signal<String>,
    /// What it does; without it the button sends its form.
    #[prop(optional, into)]
    press: Option<Callback<()>>,
    /// How it looks.
    #[prop(default = FIRST)]
    class: &'static str,
    /// What it has begun is not over.
    #[prop(optional, into)]
    busy: Signal<bool>,
    /// Its id, where something has to find it.
    #[prop(optional)]
    id: Option<&'static str>,
    /// What a screen reader says, where the words need what stands beside them.
    #[prop(optional, into)]
    name: Option<Signal<String>>,
) -> Built {
    let button = el("button")
        .class(class)
        .attr_if("id", id)
        .follows_if("aria-disabled", follow(move || busy.get().then(|| "true".to_owned())))
        .says(label);
    let button = match name {
        Some(name) => button.follows("aria-label", name),
        None => button,
    };
    let button = match press {
        Some(press) => button.attr("type", "button").pressed(move || press.run(())),
        None => button,
    };
    button.built()
}

/// A link within the page that looks like a button.
#[component]
pub(crate) fn ButtonLink(
    /// Its words.
    label: Signal<String>,
    /// Where it leads.
    #[prop(into)]
    href: Signal<String>,
    /// How it looks.
    #[prop(default = FIRST)]
    class: &'static str,
    /// It leads out of the page: into Jupyter.
    #[prop(optional)]
    external: bool,
    /// Its id, where something has to find it.
    #[prop(optional)]
    id: Option<&'static str>,
) -> Built {
    el("a")
        .class(class)
        .attr_if("id", id)
        .follows("href", href)
        .attr_if("rel", external.then_some("external"))
        .says(label)
        .built()
}

/// Buttons beside each other.
#[component]
pub(crate) fn Buttons(children: Built) -> Built {
    el("p").class("buttons").child(children).built()
}
