//! Why a start was not taken.

use leptos::prelude::*;
use shared::api::ErrorCode;

use super::paragraph::{Paragraph, SlurmWords};
use super::{Alert, failure_words};
use crate::built::{Built, IntoBuilt, maybe};
use crate::element::el;
use crate::paths;
use crate::start::Start;
use crate::task::{follow, memo};
use crate::text::{Word, Words};

/// The reason, with Slurm's own words where it refused.
#[component]
pub(crate) fn StartFailure(start: Start) -> Built {
    let words = Words::get();
    maybe(move || {
        let failure = start.attempt.failure.get()?;
        let refusal = Start::refusal(&failure).map(|(why, slurm)| {
            let word = slurm.clone();
            (memo(move || words.explain(why.as_ref(), Some(&word))), slurm)
        });
        let why = refusal.as_ref().map(|(why, _)| *why);
        let slurm = refusal.map(|(why, slurm)| {
            el("div")
                .child(view! { <Paragraph text=follow(move || why.read().what_to_do.clone()) /> })
                .child(view! { <SlurmWords lead=words.say(Word::SlurmSaid) slurm /> })
                .built()
        });
        let link = (failure.code() == Some(ErrorCode::Conflict)).then(|| {
            let link = el("a").attr("href", &paths::home()).says(words.say(Word::GoToServer));
            el("p").child(link).built()
        });
        let text = words.tell(move |text| match why {
            Some(why) => why.read().what.clone(),
            None => failure_words(text, &failure),
        });
        Some(view! { <Alert text>{slurm} {link}</Alert> }.built())
    })
}
