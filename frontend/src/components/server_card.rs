//! The card of a running server: what it holds, until when, and what can be done with it.

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::UserOptions;

use super::button::{BAD, Button, ButtonLink, Buttons, SECOND};
use super::facts::facts;
use super::{Meaning, Notice, Paragraph, Trouble};
use crate::api::{self, Failure};
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::element::{el, svg};
use crate::session::Session;
use crate::task::{Task, effect};
use crate::text::{Tongue, Words, format, interface_words};
use crate::watch::Watch;
use crate::{clock, document};

/// When the page warns that the time is nearly over, in seconds.
const NEARLY_OVER: i64 = 15 * 60;
/// The ids of the buttons that hand the focus to each other.
const STOP: &str = "stop";
const KEEP: &str = "keep";

/// What does not change while a server runs: the card is drawn once.
#[derive(Clone, PartialEq)]
struct Holds {
    options: Option<UserOptions>,
    node: Option<String>,
    started_at: Option<i64>,
    ends_at: Option<i64>,
}

/// The card.
#[component]
pub(crate) fn ServerCard(user: UserName, watch: Watch) -> Built {
    let words = Words::get();
    let holds = Memo::new(move |_| {
        watch.with(|known| Holds {
            options: known.options.clone(),
            node: known.state.as_ref().and_then(|state| state.node.clone()),
            started_at: known.state.as_ref().and_then(|state| state.started_at),
            ends_at: known.state.as_ref().and_then(|state| state.ends_at),
        })
    });
    let title = words.tell(move |text| {
        holds.with(|holds| match &holds.options {
            Some(options) => interface_words(text, options.interface).0.to_owned(),
            None => text.running().to_owned(),
        })
    });
    let head = el("div")
        .class("card__head")
        .child(el("h2").class("card__title").attr("id", "card-title").says(title))
        .child(el("p").class("state state--good").says(words.say(Tongue::running)));
    el("section")
        .class("card")
        .attr("aria-labelledby", "card-title")
        .child(head)
        .child(dynamic(move || holds.with(|holds| what_it_holds(words, holds))))
        .child(maybe(move || holds.with(|holds| time_left(words, watch, holds))))
        .child(buttons(words, user, watch))
        .built()
}

fn what_it_holds(words: Words, holds: &Holds) -> Built {
    let text = words.text();
    let mut list = vec![(words.say(Tongue::node), holds.node.clone())];
    if let Some(options) = &holds.options {
        let gpu = options.gpu.as_ref();
        list.extend([
            (words.say(Tongue::cores_label), Some(options.cores.get().to_string())),
            (words.say(Tongue::memory_label), Some(text.memory(options.memory.get()))),
            (
                words.say(Tongue::gpu_label),
                gpu.map(|gpu| format!("{}{}×{}{}", gpu.count, format::NBSP, format::NBSP, gpu.name)),
            ),
            (words.say(Tongue::account_label), Some(options.account.to_string())),
        ]);
    }
    list.push((
        words.say(Tongue::until_label),
        holds.ends_at.map(|at| text.at(&clock::when(at))),
    ));
    facts(list)
}

/// How much time is left, as a bar and in words, with a warning before it is over.
fn time_left(words: Words, watch: Watch, holds: &Holds) -> Option<Built> {
    let ends_at = holds.ends_at?;
    let whole = (ends_at - holds.started_at.unwrap_or(ends_at)).max(1);
    let left = Signal::derive(move || (ends_at - watch.now()).max(0));
    let nearly = Memo::new(move |_| left.get() < NEARLY_OVER);
    let left_words = words.tell(move |text| match left.get() {
        0 => text.time_over().to_owned(),
        left => text.left(left),
    });
    let width = Signal::derive(move || (left.get() * 1000 / whole).clamp(0, 1000).to_string());
    let class = Signal::derive(move || {
        if nearly.get() {
            "time-left time-left--nearly"
        } else {
            "time-left"
        }
        .to_owned()
    });
    let warning = maybe(move || {
        nearly.get().then(|| {
            view! {
                <Notice meaning=Meaning::Caution>
                    <Paragraph text=words.say(Tongue::save_your_work) />
                </Notice>
            }
            .built()
        })
    });
    let bar = svg("svg")
        .class("time-left__bar")
        .attr("viewBox", "0 0 1000 8")
        .attr("preserveAspectRatio", "none")
        .attr("aria-hidden", "true")
        .child(
            svg("rect")
                .class("time-left__rest")
                .attr("height", "8")
                .follows("width", width),
        );
    let left = el("p").class("counting").says(left_words);
    let left = el("div").follows("class", class).child(bar).child(left);
    Some(el("div").class("card__time").child(left).child(warning).built())
}

/// Open, and Stop, which asks once.
fn buttons(words: Words, user: UserName, watch: Watch) -> Built {
    let session = Session::get();
    let asking = RwSignal::new(false);
    let failure = RwSignal::new(None::<Failure>);
    let stop = Task::new(move || {
        let user = user.clone();
        async move {
            failure.set(None);
            if let Err(error) = api::stop(&user).await {
                session.heed(&error);
                failure.set(Some(error));
            }
            watch.ask();
        }
    });
    // The button that had the focus is gone: the one that answers it takes it.
    let mut before = false;
    effect(move || {
        let asking = asking.get();
        if asking != before {
            before = asking;
            document::focus(if asking { KEEP } else { STOP });
        }
    });
    let url = Signal::derive(move || watch.url().unwrap_or_default());
    let (ask, keep) = (
        Callback::new(move |()| asking.set(true)),
        Callback::new(move |()| asking.set(false)),
    );
    let send = Callback::new(move |()| stop.start());
    dynamic(move || {
        if !asking.get() {
            return view! {
                <Buttons>
                    <ButtonLink label=words.say(Tongue::open) href=url external=true />
                    <Button id=STOP class=SECOND label=words.say(Tongue::stop) press=ask />
                </Buttons>
            }
            .built();
        }
        let trouble = maybe(move || {
            failure
                .get()
                .map(|failure| view! { <Trouble failure retry=send /> }.built())
        });
        let question = el("p")
            .attr("id", "stop-question")
            .says(words.say(Tongue::stop_question));
        let answers = view! {
            <Buttons>
                <Button class=BAD label=words.say(Tongue::stop_yes) press=send busy=stop.busy() />
                <Button id=KEEP class=SECOND label=words.say(Tongue::stop_no) press=keep />
            </Buttons>
        };
        el("div")
            .attr("role", "group")
            .attr("aria-labelledby", "stop-question")
            .child(question)
            .child(answers)
            .child(trouble)
            .built()
    })
}
