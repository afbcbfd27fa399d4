//! The page as a whole: what its parts share, its frame, and its routes.

use leptos::prelude::*;

use crate::a11y::{Announcer, LiveRegion};
use crate::built::{Built, IntoBuilt, dynamic};
use crate::carried::Carried;
use crate::components::{Footer, Header, SignInAgain, SkipLink, TimeWarning, signed_in};
use crate::element::el;
use crate::pages::{Board, Home, Login, Logout, NoServer, NotFound, Spawn, Starting, UserPath, UserRedirect};
use crate::router::{Go, Url};
use crate::session::Session;
use crate::site::{Reach, Site};
use crate::task::memo;
use crate::text::{self, Locale};
use crate::theme;

/// All of it.
pub(crate) fn app(carried: Carried, locale: Locale) -> Built {
    let go = Go::provide();
    text::provide(locale);
    theme::provide();
    Announcer::provide();
    let reach = Site::provide(&carried).reach;
    Session::provide();
    provide_context(StoredValue::new(carried));
    let no_server = memo(move || reach.get() == Reach::NoServer);
    let page = dynamic(move || {
        if no_server.get() {
            view! { <NoServer /> }.built()
        } else {
            page(&go.url())
        }
    });
    let main = el("main").class("page").attr("id", "main").attr("tabindex", "-1");
    view! {
        <SkipLink />
        <Header />
        <SignInAgain />
        <TimeWarning />
        {main.child(page).built()}
        <Footer />
        <LiveRegion />
    }
    .built()
}

/// The whole route table of the page.
fn page(url: &Url) -> Built {
    match url.segments()[..] {
        ["hub"] | ["hub", "home"] => signed_in(|user| view! { <Home user /> }.built()),
        ["hub", "login"] => view! { <Login /> }.built(),
        ["hub", "logout"] => signed_in(|user| view! { <Logout user /> }.built()),
        ["hub", "spawn"] => signed_in(|user| view! { <Spawn user /> }.built()),
        ["hub", "spawn-pending", owner] => {
            let owner = owner.to_owned();
            signed_in(move |user| view! { <Starting user owner=owner.clone() /> }.built())
        }
        ["hub", "events", event] => {
            let event = event.to_owned();
            signed_in(move |_| view! { <Board event=event.clone() /> }.built())
        }
        ["hub", "user-redirect", ..] => signed_in(|user| view! { <UserRedirect user /> }.built()),
        ["user", owner, ..] | ["hub", "user", owner, ..] => {
            let owner = owner.to_owned();
            signed_in(move |user| view! { <UserPath user owner=owner.clone() /> }.built())
        }
        #[cfg(debug_assertions)]
        ["hub", "gallery"] => view! { <crate::pages::Gallery /> }.built(),
        _ => view! { <NotFound /> }.built(),
    }
}
