//! The compute account; where there are many, with a search.

use leptos::prelude::*;
use shared::options::OptionsView;

use super::Fields;
use crate::built::{Built, IntoBuilt, dynamic};
use crate::components::{Field, Select, describe, input};
use crate::document;
use crate::element::el;
use crate::text::Word;

/// From how many compute accounts on they can be searched.
const MANY: usize = 8;

impl Fields {
    pub(super) fn account(self) -> Built {
        let (form, words) = (self.page.form, self.words);
        let offer = self.offer();
        let error = self.error("account");
        let described_by = describe("account", true, error);
        let all = offer.accounts.len();
        let filter = RwSignal::new(String::new());
        let found = words.tell(move |text| {
            let needle = filter.get();
            let count = accounts_with(&self.offer(), &needle, "").len();
            match needle.trim() {
                "" => String::new(),
                _ => text.fill(Word::AccountFound, &[&count.to_string(), &all.to_string()]),
            }
        });
        let list = dynamic(move || {
            let names = accounts_with(&self.offer(), &filter.read(), &form.account.read_untracked());
            let item = |name: String| {
                let shown = name.clone();
                (name, words.tell(move |text| text.account(&shown)))
            };
            let items = names.into_iter().map(item).collect();
            let size = if all > MANY { "6" } else { "1" };
            view! { <Select id="account" class="field__input" size described_by value=form.account items /> }.built()
        });
        let search = (all > MANY).then(|| {
            let label = el("label")
                .attr("for", "account-filter")
                .says(words.say(Word::AccountFilter));
            let search = input("account-filter", false, Signal::stored(None))
                .class("field__input")
                .attr("type", "search")
                .attr("autocomplete", "off")
                .attr("autocapitalize", "none")
                .attr("spellcheck", "false")
                .on("keydown", |event| {
                    // Enter is for what was found, not for the whole form.
                    if key(&event) == "Enter" {
                        event.prevent_default();
                        document::focus("account");
                    }
                })
                .holds(filter);
            let status = el("p").class("field__hint").attr("role", "status").says(found);
            el("div")
                .class("search")
                .child(label)
                .child(search)
                .child(status)
                .built()
        });
        let view = view! {
            <Field id="account" label=words.say(Word::Account) hint=words.say(Word::AccountHint) error>
                {search}
                {list}
            </Field>
        };
        view.built()
    }
}

/// Compute accounts with this in their names, and the chosen one.
fn accounts_with(offer: &OptionsView, needle: &str, chosen: &str) -> Vec<String> {
    let needle = needle.trim().to_ascii_lowercase();
    let names = offer.accounts.iter().map(|account| account.name.to_string());
    names.filter(|name| name.contains(&needle) || name == chosen).collect()
}

/// Which key it was.
fn key(event: &web_sys::Event) -> String {
    let key = js_sys::Reflect::get(event, &"key".into()).ok();
    key.and_then(|key| key.as_string()).unwrap_or_default()
}
