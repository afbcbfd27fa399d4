//! A box to check.

use leptos::prelude::*;

use crate::element::{El, el};

/// The box, with its label.
pub(crate) fn check(
    id: &str,
    label: Signal<String>,
    // The id of what describes it.
    described_by: Option<&str>,
    checked: Signal<bool>,
    // Does this when somebody has checked it, or no longer wants it.
    picked: Box<dyn Fn(bool)>,
) -> El {
    let input = el("input")
        .attr("type", "checkbox")
        .attr("id", id)
        .attr_if("aria-describedby", described_by)
        .checked(checked)
        .on("change", move |event| picked(event_target_checked(&event)));
    let label = el("label").attr("for", id).says(label);
    el("p").class("check").child(input).text(" ").child(label)
}
