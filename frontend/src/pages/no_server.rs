//! The page without a server behind it: front-end development, or a file server by mistake.

use leptos::prelude::*;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt};
use crate::components::{Button, Buttons};
use crate::element::el;
use crate::site::Site;
use crate::task::callback;
use crate::text::{Word, Words};

/// Says so, and what to do.
#[component]
pub(crate) fn NoServer() -> Built {
    let (words, site) = (Words::get(), Site::get());
    let advice = el("p").says(words.say(Word::NoServerAdvice));
    view! {
        <Heading text=words.say(Word::NoServer) />
        {advice.child(el("code").text("make dev")).text(".").built()}
        <Buttons>
            <Button label=words.say(Word::TryAgain) press=callback(move || site.read()) />
        </Buttons>
    }
    .built()
}
