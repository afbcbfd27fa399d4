//! What may help somebody who waits, or has waited in vain: whether there is room now, and for what, and what else of
//! theirs is running.

use std::time::Duration;

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::{OptionsView, Room, UserOptions, Wish, room};
use shared::raw::RawOptions;

use super::button::{Button, SECOND};
use super::other_jobs;
use crate::built::{Built, IntoBuilt, maybe};
use crate::clock;
use crate::element::el;
use crate::offer::Offer;
use crate::start::Start;
use crate::task::{callback, effect, memo};
use crate::text::{Tongue, Word, Words};

/// From which age on, in seconds, what is free is asked for again …
const FRESH: i64 = 3;
/// … after this.
const RENEWED: Duration = Duration::from_secs(2);

/// What there is room for, in whole GB, which people ask for.
pub(crate) fn whole(room: Room) -> Room {
    match room {
        Room::For(mut less) => {
            for (field, amount) in &mut less {
                if *field == "memory" && *amount > 1024 {
                    *amount -= *amount % 1024;
                }
            }
            Room::For(less)
        }
        room => room,
    }
}

/// What there is room for now, how many nodes are out of service, and the person's other jobs.
pub(crate) fn meanwhile(
    words: Words,
    user: &UserName,
    options: Option<UserOptions>,
    start: Option<Start>,
    offer: Offer,
) -> Built {
    let user = user.clone();
    // What is free changes with every job: an answer that was kept is asked for anew, once the new one is there.
    let old = memo(move || matches!(&*offer.answer.read(), Some(Ok(offer)) if offer.ages.cluster > FRESH));
    effect(move || {
        if old.get() {
            set_timeout(move || offer.ask(), RENEWED);
        }
    });
    maybe(move || {
        let answer = offer.answer.read();
        let Some(Ok(offer)) = &*answer else { return None };
        let room = options
            .as_ref()
            .and_then(|options| room_now(words, offer, options, start));
        let away = offer.nodes_away;
        let away = words.tell(move |text| match away {
            0 => String::new(),
            away => text.form(Word::NodesAway, usize::from(away != 1), &[&away.to_string()]),
        });
        let part = el("div").class("notices").children(room).child(el("p").says(away));
        Some(part.children(other_jobs(words, &user, &offer.other_jobs)).built())
    })
}

/// The sentence, and where one can be started, a start with what there is room for. Room for a job that Slurm lets wait
/// is none.
fn room_now(words: Words, offer: &OptionsView, options: &UserOptions, start: Option<Start>) -> Option<Built> {
    let wish = Wish::of(options, offer);
    let (asked, room) = (wish.amounts(), whole(room(offer, wish, offer.now)));
    if start.is_none() && matches!(room, Room::Now) {
        return None;
    }
    let less = room.less();
    let sentence = words.tell(move |text: &Tongue| text.room(&room, asked, clock::when));
    let part = el("div").child(el("p").says(sentence));
    let Some(start) = start.filter(|_| !less.is_empty()) else {
        return Some(part.built());
    };
    let raw = with(options, &less);
    let label = words.tell(move |text| text.start_with(&less));
    let press = callback(move || start.send(raw.clone()));
    let button = view! { <Button class=SECOND label press busy=start.busy() /> };
    Some(part.child(el("p").class("buttons").child(button)).built())
}

/// These options with other amounts.
fn with(options: &UserOptions, amounts: &[(&'static str, u64)]) -> RawOptions {
    let raw = options.to_raw();
    amounts
        .iter()
        .fold(raw, |raw, (field, amount)| match (*field, &options.gpu) {
            ("gpu", Some(gpu)) => raw.with("gpu", format!("{}:{amount}", gpu.name)),
            (field, _) => raw.with(field, amount.to_string()),
        })
}
