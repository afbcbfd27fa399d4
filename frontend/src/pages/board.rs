//! How the people of an event are doing, for its instructors.

use leptos::prelude::*;
use shared::api::{BoardRow, BoardView};
use shared::server::Phase;

use crate::a11y::Heading;
use crate::api::{self, Failure};
use crate::built::{Built, IntoBuilt, dynamic};
use crate::clock;
use crate::components::{Paragraph, Trouble, quoting, waiting};
use crate::element::{El, el};
use crate::session::Session;
use crate::task::{callback, spawn};
use crate::text::{Word, Words};

/// How often it is asked for again while somebody looks, in seconds.
const REFRESH: u64 = 5;

/// The page.
#[component]
pub(crate) fn Board(
    /// The event's name, as the URL has it.
    event: String,
) -> Built {
    let (words, session) = (Words::get(), Session::get());
    let answer = RwSignal::new(None::<Result<BoardView, Failure>>);
    let ask = callback(move || {
        let event = event.clone();
        spawn(async move {
            let new = api::board(&event).await;
            if let Err(failure) = &new {
                session.heed(failure);
            }
            // What is known stays while the next answer does not come, and is drawn anew only where it has changed.
            let keep = answer.try_with_untracked(|old| match (old, &new) {
                (Some(Ok(old)), Ok(new)) => old == new,
                (Some(Ok(_)), Err(_)) => true,
                _ => false,
            });
            if keep == Some(false) {
                answer.set(Some(new));
            }
        });
    });
    ask.run(());
    clock::every(REFRESH, move || {
        if !document().hidden() {
            ask.run(());
        }
    });
    let title = words.tell(move |text| match &*answer.read() {
        Some(Ok(board)) => words.locale().of(&board.event.title).to_owned(),
        _ => text.get(Word::BoardTitle).to_owned(),
    });
    let content = dynamic(move || match &*answer.read() {
        None => waiting(words),
        Some(Err(failure)) => view! { <Trouble failure=failure.clone() retry=ask /> }.built(),
        Some(Ok(board)) => people(words, board),
    });
    view! {
        <Heading text=title />
        {content}
    }
    .built()
}

/// What a row comes to, in the order in which the counts are shown.
fn state(row: &BoardRow) -> usize {
    match row.phase {
        Phase::Ready => 0,
        Phase::Submitting | Phase::Starting => 1,
        Phase::Queued => 2,
        Phase::Ended if row.end.as_ref().is_some_and(|end| !end.was_ready) => 3,
        Phase::Stopping | Phase::Ended => 4,
    }
}

fn people(words: Words, board: &BoardView) -> Built {
    let text = words.text();
    let mut counts = [0_usize; 5];
    for row in &board.people {
        if let Some(count) = counts.get_mut(state(row)) {
            *count += 1;
        }
    }
    let count = |list: El, (state, count): (usize, usize)| match count {
        0 => list,
        count => {
            let text = text.form(Word::BoardCounts, state, &[&count.to_string()]);
            list.child(el("li").text(&text))
        }
    };
    let counts = counts
        .into_iter()
        .enumerate()
        .fold(el("ul").class("board__counts"), count);
    let end = text.ends(&clock::when(board.event.ends_at));
    let lead = el("p").class("quiet").text(&end);
    if board.people.is_empty() {
        let nobody = view! { <Paragraph text=words.say(Word::BoardNobody) /> };
        return el("div").class("notices").child(lead).child(nobody).built();
    }
    let titles = [Word::BoardPerson, Word::BoardState, Word::BoardSince, Word::BoardWhy];
    let head = titles.iter().fold(el("tr").attr("role", "row"), |row, title| {
        let cell = el("th").attr("role", "columnheader").attr("scope", "col");
        row.child(cell.text(text.get(*title)))
    });
    // A table that is shown as cards is still to be read as a table.
    let head = el("thead").attr("role", "rowgroup").child(head);
    let rows = board.people.iter().map(|row| person(words, row, &titles));
    let body = rows.fold(el("tbody").attr("role", "rowgroup"), El::child);
    let table = el("table").class("board").attr("role", "table").child(head).child(body);
    el("div")
        .class("notices")
        .child(lead)
        .child(counts)
        .child(table)
        .built()
}

fn person(words: Words, row: &BoardRow, titles: &[Word]) -> El {
    let text = words.text();
    let state = state(row);
    let word = match state {
        3 => text.get(Word::BoardFailed),
        _ => text.phase(row.phase),
    };
    let since = row.since.map_or_else(String::new, |at| text.moment(&clock::when(at)));
    let why = match (&row.end, row.phase) {
        (Some(end), _) => text.end(end),
        (None, Phase::Queued) => words.explain(row.why.as_ref(), row.reason.as_deref()).what,
        (None, _) => String::new(),
    };
    let cells = [row.user.as_str(), word, &since, &why];
    let mut line = el("tr").attr("role", "row");
    for (index, (value, title)) in cells.into_iter().zip(titles).enumerate() {
        let cell = match index {
            0 => el("th").attr("role", "rowheader").attr("scope", "row"),
            _ => el("td").attr("role", "cell").attr("data-label", text.get(*title)),
        };
        let class = match (index, state) {
            (1, 0) => "state state--good",
            (1, 3) => "state state--bad",
            (1, _) => "state",
            _ => "board__value",
        };
        let cell = if value.is_empty() {
            cell.class("board__none")
        } else {
            cell
        };
        let value = quoting("span", Signal::stored(value.to_owned()));
        line = line.child(cell.child(value.class(class)));
    }
    line
}
