//! Log in, and the other hubs.

use leptos::prelude::*;
use shared::api::HubView;

use super::forbidden::{Forbidden, Refusal};
use super::landing::Landing;
use super::not_running::UserPath;
use crate::a11y::Heading;
use crate::api::Failure;
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::components::{Failed, SignInForm};
use crate::element::{El, el};
use crate::paths::{self, routes};
use crate::router::Go;
use crate::session::Session;
use crate::site::Site;
use crate::task::{callback, effect, memo};
use crate::text::{Word, Words};

/// The page.
#[component]
pub(crate) fn Login() -> Built {
    let (session, go) = (Session::get(), Go::get());
    let inactive = RwSignal::new(None::<Refusal>);
    // Not to `login` or `logout`: whoever has just logged in wants neither.
    let next = paths::next().filter(|next| !next.starts_with(&routes().hub("log")));
    // Somebody else's server sends everybody here: to go there again would go on for ever.
    let owner = next.as_deref().and_then(paths::owner).map(str::to_owned);
    let not_theirs = memo(move || {
        let (user, owner) = (session.name()?, owner.clone()?);
        (owner != user.as_str()).then_some((user, owner))
    });
    let on_the_way = next.is_some();
    // Drawn anew, the form would lose what is in it.
    let landing = memo(move || session.name().filter(|_| !on_the_way && session.is_fresh()));
    effect(move || {
        if session.name().is_some() && not_theirs.get().is_none() && landing.get().is_none() {
            go.instead(&next.clone().unwrap_or_else(paths::home));
        }
    });
    dynamic(move || match (inactive.get(), not_theirs.get()) {
        (_, None) if landing.get().is_some() => landing.get().map(|user| view! { <Landing user /> }).built(),
        (_, Some((user, owner))) => view! { <UserPath user owner /> }.built(),
        (Some(refusal), None) => {
            let retry = callback(move || inactive.set(None));
            view! { <Forbidden refusal retry /> }.built()
        }
        (None, None) => view! { <Form inactive /> }.built(),
    })
}

#[component]
fn Form(inactive: RwSignal<Option<Refusal>>) -> Built {
    let words = Words::get();
    let failed = move |failure: Failure| {
        let refusal = Refusal::from_failure(&failure);
        let told = refusal.is_some();
        if told {
            inactive.set(refusal);
        }
        told
    };
    view! {
        <Heading text=words.say(Word::LoginTitle) />
        <Failed failure=Session::get().sign_out_failure />
        <SignInForm failed />
        {hubs(words)}
    }
    .built()
}

/// The other hubs, as the site lists them.
fn hubs(words: Words) -> Built {
    let site = Site::get();
    maybe(move || {
        let hubs = site.with(|site| site.hubs.clone());
        if hubs.is_empty() {
            return None;
        }
        let item = |list: El, hub: HubView| {
            let [name, url, about] = [&hub.name, &hub.url, &hub.about].map(|text| words.locale().of(text));
            let link = el("a").attr("href", url).attr("rel", "external").text(name);
            let about = el("span").class("hubs__about").text(about);
            list.child(el("li").child(link).child(about))
        };
        let list = hubs.into_iter().fold(el("ul").class("hubs__list"), item);
        let title = el("h2").attr("id", "hubs-title").says(words.say(Word::OtherHubs));
        let section = el("section").class("hubs").attr("aria-labelledby", "hubs-title");
        Some(section.child(title).child(list).built())
    })
}
