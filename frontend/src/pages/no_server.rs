//! The page without a server behind it: front-end development, or a file server by mistake.

use leptos::prelude::*;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt};
use crate::components::{Button, Buttons};
use crate::element::el;
use crate::site::Site;
use crate::text::{Locale, Tongue, Words};

/// Says so, in both languages.
#[component]
pub(crate) fn NoServer() -> Built {
    let (words, site) = (Words::get(), Site::get());
    let advice = Locale::ALL.map(|(locale, _)| {
        let text = locale.text();
        el("p")
            .attr("lang", locale.tag())
            .child(el("strong").text(text.no_server()).text("."))
            .text(" ")
            .text(text.no_server_advice())
            .child(el("code").text("make dev"))
            .text(".")
            .built()
    });
    view! {
        <Heading text=words.say(Tongue::no_server) />
        {advice.into_iter().collect::<Vec<_>>()}
        <Buttons>
            <Button label=words.say(Tongue::try_again) press=Callback::new(move |()| site.read()) />
        </Buttons>
    }
    .built()
}
