//! Where people get to who have just logged in: their server, a new one, the form, or home, as the site wants it.

use leptos::prelude::*;
use shared::api::Landing as Target;
use shared::names::UserName;
use shared::raw::RawOptions;
use shared::server::Phase;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt, dynamic};
use crate::components::{ButtonLink, Buttons, SECOND, StartFailure, waiting};
use crate::offer::Offer;
use crate::paths;
use crate::router::Go;
use crate::site::{Reach, Site};
use crate::start::Start;
use crate::task::effect;
use crate::text::{Word, Words};
use crate::watch::{Stage, Watch};

/// Goes there. It is only shown to somebody who has just logged in on this page: a link alone starts nothing.
#[component]
pub(crate) fn Landing(user: UserName) -> Built {
    let (words, go, site) = (Words::get(), Go::get(), Site::get());
    let watch = Watch::new(user.clone());
    let (offer, start) = (Offer::new(), Start::new(user.clone(), None));
    let pending = paths::starting(&user, None);
    let (asked, sent) = (StoredValue::new(false), StoredValue::new(false));
    effect(move || {
        if site.reach.get() == Reach::Unknown {
            return;
        }
        let target = site.with(|site| site.landing);
        match (watch.stage.get(), target) {
            // Home says why.
            (Stage::Unknown, _) if watch.with(|known| known.uncertain) => go.instead(&paths::home()),
            (Stage::Unknown, _) => {}
            (Stage::Server(phase), Target::Home) if phase.is_live() => go.instead(&paths::home()),
            (Stage::Server(Phase::Ready), _) => go.instead(&watch.url().unwrap_or_else(paths::home)),
            (Stage::Server(phase), _) if phase.is_pending() => go.instead(&pending),
            (Stage::Trouble | Stage::Server(Phase::Stopping), _) => go.instead(&paths::home()),
            _ if sent.get_value() => {}
            _ if !asked.get_value() => {
                asked.set_value(true);
                offer.ask();
            }
            _ => match &*offer.answer.read() {
                None => {}
                Some(Ok(offer)) if offer.skip_form || target == Target::Start => {
                    sent.set_value(true);
                    start.send(RawOptions::default());
                }
                Some(Ok(_)) if target == Target::Form => go.instead(&paths::spawn()),
                Some(_) => go.instead(&paths::home()),
            },
        }
        offer.answer.track();
    });
    dynamic(move || {
        if start.attempt.failure.read().is_none() {
            return waiting(words);
        }
        view! {
            <Heading text=words.say(Word::DidNotStart) />
            <StartFailure start />
            <Buttons>
                <ButtonLink label=words.say(Word::ChooseOptions) href=paths::spawn() />
                <ButtonLink label=words.say(Word::GoHome) href=paths::home() class=SECOND />
            </Buttons>
        }
        .built()
    })
}
