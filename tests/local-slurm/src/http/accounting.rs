//! The accounting database: associations, and all jobs that ever were.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::App;
use super::answer::{Answer, Plugin};
use super::errors::{NO_TOKEN, Refused, bad_query, enter_database};
use super::query::Query;
use crate::answers::{accounting, site};
use crate::auth::Caller;
use crate::clock;
use crate::cluster::Fault;
use crate::job::{Job, JobState};
use crate::submission::schema::Warning;

type Result = std::result::Result<Response, Refused>;

/// Filters of jobs that do something here.
const JOB_FILTERS: &[&str] = &[
    "users",
    "state",
    "job_name",
    "account",
    "partition",
    "start_time",
    "end_time",
    "cluster",
    "skip_steps",
];

fn found_nothing(call: &str, source: &str) -> Warning {
    Warning {
        description: format!("{call}(0x7f043c003a80) found nothing"),
        source: source.into(),
    }
}

/// 200 whatever slurmdbd does.
pub(super) async fn ping(State(app): State<App>, caller: Caller) -> Response {
    if matches!(caller, Caller::Nobody) {
        return (StatusCode::UNAUTHORIZED, NO_TOKEN).into_response();
    }
    let up = matches!(caller, Caller::Known(_)) && *app.fault.borrow() != Fault::DatabaseDown;
    let ping = json!({ "hostname": "localhost", "responding": up, "latency": 200, "primary": true });
    Answer::ok(json!({"pings": [ping]})).from(&app, Plugin::Slurmdbd)
}

/// The associations of people (real Slurm lists those of accounts, too, when no user is asked for).
pub(super) async fn list_associations(State(app): State<App>, caller: Caller, query: Query) -> Result {
    let caller = enter_database(&app, caller)?;
    let (users, accounts) = (query.all("user"), query.all("account"));
    let associations: Vec<Value> = app
        .config
        .associations()
        .filter(|(_, user, account)| {
            (users.is_empty() || users.contains(&user.name.as_str()))
                && (accounts.is_empty() || accounts.contains(&account.name.as_str()))
                && app.may_see(&caller, &user.name)
        })
        .map(|(_, user, account)| site::show_association(&app.config, user, account))
        .collect();
    let nothing = associations
        .is_empty()
        .then(|| found_nothing("slurmdb_associations_get", "_dump_assoc_cond"));
    let mut warnings = query.unknown(&["user", "account", "cluster"], "ASSOC_CONDITION");
    warnings.extend(nothing);
    Ok(Answer::ok(json!({"associations": associations}))
        .warn(warnings)
        .from(&app, Plugin::Slurmdbd))
}

pub(super) async fn list_qos(State(app): State<App>, caller: Caller, query: Query) -> Result {
    enter_database(&app, caller)?;
    let qos: Vec<Value> = site::all_qos(&app.config);
    let warnings = query.unknown(&["name", "id"], "QOS_CONDITION");
    Ok(Answer::ok(json!({"qos": qos}))
        .warn(warnings)
        .from(&app, Plugin::Slurmdbd))
}

pub(super) async fn list_jobs(State(app): State<App>, caller: Caller, query: Query) -> Result {
    let caller = enter_database(&app, caller)?;
    let is = |name: &str, value: &str| {
        let wanted = query.all(name);
        wanted.is_empty() || wanted.contains(&value)
    };
    let states: Vec<JobState> = query.all("state").into_iter().filter_map(JobState::from_name).collect();
    if states.len() != query.all("state").len() {
        return Ok(bad_query().from(&app, Plugin::Slurmdbd));
    }
    let time = |name: &str| {
        query
            .first(name)
            .and_then(|time| time.trim_start_matches("uts").parse::<u64>().ok())
    };
    let (from, until) = (time("start_time"), time("end_time"));
    let now = clock::now();
    let users: Vec<String> = query
        .all("users")
        .into_iter()
        .map(|user| app.config.resolve_uid(user))
        .collect();
    let jobs: Vec<Value> = app.with(|state| {
        let wanted = |job: &&Job| {
            accounting::lists(job)
                && app.may_see(&caller, &job.asked.user)
                && (users.is_empty() || users.contains(&job.asked.user))
                && is("account", &job.asked.account)
                && is("partition", &job.asked.partition)
                && is("job_name", &job.asked.name)
                && (states.is_empty() || states.contains(&job.state))
                && from.is_none_or(|from| job.ended.is_none_or(|ended| ended >= from))
                && until.is_none_or(|until| job.submitted <= until)
        };
        state
            .jobs
            .values()
            .filter(wanted)
            .map(|job| accounting::show(&app.config, job, now))
            .collect()
    });
    let mut warnings = query.unknown(JOB_FILTERS, "JOB_CONDITION");
    warnings.extend(jobs.is_empty().then(|| found_nothing("slurmdb_jobs_get", "_dump_jobs")));
    Ok(Answer::ok(json!({"jobs": jobs}))
        .warn(warnings)
        .from(&app, Plugin::Slurmdbd))
}

pub(super) async fn get_job(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result {
    let caller = enter_database(&app, caller)?;
    let now = clock::now();
    let job = app.with(|state| {
        let job = state.jobs.get(&id.parse().ok()?)?;
        let seen = accounting::lists(job) && app.may_see(&caller, &job.asked.user);
        seen.then(|| accounting::show(&app.config, job, now))
    });
    let nothing = job.is_none().then(|| found_nothing("slurmdb_jobs_get", "_dump_jobs"));
    let jobs: Vec<Value> = job.into_iter().collect();
    Ok(Answer::ok(json!({"jobs": jobs}))
        .warn(nothing)
        .from(&app, Plugin::Slurmdbd))
}
