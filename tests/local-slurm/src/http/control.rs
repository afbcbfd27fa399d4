//! `POST /local/…`: faults, for tests in other processes. Only with the control token given at the start.

use std::time::Duration;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::App;
use super::errors::{NO_SUCH_PATH, NO_TOKEN};
use crate::cluster::Fault;
use crate::job::JobState;

/// The bearer of the control token.
pub(super) struct Controller;

impl FromRequestParts<App> for Controller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let Some(wanted) = &app.config.control_token else {
            return Err((StatusCode::NOT_FOUND, NO_SUCH_PATH).into_response());
        };
        let given = parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok());
        if given.and_then(|value| value.strip_prefix("Bearer ")) == Some(wanted) {
            Ok(Self)
        } else {
            Err((StatusCode::UNAUTHORIZED, NO_TOKEN).into_response())
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetFault {
    fault: Fault,
    /// All is well again after so many seconds. Needed for `refused`: nothing could be asked afterwards.
    #[serde(default)]
    seconds: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SetNodeState {
    name: String,
    state: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FinishJob {
    job_id: u32,
    state: String,
}

/// `{"fault": "silent" | "refused" | "answers_lost" | "submissions_lost" | "submissions_hang" | "controller_down" | "database_down" | "none", "seconds": 5}`
pub(super) async fn set_fault(_: Controller, State(app): State<App>, Json(body): Json<SetFault>) -> StatusCode {
    if body.fault == Fault::Refused && body.seconds.is_none() {
        return StatusCode::UNPROCESSABLE_ENTITY;
    }
    if let Some(seconds) = body.seconds {
        let (stop, later) = (app.servers.clone(), app.clone());
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            later.fault.send_replace(Fault::None);
        }));
    }
    app.fault.send_replace(body.fault);
    StatusCode::NO_CONTENT
}

/// `{"name": "c1", "state": "DOWN" | "DRAIN" | "IDLE"}`
pub(super) async fn set_node_state(
    _: Controller,
    State(app): State<App>,
    Json(body): Json<SetNodeState>,
) -> StatusCode {
    status(app.set_node_state(&body.name, &body.state).is_ok())
}

/// `{"job_id": 7, "state": "PREEMPTED"}`
pub(super) async fn finish_job(_: Controller, State(app): State<App>, Json(body): Json<FinishJob>) -> StatusCode {
    let state = JobState::from_name(&body.state);
    status(state.is_some_and(|state| app.finish(body.job_id, state).is_ok()))
}

fn status(done: bool) -> StatusCode {
    if done {
        StatusCode::NO_CONTENT
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    }
}
