//! `/hub/api/login`, its further steps, and `/hub/api/logout`

use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use shared::sign_in::{AnswerRequest, LoginRequest};

use super::signing_in::{Outcome, begin, give_up, go_on, set};
use super::{Json, Person, Visitor, extract, user};
use crate::app::AppState;
use crate::error::Error;
use crate::store::EndReason;

/// `POST /hub/api/login`: 200 with the person, or 202 with what else is asked.
pub async fn sign_in(
    State(app): State<AppState>,
    visitor: Visitor,
    Json(login): Json<LoginRequest>,
) -> Result<Response, Error> {
    let outcome = begin(&app, login, &visitor).await?;
    Ok(answered(&app, outcome).await)
}

/// `POST /hub/api/login/answer`: the same with an answer, or, without one, once more a wait of some seconds.
pub async fn answer(
    State(app): State<AppState>,
    visitor: Visitor,
    Json(request): Json<AnswerRequest>,
) -> Result<Response, Error> {
    let outcome = go_on(&app, request, &visitor).await?;
    Ok(answered(&app, outcome).await)
}

/// `POST /hub/api/login/cancel`
pub async fn cancel(
    State(app): State<AppState>,
    _: Visitor,
    Json(request): Json<AnswerRequest>,
) -> Result<StatusCode, Error> {
    give_up(&app, &request.state);
    Ok(StatusCode::NO_CONTENT)
}

async fn answered(app: &AppState, outcome: Outcome) -> Response {
    match outcome {
        Outcome::SignedIn(session, cookies) => {
            (cookies, axum::Json(user::view(app, &session, false).await)).into_response()
        }
        Outcome::Asks(challenge) => (StatusCode::ACCEPTED, axum::Json(challenge)).into_response(),
    }
}

/// The body of a sign-out; none is fine.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignOut {
    /// Whether the server ends too.
    #[serde(default)]
    stop_server: bool,
}

/// `POST /hub/api/logout`: 204, or 503 where the sign-out could not be stored. The cookies are removed either way.
pub async fn sign_out(
    State(app): State<AppState>,
    person: Result<Person, Error>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Error> {
    let Person(session) = match person {
        Ok(person) => person,
        // Signed out already: what was asked for is so.
        Err(Error::NotSignedIn) => return Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => return Err(error),
    };
    let asked: SignOut = match &body[..] {
        b"" => SignOut::default(),
        body => {
            extract::require_json(&headers)?;
            extract::parse_json(body)?
        }
    };
    if asked.stop_server {
        app.spawner.stop(&session.user).await?;
    }
    let stored = app.sessions.end(&app.store, &session, EndReason::SignedOut).await;
    tracing::info!(user = %session.user, stop_server = asked.stop_server, "signed out");
    let answer = match stored {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => Error::sign_out_not_stored(session.ends_at, &error).into_response(),
    };
    Ok((set(&app.sessions.removal_cookies(&session.user)), answer).into_response())
}
