//! What the site announces, under the header until somebody has read it.

use leptos::prelude::*;
use shared::api::Note;

use super::button::{Button, QUIET};
use crate::built::{Built, IntoBuilt, dynamic};
use crate::document;
use crate::element::el;
use crate::preferences::{keep, recall};
use crate::site::Site;
use crate::task::{callback, memo};
use crate::text::{Word, Words};

/// Under which name the browser keeps what was dismissed: the English texts, one a line.
const DISMISSED: &str = "slipway-dismissed";

/// All of them that are news.
#[component]
pub(crate) fn Announcements() -> Built {
    let (words, site) = (Words::get(), Site::get());
    let dismissed = RwSignal::new(recall(DISMISSED).unwrap_or_default());
    let news = memo(move || {
        let dismissed = dismissed.read();
        let is_news = |told: &&Note| !dismissed.lines().any(|line| line == told.text.en);
        site.with(|site| site.announcements.iter().filter(is_news).cloned().collect::<Vec<_>>())
    });
    dynamic(move || {
        let news = news.get();
        let told = news.into_iter().map(|told| announcement(words, told, dismissed));
        el("div").class("announcements").children(told).built()
    })
}

fn announcement(words: Words, told: Note, dismissed: RwSignal<String>) -> Built {
    let english = told.text.en.clone();
    let dismiss = callback(move || {
        let before = dismissed.get_untracked();
        // Those that are not told any more are forgotten.
        let lines = format!("{english}\n{}", before.lines().take(20).collect::<Vec<_>>().join("\n"));
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
    el("div")
        .class("announcement")
        .child(paragraph)
        .child(view! { <Button class=QUIET label=words.say(Word::Dismiss) press=dismiss /> })
        .built()
}
