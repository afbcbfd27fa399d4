use super::*;
use crate::config::{AccountConfig, UserConfig};
use crate::job::sample;

const NOW: u64 = 1000;

fn config() -> ClusterConfig {
    let account = |max_jobs, max_wall_minutes| AccountConfig {
        name: "def-alice_cpu".into(),
        default: true,
        max_wall_minutes,
        max_jobs,
        ..AccountConfig::default()
    };
    let user = |name: &str, behaviour, account| UserConfig {
        name: name.into(),
        uid: 1,
        accounts: vec![account],
        behaviour,
        ..UserConfig::default()
    };
    ClusterConfig {
        users: vec![
            user("alice", Behaviour::Normal, account(None, None)),
            user(
                "wendy",
                Behaviour::Waits {
                    reason: "QOSGrpGRES".into(),
                },
                account(None, None),
            ),
            user("max", Behaviour::Normal, account(Some(1), Some(30))),
        ],
        ..ClusterConfig::default()
    }
}

/// What one row of a table says of a job.
struct Row {
    user: &'static str,
    partition: &'static str,
    cores: usize,
    minutes: u32,
    name: &'static str,
}

const CPU: Row = Row {
    user: "alice",
    partition: "cpubase_interac",
    cores: 1,
    minutes: 10,
    name: "",
};

fn state(rows: &[Row]) -> State {
    let jobs = (1..).zip(rows).map(|(id, row)| {
        let mut job = sample(id);
        job.asked.user = row.user.into();
        job.asked.partition = row.partition.into();
        job.asked.request.cores = row.cores;
        job.asked.time_limit = row.minutes;
        job.asked.singleton = !row.name.is_empty();
        job.asked.name = if row.name.is_empty() {
            format!("job{id}")
        } else {
            row.name.into()
        };
        (id, job)
    });
    State {
        nodes: vec![Node::default(); 3],
        jobs: jobs.collect(),
        updated: NOW,
        since: NOW,
    }
}

/// Where each job is, or why it waits.
fn outcome(state: &State) -> Vec<String> {
    let one = |job: &Job| match &job.allocation {
        Some(given) if job.state == JobState::Running => format!("node {}", given.node),
        _ => job.reason.clone(),
    };
    state.jobs.values().map(one).collect()
}

#[test]
fn jobs_start_where_they_fit_and_wait_with_slurms_reasons() {
    let full = || Row { cores: 8, ..CPU };
    let table: Vec<(&str, Vec<Row>, Vec<&str>)> = vec![
        ("one job", vec![CPU], vec!["node 0"]),
        (
            "the second node when the first is full",
            vec![full(), full()],
            vec!["node 0", "node 1"],
        ),
        (
            "first in line has Resources, those behind have Priority",
            vec![full(), full(), full(), full()],
            vec!["node 0", "node 1", "Resources", "Priority"],
        ),
        (
            "a full partition does not hold up another",
            vec![
                full(),
                full(),
                full(),
                Row {
                    partition: "gpubase_interac",
                    ..CPU
                },
            ],
            vec!["node 0", "node 1", "Resources", "node 2"],
        ),
        (
            "a short job goes first where that delays nobody",
            vec![Row { cores: 6, ..CPU }, full(), full(), Row { minutes: 5, ..CPU }],
            vec!["node 0", "node 1", "Resources", "node 0"],
        ),
        (
            "a long job does not go first",
            vec![Row { cores: 6, ..CPU }, full(), full(), Row { minutes: 20, ..CPU }],
            vec!["node 0", "node 1", "Resources", "Priority"],
        ),
        (
            "over the partition's time",
            vec![Row { minutes: 481, ..CPU }, CPU],
            vec!["PartitionTimeLimit", "node 0"],
        ),
        (
            "a person whose jobs wait",
            vec![Row { user: "wendy", ..CPU }, CPU],
            vec!["QOSGrpGRES", "node 0"],
        ),
        (
            "singleton: same name and user",
            vec![
                Row { name: "hub", ..CPU },
                Row { name: "hub", ..CPU },
                Row {
                    name: "hub",
                    user: "bob",
                    ..CPU
                },
            ],
            vec!["node 0", "Dependency", "node 0"],
        ),
        (
            "MaxJobs",
            vec![Row { user: "max", ..CPU }, Row { user: "max", ..CPU }],
            vec!["node 0", "AssocMaxJobsLimit"],
        ),
        (
            "MaxWall",
            vec![Row {
                user: "max",
                minutes: 31,
                ..CPU
            }],
            vec!["AssocMaxWallDurationPerJobLimit"],
        ),
    ];
    for (what, rows, expected) in table {
        let mut state = state(&rows);
        schedule(&config(), &mut state, NOW);
        assert_eq!(outcome(&state), expected, "{what}");
    }
}

#[test]
fn the_first_in_line_is_told_when_it_may_start() {
    let mut state = state(&[
        Row { cores: 8, ..CPU },
        Row {
            cores: 8,
            minutes: 5,
            ..CPU
        },
        CPU,
    ]);
    schedule(&config(), &mut state, NOW);
    assert_eq!(state.jobs[&3].expected, Some((NOW + 5 * 60, 1)));
}

#[test]
fn a_job_that_ends_makes_room_and_one_that_is_completing_does_not() {
    let mut state = state(&[Row { cores: 8, ..CPU }, Row { cores: 8, ..CPU }, CPU]);
    assert_eq!(schedule(&config(), &mut state, NOW), [1, 2]);
    let first = state.jobs.get_mut(&1).unwrap();
    (first.state, first.completing) = (JobState::Cancelled, true);
    assert_eq!(schedule(&config(), &mut state, NOW), [0_u32; 0]);
    state.jobs.get_mut(&1).unwrap().completing = false;
    assert_eq!(schedule(&config(), &mut state, NOW), [3]);
}

#[test]
fn nodes_that_are_down_or_drained_take_no_jobs() {
    let mut state = state(&[CPU]);
    state.nodes[0].state = NodeState::Down;
    state.nodes[1].state = NodeState::Drain;
    assert_eq!(schedule(&config(), &mut state, NOW), [0_u32; 0]);
    assert_eq!(state.jobs[&1].reason, "Resources");
    assert!(state.jobs[&1].description.starts_with("Nodes required"));
    state.nodes[1].state = NodeState::Up;
    assert_eq!(schedule(&config(), &mut state, NOW), [1]);
}

#[test]
fn an_ended_job_is_forgotten_after_min_job_age() {
    let mut state = state(&[CPU]);
    let config = config();
    schedule(&config, &mut state, NOW);
    let job = state.jobs.get_mut(&1).unwrap();
    (job.state, job.ended) = (JobState::Completed, Some(NOW));
    assert!(state.recent(&config, 1, NOW + 299).is_some());
    assert!(state.recent(&config, 1, NOW + 300).is_none());
}
