//! A label, a hint, an error and what they belong to, tied together for everybody.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt, maybe};
use crate::element::{El, el};
use crate::site::Site;
use crate::task::{follow, memo};
use crate::text::Words;

/// What is wrong with a field.
pub(crate) type Wrong = Signal<Option<String>>;

/// The ids of what describes a field, for `aria-describedby`.
pub(crate) fn describe(id: &'static str, hint: bool, error: Wrong) -> Signal<Option<String>> {
    let (site, words) = (Site::get(), Words::get());
    follow(
        move || match (hint || !site.help(words, id).is_empty(), error.read().is_some()) {
            (false, false) => None,
            (true, false) => Some(format!("{id}-hint")),
            (false, true) => Some(format!("{id}-error")),
            (true, true) => Some(format!("{id}-hint {id}-error")),
        },
    )
}

/// A text field, tied to its description; `id` is also its name.
pub(crate) fn input(id: &'static str, hint: bool, error: Wrong) -> El {
    let invalid = follow(move || error.read().is_some().then(|| "true".to_owned()));
    el("input")
        .attr("id", id)
        .attr("name", id)
        .follows_if("aria-describedby", describe(id, hint, error))
        .follows_if("aria-invalid", invalid)
}

/// The class of a field, which shows at its edge what is wrong.
pub(super) fn field_class(class: &'static str, error: Wrong) -> Signal<String> {
    follow(move || {
        if error.read().is_some() {
            format!("{class} field--wrong")
        } else {
            class.to_owned()
        }
    })
}

/// With the hint, which the site may add to, and the error, under the ids that [`describe`] names.
pub(super) fn with_hint_and_error(field: El, id: &'static str, hint: Option<Signal<String>>, error: Wrong) -> El {
    let (site, words) = (Site::get(), Words::get());
    let said = follow(move || {
        let mut said = hint.map_or_else(String::new, |hint| hint.get() + " ");
        said += &site.help(words, id);
        said
    });
    let some = memo(move || !said.read().is_empty());
    let field = field.child(maybe(move || {
        let hint = el("p").class("field__hint").attr("id", &format!("{id}-hint"));
        some.get().then(|| hint.says(said).built())
    }));
    let hidden = follow(move || error.read().is_none().then(String::new));
    let message = follow(move || error.get().unwrap_or_default());
    let id = format!("{id}-error");
    let error = el("p").class("field__error").attr("id", &id);
    field.child(error.follows_if("hidden", hidden).says(message))
}

/// A field: its control is the child, with this `id` and described by [`describe`].
#[component]
pub(crate) fn Field(
    /// The control's id.
    id: &'static str,
    /// Its label.
    label: Signal<String>,
    /// What may be written, short.
    #[prop(optional, into)]
    hint: Option<Signal<String>>,
    /// What is wrong.
    #[prop(optional, into)]
    error: Wrong,
    /// The control.
    children: Built,
) -> Built {
    let field = el("div")
        .follows("class", field_class("field", error))
        .child(el("label").class("field__label").attr("for", id).says(label));
    with_hint_and_error(field, id, hint, error).child(children).built()
}
