//! What serde writes, `wire.rs` reads.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;

use super::*;

fn reads_back<T: Serialize + Read + PartialEq + Debug>(value: &T) {
    for written in [serde_json::to_string(value), serde_json::to_string_pretty(value)].map(|text| text.expect("JSON")) {
        let json = Json::from_text(&written).expect("JSON");
        assert_eq!(json.parse::<T>().as_ref(), Some(value), "{written}");
    }
}

fn error(problem: Problem) -> ErrorView {
    ErrorView {
        status: 422,
        message: "no".into(),
        code: ErrorCode::Options,
        fields: vec![FieldError {
            field: "time".into(),
            problem,
        }],
        why: Some(why()),
        details: BTreeMap::from([("slurm".into(), "no".into())]),
        request_id: "7f".into(),
    }
}

fn state() -> StateView {
    StateView {
        phase: Phase::Queued,
        now: 1_700_000_000,
        job_id: Some(4711),
        node: Some("n1".into()),
        reason: Some("Priority".into()),
        why: Some(why()),
        told_at: Some(9),
        suspended: true,
        next: true,
        next_failed: Some(error(Problem::Locked)),
        submitted_at: Some(1),
        expected_start_at: Some(2),
        begins_at: Some(7),
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
        reservation: Some(slurm("class_mon")),
        partition: Some(slurm("gpubase_interac")),
        features: vec![slurm("avx512")],
        interface: InterfaceName::new("terminal").expect("a name"),
    }
}

fn slurm(name: &str) -> SlurmName {
    SlurmName::new(name).expect("a name")
}

fn account(name: &str) -> AccountName {
    AccountName::new(name).expect("a name")
}

fn both(text: &str) -> Bilingual {
    Bilingual {
        en: text.into(),
        fr: format!("{text}, en français"),
    }
}

fn node_class() -> NodeClass {
    NodeClass {
        cores: 8,
        memory: 9,
        gpus: BTreeMap::from([("h100".into(), 4)]),
        features: vec![slurm("avx512")],
        partitions: vec![slurm("cpubase"), slurm("gpubase")],
        nodes: 2,
        idle: 1,
        until: Some(5),
        free: vec![
            Free {
                cores: 8,
                memory: 9,
                gpus: BTreeMap::from([("h100".into(), 4)]),
            },
            Free::default(),
        ],
    }
}

fn event() -> EventView {
    EventView {
        name: ProfileName::new("course").expect("a name"),
        title: both("A course"),
        starts_at: 1,
        ends_at: 2,
        instructor: true,
    }
}

fn why() -> Why {
    Why {
        key: "account_now".into(),
        resource: "name_cores".into(),
        detail: "c[1-2]".into(),
        hopeless: true,
    }
}

fn end() -> EndView {
    EndView {
        cause: EndCause::TimeLimit,
        why: Some(why()),
        was_ready: true,
        cancelled_by: Some("root".into()),
        log: Some("/home/ada/x.log".into()),
    }
}

