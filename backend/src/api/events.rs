//! `/hub/api/events/{name}`

use axum::Json;
use axum::extract::{Path, State};
use shared::api::{BoardRow, BoardView};
use shared::reason::{Reason, Whose};
use shared::server::StateView;

use super::Person;
use crate::app::{App, AppState};
use crate::config::Event;
use crate::error::Error;
use crate::spawner::Server;

/// `GET /hub/api/events/{name}`: how the people of an event are doing. For its instructors; to everybody else there
/// is no such thing.
pub async fn show_board(
    State(app): State<AppState>,
    Person(sign_in): Person,
    Path(name): Path<String>,
) -> Result<Json<BoardView>, Error> {
    let event = app.config.events.iter().find(|event| event.name.as_str() == name);
    let event = event
        .filter(|event| event.instructors.contains(&sign_in.user))
        .ok_or(Error::NotFound)?;
    let mut people = Vec::new();
    for server in app.spawner.everybody().await {
        let state = app.spawner.peek(&server);
        if takes_part(&app, event, &server, &state).await {
            people.push(BoardRow {
                user: server.user.clone(),
                phase: state.phase,
                why: state.why.filter(|_| !speaks_to_them(state.reason.as_deref())),
                reason: state.reason,
                since: state.started_at.or(state.submitted_at),
                end: state.end,
            });
        }
    }
    people.sort_by(|a, b| a.user.cmp(&b.user));
    let event = event.view(&sign_in.user);
    Ok(Json(BoardView { event, people }))
}

/// Whether what this reason means is said to the person whose job it is: to their instructor it is Slurm's word.
fn speaks_to_them(reason: Option<&str>) -> bool {
    let reason = Reason::from_slurm(reason.unwrap_or_default());
    reason.whose() == Some(Whose::Person) || reason.key() == "held_by_you"
}

/// Somebody whom the event is for, with a server that lives, or was asked for since it began.
async fn takes_part(app: &App, event: &Event, server: &Server, state: &StateView) -> bool {
    let asked_at = state.submitted_at.unwrap_or(state.now);
    if !state.phase.is_live() && asked_at < event.from {
        return false;
    }
    let accounts = app.offers.accounts(&server.user).await;
    event
        .audience()
        .includes(&server.user, accounts.iter().map(String::as_str), &app.config.groups)
}
