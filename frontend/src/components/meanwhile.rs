//! What may help somebody who waits, or has waited in vain: whether there is room now, and for what, and what else of
//! theirs is running.

use leptos::prelude::*;
use shared::names::UserName;
use shared::options::{Room, UserOptions, Wish, room};
use shared::raw::RawOptions;

use super::button::Button;
use super::other_jobs;
use crate::built::{Built, IntoBuilt, maybe};
use crate::clock;
use crate::element::el;
use crate::offer::Offer;
use crate::start::Start;
use crate::task::{callback, memo};
use crate::text::{Tongue, Word, Words};

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

/// The amounts of a request, and the room for it as far as it is known; follows changes.
fn asked_and_had(offer: Offer, options: &UserOptions) -> ([u64; 4], Room) {
    let Some(Ok(offer)) = &*offer.answer.read() else {
        return ([0; 4], Room::Unknown);
    };
    let wish = Wish::of(options, offer);
    (wish.amounts(), whole(room(offer, wish, offer.now)))
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
    // Drawn anew only where there are others: a question that was asked stays.
    let jobs = memo(move || match &*offer.answer.read() {
        Some(Ok(offer)) => offer.other_jobs.clone(),
        _ => Vec::new(),
    });
    let away = words.tell(move |text| match &*offer.answer.read() {
        Some(Ok(offer)) if offer.nodes_away > 0 => {
            let away = offer.nodes_away;
            text.form(Word::NodesAway, usize::from(away != 1), &[&away.to_string()])
        }
        _ => String::new(),
    });
    let room = options.map(|options| room_now(words, offer, options, start));
    el("div")
        .class("notices")
        .children(room)
        .child(el("p").says(away))
        .child(maybe(move || other_jobs(words, &user, &jobs.read())))
        .built()
}

/// The sentence, and where one can be started, a start with what there is room for. Room for a job that Slurm lets wait
/// is none.
fn room_now(words: Words, offer: Offer, options: UserOptions, start: Option<Start>) -> Built {
    let options = StoredValue::new(options);
    let asked_and_had = move || options.with_value(|options| asked_and_had(offer, options));
    let less = move || asked_and_had().1.less();
    let sentence = words.tell(move |text: &Tongue| match asked_and_had() {
        (_, Room::Now) if start.is_none() => String::new(),
        (asked, room) => text.room(&room, asked, clock::when),
    });
    let label = words.tell(move |text| text.start_with(&less()));
    let is_smaller = memo(move || !less().is_empty());
    let button = maybe(move || {
        let start = start.filter(|_| is_smaller.get())?;
        let press = callback(move || start.send(options.with_value(|options| with(options, &untrack(less)))));
        let button = view! { <Button label press busy=start.busy() /> };
        Some(el("p").class("buttons").child(button).built())
    });
    el("div").child(el("p").says(sentence)).child(button).built()
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
