//! Why the next server, which was wanted, did not start.

use leptos::prelude::*;

use super::{Alert, failure_words};
use crate::api::Failure;
use crate::built::{Built, IntoBuilt, maybe};
use crate::task::memo;
use crate::text::{Word, Words};
use crate::watch::Watch;

/// Nothing, unless that is so.
#[component]
pub(crate) fn NextFailed(watch: Watch) -> Built {
    let words = Words::get();
    let failed = memo(move || watch.state(|state| state.next_failed.as_ref().map(drop)).is_some());
    maybe(move || {
        failed.get().then_some(())?; // It is said aloud when it is drawn: once.
        let failure = watch.last(|known| known.state.as_ref()?.next_failed.clone())?;
        let failure = Failure::Api(Box::new(failure));
        let text = words.tell(move |text| text.fill(Word::NextFailed, &[&failure_words(text, &failure)]));
        Some(view! { <Alert text /> }.built())
    })
}
