//! `ping`, `diag`, nodes, partitions, reservations.

use std::sync::LazyLock;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::App;
use super::answer::{Answer, Plugin};
use super::errors::{DIAG, NO_TOKEN, NODES, PARTITIONS, RESERVATIONS, Refused};
use super::query::Query;
use crate::answers::{num, site};
use crate::auth::Caller;
use crate::clock;
use crate::cluster::Fault;
use crate::error::{BAD_NODE_NAME, BAD_PARTITION};
use crate::job::JobState;

/// 200 whatever slurmctld does: with a bad token it looks down too.
pub(super) async fn ping(State(app): State<App>, caller: Caller) -> Response {
    let up = match caller {
        Caller::Nobody => return (StatusCode::UNAUTHORIZED, NO_TOKEN).into_response(),
        Caller::Refused => false,
        Caller::Known(_) => *app.fault.borrow() != Fault::ControllerDown,
    };
    let ping = json!({
        "hostname": "localhost",
        "pinged": if up { "UP" } else { "DOWN" },
        "responding": up,
        "latency": 200,
        "mode": "primary",
        "primary": true,
    });
    Answer::ok(json!({"pings": [ping]})).from(&app, Plugin::Slurmctld)
}

pub(super) async fn diag(State(app): State<App>, caller: Caller) -> Result<Response, Refused> {
    static DIAG_FIELDS: LazyLock<Map<String, Value>> =
        LazyLock::new(|| serde_json::from_str(include_str!("../answers/diag.json")).unwrap_or_default());
    DIAG.enter(&app, caller)?;
    let mut statistics = DIAG_FIELDS.clone();
    statistics.insert("req_time".into(), num(clock::now()));
    statistics.insert("req_time_start".into(), num(app.since));
    app.with(|state| {
        let count = |is: JobState| json!(state.jobs.values().filter(|job| job.state == is).count());
        statistics.insert("jobs_submitted".into(), json!(state.jobs.len()));
        for (name, is) in [
            ("jobs_pending", JobState::Pending),
            ("jobs_running", JobState::Running),
            ("jobs_completed", JobState::Completed),
            ("jobs_canceled", JobState::Cancelled),
            ("jobs_failed", JobState::Failed),
        ] {
            statistics.insert(name.into(), count(is));
        }
    });
    Ok(Answer::ok(json!({"statistics": statistics})).from(&app, Plugin::Slurmctld))
}

pub(super) async fn list_nodes(State(app): State<App>, caller: Caller, query: Query) -> Result<Response, Refused> {
    NODES.enter(&app, caller)?;
    let (nodes, updated) = app.with(|state| (site::nodes(&app.config, state, app.since), state.updated));
    let answer = Answer::ok(json!({"nodes": nodes, "last_update": num(updated)}));
    let warnings = query.unknown(&["update_time", "flags"], "OPENAPI_NODES_QUERY");
    Ok(answer.warn(warnings).from(&app, Plugin::Slurmctld))
}

pub(super) async fn get_node(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller,
) -> Result<Response, Refused> {
    NODES.enter(&app, caller)?;
    let Some(place) = app.config.nodes.iter().position(|node| node.name == name) else {
        return Ok(NODES.refuse(&app, &BAD_NODE_NAME));
    };
    let (mut nodes, updated) = app.with(|state| (site::nodes(&app.config, state, app.since), state.updated));
    let node = nodes.swap_remove(place);
    Ok(Answer::ok(json!({"nodes": [node], "last_update": num(updated)})).from(&app, Plugin::Slurmctld))
}

pub(super) async fn list_partitions(State(app): State<App>, caller: Caller, query: Query) -> Result<Response, Refused> {
    PARTITIONS.enter(&app, caller)?;
    let show = |partition| site::show_partition(&app.config, partition);
    let partitions: Vec<Value> = app.config.partitions.iter().map(show).collect();
    let answer = Answer::ok(json!({"partitions": partitions, "last_update": num(app.since)}));
    let warnings = query.unknown(&["update_time", "flags"], "OPENAPI_PARTITIONS_QUERY");
    Ok(answer.warn(warnings).from(&app, Plugin::Slurmctld))
}

pub(super) async fn get_partition(
    State(app): State<App>,
    Path(name): Path<String>,
    caller: Caller,
) -> Result<Response, Refused> {
    PARTITIONS.enter(&app, caller)?;
    let Some(partition) = app.config.partition(&name) else {
        return Ok(PARTITIONS.refuse(&app, &BAD_PARTITION));
    };
    let partition = site::show_partition(&app.config, partition);
    Ok(Answer::ok(json!({"partitions": [partition], "last_update": num(app.since)})).from(&app, Plugin::Slurmctld))
}

/// With `private_data` those that the caller may use (`PrivateData=reservations`).
pub(super) async fn list_reservations(State(app): State<App>, caller: Caller) -> Result<Response, Refused> {
    let caller = RESERVATIONS.enter(&app, caller)?;
    let reservations = site::reservations(&app.config, app.since, |reservation| {
        !app.config.private_data || app.may_use(&caller, reservation)
    });
    Ok(Answer::ok(json!({"reservations": reservations, "last_update": num(app.since)})).from(&app, Plugin::Slurmctld))
}
