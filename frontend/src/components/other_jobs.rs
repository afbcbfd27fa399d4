//! The person's other interactive jobs, each with a button that cancels it and asks once.

use std::time::Duration;

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::OtherJob;

use super::Failed;
use super::button::{BAD, SECOND};
use crate::a11y::Announcer;
use crate::api;
use crate::attempt::Attempt;
use crate::built::{Built, IntoBuilt, maybe};
use crate::element::{El, el};
use crate::task::{callback, follow, memo};
use crate::text::{Word, Words};

/// A press that comes so soon after the last one is a part of it.
const PAUSE: Duration = Duration::from_millis(600);

/// The list; nothing where there are none.
pub(crate) fn other_jobs(words: Words, user: &UserName, jobs: &[OtherJob]) -> Option<Built> {
    if jobs.is_empty() {
        return None;
    }
    let row = |list: El, job: &OtherJob| list.child(one(words, user.clone(), job.clone()));
    let list = jobs.iter().fold(el("ul").class("jobs"), row);
    let title = el("h2").class("jobs__title").says(words.say(Word::OtherJobs));
    Some(el("section").child(title).child(list).built())
}

fn one(words: Words, user: UserName, job: OtherJob) -> El {
    let announcer = Announcer::get();
    let (asking, gone) = (RwSignal::new(false), RwSignal::new(false));
    // A double click, or a key that is held, is no answer to a question.
    let (can_answer, presses) = (RwSignal::new(false), StoredValue::new(0_u32));
    let id = job.id;
    let cancel = Attempt::new(move || {
        let user = user.clone();
        async move {
            api::cancel_job(&user, id).await?;
            gone.set(true);
            let said = untrack(move || words.text()).fill(Word::JobCancelled, &[&id.to_string()]);
            announcer.say(&said);
            Ok(())
        }
    });
    let what = words.tell(move |text| {
        let word = match (gone.get(), job.running) {
            (true, _) => return text.fill(Word::JobCancelled, &[&id.to_string()]),
            (false, true) => Word::OtherRunning,
            (false, false) => Word::OtherWaiting,
        };
        text.fill(word, &[&id.to_string(), &job.kind])
    });
    let press = callback(move || {
        if can_answer.get_untracked() {
            return cancel.start();
        }
        asking.set(true);
        presses.update_value(|presses| *presses += 1);
        let mine = presses.get_value();
        let allow = move || {
            if presses.try_get_value() == Some(mine) {
                can_answer.set(true);
            }
        };
        set_timeout(allow, PAUSE);
    });
    let busy = follow(move || cancel.busy().get() || (asking.get() && !can_answer.get()));
    // One button that stays where it is, and keeps the focus.
    let label = words.tell(move |text| {
        let word = if asking.get() {
            Word::CancelJobYes
        } else {
            Word::CancelJob
        };
        text.fill(word, &[&id.to_string()])
    });
    let class = follow(move || if asking.get() { BAD } else { SECOND }.to_owned());
    let is_there = memo(move || !gone.get());
    let button = maybe(move || {
        let button = el("button").attr("type", "button").follows("class", class);
        let button = button.follows_if("aria-disabled", follow(move || busy.get().then(|| "true".to_owned())));
        is_there
            .get()
            .then(|| button.says(label).pressed(move || press.run(())).built())
    });
    el("li")
        .class("jobs__one")
        .child(el("p").says(what))
        .child(button)
        .child(view! { <Failed failure=cancel.failure /> })
}
