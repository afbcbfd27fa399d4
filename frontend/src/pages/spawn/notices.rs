//! What stands above the form: events, last choices that cannot be had now, and what filled the form in.

use leptos::prelude::*;
use shared::options::{EventView, OptionsView, Source};

use super::Page;
use crate::built::{Built, IntoBuilt, dynamic};
use crate::clock;
use crate::components::{Meaning, Notice, Paragraph};
use crate::element::{El, el};
use crate::paths;
use crate::text::Word;

/// Events, and last choices that cannot be had now.
pub(super) fn notices(page: Page) -> Built {
    dynamic(move || {
        page.shape.get();
        let offer = untrack(|| page.offer());
        let notices = offer.events.iter().map(|event| announcement(page, event.clone()));
        let notices = el("div").class("notices").children(notices);
        match refused(page, &offer) {
            Some(refused) => notices.child(refused),
            None => notices,
        }
        .built()
    })
}

fn announcement(page: Page, event: EventView) -> Built {
    let board = event.instructor.then(|| {
        let link = el("a").attr("href", &paths::board(event.name.as_str()));
        el("p").child(link.says(page.words.say(Word::Board))).built()
    });
    let text = page.words.tell(move |text| {
        let title = page.words.locale().of(&event.title);
        let [start, end] = [event.starts_at, event.ends_at].map(clock::when);
        if event.starts_at > page.now() {
            text.fill(Word::EventSoon, &[title, &text.at(&start), &text.at(&end)])
        } else {
            text.fill(Word::EventNow, &[title, &text.until(&end)])
        }
    });
    view! {
        <Notice meaning=Meaning::Information>
            <Paragraph text />
            {board}
        </Notice>
    }
    .built()
}

/// Only said while nothing else has filled in the form.
fn refused(page: Page, offer: &OptionsView) -> Option<Built> {
    let refused = offer.last_refused.clone();
    if page.linked || refused.is_empty() {
        return None;
    }
    let line = |list: El, error| list.child(el("li").says(page.words.tell(move |text| text.problem(&error))));
    let list = refused.into_iter().fold(el("ul").class("notice__list"), line).built();
    let notice = view! {
        <Notice meaning=Meaning::Caution>
            <Paragraph text=page.words.say(Word::LastRefused) />
            {list}
        </Notice>
    };
    Some(notice.built())
}

/// Which of several things filled in the form.
pub(super) fn filled(page: Page) -> Signal<String> {
    page.words.tell(move |text| {
        let profile = page.form.profile.read();
        let offer = page.offer();
        let word = match offer.profiles.iter().find(|offered| offered.name.as_str() == *profile) {
            Some(profile) => {
                return text.fill(Word::FilledByProfile, &[page.words.locale().of(&profile.label)]);
            }
            None if page.linked => Word::FilledByLink,
            None => match offer.chosen_from {
                Source::Last => Word::FilledByLast,
                Source::Defaults => Word::FilledByDefaults,
            },
        };
        text.get(word).to_owned()
    })
}
