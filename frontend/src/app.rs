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

/// What its parts share.
pub(crate) fn provide(carried: Carried, locale: Locale) {
    Go::provide();
    text::provide(locale);
    theme::provide();
    Announcer::provide();
    Site::provide(&carried);
    Session::provide();
    provide_context(StoredValue::new(carried));
}

/// Its parts, in their order.
pub(crate) const PARTS: [fn() -> Built; 3] = [head, main, foot];

fn head() -> Built {
    view! {
        <SkipLink />
        <Header />
        <SignInAgain />
        <TimeWarning />
    }
    .built()
}

fn main() -> Built {
    let (go, reach) = (Go::get(), Site::get().reach);
    let no_server = memo(move || reach.get() == Reach::NoServer);
    let page = dynamic(move || {
        if no_server.get() {
            view! { <NoServer /> }.built()
        } else {
            page(&go.url())
        }
    });
    let main = el("main").class("page").attr("id", "main").attr("tabindex", "-1");
    main.child(page).built()
}

fn foot() -> Built {
    view! {
        <Footer />
        <LiveRegion />
    }
    .built()
}

/// Whether the page has something to show at this path, below the site's base path: the server answers 404 otherwise.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn has_page(path: &str) -> bool {
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments[..] {
        ["hub"]
        | ["hub", "home" | "login" | "logout" | "spawn"]
        | ["hub", "spawn-pending" | "events", _]
        | ["hub", "user-redirect", ..]
        | ["user", _, ..]
        | ["hub", "user", _, ..] => true,
        _ => cfg!(debug_assertions) && segments[..] == ["hub", "gallery"],
    }
}

/// The whole route table of the page; [`has_page`] follows it.
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
