//! It did not start, or it ended: what happened, why, and what to do about it.

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::UserOptions;
use shared::server::{EndCause, EndView};

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt};
use crate::components::{
    Button, ButtonLink, Buttons, Literally, Meaning, NextFailed, Notice, Paragraph, SECOND, SlurmWords, StartFailure,
    Support, meanwhile,
};
use crate::paths;
use crate::start::Start;
use crate::task::{callback, follow, memo};
use crate::text::{Tongue, Word, Words};
use crate::watch::Watch;

/// The page for a start or a server that is over.
#[component]
pub(crate) fn Ended(
    user: UserName,
    watch: Watch,
    end: EndView,
    start: Start,
    /// Where the person was going.
    next: Option<String>,
) -> Built {
    let words = Words::get();
    let options = watch.last(|known| known.options.clone());
    let had_node = watch.last(|known| known.state.as_ref().is_some_and(|state| state.started_at.is_some()));
    let job = watch.last(|known| known.state.as_ref().and_then(|state| state.job_id));
    let change = options
        .as_ref()
        .map_or_else(paths::spawn, |options| paths::spawn_with(options, next.as_deref()));
    let raw = options.as_ref().map(UserOptions::to_raw).unwrap_or_default();
    let why = end.why.clone().map(|why| {
        let word = match &end.cause {
            EndCause::GaveUp { reason } => reason.clone(),
            _ => None,
        };
        memo(move || words.explain(Some(&why), word.as_deref()))
    });
    let what = why.map(|why| view! { <Paragraph text=follow(move || why.read().what.clone()) /> }.built());
    let to_do = why.map(|why| view! { <Paragraph text=follow(move || why.read().what_to_do.clone()) /> }.built());
    let slurm = match &end.cause {
        EndCause::Refused { message, .. } => Some(message.clone()),
        _ => None,
    };
    let slurm = slurm.map(|slurm| view! { <SlurmWords lead=words.say(Word::SlurmSaid) slurm /> }.built());
    let waited = matches!(end.cause, EndCause::GaveUp { .. } | EndCause::Refused { .. });
    let now = waited.then(|| meanwhile(words, &user, options, Some(start)));
    // What of the person's own may have kept Jupyter from starting is left out, once.
    let may_be_settings = match end.cause {
        EndCause::JupyterFailed { .. } | EndCause::TimeLimit => true,
        EndCause::Cancelled => had_node,
        _ => false,
    };
    let fresh = (may_be_settings && !end.was_ready).then(|| {
        let raw = raw.clone();
        let press = callback(move || start.send_fresh(raw.clone()));
        view! {
            <Button class=SECOND label=words.say(Word::FreshStart) press busy=start.busy() />
        }
        .built()
    });
    let patient = matches!(end.cause, EndCause::GaveUp { .. }).then(|| {
        let raw = raw.clone();
        let press = callback(move || start.send_patiently(raw.clone()));
        view! {
            <Button class=SECOND label=words.say(Word::KeepWaiting) press busy=start.busy() />
        }
        .built()
    });
    let held_by = patient
        .is_some()
        .then(|| view! { <Paragraph text=words.say(Word::HeldBy) /> }.built());
    let fresh_hint = fresh
        .is_some()
        .then(|| view! { <Paragraph class="quiet" text=words.say(Word::FreshHint) /> }.built());
    let log = end.log.clone();
    let log = log.map(|code| view! { <Literally text=words.say(Word::LogIsIn) code /> }.built());
    let job = job.map(|job| {
        view! { <Paragraph class="quiet" text=words.tell(move |text| text.fill(Word::Job, &[&job.to_string()])) /> }
            .built()
    });
    let was_ready = end.was_ready;
    let meaning = if was_ready || end.cause == EndCause::Cancelled {
        Meaning::Information
    } else {
        Meaning::Bad
    };
    let end = StoredValue::new(end);
    let send = callback(move || start.send(raw.clone()));
    view! {
        <Heading text=words.tell(move |text| end.with_value(|end| title(text, end))) />
        <Notice meaning>
            <Paragraph text=words.tell(move |text| end.with_value(|end| text.end(end))) />
            {held_by}
            {what}
            {slurm}
        </Notice>
        <Paragraph text=words.tell(move |text| end.with_value(|end| text.advice(&end.cause).to_owned())) />
        {to_do}
        <NextFailed watch />
        {now}
        {log}
        {job}
        <StartFailure start />
        <Buttons>
            <Button
                label=words.say(if was_ready { Word::StartAgain } else { Word::TryAgain })
                press=send
                busy=start.busy()
            />
            {patient}
            {fresh}
            <ButtonLink label=words.say(Word::Change) href=change class=SECOND />
        </Buttons>
        {fresh_hint}
        <Support user />
    }
    .built()
}

fn title(text: &Tongue, end: &EndView) -> String {
    match (&end.cause, end.was_ready) {
        (EndCause::Cancelled, true) => text.get(Word::WasStopped),
        (EndCause::Cancelled, false) => text.get(Word::WasCancelled),
        (_, true) => text.get(Word::HasEnded),
        (_, false) => text.get(Word::DidNotStart),
    }
    .to_owned()
}
