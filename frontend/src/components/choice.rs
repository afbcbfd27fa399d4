//! One of a few, each with a sentence: radio buttons as cards.

use leptos::prelude::*;

use super::field::{Wrong, describe, field_class, with_hint_and_error};
use crate::built::{Built, IntoBuilt};
use crate::element::{El, el};
use crate::task::follow;

/// One of the choices.
pub(crate) struct Item {
    /// What it stands for.
    pub(crate) value: String,
    /// Its name.
    pub(crate) name: Signal<String>,
    /// A word beside the name, such as "recommended"; may be empty.
    pub(crate) mark: Signal<String>,
    /// What it is for; may be empty.
    pub(crate) about: Signal<String>,
}

impl Item {
    /// A name alone.
    pub(crate) fn plain(value: &str, name: Signal<String>) -> Self {
        Self {
            value: value.to_owned(),
            name,
            mark: Signal::stored(String::new()),
            about: Signal::stored(String::new()),
        }
    }
}

/// The choices. The first radio button has the group's id, so that an error can lead there.
#[component]
pub(crate) fn Choice(
    /// The group's id, and the name of its radio buttons.
    id: &'static str,
    /// What is chosen here.
    legend: Signal<String>,
    /// What to think of.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
    /// What is wrong.
    error: Wrong,
    /// The chosen value.
    value: RwSignal<String>,
    /// What there is to choose from.
    items: Vec<Item>,
    /// What follows when somebody has chosen.
    #[prop(optional, into)]
    picked: Option<Callback<()>>,
) -> Built {
    let cards = items.into_iter().enumerate().map(|(index, item)| {
        let input_id = if index == 0 {
            id.to_owned()
        } else {
            format!("{id}-{index}")
        };
        card(id, &input_id, value, item, picked)
    });
    let cards = cards.fold(el("div").class("choice__cards"), El::child);
    group(id, legend, hint, error).child(cards).built()
}

/// Choices that belong together, without the choices.
pub(crate) fn group(id: &'static str, legend: Signal<String>, hint: Option<Signal<String>>, error: Wrong) -> El {
    let group = el("fieldset")
        .follows("class", field_class("field choice", error))
        .follows_if("aria-describedby", describe(id, hint.is_some(), error))
        .child(el("legend").class("field__label").says(legend));
    with_hint_and_error(group, id, hint, error)
}

fn card(group: &'static str, id: &str, value: RwSignal<String>, item: Item, picked: Option<Callback<()>>) -> El {
    let about_id = format!("{id}-about");
    let own = item.value.clone();
    let checked = follow(move || *value.read() == own);
    let radio = el("input")
        .class("choice__input")
        .attr("type", "radio")
        .attr("id", id)
        .attr("name", group)
        .attr("value", &item.value)
        .attr("aria-describedby", &about_id)
        .checked(checked)
        .on("change", move |event| {
            value.set(event_target_value(&event));
            if let Some(picked) = picked {
                picked.run(());
            }
        });
    let label = el("label").class("choice__label").attr("for", id);
    let label = label.child(el("span").class("choice__name").says(item.name));
    let label = label.text(" ").child(el("span").class("choice__mark").says(item.mark));
    let about = el("p").class("choice__about").attr("id", &about_id).says(item.about);
    el("div").class("choice__card").child(radio).child(label).child(about)
}