#[test]
fn every_plain_name_reads_back() {
    use Phase::{Ended, Queued, Ready, Starting, Stopping, Submitting};
    [Submitting, Queued, Starting, Ready, Stopping, Ended]
        .iter()
        .for_each(reads_back);
    [Source::Defaults, Source::Last].iter().for_each(reads_back);
    [Landing::Home, Landing::Form, Landing::Start]
        .iter()
        .for_each(reads_back);
    for code in [
        ErrorCode::BadRequest,
        ErrorCode::NotSignedIn,
        ErrorCode::WrongPassword,
        ErrorCode::Throttled,
        ErrorCode::Inactive,
        ErrorCode::NumericName,
        ErrorCode::SystemAccount,
        ErrorCode::SignOutNotStored,
        ErrorCode::NoAssociation,
        ErrorCode::SlurmUnreachable,
        ErrorCode::TooManyStarts,
        ErrorCode::TooManyChanges,
        ErrorCode::TooManyStreams,
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
        EndCause::ModuleMissing,
        EndCause::HomeMissing,
        EndCause::HomeFull,
        EndCause::NoFolder,
        EndCause::SocketPathTooLong,
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
        reads_back(&EndView { cause, ..end() });
        reads_back(&PastServer {
            asked_at: 1,
            job_id: Some(2),
            started_at: Some(3),
            ended_at: Some(4),
            options: Some(chosen()),
            end: end(),
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
        Problem::Locked,
        Problem::NotTogether,
        Problem::NoSuchNode { max: 3 },
    ] {
        reads_back(&error(problem));
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
    reads_back(&ChallengeView {
        kind: ChallengeKind::Choice,
        message: "Which?".into(),
        choices: vec!["one".into(), "two".into()],
        state: "sealed".into(),
    });
    let note = Note {
        text: both("No internet."),
        link: Some(both("https://example.org/")),
    };
    reads_back(&SiteView {
        name: "Site".into(),
        cluster: "Cluster".into(),
        version: "1".into(),
        slurm_silent_since: Some(8),
        maintenance_until: Some(9),
        links: Links {
            renew_account: Some(link.clone()),
            cluster_access: None,
            status: Some(link.clone()),
            documentation: Some(link.clone()),
            support: Some(link),
        },
        hubs: vec![HubView {
            name: both("h"),
            url: both("u"),
            about: both("a"),
        }],
        stop_at_logout: true,
        interfaces: vec![InterfaceView {
            name: InterfaceName::new("lab").expect("a name"),
            label: both("JupyterLab"),
            about: both("Everything"),
            path: "lab".into(),
            recommended: true,
            changeable: true,
        }],
        gpus: BTreeMap::from([("h100".into(), both("H100"))]),
        help: BTreeMap::from([("time".into(), both("Short"))]),
        note: Some(note.clone()),
        landing: Landing::Start,
        announcements: vec![AnnouncementView {
            text: both("t"),
            link: None,
            since: Some(7),
        }],
    });
}

#[test]
fn the_whole_offer_reads_back() {
    reads_back(&offer());
}

#[test]
fn an_offer_with_nothing_in_it_reads_back() {
    reads_back(&OptionsView {
        partitions: Vec::new(),
        routes: None,
        reservations: Vec::new(),
        gpus: Vec::new(),
        profiles: Vec::new(),
        locked: BTreeMap::new(),
        nodes: Vec::new(),
        nodes_away: 0,
        other_jobs: Vec::new(),
        events: Vec::new(),
        skip_form: false,
        last_refused: Vec::new(),
        ages: Ages::default(),
        ..offer()
    });
}

#[test]
fn numbers_of_a_profile_are_kept_as_texts_that_mean_the_same() {
    let options =
        serde_json::json!({ "time": 60, "cores": 2.0, "memory": "8G", "features": ["a", "b"], "gpu": null, "x": true });
    let read = Json::from_text(&options.to_string())
        .expect("JSON")
        .parse::<RawOptions>()
        .expect("options");
    let expected = RawOptions::default()
        .with("time", "60")
        .with("cores", "2")
        .with("memory", "8G");
    for name in ["time", "cores", "memory"] {
        assert_eq!(read.get(name), expected.get(name));
    }
    let list = RawValue::List(vec!["a".into(), "b".into()]);
    assert_eq!(read.get("features"), Some(&list));
    assert_eq!((read.get("gpu"), read.get("x")), (None, Some(&RawValue::Other)));
}

#[test]
fn how_the_people_of_an_event_are_doing_reads_back() {
    reads_back(&BoardView {
        event: event(),
        people: vec![
            BoardRow {
                user: UserName::new("ada").expect("a name"),
                phase: Phase::Queued,
                reason: Some("Priority".into()),
                why: Some(why()),
                since: Some(3),
                end: None,
            },
            BoardRow {
                user: UserName::new("bob").expect("a name"),
                phase: Phase::Ended,
                reason: None,
                why: None,
                since: None,
                end: Some(end()),
            },
        ],
    });
}

#[expect(clippy::too_many_lines, reason = "one value with everything in it")]
fn offer() -> OptionsView {
    let range = Range {
        min: 1,
        max: 2,
        default: 1,
    };
    OptionsView {
        user: UserName::new("ada").expect("a name"),
        cluster: "c".into(),
        now: 1_700_000_000,
        accounts: vec![AccountView {
            name: account("def-ada"),
            charges: vec![
                Charge {
                    account: account("def-ada_cpu"),
                    gpu: Some(false),
                    terms: 0,
                },
                Charge {
                    account: account("def-ada_gpu"),
                    gpu: None,
                    terms: 1,
                },
            ],
        }],
        terms: vec![
            vec![Reach {
                partition: slurm("cpubase"),
                time: Some(1),
                cores: Some(2),
                memory: Some(3),
                memory_per_core: Some(4),
                gpus: Some(5),
                gpus_of: BTreeMap::from([("h100".into(), 6)]),
                least_cores: 7,
                least_gpus: 8,
            }],
            vec![Reach::unlimited(slurm("gpubase"))],
        ],
        partitions: vec![slurm("cpubase")],
        routes: Some(vec![Route {
            gpu: Some(true),
            time_max: Some(180),
            partitions: vec![slurm("gpubase")],
        }]),
        reservations: vec![ReservationView {
            name: slurm("class_mon"),
            starts_at: 1,
            ends_at: 2,
            accounts: vec![account("def-ada_cpu")],
            partition: Some(slurm("cpubase")),
            nodes: vec![node_class()],
        }],
        time: range,
        cores: range,
        memory: range,
        gpus: vec![GpuView {
            name: "h100".into(),
            max: 4,
            label: Some(both("H100")),
            memory: Some(80),
            percent: Some(100),
            cores: Some(2),
            job_memory: Some(3),
        }],
        features: vec![slurm("avx512")],
        interfaces: vec![InterfaceName::new("lab").expect("a name")],
        profiles: vec![ProfileView {
            name: ProfileName::new("small").expect("a name"),
            label: both("Small"),
            about: Some(both("To try things")),
            options: RawOptions::default().with("time", "1h").with("cores", "1"),
        }],
        locked: BTreeMap::from([
            (
                "time".into(),
                Lock {
                    event: Some(both("A course")),
                },
            ),
            ("gpu".into(), Lock { event: None }),
        ]),
        nodes: vec![node_class()],
        nodes_away: 3,
        other_jobs: vec![OtherJob {
            id: 4711,
            kind: "salloc".into(),
            running: true,
            ends_at: Some(9),
        }],
        events: vec![event()],
        chosen: chosen(),
        chosen_from: Source::Last,
        skip_form: true,
        last_refused: vec![FieldError {
            field: "gpu".into(),
            problem: Problem::NotTogether,
        }],
        ages: Ages {
            cluster: 1,
            accounts: 2,
            reservations: Some(3),
            other_jobs: None,
        },
    }
}
