//! "Copy for support": all that support needs to know, in one block of text that the server writes.

use leptos::prelude::*;
use shared::names::UserName;

use super::Failed;
use super::button::{Button, QUIET};
use crate::a11y::Announcer;
use crate::api;
use crate::attempt::Attempt;
use crate::built::{Built, IntoBuilt};
use crate::document;
use crate::element::el;
use crate::task::{callback, follow};
use crate::text::{Word, Words};

/// The id of the block.
const BLOCK: &str = "support";

/// The button, and the block once it is here: it can be copied by hand where the browser does not let us.
#[component]
pub(crate) fn Support(user: UserName) -> Built {
    let (words, announcer) = (Words::get(), Announcer::get());
    let (block, said) = (RwSignal::new(String::new()), RwSignal::new(Word::SupportHere));
    let copy = Attempt::new(move || {
        let user = user.clone();
        async move {
            block.try_set(api::support(&user).await?);
            request_animation_frame(move || {
                if document::copy(BLOCK) {
                    said.try_set(Word::SupportCopied);
                }
                announcer.say(untrack(move || words.text()).get(said.get_untracked()));
            });
            Ok(())
        }
    });
    let hidden = follow(move || block.read().is_empty().then(String::new));
    let rows = follow(move || (block.read().lines().count() + 2).to_string());
    let text = el("textarea")
        .class("support__block")
        .attr("id", BLOCK)
        .attr("readonly", "")
        .attr("lang", "en")
        .attr("spellcheck", "false")
        .follows("rows", rows)
        .follows("aria-label", words.say(Word::SupportLabel))
        .holds(block);
    let shown = el("div")
        .follows_if("hidden", hidden)
        .child(
            el("p")
                .class("field__hint")
                .says(words.tell(move |text| text.get(said.get()).to_owned())),
        )
        .child(text);
    let press = callback(move || copy.start());
    el("div")
        .class("support")
        .child(view! { <Button class=QUIET label=words.say(Word::CopySupport) press busy=copy.busy() /> })
        .child(view! { <Failed failure=copy.failure /> })
        .child(shown)
        .built()
}
