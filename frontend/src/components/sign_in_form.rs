//! Signing in, step by step: name and password, and then whatever else the site asks. The fields may be the
//! document's own until the page takes over, so they are read when they are sent, not followed: a password manager
//! may fill them without telling.

use leptos::prelude::*;
use shared::api::ErrorCode;
use shared::names::UserName;
use shared::sign_in::{ChallengeKind, ChallengeView};

use super::{Alert, Button, Buttons, Choice, Field, Item, Paragraph, QUIET, SECOND, failure_words, input};
use crate::api::{self, Failure, Turn};
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::carried::Carried;
use crate::document;
use crate::element::{El, el};
use crate::session::Session;
use crate::task::{Task, callback, effect, follow, spawn};
use crate::text::{Word, Words};

const USERNAME: &str = "username";
const PASSWORD: &str = "password";
const LOG_IN: &str = "log-in";
const ANSWER: &str = "answer";
/// The id of what is asked, which describes the field for the answer.
const QUESTION: &str = "answer-hint";

/// The form.
#[component]
pub(crate) fn SignInForm(
    /// Who signs in again; else a name is asked for.
    #[prop(optional)]
    again: Option<UserName>,
    /// What is done about a failure; else, or where it answers false, the form says it.
    #[prop(into)]
    failed: Callback<Failure, bool>,
) -> Built {
    let steps = Steps {
        challenge: RwSignal::new(None),
        failure: RwSignal::new(None),
        failed,
        session: Session::get(),
        name: StoredValue::new(String::new()),
    };
    let carried = if again.is_some() {
        Carried::default()
    } else {
        Carried::take()
    };
    let name = again
        .as_ref()
        .map_or_else(|| carried.username.clone(), ToString::to_string);
    steps.name.set_value(name);
    let carried = StoredValue::new(carried);
    dynamic(move || match steps.challenge.get() {
        Some(challenge) => view! { <Challenge steps challenge /> }.built(),
        None => {
            let carried = carried.try_update_value(std::mem::take).unwrap_or_default();
            view! { <Password steps carried again=again.clone() /> }.built()
        }
    })
}

/// Where the conversation has got to.
#[derive(Clone, Copy)]
struct Steps {
    challenge: RwSignal<Option<ChallengeView>>,
    failure: RwSignal<Option<Failure>>,
    failed: Callback<Failure, bool>,
    session: Session,
    /// The name that was typed.
    name: StoredValue<String>,
}

impl Steps {
    fn take(self, result: Result<Turn, Failure>) {
        match result {
            Ok(Turn::Asks(challenge)) => {
                self.challenge.set(Some(challenge));
            }
            Ok(turn) => self.session.heard(turn),
            Err(failure) => {
                // Nobody answered: the same step can be tried again. All else ends the conversation.
                let over = failure.code().is_some_and(|code| code != ErrorCode::Throttled);
                if over && self.challenge.try_with_untracked(Option::is_some) == Some(true) {
                    self.challenge.set(None);
                }
                if self.failed.try_run(failure.clone()) == Some(false) {
                    self.failure.try_set(Some(failure));
                }
                document::focus(PASSWORD);
            }
        }
    }

    /// What went wrong, said at once.
    fn alert(self, no_script: RwSignal<Option<String>>) -> Built {
        let words = Words::get();
        maybe(move || {
            let message = no_script.get().or_else(|| {
                let failure = self.failure.read();
                failure.as_ref().map(|failure| failure_words(words.text(), failure))
            })?;
            Some(view! { <Alert text=Signal::stored(message) /> }.built())
        })
    }
}

fn form(submit: impl Fn() + 'static, fields: impl IntoBuilt) -> El {
    el("form")
        .class("login")
        .attr("novalidate", "")
        .on("submit", move |event| {
            event.prevent_default();
            submit();
        })
        .child(fields)
}

fn plain(input: El) -> El {
    input
        .class("field__input")
        .attr("autocapitalize", "none")
        .attr("spellcheck", "false")
}

