//! From the request to the open server, in four steps; or why it did not come to that.

use leptos::prelude::*;
use shared::names::UserName;
use shared::server::Phase;

mod details;

use self::details::{OPEN, opening, queued, starting};
use super::ended::{Ended, title};
use super::forbidden::NotYours;
use super::home::unknown;
use super::not_running::trouble;
use crate::a11y::{Announcer, Heading, keep_focus};
use crate::attempt::Attempt;
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::components::{
    Button, ButtonLink, Buttons, Failed, Meaning, Notice, Paragraph, QUIET, SECOND, Step, Steps, check, meanwhile,
};
use crate::element::el;
use crate::offer::Offer;
use crate::paths;
use crate::router::Go;
use crate::site::{Reach, Site};
use crate::start::Start;
use crate::task::{Task, callback, effect, follow, memo};
use crate::text::{Word, Words, format};
use crate::watch::{Stage, Watch};
use crate::{api, clock, document, notify, preferences};

/// The page that follows a start.
#[component]
pub(crate) fn Starting(
    user: UserName,
    /// As the URL has it.
    owner: String,
) -> Built {
    if owner == user.as_str() {
        view! { <Follow user /> }.built()
    } else {
        view! { <NotYours owner user /> }.built()
    }
}

/// What is shown: it changes less often than the phase.
fn shown(stage: Stage) -> Stage {
    match stage {
        Stage::Server(phase) if phase.is_pending() || phase == Phase::Ready => Stage::Server(Phase::Starting),
        other => other,
    }
}

#[component]
fn Follow(user: UserName) -> Built {
    let (words, go, site, next) = (Words::get(), Go::get(), Site::get(), paths::next());
    let watch = Watch::new(user.clone());
    let again = Start::then(user.clone(), callback(move || watch.ask()));
    let target = {
        let next = next.clone();
        follow(move || next.clone().or_else(|| watch.url()).unwrap_or_default())
    };
    let by_itself = RwSignal::new(preferences::recall(OPENS).is_none());
    let ready = memo(move || watch.stage.get() == Stage::Server(Phase::Ready));
    effect(move || match (ready.get(), by_itself.get()) {
        // Where it opens depends on what the site says of its interface.
        (true, true) if site.reach.get() != Reach::Unknown => {
            go.instead(&target.get_untracked()); // Not onto the history: Back would only open it again.
        }
        (true, false) => request_animation_frame(|| document::focus(OPEN)), // Once it is drawn.
        _ => {}
    });
    announce(words, watch);
    effect(move || {
        words.can_explain(); // The texts are here by the time that there is something to explain.
    });
    let shown = memo(move || shown(watch.stage.get()));
    dynamic(move || match shown.get() {
        Stage::Unknown => unknown(words, watch),
        Stage::Trouble => trouble(watch),
        Stage::Server(Phase::Stopping) => view! {
            <Heading text=words.say(Word::Cancelling) />
            {freshness(words, watch)}
        }
        .built(),
        Stage::Server(Phase::Ended) => {
            match watch.last(|known| known.state.as_ref().and_then(|state| state.end.clone())) {
                Some(end) => view! { <Ended user=user.clone() watch end start=again next=next.clone() /> }.built(),
                None => nothing(words),
            }
        }
        Stage::Server(_) => view! { <Progress user=user.clone() watch target by_itself /> }.built(),
        Stage::None => nothing(words),
    })
}

fn nothing(words: Words) -> Built {
    view! {
        <Heading text=words.say(Word::NothingToWaitFor) />
        <Buttons>
            <ButtonLink label=words.say(Word::ChooseOptions) href=paths::spawn() />
        </Buttons>
    }
    .built()
}

