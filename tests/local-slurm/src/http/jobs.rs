//! Jobs as slurmctld knows them.

use std::num::ParseIntError;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use rustix::process::Signal;
use serde_json::{Map, Value, json};

use super::App;
use super::answer::{Answer, Plugin};
use super::errors::{CANCEL, JOBS, Refused, STATES, SUBMIT, UPDATE, one_job};
use super::query::{Body, Query};
use crate::answers::{job, num, unset};
use crate::auth::Caller;
use crate::clock;
use crate::cluster::Filter;
use crate::error::{BAD_FLAG, BAD_JOB_ID, NO_ERROR, SlurmError};
use crate::job::{Job, JobState};
use crate::schedule::is_recent;
use crate::submission::schema::{self, Warning};
use crate::submission::{Fields, Refusal};

type Result = std::result::Result<Response, Refused>;

/// Flags of job queries in v0.0.42.
const FLAGS: &[&str] = &["ALL", "DETAIL", "MIXED", "LOCAL", "SIBLING", "FEDERATION", "FUTURE"];

pub(super) async fn list_jobs(State(app): State<App>, caller: Caller, query: Query) -> Result {
    let caller = JOBS.enter(&app, caller)?;
    let now = clock::now();
    let (jobs, updated): (Vec<Value>, u64) = app.with(|state| {
        let seen = |job: &&Job| is_recent(&app.config, job, now) && app.may_see(&caller, &job.asked.user);
        (
            state
                .jobs
                .values()
                .filter(seen)
                .map(|job| job::show(&app.config, job))
                .collect(),
            state.updated,
        )
    });
    let mut warnings = query.unknown(&["update_time", "flags"], "OPENAPI_JOB_INFO_QUERY");
    let since = query
        .first("update_time")
        .and_then(|time| time.trim_start_matches("uts").parse::<u64>().ok());
    if let Some(since) = since.filter(|since| *since > updated) {
        let description = format!("No job changes since update_time[{since}]");
        warnings.push(Warning {
            description,
            source: "op_handler_jobs".into(),
        });
        return Ok(Answer::ok(JOBS.empty()).warn(warnings).from(&app, Plugin::Slurmctld));
    }
    if jobs.is_empty() {
        warnings.push(Warning {
            description: "Zero jobs to dump".into(),
            source: String::new(),
        });
    }
    let fields = json!({"jobs": jobs, "last_backfill": num(updated), "last_update": num(updated)});
    if let Some(flag) = query.all("flags").into_iter().find(|flag| !FLAGS.contains(flag)) {
        let what = format!("Unknown flag \"{flag}\"");
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        return Ok(Answer::error_at(&JOBS, status, &BAD_FLAG, &what, "#/flags[0]/").from(&app, Plugin::Slurmctld));
    }
    Ok(Answer::ok(fields).warn(warnings).from(&app, Plugin::Slurmctld))
}

/// States only, of everybody's jobs, even with private data. An unknown id is simply missing.
pub(super) async fn list_states(State(app): State<App>, caller: Caller, query: Query) -> Result {
    STATES.enter(&app, caller)?;
    let now = clock::now();
    let ids = query.all("job_id");
    let jobs: Vec<Value> = app.with(|state| {
        let recent = state.jobs.values().filter(|job| is_recent(&app.config, job, now));
        let wanted = recent.filter(|job| ids.is_empty() || ids.contains(&job.id.to_string().as_str()));
        wanted
            .map(|job| json!({"job_id": job.id.to_string(), "state": job.states()}))
            .collect()
    });
    let warnings = query.unknown(&["job_id"], "OPENAPI_JOB_STATE_QUERY");
    Ok(Answer::ok(json!({"jobs": jobs}))
        .warn(warnings)
        .from(&app, Plugin::Slurmctld))
}

