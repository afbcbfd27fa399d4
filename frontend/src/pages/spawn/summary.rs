//! Beside the form where there is room, below it else: what is asked for, whether there is room for it, the button.

use std::time::Duration;

use leptos::prelude::*;
use shared::options::Room;

use super::Page;
use crate::a11y::Announcer;
use crate::built::{Built, IntoBuilt, maybe};
use crate::clock;
use crate::components::{Button, QUIET, SECOND, other_jobs, whole};
use crate::document;
use crate::element::el;
use crate::history;
use crate::paths;
use crate::site::Site;
use crate::start::Start;
use crate::task::{callback, effect, follow, memo};
use crate::text::Word;

/// From which age on, in seconds, it is said how old what is free is.
const OLD: i64 = 60;
/// For how long the sentence has to stay the same before it is said aloud.
const STEADY: Duration = Duration::from_secs(2);
/// The ids of what takes the focus.
const ROOM: &str = "room";
const LINK: &str = "link";

/// The summary, and what else is to be known.
pub(super) fn side(page: Page, start: Start) -> Built {
    el("div")
        .class("options__side")
        .child(summary(page, start))
        .child(aside(page))
        .built()
}

fn summary(page: Page, start: Start) -> Built {
    let (words, site) = (page.words, Site::get());
    let request = words.tell(move |text| match &*page.parsed.read() {
        Err(errors) => errors.first().map_or_else(String::new, |error| text.problem(error)),
        Ok(options) => {
            let now = page.now();
            let end = page.form.end(&page.offer(), now);
            format!("{}.", site.request(words, options, end))
        }
    });
    let label = words.tell(move |text| {
        let word = if start.busy().get() { Word::Sending } else { Word::Start };
        text.get(word).to_owned()
    });
    // Nothing moves under a hand.
    let (pointed, focused) = (RwSignal::new(false), RwSignal::new(false));
    let held = follow(move || pointed.get() || focused.get());
    let button = el("div")
        .class("summary__start")
        .on("pointerenter", move |_| pointed.set(true))
        .on("pointerleave", move |_| pointed.set(false))
        .on("focusin", move |_| focused.set(true))
        .on("focusout", move |_| focused.set(false))
        .child(view! { <Button label busy=start.busy() /> });
    el("div")
        .class("summary")
        .child(el("h2").class("summary__title").says(words.say(Word::YourRequest)))
        .child(el("p").class("summary__request").says(request))
        .child(room_for_it(page, held))
        .child(button)
        .built()
}

/// Whether there is room now, and the button that asks for what there is room for.
fn room_for_it(page: Page, held: Signal<bool>) -> Built {
    let (words, announcer) = (page.words, Announcer::get());
    let (sentence, button) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let less = StoredValue::new(Vec::new());
    let turn = StoredValue::new(0_u32);
    effect(move || {
        let (text, now) = (words.text(), page.now());
        let offer = page.offer();
        let (mut room, mut asked) = (Room::Unknown, [0; 4]);
        page.form.wish(&offer, &mut |wish| {
            asked = wish.amounts();
            room = whole(shared::options::room(&offer, wish, now));
        });
        if held.get() {
            return;
        }
        let said = text.room(&room, asked, clock::when);
        let amounts = room.less();
        button.set(if amounts.is_empty() {
            String::new()
        } else {
            text.use_less(&amounts)
        });
        less.set_value(amounts);
        if sentence.with_untracked(|before| *before == said) {
            return;
        }
        // Said aloud once it stays, and not when the page opens.
        let first = turn.get_value() == 0;
        turn.update_value(|turn| *turn += 1);
        let mine = turn.get_value();
        sentence.set(said);
        if !first {
            set_timeout(
                move || {
                    if turn.try_get_value() == Some(mine) {
                        announcer.say(&sentence.get_untracked());
                    }
                },
                STEADY,
            );
        }
    });
    let take = callback(move || {
        let (offer, text) = (untrack(|| page.offer()), page.text());
        for (field, amount) in less.get_value() {
            let value = match field {
                "gpu" => {
                    page.form.gpu_count.set(amount.to_string());
                    continue;
                }
                _ => amount.to_string(),
            };
            page.form.put(field, value, &offer, text);
        }
        document::focus(ROOM); // The button goes away.
    });
    let age = words.tell(move |text| {
        let (age, since) = (page.offer().ages.cluster, page.clock.get() - page.heard_at.get());
        match age + since {
            age if age > OLD && !sentence.read().is_empty() => text.count(Word::RoomAge, age),
            _ => String::new(),
        }
    });
    let some = memo(move || !button.read().is_empty());
    let use_it = maybe(move || {
        some.get()
            .then(|| view! { <Button class=SECOND label=button.into() press=take /> }.built())
    });
    el("div")
        .class("summary__room")
        .attr("id", ROOM)
        .attr("tabindex", "-1")
        .child(el("p").says(sentence.into()))
        .child(el("p").class("quiet").says(age))
        .child(use_it)
        .built()
}

/// Other jobs, what the site wants said, and the link.
fn aside(page: Page) -> Built {
    let (words, site) = (page.words, Site::get());
    // Drawn anew only when they are others: a question that was asked stays.
    let jobs = memo(move || page.offer().other_jobs.clone());
    let others = maybe(move || {
        let user = untrack(|| page.offer().user.clone());
        jobs.with(|jobs| other_jobs(words, &user, jobs))
    });
    let note = maybe(move || {
        let note = site.with(|site| site.note.clone())?;
        let locale = words.locale();
        let paragraph = el("p").text(locale.of(&note.text));
        let paragraph = match &note.link {
            Some(link) => {
                let link = el("a").attr("href", locale.of(link)).attr("rel", "external");
                paragraph.text(" ").child(link.says(words.say(Word::ReadMore)))
            }
            None => paragraph,
        };
        Some(paragraph.built())
    });
    el("div")
        .class("aside")
        .child(others)
        .child(note)
        .child(copy_link(page))
        .built()
}

/// The link of the page with the options in it.
fn copy_link(page: Page) -> Built {
    let (words, announcer) = (page.words, Announcer::get());
    let (link, copied) = (RwSignal::new(String::new()), RwSignal::new(false));
    let copy = callback(move || {
        let raw = untrack(|| page.form.raw(&page.offer()));
        let origin = history::origin();
        link.set(origin + &paths::spawn_link(&raw, None));
        request_animation_frame(move || {
            copied.set(document::copy(LINK));
            let said = if copied.get_untracked() {
                Word::LinkCopied
            } else {
                Word::LinkHere
            };
            announcer.say(page.text().get(said));
        });
    });
    let hint = words.tell(move |text| {
        let word = if copied.get() { Word::LinkCopied } else { Word::LinkHere };
        text.get(word).to_owned()
    });
    let hidden = follow(move || link.read().is_empty().then(String::new));
    let field = el("input")
        .class("field__input")
        .attr("id", LINK)
        .attr("readonly", "")
        .follows("aria-label", words.say(Word::Link))
        .holds(link);
    let shown = el("div")
        .follows_if("hidden", hidden)
        .child(field)
        .child(el("p").class("field__hint").says(hint));
    el("div")
        .child(view! { <Button class=QUIET label=words.say(Word::CopyLink) press=copy /> })
        .child(shown)
        .built()
}
