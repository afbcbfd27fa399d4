//! What the site announces, under the header until somebody has read it.

use leptos::prelude::*;
use shared::api::Note;

use super::button::{Button, QUIET};
use crate::built::{Built, IntoBuilt, dynamic};
use crate::document;
use crate::element::el;
use crate::preferences::{keep, recall};
use crate::site::Site;
use crate::task::callback;
use crate::text::{Word, Words};

/// Under which name the browser keeps what was dismissed: the English texts, one a line, the last first.
const DISMISSED: &str = "slipway-dismissed";
/// So many are kept: more are never told at a time.
const KEPT: usize = 20;

/// All of them that are news.
#[component]
pub(crate) fn Announcements() -> Built {
    let (words, site) = (Words::get(), Site::get());
    let dismissed = RwSignal::new(recall(DISMISSED).unwrap_or_default());
    dynamic(move || {
        let dismissed_now = dismissed.read();
        let is_news = |told: &&Note| !dismissed_now.lines().any(|line| line == told.text.en);
        let told = |told: &Note| announcement(words, told.clone(), dismissed);
        site.with(|site| {
            let news = site.announcements.iter().filter(is_news).map(told);
            el("div").class("announcements").children(news).built()
        })
    })
}

fn announcement(words: Words, told: Note, dismissed: RwSignal<String>) -> Built {
    let english = told.text.en.clone();
    let dismiss = callback(move || {
        let before = dismissed.get_untracked();
        let lines: Vec<_> = std::iter::once(english.as_str())
            .chain(before.lines())
            .take(KEPT)
            .collect();
        let lines = lines.join("\n");
        keep(DISMISSED, &lines);
        document::focus("main");
        dismissed.set(lines);
    });
    let locale = move || words.locale();
    let text = told.text;
    let link = told.link.map(|link| {
        el("a")
            .attr("rel", "external")
            .follows("href", words.tell(move |_| locale().of(&link).to_owned()))
            .says(words.say(Word::ReadMore))
    });
    let paragraph = el("p").says(words.tell(move |_| format!("{} ", locale().of(&text))));
    let paragraph = match link {
        Some(link) => paragraph.child(link),
        None => paragraph,
    };
    let inner = el("div")
        .class("announcement__inner")
        .child(paragraph)
        .child(view! { <Button class=QUIET label=words.say(Word::Dismiss) press=dismiss /> });
    el("div").class("announcement").child(inner).built()
}
