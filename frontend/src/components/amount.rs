//! A number with its unit in the label: hours, cores, GB. Text, not `type="number"`: people write 1,5 and
//! 1:30, and a wheel over the field must not change it.

use leptos::prelude::*;

use super::field::{Field, Wrong, input};
use crate::built::{Built, IntoBuilt};
use crate::element::{El, el};

/// A quick pick: what it is called, and what it puts into the field.
pub(crate) type Pick = (Signal<String>, Signal<String>);

/// A field for an amount.
#[component]
pub(crate) fn Amount(
    /// Its id.
    id: &'static str,
    /// Its label, with the unit.
    label: Signal<String>,
    /// Its limits.
    hint: Signal<String>,
    /// What is wrong.
    error: Wrong,
    /// What is in it.
    value: RwSignal<String>,
    /// What follows from it, beside it.
    #[prop(optional, into)]
    answer: Option<Signal<String>>,
    /// Quick picks.
    #[prop(optional)]
    picks: Vec<Pick>,
) -> Built {
    let input = input(id, true, error)
        .class("field__input amount__input")
        .attr("inputmode", if id == "cores" { "numeric" } else { "decimal" })
        .attr("autocomplete", "off")
        .holds(value);
    let amount = el("div").class("amount").child(input);
    let amount = match answer {
        Some(answer) => amount.child(el("span").class("amount__answer").says(answer)),
        None => amount,
    };
    let amount = if picks.is_empty() {
        amount
    } else {
        let group = el("div")
            .class("amount__picks")
            .attr("role", "group")
            .follows("aria-label", label);
        let pick = |group: El, (name, pick): Pick| {
            let button = el("button").class("pick").attr("type", "button").says(name);
            group.child(button.pressed(move || value.set(pick.get_untracked())))
        };
        amount.child(picks.into_iter().fold(group, pick))
    };
    view! {
        <Field id label hint error>
            {amount.built()}
        </Field>
    }
    .built()
}
