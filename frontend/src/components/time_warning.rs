//! The end of a person's server, told on every page before it comes.

use leptos::prelude::*;

use super::{Meaning, Notice, Paragraph};
use crate::a11y::Announcer;
use crate::built::{Built, IntoBuilt, maybe};
use crate::clock;
use crate::element::el;
use crate::paths;
use crate::router::Go;
use crate::session::Session;
use crate::task::{effect, follow, memo};
use crate::text::{Word, Words, format};

/// Minutes before the end at which it is said aloud; it is shown from the first one on.
const WARNINGS: [i64; 2] = [15, 5];
/// How often the server is asked when it ends, in seconds.
const ASK: u64 = 60;

/// The warning; nothing while there is time, and on the page that has the server's own card.
#[component]
pub(crate) fn TimeWarning() -> Built {
    let (words, session, go, announcer) = (Words::get(), Session::get(), Go::get(), Announcer::get());
    let ends_at = session.server_ends_at;
    clock::every(ASK, move || {
        if !document().hidden() {
            session.refresh();
        }
    });
    let now = clock::ticking(1);
    let left = follow(move || ends_at.get().map(|end| end - now.get()).filter(|left| *left > 0));
    // How many of the warnings are due.
    let due = memo(move || {
        left.get().map_or(0, |left| {
            WARNINGS.iter().filter(|minutes| left <= *minutes * 60).count()
        })
    });
    let sentence = words.tell(move |text| match (left.get(), ends_at.get()) {
        (Some(left), Some(end)) => text.fill(
            Word::ServerEndsSoon,
            &[&text.at(&clock::when(end)), &format::span(left)],
        ),
        _ => String::new(),
    });
    let mut said = 0;
    effect(move || {
        let due = due.get();
        if due > said {
            announcer.say(&sentence.get_untracked());
        }
        said = due;
    });
    let at_home = memo(move || matches!(go.url().segments()[..], ["hub"] | ["hub", "home"]));
    let shown = memo(move || due.get() > 0 && !at_home.get());
    maybe(move || {
        shown.get().then(|| {
            let link = el("a").attr("href", &paths::home()).says(words.say(Word::GoHome));
            let notice = view! {
                <Notice meaning=Meaning::Caution>
                    <Paragraph text=sentence />
                    {el("p").child(link).built()}
                </Notice>
            };
            let name = words.say(Word::TimeLeft);
            el("section")
                .class("time-warning")
                .follows("aria-label", name)
                .child(notice)
                .built()
        })
    })
}
