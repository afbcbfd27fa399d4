//! 404.

use leptos::prelude::*;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt};
use crate::components::{ButtonLink, Buttons, Paragraph};
use crate::paths;
use crate::text::{Word, Words};

/// What it is, and where to go.
#[component]
pub(crate) fn NotFound() -> Built {
    let words = Words::get();
    view! {
        <Heading text=words.say(Word::NotFoundTitle) />
        <Paragraph text=words.say(Word::NotFoundLead) />
        <Buttons>
            <ButtonLink label=words.say(Word::GoHome) href=paths::home() />
        </Buttons>
    }
    .built()
}
