//! The page without a server behind it: front-end development, or a file server by mistake.

use leptos::prelude::*;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt};
use crate::components::{Button, Buttons};
use crate::element::el;
use crate::site::Site;
use crate::task::callback;
use crate::text::{Locale, Word, Words};

/// Says so, in both languages.
#[component]
pub(crate) fn NoServer() -> Built {
    let (words, site) = (Words::get(), Site::get());
    let advice = Locale::ALL.map(|(locale, _)| {
        let text = locale.text();
        el("p")
            .attr("lang", locale.tag())
            .child(el("strong").text(text.get(Word::NoServer)).text("."))
            .text(" ")
            .text(text.get(Word::NoServerAdvice))
            .child(el("code").text("make dev"))
            .text(".")
            .built()
    });
    view! {
        <Heading text=words.say(Word::NoServer) />
        {advice.into_iter().collect::<Vec<_>>()}
        <Buttons>
            <Button label=words.say(Word::TryAgain) press=callback(move || site.read()) />
        </Buttons>
    }
    .built()
}