pub(super) async fn get_job(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result {
    let place = one_job(&id);
    let caller = place.enter(&app, caller)?;
    let found = app.with(|state| {
        let job = state.recent(&app.config, id.parse().ok()?, clock::now())?;
        app.may_see(&caller, &job.asked.user)
            .then(|| (job::show(&app.config, job), state.updated))
    });
    let Some((job, updated)) = found else {
        return Ok(place.refuse(&app, &BAD_JOB_ID));
    };
    let fields = json!({"jobs": [job], "last_backfill": num(updated), "last_update": num(updated)});
    Ok(Answer::ok(fields).from(&app, Plugin::Slurmctld))
}

pub(super) async fn submit_job(State(app): State<App>, caller: Caller, Body(body): Body) -> Result {
    let caller = SUBMIT.enter(&app, caller)?;
    let submitted = Fields::of_submission(&body)
        .map_err(Refusal::from)
        .and_then(|fields| app.submit(&caller, &fields));
    Ok(match submitted {
        Ok((id, warnings)) => {
            Answer::ok(json!({"job_id": id, "step_id": "batch", "job_submit_user_msg": ""})).warn(warnings)
        }
        Err(Refusal::Slurm(error)) => return Ok(SUBMIT.refuse(&app, &error)),
        Err(Refusal::Parse(error)) => Answer::unparsable(&SUBMIT, &error),
    }
    .from(&app, Plugin::Slurmctld))
}

pub(super) async fn update_job(
    State(app): State<App>,
    Path(id): Path<String>,
    caller: Caller,
    Body(body): Body,
) -> Result {
    let caller = UPDATE.enter(&app, caller)?;
    let fields = match Fields::of_update(&body) {
        Ok(fields) => fields,
        Err(error) => return Ok(Answer::unparsable(&UPDATE, &error).from(&app, Plugin::Slurmctld)),
    };
    let updated = number(&id).and_then(|id| app.update(&caller, id, &fields));
    Ok(match updated {
        Ok(()) => Answer::ok(UPDATE.empty())
            .warn(fields.warnings)
            .from(&app, Plugin::Slurmctld),
        Err(error) => UPDATE.refuse(&app, &error),
    })
}

/// 200 whatever happens; what went wrong is in `status`.
pub(super) async fn cancel_job(State(app): State<App>, Path(id): Path<String>, caller: Caller, query: Query) -> Result {
    let caller = CANCEL.enter(&app, caller)?;
    let signal = query.first("signal").and_then(parse_signal);
    let cancelled = number(&id).and_then(|id| app.cancel(&caller, id, signal));
    let status: Vec<Value> = cancelled
        .err()
        .map(|error| outcome_of(&id, &error))
        .into_iter()
        .collect();
    Ok(Answer::ok(json!({"status": status})).from(&app, Plugin::Slurmctld))
}

/// Cancels what matches the body (`{"job_name", "job_state", "user_name", …}`).
pub(super) async fn cancel_jobs(State(app): State<App>, caller: Caller, Body(body): Body) -> Result {
    let caller = CANCEL.enter(&app, caller)?;
    let parsed = schema::object(&body, "#/").and_then(parse_filter);
    let (mut kill, warnings) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => return Ok(Answer::unparsable(&CANCEL, &error).from(&app, Plugin::Slurmctld)),
    };
    kill.filter.user = kill.filter.user.map(|user| app.config.resolve(&user));
    let outcomes = match kill.signal {
        Some(_) => app.signal_steps(&caller, &kill.filter),
        None => app.cancel_matching(&caller, &kill.filter),
    };
    // Slurm lists what it could not do, and the rest only for whoever asks for it.
    let told = outcomes.iter().filter(|(_, outcome)| kill.verbose || outcome.is_err());
    let status: Vec<Value> = told
        .map(|(id, outcome)| match outcome {
            Ok(()) => outcome_of(&id.to_string(), &NO_ERROR),
            Err(error) => outcome_of(&id.to_string(), error),
        })
        .collect();
    Ok(Answer::ok(json!({"status": status}))
        .warn(warnings)
        .from(&app, Plugin::Slurmctld))
}

fn number(id: &str) -> std::result::Result<u32, SlurmError> {
    id.parse().map_err(|_: ParseIntError| BAD_JOB_ID)
}

fn outcome_of(id: &str, error: &SlurmError) -> Value {
    let known = if *error == BAD_JOB_ID {
        unset()
    } else {
        id.parse::<u32>().map_or_else(|_| unset(), num)
    };
    json!({
        "error": {"string": error.text, "code": error.number, "message": error.text},
        "step_id": id,
        "job_id": known,
        "federation": {"sibling": ""},
    })
}

fn parse_signal(text: &str) -> Option<Signal> {
    Some(match text.trim_start_matches("SIG") {
        "TERM" | "15" => Signal::TERM,
        "INT" | "2" => Signal::INT,
        "HUP" | "1" => Signal::HUP,
        "USR1" | "10" => Signal::USR1,
        "USR2" | "12" => Signal::USR2,
        "STOP" | "19" => Signal::STOP,
        "CONT" | "18" => Signal::CONT,
        "URG" | "23" => Signal::URG,
        _ => return None,
    })
}

/// The body of `DELETE /jobs/`.
#[derive(Default)]
struct Kill {
    filter: Filter,
    /// Another signal than the one that cancels.
    signal: Option<Signal>,
    verbose: bool,
}

fn parse_filter(body: &Map<String, Value>) -> std::result::Result<(Kill, Vec<Warning>), schema::ParseError> {
    let mut kill = Kill::default();
    let filter = &mut kill.filter;
    let mut warnings = Vec::new();
    for (name, value) in body {
        let texts = || -> Option<Vec<&str>> {
            match value {
                Value::String(text) => Some(text.split(',').collect()),
                Value::Array(items) => items.iter().map(Value::as_str).collect(),
                _ => None,
            }
        };
        let bad = || schema::ParseError {
            error: crate::error::NOT_CONVERTIBLE,
            description: format!("Expected string but got {value}"),
            source: format!("#/{name}/"),
        };
        let text = || value.as_str().map(|text| Some(text.to_owned())).ok_or_else(bad);
        match name.as_str() {
            "job_name" => filter.name = text()?,
            "user_name" => filter.user = text()?,
            "account" => filter.account = text()?,
            "partition" => filter.partition = text()?,
            "job_state" => {
                let states = texts().and_then(|names| names.into_iter().map(JobState::from_name).collect());
                filter.states = Some(states.ok_or_else(bad)?);
            }
            "jobs" => {
                let ids = texts().and_then(|ids| ids.into_iter().map(|id| id.parse().ok()).collect());
                filter.ids = Some(ids.ok_or_else(bad)?);
            }
            "signal" => kill.signal = Some(value.as_str().and_then(parse_signal).ok_or_else(bad)?),
            "flags" => kill.verbose = texts().ok_or_else(bad)?.contains(&"VERBOSE"),
            _ => warnings.push(schema::unknown_field(name, value, "KILL_JOBS_MSG", "#/")),
        }
    }
    Ok((kill, warnings))
}
