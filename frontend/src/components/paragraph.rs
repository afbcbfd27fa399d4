//! A paragraph.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt};
use crate::element::el;

/// A paragraph of one message.
#[component]
pub(crate) fn Paragraph(
    /// The message.
    text: Signal<String>,
    /// Its class.
    #[prop(optional)]
    class: Option<&'static str>,
) -> Built {
    el("p").attr_if("class", class).says(text).built()
}

/// A message, then something to be taken literally.
#[component]
pub(crate) fn Literally(text: Signal<String>, code: String) -> Built {
    el("p").says(text).text(" ").child(el("code").text(&code)).built()
}

/// Slurm's own words, in English.
#[component]
pub(crate) fn SlurmWords(
    /// What stands before them.
    lead: Signal<String>,
    /// They.
    slurm: String,
) -> Built {
    el("div")
        .child(el("p").says(lead))
        .child(el("blockquote").class("slurm-words").attr("lang", "en").text(&slurm))
        .built()
}
