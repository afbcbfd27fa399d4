//! 403, shown in place: an inactive account, no access to the cluster, somebody else's server.

use leptos::prelude::*;
use shared::api::{Bilingual, ErrorCode, Links};
use shared::names::UserName;

use crate::a11y::Heading;
use crate::api::Failure;
use crate::built::{Built, IntoBuilt, dynamic};
use crate::clock;
use crate::components::{Button, ButtonLink, Buttons, Paragraph};
use crate::element::el;
use crate::paths;
use crate::site::Site;
use crate::text::{Tongue, Word, Words};

/// Which of the two it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The account is not active, since then if the server knows (seconds since 1970, or words).
    Inactive(Option<String>),
    /// No compute account on this cluster.
    NoAssociation,
}

impl Refusal {
    /// The refusal in a failure, if it is one.
    pub(crate) fn from_failure(failure: &Failure) -> Option<Self> {
        let Failure::Api(error) = failure else { return None };
        match error.code {
            ErrorCode::Inactive => Some(Self::Inactive(error.details.get("since").cloned())),
            ErrorCode::NoAssociation => Some(Self::NoAssociation),
            _ => None,
        }
    }
}

/// Which of the two it is, the two steps that help, and a button to try again.
#[component]
pub(crate) fn Forbidden(refusal: Refusal, retry: Callback<()>) -> Built {
    let (words, site) = (Words::get(), Site::get());
    let cluster = move || site.with(|site| site.cluster.clone());
    let inactive = matches!(refusal, Refusal::Inactive(_));
    let title = words.tell(move |text| {
        if inactive {
            text.get(Word::InactiveTitle).to_owned()
        } else {
            text.fill(Word::NoAssociationTitle, &[&cluster()])
        }
    });
    let lead = words.say(if inactive {
        Word::InactiveLead
    } else {
        Word::NoAssociationLead
    });
    let since = match refusal {
        Refusal::Inactive(Some(since)) => {
            Some(words.tell(move |text| text.fill(Word::InactiveSince, &[&date(text, &since)])))
        }
        _ => None,
    };
    let step = move |which: fn(&Links) -> &Option<Bilingual>, name: Signal<String>| {
        dynamic(move || match site.link(which, words.locale()) {
            Some(url) => el("a").attr("href", &url).attr("rel", "external").says(name).built(),
            None => el("span").says(name).built(),
        })
    };
    let access = words.tell(move |text| text.fill(Word::EnableAccess, &[&cluster()]));
    let steps = el("ol")
        .class("numbered")
        .child(el("li").child(step(|links| &links.renew_account, words.say(Word::RenewAccount))))
        .child(el("li").child(step(|links| &links.cluster_access, access)))
        .built();
    view! {
        <Heading text=title />
        <Paragraph text=lead />
        {since.map(|since| view! { <Paragraph text=since /> })}
        <Paragraph text=words.say(Word::InactiveSteps) />
        {steps}
        <Buttons>
            <Button label=words.say(Word::TryAgain) press=retry />
        </Buttons>
    }
    .built()
}

/// A date where the server sent seconds; its own words else.
fn date(text: &Tongue, since: &str) -> String {
    match since.parse() {
        Ok(seconds) => text.date(&clock::when(seconds)),
        Err(_) => since.to_owned(),
    }
}

/// Somebody else's server.
#[component]
pub(crate) fn NotYours(
    /// As the URL has it.
    owner: String,
    /// Who is signed in.
    user: UserName,
) -> Built {
    let words = Words::get();
    let whose = words.tell(move |text| text.fill(Word::NotYours, &[&owner, user.as_str()]));
    view! {
        <Heading text=words.say(Word::NotYoursTitle) />
        <Paragraph text=whose />
        <Paragraph text=words.say(Word::NotYoursAdvice) />
        <Buttons>
            <ButtonLink label=words.say(Word::GoHome) href=paths::home() />
        </Buttons>
    }
    .built()
}
