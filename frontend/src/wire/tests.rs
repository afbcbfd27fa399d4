//! What serde writes, `wire.rs` reads.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use serde_json::Value;

use super::*;

fn json(value: Value) -> Json {
    match value {
        Value::Null => Json::Nothing,
        Value::Bool(truth) => Json::Truth(truth),
        Value::Number(number) => Json::Whole(number.as_i64().expect("whole")),
        Value::String(text) => Json::Text(text),
        Value::Array(items) => Json::List(items.into_iter().map(json).collect()),
        Value::Object(pairs) => Json::Object(pairs.into_iter().map(|(name, value)| (name, json(value))).collect()),
    }
}

fn reads_back<T: Serialize + Read + PartialEq + Debug>(value: &T) {
    let written = serde_json::to_value(value).expect("JSON");
    assert_eq!(T::read(&json(written.clone())).as_ref(), Some(value), "{written}");
}

fn state() -> StateView {
    StateView {
        phase: Phase::Queued,
        now: 1_700_000_000,
        job_id: Some(4711),
        node: Some("n1".into()),
        reason: Some("Priority".into()),
        told_at: Some(9),
        suspended: true,
        submitted_at: Some(1),
        expected_start_at: Some(2),
        give_up_at: Some(3),
        started_at: Some(4),
        ends_at: Some(5),
        end: None,
        slurm_silent_since: Some(6),
    }
}

fn chosen() -> UserOptions {
    UserOptions {
        account: AccountName::new("def-ada").expect("a name"),
        time: Minutes::new(90).expect("a time"),
        cores: Cores::new(2).expect("cores"),
        memory: Memory::new(8192).expect("memory"),
        gpu: Some(Gpus {
            name: "h100".into(),
            count: 2,
        }),
        interface: Interface::Terminal,
    }
}

#[test]
fn every_phase_interface_and_code_reads_back() {
    use Phase::{Ended, Queued, Ready, Starting, Stopping, Submitting};
    [Submitting, Queued, Starting, Ready, Stopping, Ended]
        .iter()
        .for_each(reads_back);
    Interface::ALL.iter().for_each(reads_back);
    for code in [
        ErrorCode::BadRequest,
        ErrorCode::NotSignedIn,
        ErrorCode::WrongPassword,
        ErrorCode::Throttled,
        ErrorCode::Inactive,
        ErrorCode::NoAssociation,
        ErrorCode::SlurmUnreachable,
        ErrorCode::Internal,
    ] {
        reads_back(&code);
    }
}

#[test]
fn every_end_of_a_server_reads_back() {
    for cause in [
        EndCause::GaveUp {
            reason: Some("Resources".into()),
        },
        EndCause::GaveUp { reason: None },
        EndCause::Cancelled,
        EndCause::Refused {
            message: "Invalid qos".into(),
            code: 2066,
        },
        EndCause::Unreachable,
        EndCause::Lost,
        EndCause::JupyterMissing,
        EndCause::SetupFailed,
        EndCause::NoPort,
        EndCause::PortNotTold,
        EndCause::JupyterFailed { exit_code: 1 },
        EndCause::Finished,
        EndCause::TimeLimit,
        EndCause::OutOfMemory,
        EndCause::NodeFailed,
        EndCause::Preempted,
        EndCause::Other {
            slurm_state: "BOOT_FAIL".into(),
        },
    ] {
        reads_back(&EndView {
            cause,
            was_ready: true,
            log: Some("/home/ada/x.log".into()),
        });
    }
}

#[test]
fn every_problem_of_an_option_reads_back() {
    for problem in [
        Problem::Unknown,
        Problem::Missing,
        Problem::Malformed,
        Problem::TooSmall { min: 1 },
        Problem::TooLarge { max: 2 },
        Problem::NotOffered,
        Problem::NoSuchNode { max: 3 },
    ] {
        reads_back(&ErrorView {
            status: 422,
            message: "no".into(),
            code: ErrorCode::Options,
            fields: vec![FieldError {
                field: "time".into(),
                problem,
            }],
            details: BTreeMap::from([("slurm".into(), "no".into())]),
            request_id: "7f".into(),
        });
    }
}

#[test]
fn whole_answers_read_back() {
    let server = ServerView {
        name: String::new(),
        ready: false,
        stopped: false,
        pending: Some("spawn".into()),
        url: "/user/ada/".into(),
        progress_url: "/hub/api/x".into(),
        started: Some("2026-01-01T00:00:00Z".into()),
        last_activity: None,
        user_options: Some(chosen()),
        state: state(),
    };
    reads_back(&UserView {
        kind: "user".into(),
        name: UserName::new("ada").expect("a name"),
        admin: false,
        groups: vec!["g".into()],
        server: None,
        pending: Some("spawn".into()),
        servers: BTreeMap::from([(String::new(), server)]),
        servers_unknown: true,
        sign_in_seconds: Some(7),
    });
    reads_back(&ProgressEvent {
        progress: 40,
        message: "Queued".into(),
        ready: None,
        failed: Some(true),
        url: Some("/user/ada/lab".into()),
        state: state(),
    });
    let link = Bilingual {
        en: "e".into(),
        fr: "f".into(),
    };
    reads_back(&shared::sign_in::ChallengeView {
        kind: shared::sign_in::ChallengeKind::Choice,
        message: "Which?".into(),
        choices: vec!["one".into(), "two".into()],
        state: "sealed".into(),
    });
    reads_back(&SiteView {
        name: "Site".into(),
        cluster: "Cluster".into(),
        version: "1".into(),
        slurm_silent_since: Some(8),
        links: Links {
            renew_account: Some(link.clone()),
            cluster_access: None,
            status: Some(link.clone()),
            documentation: Some(link.clone()),
            support: Some(link),
        },
        hubs: vec![HubView {
            name: "h".into(),
            url: "u".into(),
            about: "a".into(),
        }],
        stop_at_logout: true,
    });
    let range = Range {
        min: 1,
        max: 2,
        default: 1,
    };
    reads_back(&OptionsView {
        user: UserName::new("ada").expect("a name"),
        cluster: "c".into(),
        accounts: vec![AccountView {
            name: AccountName::new("def-ada").expect("a name"),
            time_max: Some(60),
        }],
        time: range,
        cores: range,
        memory: range,
        gpus: vec![GpuView {
            name: "h100".into(),
            max: 4,
        }],
        interfaces: Interface::ALL.to_vec(),
        nodes: vec![NodeClass {
            cores: 8,
            memory: 9,
            gpus: BTreeMap::from([("h100".into(), 4)]),
            nodes: 2,
        }],
        chosen: chosen(),
        age_seconds: 3,
    });
}
