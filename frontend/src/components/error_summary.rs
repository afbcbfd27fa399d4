//! Everything that is wrong with a form, above it, with links to the fields (after GOV.UK's component).

use leptos::prelude::*;
use shared::options::FieldError;

use crate::built::{Built, IntoBuilt, dynamic};
use crate::document;
use crate::element::{El, el};
use crate::task::{effect, follow};
use crate::text::{Word, Words};

const ID: &str = "error-summary";
const TITLE: &str = "error-summary-title";

/// The summary. It takes the focus whenever `attempt` changes: a person who pressed the button hears first
/// what is wrong. No `role="alert"` beside that, it would be read twice.
#[component]
pub(crate) fn ErrorSummary(
    /// What is wrong with which field; a field's id is the option's name.
    errors: Memo<Vec<FieldError>>,
    /// Counts the failed attempts.
    attempt: RwSignal<i64>,
) -> Built {
    let words = Words::get();
    effect(move || {
        if attempt.get() > 0 {
            document::focus(ID);
        }
    });
    let links = dynamic(move || {
        let list = el("ul").class("error-summary__list");
        let line = |list: El, error: &FieldError| list.child(link(error.field.clone(), &words.text().problem(error)));
        errors.with(|errors| errors.iter().fold(list, line)).built()
    });
    let title = el("h2").class("error-summary__title").attr("id", TITLE);
    el("div")
        .class("error-summary")
        .attr("id", ID)
        .attr("tabindex", "-1")
        .attr("role", "group")
        .attr("aria-labelledby", TITLE)
        .follows_if("hidden", follow(move || errors.read().is_empty().then(String::new)))
        .child(title.says(words.say(Word::ProblemTitle)))
        .child(links)
        .built()
}

fn link(id: String, message: &str) -> El {
    let link = el("a").attr("href", &format!("#{id}")).text(message);
    el("li").child(link.on("click", move |event| {
        event.prevent_default(); // A jump alone would leave the focus behind.
        document::focus(&id);
    }))
}
