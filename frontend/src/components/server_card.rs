//! The card of a running server: what it holds, until when, and what can be done with it.

use leptos::prelude::*;
use shared::api::InterfaceView;
use shared::names::UserName;
use shared::options::UserOptions;

use super::button::{BAD, Button, ButtonLink, Buttons, SECOND};
use super::facts::facts;
use super::{Failed, Meaning, Notice, Paragraph, check};
use crate::api;
use crate::attempt::Attempt;
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::element::{El, el, svg};
use crate::site::Site;
use crate::task::{callback, effect, follow, memo};
use crate::text::{Word, Words};
use crate::watch::Watch;
use crate::{clock, document, takeover};

/// When the page warns that the time is nearly over, in seconds.
const NEARLY_OVER: i64 = 15 * 60;
/// The ids of the buttons that hand the focus to each other.
const STOP: &str = "stop";
const KEEP: &str = "keep";
/// The id of the box that asks for the next server.
const NEXT: &str = "next";
/// The id of what describes it.
const NEXT_HINT: &str = "next-hint";

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
    effect(takeover::go_on);
    let (words, site) = (Words::get(), Site::get());
    let holds = memo(move || {
        watch.with(|known| Holds {
            options: known.options.clone(),
            node: known.state.as_ref().and_then(|state| state.node.clone()),
            started_at: known.state.as_ref().and_then(|state| state.started_at),
            ends_at: known.state.as_ref().and_then(|state| state.ends_at),
        })
    });
    let title = words.tell(move |text| {
        holds.with(|holds| match &holds.options {
            Some(options) => site.interface(words, &options.interface),
            None => text.get(Word::Running).to_owned(),
        })
    });
    let head = el("div")
        .class("card__head")
        .child(el("h2").class("card__title").attr("id", "card-title").says(title))
        .child(el("p").class("state state--good").says(words.say(Word::Running)));
    el("section")
        .class("card")
        .attr("aria-labelledby", "card-title")
        .child(head)
        .child(dynamic(move || holds.with(|holds| what_it_holds(words, holds))))
        .child(maybe(move || holds.with(|holds| time_left(words, watch, holds))))
        .child(buttons(words, user.clone(), watch))
        .child(the_next_one(words, user, watch))
        .child(other_interfaces(words, watch))
        .built()
}

fn what_it_holds(words: Words, holds: &Holds) -> Built {
    let site = Site::get();
    let text = words.text();
    let mut list = vec![(words.say(Word::Node), holds.node.clone())];
    if let Some(options) = &holds.options {
        let gpu = options.gpu.as_ref();
        list.extend([
            (words.say(Word::CoresLabel), Some(options.cores.get().to_string())),
            (words.say(Word::MemoryLabel), Some(text.memory(options.memory.get()))),
            (
                words.say(Word::GpuLabel),
                gpu.map(|gpu| text.gpus(gpu.count, &site.gpu(words, &gpu.name))),
            ),
            (words.say(Word::AccountLabel), Some(options.account.to_string())),
        ]);
    }
    list.push((
        words.say(Word::UntilLabel),
        holds.ends_at.map(|at| text.moment(&clock::when(at))),
    ));
    facts(list)
}

