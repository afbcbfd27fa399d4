//! One of a few, each with a sentence: radio buttons as cards.

use leptos::prelude::*;

use super::field::{Wrong, describe, field_class, with_hint_and_error};
use crate::built::{Built, IntoBuilt};
use crate::element::{El, el};

/// One of the choices.
pub(crate) struct Item {
    /// What it stands for.
    pub(crate) value: String,
    /// Its name.
    pub(crate) name: Signal<String>,
    /// A word beside the name, such as "recommended".
    pub(crate) mark: Option<Signal<String>>,
    /// What it is for.
    pub(crate) about: Option<Signal<String>>,
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
) -> Built {
    let group = el("fieldset")
        .follows("class", field_class("field choice", error))
        .follows_if("aria-describedby", describe(id, hint.is_some(), error))
        .child(el("legend").class("field__label").says(legend));
    let cards = items.into_iter().enumerate().map(|(index, item)| {
        let input_id = if index == 0 {
            id.to_owned()
        } else {
            format!("{id}-{index}")
        };
        card(id, &input_id, value, item)
    });
    let cards = cards.fold(el("div").class("choice__cards"), El::child);
    with_hint_and_error(group, id, hint, error).child(cards).built()
}

fn card(group: &'static str, id: &str, value: RwSignal<String>, item: Item) -> El {
    let about_id = format!("{id}-about");
    let checked = value.with_untracked(|value| *value == item.value);
    let radio = el("input")
        .class("choice__input")
        .attr("type", "radio")
        .attr("id", id)
        .attr("name", group)
        .attr("value", &item.value)
        .attr_if("checked", checked.then_some(""))
        .attr_if("aria-describedby", item.about.map(|_| about_id.as_str()))
        .on("change", move |event| value.set(event_target_value(&event)));
    let label = el("label").class("choice__label").attr("for", id);
    let label = label.child(el("span").class("choice__name").says(item.name));
    let label = match item.mark {
        Some(mark) => label.text(" ").child(el("span").class("choice__mark").says(mark)),
        None => label,
    };
    let card = el("div").class("choice__card").child(radio).child(label);
    match item.about {
        Some(about) => card.child(el("p").class("choice__about").attr("id", &about_id).says(about)),
        None => card,
    }
}
