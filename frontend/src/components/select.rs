//! A choice from a list, as the system shows it.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt};
use crate::element::el;

/// The list.
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
    /// How many lines of it are shown at once.
    #[prop(default = "1")]
    size: &'static str,
    /// What follows when somebody has chosen.
    #[prop(optional, into)]
    picked: Option<Callback<()>>,
) -> Built {
    let select = el("select")
        .class(class)
        .attr("id", id)
        .attr("name", id)
        .attr("size", size)
        .follows_if("aria-describedby", described_by)
        .on("change", move |event| {
            value.set(event_target_value(&event));
            if let Some(picked) = picked {
                picked.run(());
            }
        });
    let select = match name {
        Some(name) => select.follows("aria-label", name),
        None => select,
    };
    // Only what is in it can be chosen.
    select.options(items).holds(value).built()
}