/// How much time is left, as a bar and in words, with a warning before it is over.
fn time_left(words: Words, watch: Watch, holds: &Holds) -> Option<Built> {
    let ends_at = holds.ends_at?;
    let whole = (ends_at - holds.started_at.unwrap_or(ends_at)).max(1);
    let left = follow(move || (ends_at - watch.now()).max(0));
    let nearly = memo(move || left.get() < NEARLY_OVER);
    let left_words = words.tell(move |text| match left.get() {
        0 => text.get(Word::TimeOver).to_owned(),
        left => text.count(Word::Left, left),
    });
    let width = follow(move || (left.get() * 1000 / whole).clamp(0, 1000).to_string());
    let class = follow(move || {
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
                    <Paragraph text=words.say(Word::SaveYourWork) />
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

/// Whether another one is started when this one's time is over.
fn the_next_one(words: Words, user: UserName, watch: Watch) -> Built {
    let told = memo(move || watch.state(|state| state.next.then_some(())).is_some());
    // Set anew as well when the server said no.
    let turn = RwSignal::new(0_i64);
    let checked = follow(move || {
        turn.get();
        told.get()
    });
    let set = Attempt::new(move || {
        let user = user.clone();
        async move {
            // Pressed again meanwhile, the last word counts.
            let outcome = loop {
                let wanted = document::is_checked(NEXT);
                let outcome = api::set_next(&user, wanted).await;
                if outcome.is_err() || document::is_checked(NEXT) == wanted {
                    break outcome;
                }
            };
            if outcome.is_err() {
                turn.try_update(|turn| *turn += 1);
            }
            watch.ask();
            outcome
        }
    });
    let label = words.say(Word::NextOne);
    let hint = el("p").class("field__hint").attr("id", NEXT_HINT);
    el("div")
        .child(check(
            NEXT,
            label,
            Some(NEXT_HINT),
            checked,
            Box::new(move |_| set.start()),
        ))
        .child(hint.says(words.say(Word::NextOneHint)))
        .child(view! { <Failed failure=set.failure /> })
        .built()
}

/// The same server with another interface, without a new job.
fn other_interfaces(words: Words, watch: Watch) -> Built {
    let site = Site::get();
    let holds = memo(move || watch.with(|known| known.options.is_some()));
    maybe(move || {
        holds.get().then_some(())?;
        let current = watch.last(|known| known.options.as_ref().map(|options| options.interface.clone()))?;
        let others = site.with(|site| {
            let changeable = site.interfaces.iter().filter(|interface| interface.changeable);
            let (current, others): (Vec<_>, Vec<_>) = changeable.cloned().partition(|found| found.name == current);
            (!current.is_empty() && !others.is_empty()).then_some(others)
        })?;
        let link = |list: El, interface: InterfaceView| {
            let path = interface.path.clone();
            let link = el("a")
                .follows("href", follow(move || watch.url_of(&path).unwrap_or_default()))
                .attr("rel", "external")
                .text(words.locale().of(&interface.label));
            list.child(el("li").child(link))
        };
        let list = others.into_iter().fold(el("ul").class("inline-list"), link);
        let name = el("p").class("facts__name").attr("id", "change-interface");
        let name = name.says(words.say(Word::ChangeInterface));
        let list = list.attr("aria-labelledby", "change-interface");
        Some(el("div").child(name).child(list).built())
    })
}

/// Open, and Stop, which asks once.
fn buttons(words: Words, user: UserName, watch: Watch) -> Built {
    let asking = RwSignal::new(false);
    let stop = Attempt::new(move || {
        let user = user.clone();
        async move {
            let outcome = api::stop(&user).await;
            watch.ask();
            outcome
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
    let url = follow(move || watch.url().unwrap_or_default());
    let (ask, keep) = (callback(move || asking.set(true)), callback(move || asking.set(false)));
    let send = callback(move || stop.start());
    dynamic(move || {
        if !asking.get() {
            return view! {
                <Buttons>
                    <ButtonLink label=words.say(Word::Open) href=url external=true />
                    <Button id=STOP class=SECOND label=words.say(Word::Stop) press=ask />
                </Buttons>
            }
            .built();
        }
        let question = el("p").attr("id", "stop-question").says(words.say(Word::StopQuestion));
        let answers = view! {
            <Buttons>
                <Button class=BAD label=words.say(Word::StopYes) press=send busy=stop.busy() />
                <Button id=KEEP class=SECOND label=words.say(Word::StopNo) press=keep />
            </Buttons>
        };
        el("div")
            .attr("role", "group")
            .attr("aria-labelledby", "stop-question")
            .child(question)
            .child(answers)
            .child(view! { <Failed failure=stop.failure /> })
            .built()
    })
}
