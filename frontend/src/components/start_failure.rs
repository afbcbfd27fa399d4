//! Why a start was not taken.

use leptos::prelude::*;
use shared::api::ErrorCode;

use super::paragraph::SlurmWords;
use super::{Alert, failure_words};
use crate::built::{Built, IntoBuilt, maybe};
use crate::element::el;
use crate::paths;
use crate::start::Start;
use crate::text::{Word, Words};

/// The reason, with Slurm's own words where it refused.
#[component]
pub(crate) fn StartFailure(start: Start) -> Built {
    let words = Words::get();
    maybe(move || {
        let failure = start.failure.get()?;
        let slurm = Start::refusal(&failure)
            .map(|slurm| view! { <SlurmWords lead=words.say(Word::SlurmSaid) slurm /> }.built());
        let link = (failure.code() == Some(ErrorCode::Conflict)).then(|| {
            let link = el("a").attr("href", &paths::home()).says(words.say(Word::GoToServer));
            el("p").child(link).built()
        });
        let text = words.tell(move |text| failure_words(text, &failure));
        Some(view! { <Alert text>{slurm} {link}</Alert> }.built())
    })
}
