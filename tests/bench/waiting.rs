//! What people who wait cost Slurm: requests to slurmrestd in a minute, with each of them watching their page.

use std::time::Duration;

use futures_util::StreamExt;
use local_slurm::{AccountConfig, Behaviour, UserConfig};
use serde_json::json;
use slipway_tests::{Person, Plan, Site};

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
    markdown("What waiting costs Slurm (local cluster)", &header, &rows)
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
    futures_util::stream::iter(&people)
        .for_each_concurrent(16, async |person: &Person| {
            let reply = person.start(&json!({})).await;
            assert_eq!(reply.status, 202, "{}", reply.text);
        })
        .await;
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
