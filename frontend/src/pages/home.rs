//! Home: the card of the running server, or a start with the last choices.

use std::sync::Arc;

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::OptionsView;
use shared::server::Phase;

use super::forbidden::{Forbidden, Refusal};
use super::not_running::trouble;
use super::starting::freshness;
use crate::a11y::{Heading, keep_focus};
use crate::built::{Built, IntoBuilt, dynamic};
use crate::clock;
use crate::components::{
    Button, ButtonLink, Buttons, History, NextFailed, Paragraph, SECOND, ServerCard, StartFailure, Trouble, waiting,
};
use crate::offer::Offer;
use crate::paths;
use crate::site::Site;
use crate::start::Start;
use crate::takeover;
use crate::task::{callback, effect, memo};
use crate::text::{Word, Words};
use crate::watch::{Stage, Watch};

/// What is shown: it changes less often than the phase.
fn shown(stage: Stage) -> Stage {
    match stage {
        Stage::Server(Phase::Ended) => Stage::None,
        Stage::Server(phase) if phase.is_pending() => Stage::Server(Phase::Starting),
        other => other,
    }
}

/// The page.
#[component]
pub(crate) fn Home(user: UserName) -> Built {
    let words = Words::get();
    let watch = Watch::new(user.clone());
    // What it begins is not to end with the part of the page that has its button.
    let (offer, start) = (Offer::new(), Start::new(user.clone(), None));
    let shown = memo(move || shown(watch.stage.get()));
    effect(move || {
        if shown.get() == Stage::None {
            offer.ask();
        }
    });
    // The card goes away with the button that ended its server.
    let had_card = StoredValue::new(false);
    effect(move || {
        let stands = matches!(shown.get(), Stage::Server(_));
        if had_card.get_value() && !stands {
            keep_focus();
        }
        had_card.set_value(stands);
    });
    let refusal = move || match &*offer.answer.read() {
        Some(Err(failure)) if shown.get() == Stage::None => Refusal::from_failure(failure),
        _ => None,
    };
    let refused = memo(move || refusal().is_some());
    let failed = memo(move || shown.get() == Stage::Trouble);
    let retry = callback(move || offer.ask());
    dynamic(move || {
        if failed.get() {
            return trouble(watch);
        }
        if refused.get()
            && let Some(refusal) = untrack(refusal)
        {
            return view! { <Forbidden refusal retry /> }.built();
        }
        view! {
            <Heading text=words.say(Word::HomeTitle) />
            {freshness(words, watch)}
            {card(words, user.clone(), watch, offer, start, shown)}
        }
        .built()
    })
}

/// Nothing is known of the server: of a moment, or as Slurm does not say.
pub(super) fn unknown(words: Words, watch: Watch) -> Built {
    let text = words.tell(move |text| {
        let uncertain = watch.with(|known| known.uncertain);
        let word = if uncertain {
            Word::UnknownServer
        } else {
            Word::OneMoment
        };
        text.get(word).to_owned()
    });
    view! { <Paragraph class="waiting" text /> }.built()
}

/// The server, whatever it is doing.
fn card(words: Words, user: UserName, watch: Watch, offer: Offer, start: Start, shown: Memo<Stage>) -> Built {
    dynamic(move || match shown.get() {
        Stage::Unknown | Stage::Trouble => unknown(words, watch),
        Stage::None => view! { <Idle user=user.clone() watch offer start /> }.built(),
        Stage::Server(Phase::Ready) => view! { <ServerCard user=user.clone() watch /> }.built(),
        Stage::Server(Phase::Stopping) => view! { <Paragraph text=words.say(Word::Stopping) /> }.built(),
        Stage::Server(_) => {
            let href = paths::starting(&user, None);
            view! {
                <Paragraph text=words.tell(|text| format!("{}.", text.form(Word::StartingTitle, 0, &[]))) />
                <Buttons>
                    <ButtonLink label=words.say(Word::ViewStart) href />
                </Buttons>
            }
            .built()
        }
    })
}

/// No server: start one with the last choices, or change them.
#[component]
fn Idle(user: UserName, watch: Watch, offer: Offer, start: Start) -> Built {
    let words = Words::get();
    let retry = callback(move || offer.ask());
    let proposal = dynamic(move || match offer.answer.get() {
        None => waiting(words),
        Some(Err(failure)) => view! { <Trouble failure retry /> }.built(),
        Some(Ok(offer)) => view! { <Proposal offer start /> }.built(),
    });
    view! {
        <Paragraph text=words.say(Word::NoServerRunning) />
        <NextFailed watch />
        {proposal}
        <History user />
    }
    .built()
}

/// The last choices as a sentence with its end, and the button that takes them.
#[component]
fn Proposal(offer: Arc<OptionsView>, start: Start) -> Built {
    let (words, site) = (Words::get(), Site::get());
    let now = clock::ticking(20);
    let begins = beginning_of(&offer);
    let options = offer.chosen.clone();
    let raw = options.to_raw();
    // The form starts with the last choices by itself.
    let change = paths::spawn();
    let request = words.tell(move |_| {
        let until = now.get().max(begins) + i64::from(options.time.get()) * 60;
        format!("{}.", site.request(words, &options, Some(until)))
    });
    let send = callback(move || start.send(raw.clone()));
    effect(takeover::go_on);
    view! {
        <Paragraph class="request" text=request />
        <StartFailure start />
        <Buttons>
            <Button label=words.say(Word::Start) press=send busy=start.busy() />
            <ButtonLink label=words.say(Word::Change) href=change class=SECOND />
        </Buttons>
    }
    .built()
}

/// When the reservation of the last choices begins; 0 without one.
fn beginning_of(offer: &OptionsView) -> i64 {
    let name = offer.chosen.reservation.as_ref();
    let reservation = name.and_then(|name| offer.reservation(name.as_str()));
    reservation.map_or(0, |reservation| reservation.starts_at)
}