#[component]
fn Password(steps: Steps, carried: Carried, again: Option<UserName>) -> Built {
    let words = Words::get();
    let no_script_error = RwSignal::new(carried.error);
    let (no_name, no_password) = (RwSignal::new(false), RwSignal::new(false));
    let shown = RwSignal::new(false);
    let log_in = Task::new(move || async move {
        let (username, password) = (document::value(USERNAME), document::value(PASSWORD));
        steps.name.set_value(username.clone());
        steps.take(api::log_in(&username, &password).await);
    });
    let submit = move || {
        no_script_error.set(None);
        steps.failure.set(None);
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
    // The name is there already: after a failure, after a challenge, or because it cannot be another.
    if focus.is_none() && steps.name.with_value(|name| !name.is_empty()) {
        focus = Some(PASSWORD.to_owned());
    }
    effect(move || {
        let own = [USERNAME, PASSWORD, LOG_IN];
        if let Some(id) = focus.take().filter(|id| own.contains(&id.as_str())) {
            document::focus(&id);
        }
    });

    let name_error = follow(move || {
        no_name
            .get()
            .then(|| words.text().get(Word::UsernameMissing).to_owned())
    });
    let password_error = follow(move || {
        no_password
            .get()
            .then(|| words.text().get(Word::PasswordMissing).to_owned())
    });
    let kind = follow(move || if shown.get() { "text" } else { "password" }.to_owned());
    let show = words.tell(move |text| {
        if shown.get() {
            text.get(Word::Hide)
        } else {
            text.get(Word::Show)
        }
        .to_owned()
    });
    let show_name = words.tell(move |text| {
        if shown.get() {
            text.get(Word::HidePassword)
        } else {
            text.get(Word::ShowPassword)
        }
        .to_owned()
    });
    let button = words.tell(move |text| {
        if log_in.busy().get() {
            text.get(Word::LoggingIn)
        } else {
            text.get(Word::LogIn)
        }
        .to_owned()
    });
    let toggle = callback(move || shown.update(|shown| *shown = !*shown));
    let username = input(USERNAME, false, name_error)
        .attr("autocomplete", "username")
        .attr_if("readonly", again.as_ref().map(|_| ""))
        .filled(&steps.name.get_value());
    let password = input(PASSWORD, false, password_error)
        .follows("type", kind)
        .attr("autocomplete", "current-password")
        .attr_if("autofocus", again.as_ref().map(|_| "")) // For the dialog, which chooses when it opens.
        .filled(&carried.password);
    let password = el("div")
        .class("login__password")
        .child(plain(password))
        .child(view! { <Button class=QUIET label=show name=show_name press=toggle /> });
    let fields = view! {
        {steps.alert(no_script_error)}
        <Field id=USERNAME label=words.say(Word::Username) error=name_error>
            {plain(username).built()}
        </Field>
        <Field id=PASSWORD label=words.say(Word::Password) error=password_error>
            {password.built()}
        </Field>
        <Buttons>
            <Button id=LOG_IN label=button busy=log_in.busy() />
        </Buttons>
    };
    form(submit, fields).built()
}

/// One thing more.
#[component]
fn Challenge(steps: Steps, challenge: ChallengeView) -> Built {
    let words = Words::get();
    let ChallengeView {
        kind,
        message,
        choices,
        state,
    } = challenge;
    let chosen = RwSignal::new(choices.first().cloned().unwrap_or_default());
    // A wait is asked for again and again, each time under a state of its own.
    let state = StoredValue::new(state);
    let (asked, waits) = (message.clone(), kind == ChallengeKind::Wait);
    let go_on = Task::new(move || {
        let asked = asked.clone();
        async move {
            let answer = match kind {
                ChallengeKind::Wait => None,
                ChallengeKind::Choice => Some(chosen.get_untracked()),
                ChallengeKind::Code | ChallengeKind::Secret => Some(document::value(ANSWER)),
            };
            steps.failure.set(None);
            // Whoever cancelled or left meanwhile waits for nothing any more.
            while let Some(now) = state.try_get_value() {
                let result = api::answer(&now, answer.as_deref()).await;
                if state.try_get_value() != Some(now) {
                    return;
                }
                match result {
                    Ok(Turn::Asks(same)) if waits && same.kind == kind && same.message == asked => {
                        state.set_value(same.state);
                    }
                    result => return steps.take(result),
                }
            }
        }
    });
    let cancel = callback(move || {
        let state = state.get_value();
        spawn(async move { drop(api::cancel(&state).await) });
        steps.challenge.set(None);
    });
    effect(move || match kind {
        ChallengeKind::Wait => {
            document::focus(QUESTION);
            go_on.start();
        }
        ChallengeKind::Choice | ChallengeKind::Code | ChallengeKind::Secret => document::focus(ANSWER),
    });
    let field = match kind {
        ChallengeKind::Wait => view! { <Paragraph class="waiting" text=words.say(Word::OneMoment) /> }.built(),
        ChallengeKind::Choice => {
            let item = |choice: String| Item::plain(&choice, Signal::stored(choice.clone()));
            let items = choices.into_iter().map(item).collect();
            let legend = Signal::stored(message.clone());
            view! { <Choice id=ANSWER legend error=Signal::stored(None) value=chosen items /> }.built()
        }
        ChallengeKind::Code | ChallengeKind::Secret => {
            let (typed, complete) = if kind == ChallengeKind::Code {
                ("text", "one-time-code")
            } else {
                ("password", "off")
            };
            let answer = input(ANSWER, true, Signal::stored(None))
                .attr("type", typed)
                .attr("autocomplete", complete);
            view! { <Field id=ANSWER label=words.say(Word::Answer)>{plain(answer).built()}</Field> }.built()
        }
    };
    // In the site's own language, whichever that is. A choice has it as its legend.
    let question = (kind != ChallengeKind::Choice).then(|| {
        let question = el("p").class("login__message").attr("id", QUESTION);
        question.attr("tabindex", "-1").text(&message).built()
    });
    // Waiting goes on by itself, until it fails.
    let proceed = maybe(move || {
        let needed = kind != ChallengeKind::Wait || steps.failure.read().is_some();
        needed.then(|| view! { <Button label=words.say(Word::GoOn) busy=go_on.busy() /> }.built())
    });
    let fields = view! {
        {steps.alert(RwSignal::new(None))}
        {question}
        {field}
        <Buttons>
            {proceed}
            <Button class=SECOND label=words.say(Word::Cancel) press=cancel />
        </Buttons>
    };
    form(move || go_on.start(), fields).built()
}
