//! `/hub/logout`, where every way out leads: a link alone logs nobody out, so it asks, and whether a running server
//! goes on.

use leptos::prelude::*;
use shared::names::UserName;

use crate::a11y::Heading;
use crate::attempt::Attempt;
use crate::built::{Built, IntoBuilt, maybe};
use crate::components::{Button, ButtonLink, Buttons, Failed, Paragraph, SECOND, check};
use crate::document;
use crate::paths;
use crate::router::Go;
use crate::session::Session;
use crate::site::Site;
use crate::task::{callback, follow, memo};
use crate::text::{Word, Words};
use crate::watch::{Stage, Watch};

const STOP: &str = "stop-server";

/// The page.
#[component]
pub(crate) fn Logout(user: UserName) -> Built {
    let (words, session, go, site) = (Words::get(), Session::get(), Go::get(), Site::get());
    let watch = Watch::new(user);
    let log_out = Attempt::new(move || session.log_out(go, document::is_checked(STOP)));
    // What was answered stays, whatever becomes of the server and of the site.
    let live = memo(move || matches!(watch.stage.get(), Stage::Server(phase) if phase.is_live()));
    let proposed = memo(move || site.with(|site| site.stop_at_logout));
    let server = maybe(move || {
        live.get().then(|| {
            let proposed = follow(move || proposed.get());
            let question = check(STOP, words.say(Word::StopToo), None, proposed, Box::new(|_| ())).built();
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
        <Failed failure=log_out.failure />
        <Buttons>
            <Button label=words.say(Word::LogOut) press=callback(move || log_out.start()) busy=log_out.busy() />
            <ButtonLink label=words.say(Word::GoHome) href=paths::home() class=SECOND />
        </Buttons>
    }
    .built()
}
