//! Steps of something under way, one below the other; the current one speaks.

use std::cmp::Ordering;

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt, maybe};
use crate::element::{El, el};
use crate::task::follow;
use crate::text::{Word, Words};

/// One step: its name, and what it says while it is the current one.
pub(crate) struct Step {
    /// Its name.
    pub(crate) name: Signal<String>,
    /// What it says.
    pub(crate) details: Option<Box<dyn Fn() -> Built + Send>>,
}

/// The steps.
#[component]
pub(crate) fn Steps(
    /// In order.
    steps: Vec<Step>,
    /// The index of the current one.
    current: Memo<usize>,
) -> Built {
    let words = Words::get();
    let item = |(index, step)| item(words, current, index, step);
    let items = steps.into_iter().enumerate().map(item);
    items.fold(el("ol").class("steps"), El::child).built()
}

fn item(words: Words, current: Memo<usize>, index: usize, step: Step) -> El {
    let class = follow(move || {
        match index.cmp(&current.get()) {
            Ordering::Less => "steps__step steps__step--done",
            Ordering::Equal => "steps__step steps__step--now",
            Ordering::Greater => "steps__step",
        }
        .to_owned()
    });
    let state = words.tell(move |text| {
        match index.cmp(&current.get()) {
            Ordering::Less => text.get(Word::StepDone),
            Ordering::Equal => text.get(Word::StepNow),
            Ordering::Greater => text.get(Word::StepNext),
        }
        .to_owned()
    });
    let mark = follow(move || (index == current.get()).then(|| "step".to_owned()));
    let name = el("p")
        .class("steps__name")
        .child(el("span").class("hidden").says(state))
        .text(" ")
        .child(el("span").says(step.name));
    let item = el("li")
        .follows("class", class)
        .follows_if("aria-current", mark)
        .child(name);
    match step.details {
        Some(details) => item.child(maybe(move || {
            (index == current.get()).then(|| el("div").class("steps__details").child(details()).built())
        })),
        None => item,
    }
}
