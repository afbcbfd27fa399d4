//! A choice from a list, as the system shows it.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt};
use crate::element::{El, el};

/// The list. What is chosen first is set once; from then on the element knows.
#[component]
pub(crate) fn Select(
    /// Its id.
    id: &'static str,
    /// How it looks.
    class: &'static str,
    /// Its name, where it has no label.
    #[prop(optional, into)]
    name: Option<Signal<String>>,
    /// The ids of what describes it.
    #[prop(optional, into)]
    described_by: Signal<Option<String>>,
    /// The chosen value.
    value: RwSignal<String>,
    /// Values and their names.
    items: Vec<(String, Signal<String>)>,
) -> Built {
    let chosen = value.get_untracked();
    let select = el("select")
        .class(class)
        .attr("id", id)
        .attr("name", id)
        .follows_if("aria-describedby", described_by)
        .on("change", move |event| value.set(event_target_value(&event)));
    let select = match name {
        Some(name) => select.follows("aria-label", name),
        None => select,
    };
    let option = |select: El, (item, name): (String, Signal<String>)| {
        let selected = (item == chosen).then_some("");
        select.child(
            el("option")
                .attr("value", &item)
                .attr_if("selected", selected)
                .says(name),
        )
    };
    items.into_iter().fold(select, option).built()
}
