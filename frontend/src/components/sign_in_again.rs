//! A sign-in that ends soon is told, and one that has ended is renewed in place: nothing that was typed is lost.

use leptos::prelude::*;
use shared::names::UserName;

use super::{Button, Buttons, Failed, Meaning, Notice, Paragraph, QUIET, SECOND, SignInForm};
use crate::attempt::Attempt;
use crate::built::{Built, IntoBuilt, maybe};
use crate::element::el;
use crate::router::Go;
use crate::session::Session;
use crate::task::{callback, effect, memo};
use crate::text::{Word, Words};
use crate::{clock, document, takeover};

/// From when on the end is told, in seconds before it.
const SOON: i64 = 600;
/// The dialog's id.
const ID: &str = "again";

/// The notice, and the dialog.
#[component]
pub(crate) fn SignInAgain() -> Built {
    let (words, session) = (Words::get(), Session::get());
    let asked = RwSignal::new(false);
    let now = clock::ticking(15);
    let left = memo(move || {
        session
            .ends_at
            .get()
            .map(|ends_at| ends_at - now.get())
            .filter(|left| *left < SOON)
    });
    effect(move || {
        // As far as this page knows; a sign-in in another tab is heard of.
        if left.get().is_some_and(|left| left <= 0) {
            session.lapsed.set(true);
        }
    });
    let is_soon = memo(move || left.with(Option::is_some));
    let lapsed = memo(move || session.lapsed.get());
    // What is typed into it stays while it is open, also where what it is about turns from "soon" into "over".
    let open = memo(move || lapsed.get() || asked.get());
    let notice = maybe(move || {
        // A moment, not a countdown, which a screen reader would read again and again.
        let end = session.ends_at.get().filter(|_| is_soon.get())?;
        let soon = words.tell(move |text| text.fill(Word::EndsSoon, &[&text.at(&clock::when(end))]));
        let ask = callback(move || asked.set(true));
        let notice = view! {
            <Notice meaning=Meaning::Caution>
                <Paragraph text=soon />
                <Button class=SECOND label=words.say(Word::LogInAgain) press=ask />
            </Notice>
        };
        Some(notice.built())
    });
    let dialog = maybe(move || {
        let user = session.name()?;
        open.get().then(|| {
            let close = callback(move || asked.set(false));
            view! { <Again user lapsed close /> }.built()
        })
    });
    effect(move || {
        session.ends_at.track();
        asked.set(false);
    });
    view! {
        {el("div").class("sign-in-again").attr("role", "status").child(notice).built()}
        {dialog}
    }
    .built()
}

#[component]
fn Again(user: UserName, lapsed: Memo<bool>, close: Callback<()>) -> Built {
    let (words, session, go) = (Words::get(), Session::get(), Go::get());
    let log_out = Attempt::new(move || session.log_out(go, false));
    let other = callback(move || {
        if lapsed.get_untracked() {
            log_out.start();
        } else {
            close.run(());
        }
    });
    let either = move |over, soon| words.tell(move |text| text.get(if lapsed.get() { over } else { soon }).to_owned());
    let lead = either(Word::EndedLead, Word::EndsLead);
    let way_out = either(Word::LogOut, Word::Cancel);
    let failed = |_| false;
    let content = view! {
        {el("h2").attr("id", "again-title").says(words.say(Word::LogInAgain)).built()}
        <Paragraph text=lead />
        <SignInForm again=user failed />
        <Buttons>
            <Button class=QUIET label=way_out press=other busy=log_out.busy() />
        </Buttons>
        <Failed failure=log_out.failure />
    };
    effect(|| takeover::once_placed(Box::new(|| document::ask(ID))));
    on_cleanup(|| document::close(ID)); // Gives the focus back to where it was.
    el("dialog")
        .class("dialog")
        .attr("id", ID)
        .attr("aria-labelledby", "again-title")
        // Escape would leave a page that no longer works.
        .on("cancel", move |event| {
            event.prevent_default();
            if !lapsed.get_untracked() {
                close.run(());
            }
        })
        .child(content)
        .built()
}
