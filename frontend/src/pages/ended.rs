//! It did not start, or it ended: what happened, why, and what to do about it.

use std::time::Duration;

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::UserOptions;
use shared::raw::RawOptions;
use shared::server::{EndCause, EndView};

use crate::a11y::Heading;
use crate::built::{Built, IntoBuilt, dynamic, maybe};
use crate::components::{
    Button, ButtonLink, FIRST, Literally, Meaning, NextFailed, Notice, Paragraph, Quoting, SECOND, SlurmWords,
    StartFailure, Support, meanwhile, waiting,
};
use crate::element::el;
use crate::offer::Offer;
use crate::paths;
use crate::site::Site;
use crate::start::Start;
use crate::task::{callback, effect, follow, memo};
use crate::text::{Tongue, Word, Words};
use crate::watch::Watch;

/// What can be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Help {
    /// The same once more.
    Again,
    /// The same, for as long as it takes.
    Patiently,
    /// The same, without the person's own settings.
    Fresh,
    /// Something else.
    Change,
}

impl Help {
    /// What is offered, what helps most first. Only what has not been ready can be held up by the queue, or by what is
    /// broken in the person's settings.
    fn with(end: &EndView, had_node: bool) -> &'static [Self] {
        let key = end.why.as_ref().map_or("", |why| &why.key);
        let hopeless = end.why.as_ref().is_some_and(|why| why.hopeless);
        match end.cause {
            EndCause::GaveUp { .. } if hopeless => &[Self::Change, Self::Again],
            EndCause::GaveUp { .. } => &[Self::Patiently, Self::Again, Self::Change],
            // Slurm says the same again to the same, unless it takes none now.
            EndCause::Refused { .. } if !NOT_NOW.contains(&key) => &[Self::Change, Self::Again],
            EndCause::OutOfMemory => &[Self::Change, Self::Again],
            EndCause::JupyterFailed { .. } | EndCause::TimeLimit if !end.was_ready => {
                &[Self::Fresh, Self::Again, Self::Change]
            }
            EndCause::Cancelled if had_node && !end.was_ready => &[Self::Again, Self::Fresh, Self::Change],
            _ => &[Self::Again, Self::Change],
        }
    }
}

/// Why Slurm refuses everything for a while.
const NOT_NOW: [&str; 2] = ["closed", "full"];

/// For so long at the most the page waits for what would push its buttons away if it came later.
const PATIENCE: Duration = Duration::from_secs(1);

/// The page for a start or a server that is over.
#[component]
pub(crate) fn Ended(
    user: UserName,
    watch: Watch,
    end: EndView,
    start: Start,
    /// Where the person was going.
    next: Option<String>,
) -> Built {
    let (words, offer, drawn) = (Words::get(), Offer::new(), RwSignal::new(false));
    let waited = matches!(end.cause, EndCause::GaveUp { .. } | EndCause::Refused { .. });
    if waited {
        offer.ask_for_fresh();
    }
    let is_explained = end.why.is_some();
    effect(move || {
        let can_explain = !is_explained || words.can_explain();
        if can_explain && (!waited || offer.is_fresh.get()) {
            drawn.set(true);
        }
    });
    let draw = move || {
        drawn.try_set(true);
    };
    set_timeout(draw, PATIENCE);
    let drawn = memo(move || drawn.get()); // Once.
    dynamic(move || {
        if !drawn.get() {
            return waiting(words);
        }
        let options = watch.last(|known| known.options.clone());
        let now = waited.then(|| meanwhile(words, &user, options, Some(start), offer));
        over(user.clone(), watch, end.clone(), start, next.as_deref(), now)
    })
}