#[component]
fn Progress(user: UserName, watch: Watch, target: Signal<String>, by_itself: RwSignal<bool>) -> Built {
    let words = Words::get();
    let phase = move || match watch.stage.get() {
        Stage::Server(phase) => phase,
        _ => Phase::Submitting,
    };
    let current = memo(move || match phase() {
        Phase::Submitting => 0,
        Phase::Queued => 1,
        Phase::Starting => 2,
        Phase::Ready | Phase::Stopping | Phase::Ended => 3,
    });
    let (keeper, waiter) = (user.clone(), user.clone());
    let cancel = Attempt::new(move || {
        let user = user.clone();
        async move {
            let outcome = api::stop(&user).await;
            watch.ask();
            outcome
        }
    });
    let keep_waiting = Attempt::new(move || {
        let user = keeper.clone();
        async move {
            let outcome = api::keep_waiting(&user).await;
            watch.ask();
            outcome
        }
    });
    let for_reservation = memo(move || watch.state(|state| state.begins_at).is_some());
    // Nobody gives up a start before its reservation begins.
    let may_be_given_up = memo(move || {
        let give_up = watch.state(|state| state.give_up_at.filter(|_| state.begins_at.is_none()));
        give_up.is_some()
    });
    effect(move || {
        if !may_be_given_up.get() {
            keep_focus(); // The button goes away with what it prevents.
        }
    });
    let sent = words.tell(move |text| {
        if current.get() == 0 {
            text.get(Word::StepSending)
        } else {
            text.get(Word::StepSent)
        }
        .to_owned()
    });
    let on_node = words.tell(move |text| match watch.state(|state| state.node.clone()) {
        Some(node) => text.fill(Word::StepStartingOn, &[&node]),
        None => text.get(Word::StepStarting).to_owned(),
    });
    let step = |name: Signal<String>, details: Option<Box<dyn Fn() -> Built + Send>>| Step { name, details };
    let steps = vec![
        step(sent, None),
        step(
            words.say(Word::StepQueued),
            Some(Box::new(move || queued(words, watch))),
        ),
        step(on_node, Some(Box::new(move || starting(words, watch)))),
        step(
            words.say(Word::StepOpening),
            Some(Box::new(move || opening(words, target, by_itself))),
        ),
    ];
    let ready = memo(move || phase() == Phase::Ready);
    let label = words.tell(move |text| {
        if cancel.busy().get() {
            text.get(Word::Cancelling)
        } else {
            text.get(Word::Cancel)
        }
        .to_owned()
    });
    let job = words.tell(move |text| {
        watch
            .state(|state| state.job_id)
            .map_or_else(String::new, |id| text.fill(Word::Job, &[&id.to_string()]))
    });
    view! {
        <Heading
            text=words.tell(move |text| text.form(Word::StartingTitle, usize::from(ready.get()), &[]))
            title=words.tell(move |text| text.phase(phase()).to_owned())
        />
        <Steps steps current />
        {freshness(words, watch)}
        <Buttons>
            {dynamic(move || {
                if ready.get() {
                    let label = words.say(Word::GoHome);
                    return view! { <ButtonLink class=SECOND label href=paths::home() /> }.built();
                }
                let press = callback(move || cancel.start());
                view! { <Button class=SECOND label press busy=cancel.busy() /> }.built()
            })}
            // Comes and goes: after what stays where it is.
            {maybe(move || {
                let press = callback(move || keep_waiting.start());
                let label = words.say(Word::KeepWaiting);
                let button = view! { <Button class=SECOND label press busy=keep_waiting.busy() /> };
                may_be_given_up.get().then(|| button.built())
            })}
        </Buttons>
        <Failed failure=keep_waiting.failure />
        <Failed failure=cancel.failure />
        {opens(words, by_itself)}
        {maybe(move || (!ready.get()).then(|| notification(words)))}
        <Paragraph class="quiet" text=job />
        // Below the buttons, which it would push away when it comes.
        {maybe(move || {
            let waits = watch.stage.get() == Stage::Server(Phase::Queued) && !for_reservation.get();
            let options = watch.last(|known| known.options.clone());
            waits.then(|| meanwhile(words, &waiter, options, None, Offer::asked()))
        })}
    }
    .built()
}

