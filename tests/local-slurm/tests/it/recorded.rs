//! The same questions that were once put to Slurm 24.11, and the same answers, but for times and counts:
//! status, errors and warnings in their words, and every field, by name.

mod shown;

use std::collections::BTreeSet;
use std::path::Path;

use local_slurm::{Fault, JobState};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::{Bench, KEY, Reply, reply, sign, time, token};

/// One exchange with real Slurm.
#[derive(Deserialize)]
struct Exchange {
    request: Question,
    status: u16,
    content_type: String,
    response: Value,
}

#[derive(Deserialize)]
struct Question {
    method: String,
    url: String,
    user: String,
    headers: Vec<String>,
    body: Option<Value>,
}

fn recorded(name: &str) -> Exchange {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/recorded/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Puts the recorded question with this token.
async fn put(bench: &Bench, question: &Question, token: &str) -> Reply {
    let method: Method = question.method.parse().unwrap();
    let mut request = bench.request(method, &question.url);
    for header in &question.headers {
        request = match header.as_str() {
            "X-SLURM-USER-NAME" => request.header(header, &question.user),
            "X-SLURM-USER-TOKEN" => request.header(header, token),
            _ => request.bearer_auth(token),
        };
    }
    if let Some(body) = &question.body {
        request = request.json(body);
    }
    reply(request).await
}

/// The names of all fields, with the way to each. A list that is empty on either side says nothing of its items.
fn fields(value: &Value, other: &Value, path: &str, all: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                let path = format!("{path}.{name}");
                fields(value, &other[name], &path, all);
                all.insert(path);
            }
        }
        Value::Array(items) => {
            if let Some(first) = other.as_array().and_then(|others| others.first()) {
                for item in items {
                    fields(item, first, &format!("{path}[]"), all);
                }
            }
        }
        _ => {}
    }
}

fn compare_fields(what: &str, recorded: &Value, ours: &Value) {
    let (mut theirs, mut own) = (BTreeSet::new(), BTreeSet::new());
    fields(recorded, ours, "", &mut theirs);
    fields(ours, recorded, "", &mut own);
    let difference: Vec<&String> = theirs.symmetric_difference(&own).collect();
    assert!(difference.is_empty(), "{what}: {difference:?}");
}

/// `errors`, `warnings` and `status` without what differs from one day to the next.
fn words(body: &Value) -> Value {
    let mut words = json!({"errors": body["errors"], "warnings": body["warnings"], "status": body["status"]});
    for warning in words["warnings"].as_array_mut().into_iter().flatten() {
        let text = warning["description"].as_str().unwrap();
        let (call, rest) = text
            .split_once("(0x")
            .map_or((text, ""), |(call, rest)| (call, &rest[12..]));
        warning["description"] = json!(format!("{call}{rest}"));
    }
    words
}

fn compare(name: &str, recorded: &Exchange, ours: &Reply) {
    assert_eq!(ours.status, recorded.status, "{name}: {ours:?}");
    assert!(
        ours.content_type.starts_with(&recorded.content_type),
        "{name}: {}",
        ours.content_type
    );
    if recorded.response.is_string() {
        assert_eq!(ours.body, recorded.response, "{name}");
        return;
    }
    assert_eq!(words(&ours.body), words(&recorded.response), "{name}");
    compare_fields(name, &recorded.response, &ours.body);
}

async fn replay(bench: &Bench, name: &str) -> Reply {
    let exchange = recorded(name);
    let ours = put(bench, &exchange.request, &token(&exchange.request.user)).await;
    compare(name, &exchange, &ours);
    ours
}

/// A cluster where job 1 of alice runs, as in most recordings.
async fn with_job_1() -> Bench {
    let bench = Bench::start().await;
    let mut job = bench.job("sleep 1000");
    job["name"] = json!("portal-one");
    assert_eq!(bench.role("alice").submit(&job).await, 1);
    bench.wait(1, JobState::Running).await;
    bench
}

#[tokio::test]
async fn questions_about_the_cluster_are_answered_as_by_slurm() {
    let bench = Bench::start().await;
    for name in [
        "ping",
        "diag",
        "nodes",
        "node_c1",
        "partitions",
        "reservations_none",
        "jobs_empty",
        "associations_alice",
        "associations_bob_as_alice",
        "associations_dave",
        "token_bearer",
        "token_no_username_header",
        "job_unknown",
        "jobs_state_ids",
        "no_such_api",
        "no_such_endpoint",
        "token_none",
    ] {
        replay(&bench, name).await;
    }
}

