//! Log in: name and password. The fields are the document's own until this page takes over, so they are read
//! when they are sent, not followed: a password manager may fill them without telling.

use leptos::prelude::*;
use shared::api::HubView;
use shared::sign_in::LoginRequest;

use super::forbidden::{Forbidden, Refusal};
use super::not_running::UserPath;
use crate::a11y::Heading;
use crate::api::Failure;
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::components::{Alert, Button, Buttons, Field, QUIET, failure_words, input};
use crate::document::{self, Carried};
use crate::element::{El, el};
use crate::paths::{self, routes};
use crate::router::Go;
use crate::session::Session;
use crate::site::Site;
use crate::task::{Task, effect};
use crate::text::{Text, Words};

const USERNAME: &str = "username";
const PASSWORD: &str = "password";

/// The page.
#[component]
pub(crate) fn Login() -> Built {
    let (session, go) = (Session::get(), Go::get());
    let inactive = RwSignal::new(None::<Refusal>);
    // Not to `login` or `logout`: whoever has just logged in wants neither.
    let next = paths::next().filter(|next| !next.starts_with(&routes().hub("log")));
    // Somebody else's server sends everybody here: to go there again would go on for ever.
    let owner = next.as_deref().and_then(paths::owner).map(str::to_owned);
    let not_theirs = Memo::new(move |_| {
        let (user, owner) = (session.name()?, owner.clone()?);
        (owner != user.as_str()).then_some((user, owner))
    });
    effect(move || {
        if session.name().is_some() && not_theirs.get().is_none() {
            go.instead(&next.clone().unwrap_or_else(paths::home));
        }
    });
    dynamic(move || match (inactive.get(), not_theirs.get()) {
        (_, Some((user, owner))) => view! { <UserPath user owner /> }.built(),
        (Some(refusal), None) => {
            let retry = Callback::new(move |()| inactive.set(None));
            view! { <Forbidden refusal retry /> }.built()
        }
        (None, None) => view! { <Form inactive /> }.built(),
    })
}

#[component]
fn Form(inactive: RwSignal<Option<Refusal>>) -> Built {
    let (words, session) = (Words::get(), Session::get());
    let carried = Carried::take();
    let failure = RwSignal::new(None::<Failure>);
    let no_script_error = RwSignal::new(carried.error);
    let (no_name, no_password) = (RwSignal::new(false), RwSignal::new(false));
    let shown = RwSignal::new(false);

    let log_in = Task::new(move || async move {
        let login = LoginRequest {
            username: document::value(USERNAME),
            password: document::value(PASSWORD),
        };
        if let Err(error) = session.log_in(login).await {
            match Refusal::from_failure(&error) {
                Some(refusal) => inactive.set(Some(refusal)),
                None => failure.set(Some(error)),
            }
            document::focus(PASSWORD);
        }
    });
    let submit = move |event: web_sys::Event| {
        event.prevent_default();
        no_script_error.set(None);
        failure.set(None);
        no_name.set(document::value(USERNAME).trim().is_empty());
        no_password.set(document::value(PASSWORD).is_empty());
        if no_name.get_untracked() {
            document::focus(USERNAME);
        } else if no_password.get_untracked() {
            document::focus(PASSWORD);
        } else {
            log_in.start();
        }
    };

    // What was typed before the page took over stays, and so does the focus.
    let mut focus = carried.focus;
    if no_script_error.read_untracked().is_some() {
        focus = Some(PASSWORD.to_owned());
    }
    effect(move || {
        if let Some(id) = focus.take().filter(|id| id == USERNAME || id == PASSWORD) {
            document::focus(&id);
        }
    });

    let alert = maybe(move || {
        let message = no_script_error.get().or_else(|| {
            let failure = failure.read();
            failure.as_ref().map(|failure| failure_words(words.text(), failure))
        })?;
        Some(view! { <Alert text=Signal::stored(message) /> }.built())
    });
    let name_error = Signal::derive(move || no_name.get().then(|| words.text().username_missing().to_owned()));
    let password_error = Signal::derive(move || no_password.get().then(|| words.text().password_missing().to_owned()));
    let kind = Signal::derive(move || if shown.get() { "text" } else { "password" }.to_owned());
    let show = words.tell(move |text| if shown.get() { text.hide() } else { text.show() }.to_owned());
    let show_name = words.tell(move |text| {
        if shown.get() {
            text.hide_password()
        } else {
            text.show_password()
        }
        .to_owned()
    });
    let button = words.tell(move |text| {
        if log_in.busy().get() {
            text.logging_in()
        } else {
            text.log_in()
        }
        .to_owned()
    });
    let toggle = Callback::new(move |()| shown.update(|shown| *shown = !*shown));
    let username = input(USERNAME, false, name_error)
        .attr("autocomplete", "username")
        .attr("value", &carried.username);
    let password = input(PASSWORD, false, password_error)
        .follows("type", kind)
        .attr("autocomplete", "current-password")
        .attr("value", &carried.password);
    let plain = |input: El| {
        input
            .class("field__input")
            .attr("autocapitalize", "none")
            .attr("spellcheck", "false")
    };
    let password = el("div")
        .class("login__password")
        .child(plain(password))
        .child(view! { <Button class=QUIET label=show name=show_name press=toggle /> });
    let fields = view! {
        {alert}
        <Field id=USERNAME label=words.say(Text::username) error=name_error>
            {plain(username).built()}
        </Field>
        <Field id=PASSWORD label=words.say(Text::password) error=password_error>
            {password.built()}
        </Field>
        <Buttons>
            <Button label=button busy=log_in.busy() />
        </Buttons>
    };
    view! {
        <Heading text=words.say(Text::login_title) />
        {el("form").class("login").attr("novalidate", "").on("submit", submit).child(fields).built()}
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
            let link = el("a").attr("href", &hub.url).attr("rel", "external").text(&hub.name);
            list.child(
                el("li")
                    .child(link)
                    .child(el("span").class("hubs__about").text(&hub.about)),
            )
        };
        let list = hubs.into_iter().fold(el("ul").class("hubs__list"), item);
        let title = el("h2").attr("id", "hubs-title").says(words.say(Text::other_hubs));
        let section = el("section").class("hubs").attr("aria-labelledby", "hubs-title");
        Some(section.child(title).child(list).built())
    })
}
