//! Whether other people notice when Slurm hangs: what they do, beside somebody whose requests wait for Slurm.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use local_slurm::Fault;
use serde_json::json;
use slipway_tests::{Person, Plan, Site};

use crate::table::{Median, markdown, percentile};

const ROUNDS: usize = 5;
/// Each round, at each of its paths.
const REQUESTS: u32 = 400;
const EVERY: Duration = Duration::from_millis(5);
const PATHS: [(&str, &str); 4] = [
    ("a file on a running server", "user/ada/bytes/1024"),
    ("home", "hub/home"),
    ("who I am and my server", "hub/api/user"),
    ("options", "hub/api/options"),
];

pub(crate) async fn measure() -> String {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.get("hub/api/options").await.status, 200);
    let mut found: [[Vec<f64>; 4]; 4] = Default::default();
    let mut noticed = Vec::new();
    for _ in 0..ROUNDS {
        for (n, (_, path)) in PATHS.iter().enumerate() {
            let well = requests(&ada, path).await;
            // Somebody new wants a server: that takes Slurm, which says nothing.
            site.cluster().set_fault(Fault::Silent);
            let others = site.signed_in((0..4).map(|n| format!("new{n}")));
            let waits = others
                .into_iter()
                .map(|person| tokio::spawn(async move { person.start(&json!({})).await.status }));
            let waits: Vec<_> = waits.collect();
            let hanging = requests(&ada, path).await;
            site.cluster().resume();
            let resumed = Instant::now();
            for wait in waits {
                assert!([202, 403, 503].contains(&wait.await.unwrap()));
            }
            slipway_tests::until("Slurm to be noticed again", || async {
                let state: serde_json::Value = ada.get("hub/api/site").await.json();
                state["slurm_silent_since"].is_null().then_some(())
            })
            .await;
            noticed.push(resumed.elapsed().as_secs_f64());
            let most = |numbers: &[f64]| numbers.iter().copied().fold(0.0, f64::max);
            let numbers = [
                percentile(well.clone(), 99),
                percentile(hanging.clone(), 99),
                most(&well),
                most(&hanging),
            ];
            for (all, number) in found[n].iter_mut().zip(numbers) {
                all.push(number);
            }
        }
    }
    let rows: Vec<_> = PATHS
        .iter()
        .zip(found)
        .map(|((name, _), numbers)| {
            let ratios = numbers[0]
                .iter()
                .zip(&numbers[1])
                .map(|(well, hanging)| hanging / well)
                .collect();
            let [well, hanging, stall, stall_hanging] = numbers.map(|numbers| Median::of(numbers).to_string());
            vec![
                (*name).to_owned(),
                well,
                hanging,
                Median::of(ratios).to_string(),
                stall,
                stall_hanging,
            ]
        })
        .collect();
    site.shut_down().await;
    let header = [
        "",
        "99th percentile, ms",
        "… while Slurm hangs",
        "ratio",
        "longest, ms",
        "… while Slurm hangs",
    ];
    let mut text = markdown("Other people while Slurm hangs", &header, &rows);
    let noticed = Median::of(noticed);
    writeln!(text, "\nSlurm answers again → the notice is gone: {noticed} s").unwrap();
    text
}

/// Milliseconds of each of many requests, sent at a steady pace whether or not the last was answered.
async fn requests(person: &Person, path: &'static str) -> Vec<f64> {
    let mut every = tokio::time::interval(EVERY);
    let mut all = Vec::new();
    for _ in 0..REQUESTS {
        every.tick().await;
        let request = person.request(http::Method::GET, path);
        all.push(tokio::spawn(async move {
            let started = Instant::now();
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.status());
            answer.bytes().await.unwrap();
            started.elapsed().as_secs_f64() * 1000.0
        }));
    }
    futures_util::future::join_all(all)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}