/// Fields of a node that differ from one machine or moment to the next.
const MOVING: &[&str] = &[
    "boot_time",
    "cpu_load",
    "free_mem",
    "last_busy",
    "port",
    "slurmd_start_time",
    "architecture",
];

fn forget(names: &[&str], items: &mut Value) {
    for item in items.as_array_mut().unwrap() {
        for name in names {
            item[*name] = Value::Null;
        }
    }
}

#[tokio::test]
async fn what_slurm_says_of_its_site_is_said_word_for_word() {
    let bench = Bench::start().await;
    for (name, list, moving) in [
        ("nodes", "nodes", MOVING),
        ("partitions", "partitions", &[][..]),
        ("associations_alice", "associations", &[]),
        ("associations_bob_as_alice", "associations", &[]),
    ] {
        let mut theirs = recorded(name).response;
        let mut ours = replay(&bench, name).await.body;
        let sort = |body: &mut Value| {
            let items = body[list].as_array_mut().unwrap();
            items.sort_by_key(|item| item["account"].to_string());
        };
        sort(&mut theirs);
        sort(&mut ours);
        forget(moving, &mut theirs[list]);
        forget(moving, &mut ours[list]);
        assert_eq!(ours[list], theirs[list], "{name}");
    }
}

#[tokio::test]
async fn submissions_are_taken_and_refused_as_by_slurm() {
    let bench = Bench::start_with(|config, _| {
        config.users[0].behaviour = serde_json::from_value(json!({"waits": {}})).unwrap(); // Nothing need run.
    })
    .await;
    for name in [
        "submit_cpu",
        "submit_hold",
        "submit_too_long",
        "submit_unknown_field",
        "submit_bad_account",
        "submit_account_of_other",
        "submit_bad_partition",
        "submit_dave_no_account",
        "submit_dave_no_assoc",
        "submit_unknown_unix_user",
        "submit_no_cwd",
        "submit_no_env",
        "submit_too_many_cpus",
        "submit_too_many_gpus",
        "submit_too_much_mem",
        "submit_unknown_gpu",
        "submit_wrong_type",
        "bad_json",
    ] {
        replay(&bench, name).await;
    }
    let bench = Bench::start_with(|config, _| config.partitions[2].state = "INACTIVE".into()).await;
    replay(&bench, "submit_inactive_partition").await;
}

#[tokio::test]
async fn changes_to_jobs_are_taken_and_refused_as_by_slurm() {
    let bench = with_job_1().await;
    for name in [
        "update_comment_as_bob",
        "cancel_as_bob",
        "cancel_unknown",
        "cancel_only_pending",
        "update_comment",
        "jobs_q_user_alice",
    ] {
        replay(&bench, name).await;
    }
    assert_eq!(bench.cluster.job(1).unwrap().comment, "portal:set-by-rest");
    assert_eq!(bench.cluster.job(1).unwrap().state, JobState::Running);
    replay(&bench, "cancel").await;
    replay(&bench, "cancel_again").await;
    bench.wait(1, JobState::Cancelled).await;
    replay(&bench, "cancel_again").await;
}

#[tokio::test]
async fn tokens_are_refused_in_slurms_words() {
    let bench = Bench::start().await;
    for (name, claims, key) in [
        ("token_expired", json!({"sun": "alice", "exp": time(-10)}), KEY),
        ("token_expired_slurmdb", json!({"sun": "alice", "exp": time(-10)}), KEY),
        ("token_name_mismatch", json!({"sun": "bob", "exp": time(60)}), KEY),
        (
            "token_wrong_key",
            json!({"sun": "alice", "exp": time(60)}),
            b"another key",
        ),
        (
            "token_wrong_key_ping",
            json!({"sun": "alice", "exp": time(60)}),
            b"another key",
        ),
        ("no_exp", json!({"sun": "alice"}), KEY),
    ] {
        let exchange = recorded(name);
        let token = sign(jsonwebtoken::Algorithm::HS256, key, &claims);
        compare(name, &exchange, &put(&bench, &exchange.request, &token).await);
    }
}

#[tokio::test]
async fn daemons_that_are_away_are_reported_in_slurms_words() {
    let bench = with_job_1().await;
    bench.cluster.set_fault(Fault::ControllerDown);
    for name in [
        "ctld_down_ping",
        "ctld_down_job",
        "ctld_down_jobs",
        "ctld_down_nodes",
        "ctld_down_partitions",
        "ctld_down_submit",
        "ctld_down_cancel",
    ] {
        replay(&bench, name).await;
    }
    bench.cluster.set_fault(Fault::DatabaseDown);
    for name in ["dbd_down_assoc", "dbd_down_dbjobs"] {
        replay(&bench, name).await;
    }
}
