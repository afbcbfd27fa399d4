//! What people who wait cost Slurm: requests to slurmrestd in a minute, with each of them watching their page.

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::StreamExt;
use local_slurm::{AccountConfig, Behaviour, UserConfig};
use serde_json::json;
use slipway_tests::{Person, Plan, RealSlurm, Site};

use crate::table::markdown;

const CROWDS: [usize; 5] = [0, 1, 20, 100, 2000];
const WINDOW: Duration = Duration::from_mins(1);

pub(crate) async fn measure() -> String {
    let mut rows = Vec::new();
    for crowd in CROWDS {
        rows.push(row(crowd).await);
    }
    let header = [
        "people who wait",
        "requests in the minute of their starts",
        "… and in the next",
        "allowed: 40 + 2 each + 6 a start, at most 300, or 20 with nobody",
    ];
    let mut text = markdown("What waiting costs Slurm (local cluster)", &header, &rows);
    let mut rows = Vec::new();
    for crowd in [0, 20, 200] {
        rows.push(real(crowd).await);
    }
    let header = ["people who wait", "RPCs of slurmctld in the second minute, by sdiag"];
    text += &markdown("The same on real Slurm 24.11", &header, &rows);
    text
}

/// What slurmctld counts itself: calls by Slipway's service user and by the people who wait.
async fn real(crowd: usize) -> Vec<String> {
    let slurm = RealSlurm::start("24.11").await;
    let names: Vec<String> = (0..crowd).map(|n| format!("p{n}")).collect();
    let mut script = "scontrol update NodeName=c1,c2 State=DRAIN Reason=bench".to_owned();
    if crowd > 0 {
        let each = names.join(" ");
        let all = names.join(",");
        write!(
            script,
            "; for name in {each}; do useradd -M $name; done; sacctmgr -i -Q add user {all} Account=def-alice_cpu"
        )
        .unwrap();
    }
    slurm.ctl(&["bash", "-c", &script]).await;
    let plan = Plan {
        start_timeout_seconds: 3600,
        ..Plan::default()
    };
    let site = Site::start_on(slurm, plan).await;
    let people = site.signed_in(names);
    start_all(&people).await;
    let watching: Vec<_> = people.iter().map(watch).collect();
    tokio::time::sleep(WINDOW).await;
    site.real().ctl(&["sdiag", "--reset"]).await;
    tokio::time::sleep(WINDOW).await;
    let said = site.real().ctl(&["sdiag"]).await;
    let (_, by_user) = said.split_once("statistics by user").unwrap();
    let calls: u64 = by_user
        .lines()
        .filter(|line| {
            let name = line.split_whitespace().next().unwrap_or_default();
            name == "slipway" || people.iter().any(|person| person.name == name)
        })
        .filter_map(|line| {
            line.split("count:")
                .nth(1)?
                .split_whitespace()
                .next()?
                .parse::<u64>()
                .ok()
        })
        .sum();
    for watch in watching {
        watch.abort();
    }
    site.shut_down().await;
    vec![crowd.to_string(), calls.to_string()]
}

async fn start_all(people: &[Person]) {
    futures_util::stream::iter(people)
        .for_each_concurrent(16, async |person: &Person| {
            let reply = person.start(&json!({})).await;
            assert_eq!(reply.status, 202, "{}", reply.text);
        })
        .await;
}

async fn row(crowd: usize) -> Vec<String> {
    let plan = Plan {
        cluster: |cluster| {
            let waits = (0..2000).map(|n| UserConfig {
                name: format!("p{n}"),
                uid: 10_000 + n,
                accounts: vec![AccountConfig {
                    name: format!("def-p{n}"),
                    default: true,
                    ..AccountConfig::default()
                }],
                behaviour: Behaviour::Waits {
                    reason: "Priority".into(),
                },
                ..UserConfig::default()
            });
            cluster.users.extend(waits);
        },
        start_timeout_seconds: 3600,
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    let people = site.signed_in((0..crowd).map(|n| format!("p{n}")));
    let before = site.cluster().requests();
    let minute = tokio::time::Instant::now() + WINDOW;
    start_all(&people).await;
    let started = site.cluster().requests() - before;
    let watching: Vec<_> = people.iter().map(watch).collect();
    tokio::time::sleep_until(minute).await;
    let first = site.cluster().requests() - before;
    tokio::time::sleep_until(minute + WINDOW).await;
    let second = site.cluster().requests() - before - first;
    for watch in watching {
        watch.abort();
    }
    site.shut_down().await;
    let allowed = if crowd == 0 { 20 } else { (40 + 2 * crowd).min(300) };
    vec![
        crowd.to_string(),
        format!("{first} ({started} until all were accepted)"),
        second.to_string(),
        format!("{allowed} + {} for starts", 6 * crowd),
    ]
}

/// A browser that follows its start.
fn watch(person: &Person) -> tokio::task::JoinHandle<()> {
    let request = person.request(http::Method::GET, &format!("{}/progress", person.server_path()));
    tokio::spawn(async move {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes_stream().for_each(async |_| ()).await;
    })
}
