//! A paragraph.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt};
use crate::element::{El, el};
use crate::task::follow;

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

/// A paragraph in which Slurm's English may be quoted.
#[component]
pub(crate) fn Quoting(text: Signal<String>) -> Built {
    quoting("p", text).built()
}

/// An element with a text in which U+2068 and U+2069 enclose what is in English.
pub(crate) fn quoting(name: &str, text: Signal<String>) -> El {
    let part = move |part: usize| {
        follow(move || {
            text.read()
                .split(['\u{2068}', '\u{2069}'])
                .nth(part)
                .unwrap_or_default()
                .to_owned()
        })
    };
    let quoted = el("span").attr("lang", "en").says(part(1));
    el(name).says(part(0)).child(quoted).says(part(2))
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
