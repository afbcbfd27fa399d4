//! Pages for people who are signed in; everybody else is sent to log in, and comes back.

use leptos::prelude::*;
use shared::names::UserName;

use super::{Paragraph, TroublePage};
use crate::built::{Built, IntoBuilt, dynamic};
use crate::paths;
use crate::router::Go;
use crate::session::{Session, SignIn};
use crate::task::{callback, effect};
use crate::text::{Word, Words};

/// The page, once it is known for whom.
pub(crate) fn signed_in(page: impl Fn(UserName) -> Built + Send + 'static) -> Built {
    boxed(Box::new(page))
}

fn boxed(page: Box<dyn Fn(UserName) -> Built + Send>) -> Built {
    let (session, go, words) = (Session::get(), Go::get(), Words::get());
    let here = paths::here();
    dynamic(move || match session.who() {
        SignIn::Somebody(user) => page(user),
        SignIn::Trouble(failure) => {
            let retry = callback(move || session.ask());
            view! { <TroublePage failure retry /> }.built()
        }
        SignIn::Nobody => {
            let login = paths::login(Some(&here));
            effect(move || go.instead(&login));
            waiting(words)
        }
        SignIn::Unknown => waiting(words),
    })
}

/// For the moment until something is known.
pub(crate) fn waiting(words: Words) -> Built {
    view! { <Paragraph class="waiting" text=words.say(Word::OneMoment) /> }.built()
}
