//! 404.

use leptos::prelude::*;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt};
use crate::components::{ButtonLink, Buttons, Paragraph};
use crate::paths;
use crate::text::{Tongue, Words};

/// What it is, and where to go.
#[component]
pub(crate) fn NotFound() -> Built {
    let words = Words::get();
    view! {
        <Heading text=words.say(Tongue::not_found_title) />
        <Paragraph text=words.say(Tongue::not_found_lead) />
        <Buttons>
            <ButtonLink label=words.say(Tongue::go_home) href=paths::home() />
        </Buttons>
    }
    .built()
}
