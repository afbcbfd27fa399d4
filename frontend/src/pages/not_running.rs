//! `/user/<name>/…` when that server is not running: start it again, and then on to the very page asked for.

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::UserOptions;
use shared::raw::RawOptions;
use shared::server::Phase;

use super::forbidden::NotYours;
use super::home::unknown;
use crate::a11y::Heading;
use crate::api::Failure;
use crate::built::{Built, IntoBuilt, dynamic};
use crate::components::{
    Button, ButtonLink, Buttons, Literally, NextFailed, Paragraph, SECOND, StartFailure, TroublePage, waiting,
};
use crate::paths;
use crate::router::Go;
use crate::site::Site;
use crate::start::Start;
use crate::task::{callback, effect};
use crate::text::{Word, Words};
use crate::watch::{Stage, Watch};

/// The page for a path of a server that the proxy has no server for.
#[component]
pub(crate) fn UserPath(
    user: UserName,
    /// As the URL has it.
    owner: String,
) -> Built {
    if owner == user.as_str() {
        view! { <NotRunning user /> }.built()
    } else {
        view! { <NotYours owner user /> }.built()
    }
}

#[component]
fn NotRunning(user: UserName) -> Built {
    let (words, go, here) = (Words::get(), Go::get(), paths::asked_for());
    let watch = Watch::new(user.clone());
    let start = Start::new(user.clone(), Some(here.clone()));
    let starting = paths::starting(&user, Some(&here));
    effect(move || {
        if matches!(watch.stage.get(), Stage::Server(phase) if phase.is_pending()) {
            go.instead(&starting);
        }
    });
    dynamic(move || match watch.stage.get() {
        Stage::Trouble => trouble(watch),
        // Not by itself: if the proxy and the API ever disagree, that would go on for ever.
        Stage::Server(Phase::Ready) => {
            let href = here.clone();
            view! {
                <Heading text=words.say(Word::HomeTitle) />
                <Buttons>
                    <ButtonLink label=words.say(Word::OpenNow) href external=true />
                </Buttons>
            }
            .built()
        }
        Stage::None | Stage::Server(Phase::Ended) => view! { <Again watch start here=here.clone() /> }.built(),
        Stage::Server(Phase::Stopping) => view! {
            <Heading text=words.say(Word::NotRunningTitle) />
            <Paragraph text=words.say(Word::Stopping) />
        }
        .built(),
        Stage::Unknown => unknown(words, watch),
        Stage::Server(_) => waiting(words),
    })
}

/// Why nothing is known of the server.
pub(super) fn trouble(watch: Watch) -> Built {
    let failure = watch.last(|known| known.failure.clone()).unwrap_or(Failure::NoServer);
    let retry = callback(move || watch.ask());
    view! { <TroublePage failure retry /> }.built()
}

#[component]
fn Again(watch: Watch, start: Start, here: String) -> Built {
    let (words, site) = (Words::get(), Site::get());
    let options = watch.last(|known| known.options.clone());
    let raw = options.as_ref().map_or_else(RawOptions::default, UserOptions::to_raw);
    let change = options
        .as_ref()
        .map_or_else(paths::spawn, |options| paths::spawn_with(options, Some(&here)));
    let lead = words.say(if options.is_some() {
        Word::NotRunningLead
    } else {
        Word::NotRunningDefaults
    });
    let request = options.map(|options| {
        let request = words.tell(move |_| format!("{}.", site.request(words, &options, None)));
        view! { <Paragraph class="request" text=request /> }.built()
    });
    let send = callback(move || start.send(raw.clone()));
    view! {
        <Heading text=words.say(Word::NotRunningTitle) />
        <Paragraph text=lead />
        {request}
        <Literally text=words.say(Word::NotRunningThen) code=here />
        <NextFailed watch />
        <StartFailure start />
        <Buttons>
            <Button label=words.say(Word::StartAgain) press=send busy=start.busy() />
            <ButtonLink label=words.say(Word::Change) href=change class=SECOND />
        </Buttons>
    }
    .built()
}
