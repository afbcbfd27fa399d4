//! A list of facts: what it is, and its value.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt};
use crate::element::{El, el};

/// The list. Facts without a value are left out.
pub(crate) fn facts(facts: Vec<(Signal<String>, Option<String>)>) -> Built {
    let row = |list: El, (name, value): (Signal<String>, Option<String>)| match value {
        Some(value) => list.child(
            el("div")
                .child(el("dt").class("facts__name").says(name))
                .child(el("dd").class("facts__value").text(&value)),
        ),
        None => list,
    };
    facts.into_iter().fold(el("dl").class("facts"), row).built()
}
