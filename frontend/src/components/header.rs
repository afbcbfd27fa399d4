//! The frame's upper part: the site, its cluster and state, language, colours, and who is signed in.

use leptos::prelude::*;

use super::announcements::Announcements;
use super::button::{ButtonLink, QUIET};
use super::select::Select;
use crate::built::{Built, IntoBuilt, maybe};
use crate::element::{El, el};
use crate::session::Session;
use crate::site::{Reach, Site};
use crate::task::follow;
use crate::text::{Locale, Word, Words};
use crate::theme::{self, Theme};
use crate::{clock, document, paths};

/// The first thing a keyboard reaches.
#[component]
pub(crate) fn SkipLink() -> Built {
    let link = el("a").class("skip-link").attr("href", "#main");
    link.says(Words::get().say(Word::Skip))
        .on("click", |event| {
            event.prevent_default(); // A jump alone would leave the focus behind.
            document::focus("main");
        })
        .built()
}

/// The ids of what the page reads in its document: the site's and the cluster's name.
pub(crate) const SITE_NAME: &str = "site-name";
pub(crate) const CLUSTER_NAME: &str = "cluster-name";

/// The header.
#[component]
pub(crate) fn Header() -> Built {
    let (words, site) = (Words::get(), Site::get());
    let name = follow(move || site.with(|site| site.name.clone()));
    let cluster = follow(move || site.with(|site| site.cluster.clone()));
    let logo = document::attribute("data-logo");
    let logo = logo.map(|logo| {
        el("img")
            .class("header__logo")
            .attr("src", &logo)
            .attr("alt", "")
            .built()
    });
    let link = el("a")
        .class("header__site")
        .attr("id", SITE_NAME)
        .attr("href", &paths::home());
    let place = el("p")
        .class("header__place")
        .child(logo)
        .child(link.says(name))
        .child(
            el("span")
                .class("header__cluster")
                .attr("id", CLUSTER_NAME)
                .says(cluster),
        )
        .child(state(words, site));
    let tools = el("div")
        .class("header__tools")
        .child(language(words))
        .child(
            el("p")
                .class("language__failed")
                .attr("role", "alert")
                .says(words.tell(move |text| {
                    let failed = words.failed.get();
                    if failed { text.get(Word::LanguageFailed) } else { "" }.to_owned()
                })),
        )
        .child(colours(words))
        .child(person(words));
    let inner = el("div").class("header__inner").child(place).child(tools);
    let header = el("header").class("header").child(inner);
    header.child(view! { <Announcements /> }).built()
}

/// The cluster's state: a shape and a word.
fn state(words: Words, site: Site) -> El {
    let reach = site.reach;
    let maintenance = move || site.with(|site| site.maintenance_until);
    let class = follow(move || {
        match reach.get() {
            Reach::Unknown | Reach::NoServer => "state state--unknown",
            Reach::Online if maintenance().is_some() => "state state--caution",
            Reach::Online => "state state--good",
            Reach::Silent(_) | Reach::NoConnection => "state state--bad",
        }
        .to_owned()
    });
    let word = words.tell(move |text| match reach.get() {
        Reach::Unknown | Reach::NoServer => String::new(),
        Reach::Online => match maintenance() {
            Some(until) => text.fill(Word::Maintenance, &[&text.until(&clock::when(until))]),
            None => text.get(Word::Online).to_owned(),
        },
        Reach::Silent(since) => text.fill(Word::Silent, &[&text.since(&clock::when(since))]),
        Reach::NoConnection => text.get(Word::NoConnection).to_owned(),
    });
    el("span").follows("class", class).says(word)
}

fn language(words: Words) -> El {
    let group = el("div")
        .class("language")
        .attr("role", "group")
        .follows("aria-label", words.say(Word::Language));
    Locale::ALL.into_iter().fold(group, |group, (locale, name)| {
        let pressed = follow(move || (words.locale() == locale).to_string());
        let busy = follow(move || words.awaits(locale).then(|| "true".to_owned()));
        let choice = el("button")
            .class("language__choice")
            .attr("type", "button")
            .attr("lang", locale.tag());
        group.child(
            choice
                .follows("aria-pressed", pressed)
                .follows_if("aria-busy", busy)
                .text(name)
                .pressed(move || words.choose(locale)),
        )
    })
}

fn colours(words: Words) -> Built {
    let Theme(value) = expect_context();
    let items = vec![
        (theme::SYSTEM.to_owned(), words.say(Word::ColoursSystem)),
        (theme::LIGHT.to_owned(), words.say(Word::ColoursLight)),
        (theme::DARK.to_owned(), words.say(Word::ColoursDark)),
    ];
    view! { <Select id="colours" class="colours" name=words.say(Word::Colours) value items /> }.built()
}

/// Who is signed in, and the way out.
fn person(words: Words) -> Built {
    let session = Session::get();
    maybe(move || {
        let name = session.name()?;
        let person = el("div")
            .class("person")
            .attr("role", "group")
            .follows("aria-label", words.say(Word::YourAccount))
            .child(el("span").class("person__name").text(name.as_str()))
            .child(
                view! { <ButtonLink class=QUIET label=words.say(Word::LogOut) href=paths::routes().hub("logout") /> },
            );
        Some(person.built())
    })
}
