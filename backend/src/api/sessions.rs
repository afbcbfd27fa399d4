//! `/hub/api/users/{name}/sessions`

use aws_lc_rs::digest::{SHA256, digest};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use shared::api::SessionView;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Person;
use super::signing_in::set;
use crate::app::AppState;
use crate::error::Error;
use crate::store::{EndReason, SessionRow};

/// `GET /hub/api/users/{name}/sessions`: the active sessions, the last used first.
pub async fn list_sessions(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
) -> Result<Json<Vec<SessionView>>, Error> {
    let user = person.named(&name)?;
    let rows = app.sessions.list(&app.store, user).await;
    Ok(Json(rows.iter().map(|row| view(row, &person.0.id)).collect()))
}

/// `DELETE /hub/api/users/{name}/sessions/{id}`: 204, or 503 where the end could not be stored.
pub async fn end_session(
    State(app): State<AppState>,
    person: Person,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Error> {
    let user = person.named(&name)?;
    let rows = app.sessions.list(&app.store, user).await;
    let row = rows.into_iter().find(|row| public_id(&row.id) == id);
    let row = row.ok_or(Error::NotFound)?;
    let (ends_at, is_current) = (row.ends_at, row.id == person.0.id);
    let ended = app.sessions.end_row(&app.store, row, EndReason::EndedByUser).await;
    let ended = ended.map_err(|error| Error::sign_out_not_stored(ends_at, &error));
    let answer = ended.map(|()| StatusCode::NO_CONTENT).into_response();
    Ok(if is_current {
        (set(&app.sessions.removal_cookies(user)), answer).into_response()
    } else {
        answer
    })
}

/// `DELETE /hub/api/users/{name}/sessions`: 204, and all sessions have ended, this one too, also those that are not
/// listed because the store does not have them; or 503 where that could not be stored.
pub async fn end_all_sessions(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
) -> Result<Response, Error> {
    let user = person.named(&name)?;
    let rows = app.sessions.list(&app.store, user).await;
    let until = rows.iter().map(|row| row.ends_at).max().unwrap_or(person.0.ends_at);
    let ended = app.sessions.end_all_of(&app.store, user, EndReason::EndedByUser).await;
    let ended = ended.map_err(|error| Error::sign_out_not_stored(until, &error));
    let answer = ended.map(|_| StatusCode::NO_CONTENT);
    Ok((set(&app.sessions.removal_cookies(user)), answer).into_response())
}

fn view(row: &SessionRow, current: &str) -> SessionView {
    let time = |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok();
    SessionView {
        id: public_id(&row.id),
        created: time(row.created_at),
        last_activity: time(row.last_used_at),
        expires_at: time(row.ends_at),
        address: row.address.clone(),
        user_agent: row.user_agent.clone(),
        current: row.id == current,
    }
}

/// Names a session without telling its id.
fn public_id(id: &str) -> String {
    let digest = digest(&SHA256, format!("slipway session {id}").as_bytes());
    URL_SAFE_NO_PAD.encode(&digest.as_ref()[..12])
}
