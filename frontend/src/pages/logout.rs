//! `/hub/logout`, where every way out leads: a link alone logs nobody out, so it asks, and whether a running server
//! goes on.

use leptos::prelude::*;
use shared::names::UserName;

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt, maybe};
use crate::components::{Button, ButtonLink, Buttons, Paragraph, SECOND};
use crate::document;
use crate::element::el;
use crate::paths;
use crate::router::Go;
use crate::session::Session;
use crate::site::Site;
use crate::task::{Task, callback};
use crate::text::{Word, Words};
use crate::watch::{Stage, Watch};

const STOP: &str = "stop-server";

/// The page.
#[component]
pub(crate) fn Logout(user: UserName) -> Built {
    let (words, session, go, site) = (Words::get(), Session::get(), Go::get(), Site::get());
    let watch = Watch::new(user);
    let log_out = Task::new(move || session.log_out(go, document::is_checked(STOP)));
    let server = maybe(move || {
        let live = matches!(watch.stage.get(), Stage::Server(phase) if phase.is_live());
        live.then(|| {
            let proposed = site.with(|site| site.stop_at_logout);
            let stop = el("input")
                .attr("type", "checkbox")
                .attr("id", STOP)
                .attr_if("checked", proposed.then_some(""));
            let label = el("label").attr("for", STOP).says(words.say(Word::StopToo));
            let question = el("p").class("check").child(stop).text(" ").child(label).built();
            view! {
                <Paragraph text=words.say(Word::LogOutLead) />
                {question}
            }
            .built()
        })
    });
    view! {
        <Heading text=words.say(Word::LogOutTitle) />
        {server}
        <Buttons>
            <Button label=words.say(Word::LogOut) press=callback(move || log_out.start()) busy=log_out.busy() />
            <ButtonLink label=words.say(Word::GoHome) href=paths::home() class=SECOND />
        </Buttons>
    }
    .built()
}