/// Whether it opens by itself; remembered while it does not.
fn opens(words: Words, by_itself: RwSignal<bool>) -> Built {
    let picked = move |wanted: bool| {
        preferences::keep(OPENS, (!wanted).then_some("by-hand"));
        by_itself.set(wanted);
    };
    let label = words.say(Word::OpensByItself);
    check(OPENS, label, None, follow(move || by_itself.get()), Box::new(picked)).built()
}

/// The id of the box, and under which name it is remembered.
const OPENS: &str = "slipway-opens";
/// The offer to be told when it is ready, which the browser asks about once.
fn notification(words: Words) -> Built {
    let (undecided, allowed) = (RwSignal::new(notify::is_undecided()), RwSignal::new(false));
    let ask = Task::new(move || async move {
        allowed.set(notify::ask().await);
        undecided.set(notify::is_undecided());
    });
    let press = callback(move || ask.start());
    maybe(move || {
        if undecided.get() {
            return Some(view! { <Button class=QUIET label=words.say(Word::Notify) press busy=ask.busy() /> }.built());
        }
        let on = view! { <Paragraph class="quiet" text=words.say(Word::NotifyOn) /> };
        allowed.get().then(|| on.built())
    })
}

/// Says when what is shown is old: Slurm is silent, or nothing comes from the server.
pub(super) fn freshness(words: Words, watch: Watch) -> Built {
    let silent_since = move || watch.state(|state| state.slurm_silent_since);
    let is_silent = memo(move || silent_since().is_some());
    let as_of = words.tell(move |text| {
        text.fill(
            Word::AsOf,
            &[&text.since(&clock::when(silent_since().unwrap_or_default()))],
        )
    });
    let silent = maybe(move || is_silent.get().then(|| caution(as_of)));
    let is_suspended = memo(move || watch.state(|state| state.suspended.then_some(())).is_some());
    let suspended = maybe(move || is_suspended.get().then(|| caution(words.say(Word::Suspended))));
    let is_lost = memo(move || watch.silence().is_some());
    let message = words.tell(move |text| {
        let silence = watch.silence().unwrap_or_default();
        let at = text.at(&clock::when(clock::now() - silence));
        text.fill(Word::NoNews, &[&format::span(silence), &at])
    });
    let lost = maybe(move || is_lost.get().then(|| caution(message)));
    el("div")
        .class("notices")
        .child(silent)
        .child(suspended)
        .child(lost)
        .built()
}

fn caution(message: Signal<String>) -> Built {
    view! {
        <Notice meaning=Meaning::Caution>
            <Paragraph text=message />
        </Notice>
    }
    .built()
}

/// Changes of phase, and two and one minute left: nothing else is said aloud.
fn announce(words: Words, watch: Watch) {
    let announcer = Announcer::get();
    let mut before = Stage::Unknown;
    effect(move || {
        let stage = watch.stage.get();
        if let (Stage::Server(_), Stage::Server(phase)) = (before, stage)
            && before != stage
        {
            let text = untrack(move || words.text());
            // What is heard or read elsewhere says of what it speaks.
            let said = match phase {
                Phase::Ready => text.form(Word::StartingTitle, 1, &[]),
                Phase::Ended => watch
                    .last(|known| known.state.as_ref()?.end.as_ref().map(|end| title(text, end)))
                    .unwrap_or_default(),
                _ => text.phase(phase).to_owned(),
            };
            announcer.say(&said);
            if matches!(phase, Phase::Ready | Phase::Ended) {
                notify::tell(&said);
            }
        }
        before = stage;
    });
    let mut said = 3;
    effect(move || {
        let now = watch.now();
        let left = watch.state(|state| state.give_up_at.filter(|_| state.phase == Phase::Queued));
        let minutes = left.map_or(3, |left| (left - now + 59) / 60);
        if minutes < said && (1..=2).contains(&minutes) {
            let text = untrack(move || words.text());
            announcer.say(if minutes == 1 {
                text.get(Word::OneMinuteLeft)
            } else {
                text.get(Word::TwoMinutesLeft)
            });
        }
        said = minutes;
    });
}
