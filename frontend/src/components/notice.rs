//! Something to know before going on, with its meaning as a word, a shape and a colour.

use leptos::prelude::*;
use shared::api::{ErrorCode, ErrorView};

use super::button::{Button, Buttons, SECOND};
use crate::a11y::Heading;
use crate::api::Failure;
use crate::built::{Built, IntoBuilt, maybe};
use crate::clock;
use crate::element::el;
use crate::text::{Tongue, Word, Words};

/// What a notice means.
#[derive(Clone, Copy)]
pub(crate) enum Meaning {
    /// It went wrong.
    Bad,
    /// Take care.
    Caution,
    /// To know.
    Information,
}

/// A notice.
#[component]
pub(crate) fn Notice(meaning: Meaning, children: Built) -> Built {
    let class = match meaning {
        Meaning::Bad => "notice notice--bad",
        Meaning::Caution => "notice notice--caution",
        Meaning::Information => "notice notice--information",
    };
    el("div").class(class).child(children).built()
}

/// What a failure means, and what to do.
pub(crate) fn failure_words(text: &Tongue, failure: &Failure) -> String {
    let error = match failure {
        Failure::NoServer => return text.get(Word::Unreachable).to_owned(),
        Failure::NotUnderstood => return text.get(Word::NotUnderstood).to_owned(),
        Failure::Api(error) => error,
    };
    let words = match error.code {
        ErrorCode::WrongPassword => text.get(Word::WrongPassword).to_owned(),
        ErrorCode::SignInOver => text.get(Word::SignInOver).to_owned(),
        ErrorCode::PasswordExpired => text.get(Word::PasswordExpired).to_owned(),
        ErrorCode::NumericName => text.get(Word::NumericName).to_owned(),
        ErrorCode::SystemAccount => text.get(Word::SystemAccount).to_owned(),
        ErrorCode::SignInUnavailable => text.get(Word::SignInUnavailable).to_owned(),
        ErrorCode::SignOutNotStored => {
            let until = error.details.get("until").and_then(|until| until.parse().ok());
            let until = until.map_or_else(String::new, |until| text.until(&clock::when(until)));
            text.fill(Word::SignOutNotStored, &[&until])
        }
        ErrorCode::Throttled => text.count(Word::Throttled, retry_after(error)),
        ErrorCode::TooManyStarts => text.count(Word::TooManyStarts, retry_after(error)),
        ErrorCode::TooManyChanges => text.count(Word::TooManyChanges, retry_after(error)),
        ErrorCode::TooManyStreams => text.get(Word::TooManyStreams).to_owned(),
        ErrorCode::Inactive => format!("{}.", text.get(Word::InactiveTitle)),
        ErrorCode::NoAssociation => text.get(Word::NoAssociationLead).to_owned(),
        ErrorCode::NotSignedIn => text.get(Word::NotSignedIn).to_owned(),
        ErrorCode::CrossSite | ErrorCode::WrongHost => text.get(Word::CrossSite).to_owned(),
        ErrorCode::SlurmUnreachable => text.get(Word::SlurmUnreachable).to_owned(),
        ErrorCode::Conflict => text.get(Word::AlreadyRunning).to_owned(),
        ErrorCode::Refused => text.get(Word::Refused).to_owned(),
        ErrorCode::Options => error
            .fields
            .first()
            .map_or_else(|| text.get(Word::Incomplete).to_owned(), |field| text.problem(field)),
        ErrorCode::BadRequest
        | ErrorCode::Forbidden
        | ErrorCode::NotFound
        | ErrorCode::NotRunning
        | ErrorCode::NotAnswering
        | ErrorCode::InvalidAnswer
        | ErrorCode::TooManyConnections
        | ErrorCode::Internal
            if error.request_id.is_empty() =>
        {
            text.get(Word::Internal).to_owned()
        }
        ErrorCode::BadRequest
        | ErrorCode::Forbidden
        | ErrorCode::NotFound
        | ErrorCode::NotRunning
        | ErrorCode::NotAnswering
        | ErrorCode::InvalidAnswer
        | ErrorCode::TooManyConnections
        | ErrorCode::Internal => text.fill(Word::InternalNumber, &[&error.request_id]),
    };
    match error.details.get("said") {
        Some(said) => format!("{words} {said}"),
        None => words,
    }
}

/// In how many seconds a request may be repeated.
fn retry_after(error: &ErrorView) -> i64 {
    let seconds = error.details.get("retry_after");
    seconds.and_then(|seconds| seconds.parse().ok()).unwrap_or(60)
}

/// What went wrong, said at once.
#[component]
pub(crate) fn Alert(text: Signal<String>, #[prop(optional)] children: Option<Built>) -> Built {
    let notice = el("div")
        .class("notice notice--bad")
        .child(el("p").attr("role", "alert").says(text));
    match children {
        Some(children) => notice.child(children).built(),
        None => notice.built(),
    }
}

/// Why the last attempt failed, if it did.
#[component]
pub(crate) fn Failed(failure: RwSignal<Option<Failure>>) -> Built {
    let words = Words::get();
    maybe(move || {
        let failure = failure.get()?;
        let text = words.tell(move |text| failure_words(text, &failure));
        Some(view! { <Alert text /> }.built())
    })
}

/// A failure in place of a page.
#[component]
pub(crate) fn TroublePage(failure: Failure, retry: Callback<()>) -> Built {
    view! {
        <Heading text=Words::get().say(Word::TroubleTitle) />
        <Trouble failure retry />
    }
    .built()
}

/// A failure in place of what should be there, with a button to try again.
#[component]
pub(crate) fn Trouble(failure: Failure, retry: Callback<()>) -> Built {
    let words = Words::get();
    let message = words.tell(move |text| failure_words(text, &failure));
    view! {
        <Alert text=message>
            <Buttons>
                <Button class=SECOND label=words.say(Word::TryAgain) press=retry />
            </Buttons>
        </Alert>
    }
    .built()
}
