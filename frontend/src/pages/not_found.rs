//! 404.

use leptos::prelude::*;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt};
use crate::components::{ButtonLink, Buttons, Paragraph};
use crate::paths;
use crate::text::{Text, Words};

/// What it is, and where to go.
#[component]
pub(crate) fn NotFound() -> Built {
    let words = Words::get();
    view! {
        <Heading text=words.say(Text::not_found_title) />
        <Paragraph text=words.say(Text::not_found_lead) />
        <Buttons>
            <ButtonLink label=words.say(Text::go_home) href=paths::home() />
        </Buttons>
    }
    .built()
}
