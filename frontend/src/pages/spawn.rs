//! The options: what a person asks for, and what they will get.

mod fields;
mod form;
mod notices;
mod summary;

use std::sync::Arc;

use leptos::prelude::*;
use shared::api::ErrorCode;
use shared::names::UserName;
use shared::options::{FieldError, OptionsView, UserOptions};
use shared::raw::RawOptions;

use self::form::Form;
use super::forbidden::{Forbidden, Refusal};
use crate::a11y::Heading;
use crate::api::{self, Failure};
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::clock;
use crate::components::{ErrorSummary, Paragraph, StartFailure, Trouble, waiting};
use crate::document;
use crate::element::el;
use crate::offer::Offer;
use crate::paths;
use crate::session::Session;
use crate::start::Start;
use crate::takeover;
use crate::task::{callback, effect, memo, spawn};
use crate::text::{Tongue, Word, Words};

/// How often the offer is asked for again while somebody looks, in seconds.
const REFRESH: u64 = 30;

/// The page.
#[component]
pub(crate) fn Spawn(user: UserName) -> Built {
    let words = Words::get();
    let offer = Offer::new();
    offer.ask();
    let (link, next) = (paths::linked_options(), paths::next());
    let retry = callback(move || offer.ask());
    dynamic(move || match offer.answer.get() {
        None => waiting(words),
        Some(Ok(offer)) => view! { <Options user=user.clone() offer link=link.clone() next=next.clone() /> }.built(),
        Some(Err(failure)) => match Refusal::from_failure(&failure) {
            Some(refusal) => view! { <Forbidden refusal retry /> }.built(),
            None => view! {
                <Heading text=words.say(Word::OptionsTitle) />
                <Trouble failure retry />
            }
            .built(),
        },
    })
}

/// The form with what it is about, for each of its parts.
#[derive(Clone, Copy)]
struct Page {
    words: Words,
    form: Form,
    /// The last offer.
    told: RwSignal<Arc<OptionsView>>,
    /// When it came, by the browser's clock.
    heard_at: RwSignal<i64>,
    /// Counts the offers that have other things to choose from than the one before.
    shape: RwSignal<i64>,
    /// The browser's clock.
    clock: ReadSignal<i64>,
    /// The request.
    parsed: Memo<Result<UserOptions, Vec<FieldError>>>,
    /// A link filled in the form.
    linked: bool,
}

impl Page {
    /// The time by Slurm's clock; follows it.
    fn now(self) -> i64 {
        self.offer().now + self.clock.get() - self.heard_at.get()
    }

    /// The last offer; follows it.
    fn offer(self) -> Arc<OptionsView> {
        self.told.get()
    }

    /// The messages, in the language of now.
    fn text(self) -> &'static Tongue {
        untrack(|| self.words.text())
    }

    /// Asks for the offer again. What is typed stays; the fields are drawn anew only where there are other things to
    /// choose from.
    fn refresh(self, session: Session) {
        spawn(async move {
            match api::options().await {
                Ok(offer) => {
                    let Some(before) = self.told.try_get_untracked() else {
                        return;
                    };
                    self.heard_at.set(clock::now());
                    let offer = Arc::new(offer);
                    self.told.set(offer.clone());
                    if shape(&offer) != shape(&before) {
                        self.form.settle(&offer, self.text());
                        let focused = document().active_element().map(|element| element.id());
                        self.shape.update(|count| *count += 1);
                        request_animation_frame(move || document::focus(&focused.unwrap_or_default()));
                    }
                }
                Err(failure) => session.heed(&failure),
            }
        });
    }
}

