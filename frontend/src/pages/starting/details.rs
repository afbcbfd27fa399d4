//! What each step of a start says while it is the current one.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt};
use crate::clock;
use crate::components::{ButtonLink, Buttons, Paragraph, Quoting};
use crate::task::{follow, memo};
use crate::text::{Word, Words};
use crate::watch::Watch;

/// The id of the link that opens the server.
pub(super) const OPEN: &str = "open";
/// When a start on a node counts as long, in seconds: Jupyter with a slow file system takes up to a minute.
const LONG_START: i64 = 90;
/// From this age on, in seconds, a reason is shown with it. Slurm is asked for reasons twice a minute.
const OLD_REASON: i64 = 45;

/// Why, when it may start, for how long it has waited and how long it still will.
pub(super) fn queued(words: Words, watch: Watch) -> Built {
    let why = memo(move || {
        let (why, word) = watch.with(|known| match &known.state {
            Some(state) => (state.why.clone(), state.reason.clone()),
            None => (None, None),
        });
        words.explain(why.as_ref(), word.as_deref())
    });
    let reason = words.tell(move |text| {
        if let Some(begins) = watch.state(|state| state.begins_at) {
            return text.fill(Word::RoomAt, &[&text.at(&clock::when(begins))]);
        }
        let reason = why.read().what.clone();
        let age = watch.state(|state| state.told_at).map(|at| watch.now() - at);
        match age.filter(|age| *age > OLD_REASON) {
            Some(age) => format!("{reason} {}", text.count(Word::Told, age)),
            None => reason,
        }
    });
    let expected = words.tell(move |text| {
        watch
            .state(|state| state.expected_start_at.filter(|_| state.begins_at.is_none()))
            .map_or_else(String::new, |at| {
                format!(
                    "{} {}",
                    text.fill(Word::Expected, &[&text.at(&clock::when(at))]),
                    text.get(Word::MayBeSooner)
                )
            })
    });
    let waited = words.tell(move |text| {
        let now = watch.now();
        let waited = watch.state(|state| state.submitted_at).map_or(0, |at| now - at);
        if watch.state(|state| state.begins_at).is_some() {
            return text.waited(waited, None);
        }
        let left = watch.state(|state| state.give_up_at).map(|at| at - now);
        let waited = text.waited(waited, left);
        match left {
            Some(_) => waited,
            None => format!("{waited} {}", text.get(Word::KeptWaiting)),
        }
    });
    let advice = follow(move || match watch.state(|state| state.begins_at) {
        Some(_) => String::new(),
        None => why.read().what_to_do.clone(),
    });
    view! {
        <Quoting text=reason />
        <Paragraph text=advice />
        <Paragraph text=expected />
        <Paragraph class="counting" text=waited />
    }
    .built()
}

/// For how long it has run; a little more when that is long.
pub(super) fn starting(words: Words, watch: Watch) -> Built {
    let elapsed = words.tell(move |text| {
        let now = watch.now();
        text.count(
            Word::StartingFor,
            now - watch.state(|state| state.started_at).unwrap_or(now),
        )
    });
    let long = words.tell(move |text| {
        let now = watch.now();
        let waits = watch.state(|state| state.started_at).map_or(0, |at| now - at);
        let word = (waits > LONG_START).then_some(Word::StartingLong);
        word.map_or_else(String::new, |word| text.get(word).to_owned())
    });
    view! {
        <Paragraph class="counting" text=elapsed />
        <Paragraph text=long />
    }
    .built()
}

/// That it is ready, and the way there.
pub(super) fn opening(words: Words, target: Signal<String>, by_itself: RwSignal<bool>) -> Built {
    let lead = words.tell(move |text| text.form(Word::OpeningLead, usize::from(!by_itself.get()), &[]));
    view! {
        <Paragraph text=lead />
        <Buttons>
            <ButtonLink id=OPEN label=words.say(Word::OpenNow) href=target external=true />
        </Buttons>
    }
    .built()
}
