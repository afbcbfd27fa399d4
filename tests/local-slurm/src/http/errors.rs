//! How each part of the API words its failures: recorded from Slurm 24.11, unless a comment says otherwise.
//! The HTTP status follows from the error: 511 for a refused token, 502 for a daemon that cannot be reached,
//! 404 for an unknown job, 500 for the rest.

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::answer::{Answer, Plugin};
use crate::answers::num;
use crate::auth::Caller;
use crate::cluster::{Fault, Inner};
use crate::error::{BAD_FLAG, BAD_JOB_ID, BAD_TOKEN, NO_DATABASE, NOT_PERMITTED, SlurmError, UNREACHABLE, UNSPECIFIED};

/// 404, as text.
pub(super) const NO_SUCH_PATH: &str = "Unable find requested URL. Please view /openapi/v3 for API reference.";
/// 405, as text (from Slurm's sources).
pub(super) const NO_SUCH_METHOD: &str = "Bad method requested URL. Please view /openapi/v3 for API reference.";
/// 401, as text.
pub(super) const NO_TOKEN: &str = "Authentication failure";
/// 400, as text: a literal comma in a query.
pub(super) const BAD_QUERY: &str = "Unable to parse query.";
/// 400, as text (from Slurm's sources): a body that is not JSON.
pub(super) const BAD_BODY: &str = "Unable to parse body.";

/// The answer instead of the one that was asked for. Boxed: it is large, and rare.
pub(super) struct Refused(Box<Response>);

impl Refused {
    fn new(answer: impl IntoResponse) -> Self {
        Self(Box::new(answer.into_response()))
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        *self.0
    }
}

/// A part of the API, and what its errors look like.
pub(super) struct Place {
    pub(super) shape: Shape,
    pub(super) description: Cow<'static, str>,
    pub(super) source: &'static str,
}

/// The fields that an answer has besides `meta`, `errors` and `warnings`, when there is nothing to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Bare,
    Jobs,
    States,
    Results,
    Status,
    /// Bare, and with an empty list of errors when slurmctld is away.
    Silent,
}

const fn place(shape: Shape, description: &'static str, source: &'static str) -> Place {
    Place {
        shape,
        description: Cow::Borrowed(description),
        source,
    }
}

pub(super) const JOBS: Place = place(Shape::Jobs, "Unable to query jobs", "slurm_load_jobs()");
/// Not recorded.
pub(super) const STATES: Place = place(Shape::States, "Unable to query job states", "slurm_load_job_state()");
pub(super) const SUBMIT: Place = place(Shape::Bare, "Batch job submission failed", "slurm_submit_batch_job()");
pub(super) const UPDATE: Place = place(Shape::Results, "Job update requested failed", "slurm_update_job2()");
pub(super) const CANCEL: Place = place(Shape::Status, "Signal request failed", "slurm_kill_jobs()");
pub(super) const NODES: Place = place(Shape::Bare, "Failure to query nodes", "_dump_nodes");
pub(super) const PARTITIONS: Place = place(Shape::Silent, "", "");
/// Not recorded.
pub(super) const DIAG: Place = place(Shape::Bare, "Unable to query statistics", "slurm_get_statistics()");
/// Not recorded.
pub(super) const RESERVATIONS: Place = place(Shape::Bare, "Unable to query reservations", "slurm_load_reservations()");

/// A question for one job.
pub(super) fn one_job(id: &str) -> Place {
    Place {
        shape: Shape::Jobs,
        description: format!("Unable to query JobId={id}").into(),
        source: "_handle_job_get",
    }
}

impl Place {
    pub(super) fn empty(&self) -> Value {
        match self.shape {
            Shape::Bare | Shape::Silent => json!({}),
            Shape::Jobs => json!({"jobs": [], "last_backfill": num(0), "last_update": num(0)}),
            Shape::States => json!({"jobs": []}),
            Shape::Results => json!({"results": null}),
            Shape::Status => json!({"status": []}),
        }
    }

    /// Who asks; or the answer when slurmctld cannot be reached, or refuses their token.
    pub(super) fn enter(&self, inner: &Inner, caller: Caller) -> Result<String, Refused> {
        let failed = |status: StatusCode, error: &SlurmError| {
            let answer = Answer::error(self, status, error);
            let answer = if self.shape == Shape::Silent {
                answer.without_errors()
            } else {
                answer
            };
            Err(Refused::new(answer.from(inner, Plugin::Slurmctld)))
        };
        match caller {
            Caller::Nobody => Err(Refused::new((StatusCode::UNAUTHORIZED, NO_TOKEN))),
            _ if *inner.fault.borrow() == Fault::ControllerDown => match self.shape {
                Shape::Status => failed(StatusCode::INTERNAL_SERVER_ERROR, &NOT_PERMITTED),
                Shape::Jobs if self.source == "_handle_job_get" => {
                    failed(StatusCode::INTERNAL_SERVER_ERROR, &UNSPECIFIED)
                }
                _ => failed(StatusCode::BAD_GATEWAY, &UNREACHABLE),
            },
            Caller::Refused => failed(StatusCode::NETWORK_AUTHENTICATION_REQUIRED, &BAD_TOKEN),
            Caller::Known(user) => Ok(user),
        }
    }

    /// One of slurmctld's refusals.
    pub(super) fn refuse(&self, inner: &Inner, error: &SlurmError) -> Response {
        let status = if *error == BAD_JOB_ID {
            StatusCode::NOT_FOUND
        } else {
            StatusCode::INTERNAL_SERVER_ERROR
        };
        Answer::error(self, status, error).from(inner, Plugin::Slurmctld)
    }
}

/// Who asks the accounting database.
pub(super) fn enter_database(inner: &Inner, caller: Caller) -> Result<String, Refused> {
    const DOWN: Place = place(Shape::Bare, "Failed to open slurmdbd connection", "openapi_get_db_conn");
    const REFUSED: Place = place(
        Shape::Bare,
        "Failed to open slurmdbd connection, authentication error",
        "openapi_get_db_conn",
    );
    let failed = |place: &Place| {
        let answer = Answer::error(place, StatusCode::BAD_GATEWAY, &NO_DATABASE);
        Err(Refused::new(answer.from(inner, Plugin::Slurmdbd)))
    };
    match caller {
        Caller::Nobody => Err(Refused::new((StatusCode::UNAUTHORIZED, NO_TOKEN))),
        _ if *inner.fault.borrow() == Fault::DatabaseDown => failed(&DOWN),
        Caller::Refused => failed(&REFUSED),
        Caller::Known(user) => Ok(user),
    }
}

/// A value of a query that the database's part of the API does not know (not recorded).
pub(super) fn bad_query() -> Answer {
    const QUERY: Place = place(Shape::Bare, "Unknown flag in query", "#/state/");
    Answer::error(&QUERY, StatusCode::INTERNAL_SERVER_ERROR, &BAD_FLAG)
}