/// All of it; `now` says what there is room for, and what else of theirs is running.
fn over(user: UserName, watch: Watch, end: EndView, start: Start, next: Option<&str>, now: Option<Built>) -> Built {
    let words = Words::get();
    let options = watch.last(|known| known.options.clone());
    let had_node = watch.last(|known| known.state.as_ref().is_some_and(|state| state.started_at.is_some()));
    let job = watch.last(|known| known.state.as_ref().and_then(|state| state.job_id));
    let change = options
        .as_ref()
        .map_or_else(paths::spawn, |options| paths::spawn_with(options, next));
    let raw = options.as_ref().map(UserOptions::to_raw).unwrap_or_default();
    let why = end.why.clone().map(|why| {
        let word = match &end.cause {
            EndCause::GaveUp { reason } => reason.clone(),
            _ => None,
        };
        memo(move || words.explain(Some(&why), word.as_deref()))
    });
    let gave_up = matches!(end.cause, EndCause::GaveUp { .. });
    let what = why.map(|why| {
        let what = words.tell(move |text| {
            let lead = if gave_up { text.get(Word::HeldBy) } else { "" };
            format!("{lead} {}", why.read().what).trim_start().to_owned()
        });
        view! { <Quoting text=what /> }.built()
    });
    let to_do = why.map(|why| view! { <Paragraph text=follow(move || why.read().what_to_do.clone()) /> }.built());
    let slurm = match &end.cause {
        EndCause::Refused { message, .. } => Some(message.clone()),
        _ => None,
    };
    let slurm = slurm.map(|slurm| view! { <SlurmWords lead=words.say(Word::SlurmSaid) slurm /> }.built());
    let help = Help::with(&end, had_node);
    let fresh_hint = help
        .contains(&Help::Fresh)
        .then(|| view! { <Paragraph class="quiet" text=words.say(Word::FreshHint) /> }.built());
    let again = if end.was_ready {
        Word::StartAgain
    } else {
        Word::TryAgain
    };
    let button = |(index, help): (usize, &Help)| {
        let class = if index == 0 { FIRST } else { SECOND };
        let (word, send): (_, fn(Start, RawOptions)) = match help {
            Help::Change => {
                let (label, href) = (words.say(Word::Change), change.clone());
                return view! { <ButtonLink label href class /> }.built();
            }
            Help::Again => (again, Start::send),
            Help::Patiently => (Word::TryAndWait, Start::send_patiently),
            Help::Fresh => (Word::FreshStart, Start::send_fresh),
        };
        let raw = raw.clone();
        let press = callback(move || send(start, raw.clone()));
        view! { <Button class label=words.say(word) press busy=start.busy() /> }.built()
    };
    let buttons = el("p").class("buttons").children(help.iter().enumerate().map(button));
    let log = end.log.clone();
    let log = log.map(|code| view! { <Literally text=words.say(Word::LogIsIn) code /> }.built());
    let job = job.map(|job| {
        view! { <Paragraph class="quiet" text=words.tell(move |text| text.fill(Word::Job, &[&job.to_string()])) /> }
            .built()
    });
    let meaning = if end.was_ready || end.cause == EndCause::Cancelled {
        Meaning::Information
    } else {
        Meaning::Bad
    };
    // The title has said what they have done themselves; what never ran has no files.
    let is_theirs = end.cause == EndCause::Cancelled && end.cancelled_by.is_none();
    let has_files = had_node || end.cause != EndCause::Cancelled;
    let end = StoredValue::new(end);
    let notice = (!is_theirs).then(|| {
        view! {
            <Notice meaning>
                <Paragraph text=words.tell(move |text| end.with_value(|end| text.end(end))) />
                {what}
                {slurm}
            </Notice>
        }
        .built()
    });
    let advice = words.tell(move |text| end.with_value(|end| text.advice(&end.cause).to_owned()));
    view! {
        <Heading text=words.tell(move |text| end.with_value(|end| title(text, end))) />
        {notice}
        {has_files.then(|| view! { <Paragraph text=advice /> }.built())}
        {to_do}
        <NextFailed watch />
        {now}
        <StartFailure start />
        {buttons.built()}
        {el("div").class("notices").children(fresh_hint).child(status_page(words)).built()}
        {log}
        {job}
        <Support user />
    }
    .built()
}

/// Where the site says what is out of order.
fn status_page(words: Words) -> Built {
    let site = Site::get();
    maybe(move || {
        let url = site.link(|links| &links.status, words.locale())?;
        let link = el("a").attr("href", &url).attr("rel", "external");
        Some(el("p").child(link.says(words.say(Word::StatusPage))).built())
    })
}

pub(super) fn title(text: &Tongue, end: &EndView) -> String {
    match (&end.cause, end.was_ready) {
        (EndCause::Cancelled, true) => text.get(Word::WasStopped),
        (EndCause::Cancelled, false) => text.get(Word::WasCancelled),
        (_, true) => text.get(Word::HasEnded),
        (_, false) => text.get(Word::DidNotStart),
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use shared::reason::Why;

    use super::*;

    fn first(cause: EndCause, why: &str, was_ready: bool) -> Help {
        let why = Why {
            key: why.to_owned(),
            hopeless: why == "no_such_node",
            ..Why::default()
        };
        let end = EndView {
            cause,
            was_ready,
            why: Some(why),
            cancelled_by: None,
            log: None,
        };
        Help::with(&end, true)[0]
    }

    #[test]
    fn what_helps_most_comes_first() {
        let gave_up = EndCause::GaveUp { reason: None };
        let refused = EndCause::Refused {
            message: String::new(),
            code: 0,
        };
        let failed = EndCause::JupyterFailed { exit_code: 1 };
        for (cause, why, was_ready, helps) in [
            (gave_up.clone(), "resources", false, Help::Patiently),
            (gave_up, "no_such_node", false, Help::Change),
            (refused.clone(), "policy", false, Help::Change),
            (refused, "closed", false, Help::Again),
            (failed.clone(), "", false, Help::Fresh),
            (failed, "", true, Help::Again),
            (EndCause::TimeLimit, "", true, Help::Again),
            (EndCause::OutOfMemory, "", true, Help::Change),
            (EndCause::Cancelled, "", false, Help::Again),
        ] {
            assert_eq!(first(cause.clone(), why, was_ready), helps, "{cause:?} {why}");
        }
    }
}
