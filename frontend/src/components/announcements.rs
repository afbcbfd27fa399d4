//! What the site announces, under the header until somebody has read it.

use leptos::prelude::*;
use shared::api::AnnouncementView;

use super::button::{Button, QUIET};
use crate::built::{Built, IntoBuilt, dynamic};
use crate::element::el;
use crate::preferences::{recall, remember};
use crate::site::Site;
use crate::task::callback;
use crate::text::{Word, Words};
use crate::{clock, document};

/// Under which name the browser remembers what was dismissed: a mark of each text, with full stops between them, the last
/// first.
pub(crate) const DISMISSED: &str = "slipway-dismissed";
/// So many are kept: more are never told at a time.
const KEPT: usize = 20;

/// All of them that are news.
#[component]
pub(crate) fn Announcements() -> Built {
    let (words, site) = (Words::get(), Site::get());
    let known = marks(&recall(DISMISSED).unwrap_or_default()).join(".");
    if !known.is_empty() {
        remember(DISMISSED, &known); // A cookie may have gone earlier.
    }
    let dismissed = RwSignal::new(known);
    dynamic(move || {
        let dismissed_now = dismissed.read();
        let is_news = |told: &&AnnouncementView| !dismissed_now.split('.').any(|known| known == mark(&told.text.en));
        let told = |told: &AnnouncementView| announcement(words, told.clone(), dismissed);
        site.with(|site| {
            let news = site.announcements.iter().filter(is_news).map(told);
            el("div").class("announcements").children(news).built()
        })
    })
}

/// The marks of what was dismissed; there may be something else under that name.
fn marks(known: &str) -> Vec<&str> {
    let is_mark = |mark: &&str| (1..=8).contains(&mark.len()) && mark.bytes().all(|byte| byte.is_ascii_hexdigit());
    known.split('.').filter(is_mark).collect()
}

/// Tells texts apart, in few letters (FNV-1a): what is dismissed goes into a cookie, for the server to leave it out.
fn mark(text: &str) -> String {
    let mix = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    format!("{:x}", text.bytes().fold(0x811c_9dc5, mix))
}

fn announcement(words: Words, told: AnnouncementView, dismissed: RwSignal<String>) -> Built {
    let mark = mark(&told.text.en);
    let dismiss = callback(move || {
        let before = dismissed.get_untracked();
        let marks: Vec<_> = std::iter::once(mark.as_str())
            .chain(marks(&before))
            .take(KEPT)
            .collect();
        let marks = marks.join(".");
        remember(DISMISSED, &marks);
        document::focus("main");
        dismissed.set(marks);
    });
    let locale = move || words.locale();
    let text = told.text;
    let link = told.link.map(|link| {
        el("a")
            .attr("rel", "external")
            .follows("href", words.tell(move |_| locale().of(&link).to_owned()))
            .says(words.say(Word::ReadMore))
    });
    let since = told.since.map(|at| {
        let day = words.tell(move |text| format!("{} ", text.day_and_month(&clock::when(at))));
        el("span").class("announcement__date").says(day).built()
    });
    let paragraph = el("p").children(since);
    let paragraph = paragraph.says(words.tell(move |_| format!("{} ", locale().of(&text))));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_dismissed_is_told_by_marks_and_by_nothing_else() {
        let known = format!("{}.<p>.0123456789.{}..slipway", mark("Closed"), mark("Late"));
        assert_eq!(marks(&known), [mark("Closed"), mark("Late")]);
        assert_ne!(mark("Closed"), mark("Closed."));
        assert!(marks("").is_empty());
    }
}
