//! Every recorded exchange with real Slurm is understood, and means what it says.

use std::collections::BTreeMap;

use backend::slurm::{SlurmError, decode_exchange};
use serde_json::Value;
use slipway_tests::repository;

/// Whether an error is the one that was meant.
type Check = Box<dyn Fn(&SlurmError) -> bool>;

struct Exchange {
    release: String,
    step: String,
    method: String,
    url: String,
    status: u16,
    body: Vec<u8>,
}

fn exchanges() -> Vec<Exchange> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(repository().join("tests/slurm/recorded")).unwrap() {
        let path = entry.unwrap().path();
        let release = path.file_stem().unwrap().to_string_lossy().into_owned();
        for line in std::fs::read_to_string(&path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let body = match &line["response"] {
                Value::String(plain) => plain.clone().into_bytes(),
                json => json.to_string().into_bytes(),
            };
            all.push(Exchange {
                release: release.clone(),
                step: text(&line["step"]),
                method: text(&line["request"]["method"]),
                url: text(&line["request"]["url"]),
                status: u16::try_from(line["status"].as_u64().unwrap()).unwrap(),
                body,
            });
        }
    }
    assert!(all.len() > 450, "only {} exchanges", all.len());
    all
}

#[test]
fn every_recorded_answer_is_understood() {
    // A literal comma in a query, which Slipway never sends: 26.05 answers it with a 500 in plain text.
    for exchange in exchanges().iter().filter(|exchange| !exchange.url.contains(',')) {
        let Exchange {
            release,
            step,
            url,
            status,
            body,
            ..
        } = exchange;
        if let Err(SlurmError::NotUnderstood(why)) = decode_exchange(*status, body) {
            panic!("{release} {step} {url}: {why}");
        }
    }
}

#[test]
fn answers_of_each_kind_are_taken_for_what_they_are() {
    let mut seen = BTreeMap::<&str, usize>::new();
    for Exchange {
        release,
        step,
        method,
        url,
        status,
        body,
    } in exchanges()
    {
        let path = url.split(['?', '#']).next().unwrap().trim_end_matches('/');
        let noun = path.split('/').nth(3).unwrap_or_default();
        let Ok(kind) = decode_exchange(status, &body) else {
            continue;
        };
        let expected = match (method.as_str(), path.rsplit('/').next().unwrap_or_default(), noun) {
            ("POST", "submit", "job") => "submitted",
            ("GET", "ping", _) => "ping",
            ("GET", "diag", _) => "diag",
            ("GET", _, "nodes" | "node") => "nodes",
            ("GET", _, "partitions" | "partition") => "partitions",
            _ => continue,
        };
        assert_eq!(kind, expected, "{release} {step} {url}");
        *seen.entry(expected).or_default() += 1;
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
}

#[test]
fn failures_are_kept_apart() {
    let all = exchanges();
    let meaning = |step: &str| {
        let found: Vec<_> = all.iter().filter(|e| e.step == step).collect();
        assert!(!found.is_empty(), "{step} was not recorded");
        found
            .into_iter()
            .map(|e| (e.release.clone(), decode_exchange(e.status, &e.body)))
    };
    let refused = |number: i64| move |e: &SlurmError| matches!(e, SlurmError::Refused { code, .. } if *code == number);
    let unreachable = |e: &SlurmError| e.is_outage();
    let token = |e: &SlurmError| matches!(e, SlurmError::TokenRefused(_));
    let not_found = |e: &SlurmError| *e == SlurmError::NotFound;
    let no_such_path = |e: &SlurmError| matches!(e, SlurmError::Version(_));
    let cases: Vec<(&str, Check)> = vec![
        ("submit_bad_account", Box::new(refused(2045))),
        ("submit_account_of_other", Box::new(refused(2045))),
        ("submit_dave_no_assoc", Box::new(refused(2045))),
        ("submit_too_much_mem", Box::new(refused(2014))),
        ("submit_bad_partition", Box::new(refused(2000))),
        ("submit_inactive_partition", Box::new(refused(2070))),
        ("lua_refused", Box::new(refused(-1))),
        ("update_comment_as_bob", Box::new(refused(2010))),
        ("ctld_down_submit", Box::new(unreachable)),
        ("ctld_down_job", Box::new(unreachable)),
        ("ctld_down_nodes", Box::new(unreachable)),
        ("ctld_down_partitions", Box::new(unreachable)),
        ("dbd_down_assoc", Box::new(unreachable)),
        ("token_none", Box::new(token)),
        ("token_expired", Box::new(token)),
        ("token_wrong_key", Box::new(token)),
        ("token_expired_slurmdb", Box::new(token)),
        ("alg_none", Box::new(token)),
        ("job_unknown", Box::new(not_found)),
        ("no_such_api", Box::new(no_such_path)),
        ("no_such_endpoint", Box::new(no_such_path)),
    ];
    for (step, is_right) in cases {
        for (release, result) in meaning(step) {
            match result {
                // 26.05 says the same of a refused token as of a database that is away.
                Err(SlurmError::Unreachable { .. })
                    if step == "token_expired_slurmdb" && release.starts_with("26.05") => {}
                Err(error) if is_right(&error) => {}
                other => panic!("{release} {step}: {other:?}"),
            }
        }
    }
}