/// What there is to choose from, by its names.
fn shape(offer: &OptionsView) -> Vec<String> {
    let mut names = Vec::new();
    let mut add = |name: &str| names.push(name.to_owned());
    offer.accounts.iter().for_each(|account| add(account.name.as_str()));
    add("");
    offer.partitions.iter().for_each(|partition| add(partition.as_str()));
    add("");
    offer.features.iter().for_each(|feature| add(feature.as_str()));
    add("");
    offer.interfaces.iter().for_each(|interface| add(interface.as_str()));
    add("");
    offer.profiles.iter().for_each(|profile| add(profile.name.as_str()));
    for gpu in &offer.gpus {
        add(&gpu.name);
        add(&gpu.max.to_string());
    }
    for name in offer.locked.keys() {
        add(name);
    }
    for reservation in &offer.reservations {
        add(reservation.name.as_str());
        add(&reservation.starts_at.to_string());
        add(&reservation.ends_at.to_string());
    }
    for event in &offer.events {
        add(event.name.as_str());
        add(&event.ends_at.to_string());
    }
    names
}

#[component]
fn Options(user: UserName, offer: Arc<OptionsView>, link: RawOptions, next: Option<String>) -> Built {
    let (words, session) = (Words::get(), Session::get());
    let form = Form::new(&offer, &link, untrack(|| words.text()));
    let start = Start::new(user, next);
    let attempt = RwSignal::new(0_i64);
    // What a link asks for that cannot be had; the form shows the proposal instead and says so.
    let linked = link.0.keys().any(|name| name != "next");
    let refused_link = linked
        .then(|| shared::options::parse(&link, &offer, offer.now).err())
        .flatten();
    let refused_link = StoredValue::new(refused_link.unwrap_or_default());
    let (told, heard_at, clock) = (RwSignal::new(offer), RwSignal::new(clock::now()), clock::ticking(20));
    let now = move || told.read().now + clock.get() - heard_at.get();
    let page = Page {
        words,
        form,
        told,
        heard_at,
        shape: RwSignal::new(0),
        clock,
        parsed: memo(move || form.parse(&told.get(), now())),
        linked,
    };
    clock::every(REFRESH, move || {
        if !document().hidden() {
            page.refresh(session);
        }
    });

    // Before the first failed attempt only what a link got wrong is said; then everything, as it changes.
    let errors = memo(move || {
        let own = match &*page.parsed.read() {
            Err(errors) if attempt.get() > 0 => errors.clone(),
            _ => Vec::new(),
        };
        match &*start.attempt.failure.read() {
            _ if !own.is_empty() => own,
            Some(Failure::Api(error)) if error.code == ErrorCode::Options => error.fields.clone(),
            _ if attempt.get() == 0 => refused_link.get_value(),
            _ => own,
        }
    });
    let submit = move |event: web_sys::Event| {
        event.prevent_default();
        if page.parsed.read_untracked().is_ok() {
            start.send(untrack(|| form.raw(&page.offer())));
        } else {
            start.attempt.failure.set(None);
            attempt.update(|count| *count += 1);
        }
    };
    effect(move || {
        let refused =
            matches!(&*start.attempt.failure.read(), Some(Failure::Api(error)) if error.code == ErrorCode::Options);
        if refused {
            attempt.update(|count| *count += 1);
        }
    });
    effect(takeover::go_on);
    let failed = memo(move || {
        let failure = start.attempt.failure.read();
        failure
            .as_ref()
            .is_some_and(|failure| failure.code() != Some(ErrorCode::Options))
    });
    let fields = view! {
        <ErrorSummary errors attempt />
        {maybe(move || failed.get().then(|| view! { <StartFailure start /> }.built()))}
        {dynamic(move || {
            page.shape.get();
            untrack(|| fields::fields(page, errors))
        })}
    };
    let form = el("form")
        .class("options")
        .attr("novalidate", "")
        .on("submit", submit)
        .child(el("div").class("options__fields").child(fields))
        .child(summary::side(page, start));
    view! {
        <Heading text=words.say(Word::OptionsTitle) />
        {notices::notices(page)}
        <Paragraph class="quiet" text=notices::filled(page) />
        {form.built()}
    }
    .built()
}
