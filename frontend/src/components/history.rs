//! A person's last servers: when, what, and how they ended; also those that never started.

use leptos::prelude::*;
use shared::names::UserName;
use shared::server::PastServer;

use crate::api;
use crate::built::{Built, IntoBuilt, maybe};
use crate::clock;
use crate::element::{El, el};
use crate::site::Site;
use crate::task::spawn;
use crate::text::{Word, Words};

/// The list, once it is here; nothing where there were none.
#[component]
pub(crate) fn History(user: UserName) -> Built {
    let words = Words::get();
    let list = RwSignal::new(Vec::new());
    spawn(async move {
        // Without it the page has all that matters.
        if let Ok(past) = api::history(&user).await {
            drop(list.try_set(past));
        }
    });
    maybe(move || {
        let past = list.read();
        if past.is_empty() {
            return None;
        }
        let rows = past
            .iter()
            .fold(el("ul").class("history"), |rows, past| rows.child(row(words, past)));
        let title = el("h2").class("history__title").says(words.say(Word::History));
        Some(el("section").child(title).child(rows).built())
    })
}

fn row(words: Words, past: &PastServer) -> El {
    let site = Site::get();
    let (asked_at, end) = (past.asked_at, past.end.clone());
    let (job, options) = (past.job_id, past.options.clone());
    let ran = past
        .started_at
        .zip(past.ended_at)
        .map(|(start, end)| (end - start).max(0) / 60);
    let when = words.tell(move |text| text.moment(&clock::when(asked_at)));
    let what = words.tell(move |text| match (&options, job) {
        (Some(options), _) => site.request(words, options, None),
        (None, Some(job)) => text.fill(Word::HistoryJob, &[&job.to_string()]),
        (None, None) => String::new(),
    });
    let how = words.tell(move |text| {
        let ended = text.end(&end);
        match ran
            .and_then(|minutes| u64::try_from(minutes).ok())
            .filter(|minutes| *minutes > 0)
        {
            Some(minutes) => format!("{ended} ({})", text.duration(minutes)),
            None => ended,
        }
    });
    el("li")
        .class("history__one")
        .child(el("p").class("history__when").says(when))
        .child(
            el("div")
                .child(el("p").says(what))
                .child(el("p").class("quiet").says(how)),
        )
}
