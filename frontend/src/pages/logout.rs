//! `/hub/logout`, where Lab's own menu leads: a link alone logs nobody out, so it asks.

use leptos::prelude::*;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt};
use crate::components::{Button, ButtonLink, Buttons, Paragraph, SECOND};
use crate::paths;
use crate::router::Go;
use crate::session::Session;
use crate::task::Task;
use crate::text::{Text, Words};

/// The page.
#[component]
pub(crate) fn Logout() -> Built {
    let (words, session, go) = (Words::get(), Session::get(), Go::get());
    let log_out = Task::new(move || session.log_out(go));
    view! {
        <Heading text=words.say(Text::log_out_title) />
        <Paragraph text=words.say(Text::log_out_lead) />
        <Buttons>
            <Button label=words.say(Text::log_out) press=Callback::new(move |()| log_out.start()) busy=log_out.busy() />
            <ButtonLink label=words.say(Text::go_home) href=paths::home() class=SECOND />
        </Buttons>
    }
    .built()
}
