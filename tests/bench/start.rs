//! From Start to Lab, split into its parts, beside the same Jupyter started by a bare batch job.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use backend::slurm::JobDescription;
use futures_util::StreamExt;
use serde_json::json;
use shared::names::{AccountName, UserName};
use shared::server::{Phase, ProgressEvent};
use slipway_tests::site::free_port;
use slipway_tests::{Person, Plan, Site};

use crate::table::{Median, markdown, percentile};

const ROUNDS: usize = 11;

/// How exactly it is seen when Jupyter listens.
const LOOK_EVERY: Duration = Duration::from_millis(2);

/// What a site would write itself: Jupyter and nothing around it.
const BARE: &str = "#!/bin/bash\nexec \"$JUPYTER\" lab --no-browser --ip=127.0.0.1 --port=\"$PORT\" --IdentityProvider.token= \
                    --ServerApp.password= --ServerApp.base_url=/user/ada/ --ServerApp.root_dir=\"$HOME\" \
                    --allow-root\n";

pub(crate) async fn measure() -> String {
    let site = Site::start(Plan::default().with_real_jupyter()).await;
    let ada = site.sign_in("ada").await;
    let mut parts: [Vec<f64>; 6] = Default::default();
    let (mut submissions, mut bare) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Every other job is a bare one.
        let job = u32::try_from(2 * round + 1).unwrap();
        for (part, seconds) in parts.iter_mut().zip(slipway(&site, &ada, job).await) {
            part.push(seconds);
        }
        let (submitted, answered) = bare_job(&site).await;
        submissions.push(submitted);
        bare.push(answered);
    }
    let late = percentile(parts[5].clone(), 95);
    let names = [
        "Start → answer",
        "Start → job runs",
        "Start → Jupyter answers, and the page is told",
        "Start → Lab's document",
        "Stop → over",
        "Jupyter listens → the page is told",
    ];
    let mut rows: Vec<_> = names
        .iter()
        .zip(parts)
        .map(|(name, part)| vec![(*name).to_owned(), Median::of(part).to_string()])
        .collect();
    rows.push(vec!["the same, 95th percentile".into(), format!("{late:.3}")]);
    rows.push(vec![
        "a bare job: submit → answer".into(),
        Median::of(submissions).to_string(),
    ]);
    rows.push(vec![
        "a bare job: submit → Jupyter answers".into(),
        Median::of(bare).to_string(),
    ]);
    site.shut_down().await;
    markdown(
        "From Start to Lab (seconds, local cluster)",
        &["", "median (least–greatest)"],
        &rows,
    )
}

async fn slipway(site: &Site, ada: &Person, job: u32) -> [f64; 6] {
    let started = Instant::now();
    let listens = async {
        let told = |text: &str| serde_json::from_str::<serde_json::Value>(text).ok()?["port"].as_u64();
        let port = loop {
            if let Some(port) = site.cluster().job(job).and_then(|job| told(&job.comment)) {
                break u16::try_from(port).unwrap();
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
        started.elapsed()
    };
    let (listening, parts) = tokio::join!(listens, browser(ada, started));
    let [_, _, ready, ..] = parts;
    let mut all = [Duration::ZERO; 6];
    all[..5].copy_from_slice(&parts);
    all[5] = ready.saturating_sub(listening);
    all.map(|part| part.as_secs_f64())
}

/// What a browser sees of it.
async fn browser(ada: &Person, started: Instant) -> [Duration; 5] {
    assert_eq!(ada.start(&json!({})).await.status, 202);
    let answered = started.elapsed();
    let (mut running, mut ready) = (None, Duration::ZERO);
    let events = ada
        .request(http::Method::GET, &format!("{}/progress", ada.server_path()))
        .send()
        .await
        .unwrap();
    let mut events = events.bytes_stream();
    while let Some(Ok(bytes)) = events.next().await {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for json in text.lines().filter_map(|line| line.strip_prefix("data: ")) {
            let event: ProgressEvent = serde_json::from_str(json).unwrap();
            if event.state.phase == Phase::Starting {
                running.get_or_insert(started.elapsed());
            }
            if event.ready == Some(true) {
                ready = started.elapsed();
            }
        }
    }
    assert_eq!(ada.get("user/ada/lab").await.status, 200);
    let opened = started.elapsed();
    let stopping = Instant::now();
    ada.delete(&ada.server_path()).await;
    ada.wait_for(Phase::Ended).await;
    let stopped = stopping.elapsed();
    [answered, running.unwrap_or(ready), ready, opened, stopped]
}

/// Until the answer to the submission, and until Jupyter answers.
async fn bare_job(site: &Site) -> (f64, f64) {
    let (client, ada, port, home) = (
        site.slurm_client(),
        UserName::new("ada").unwrap(),
        free_port(),
        site.home("ada"),
    );
    let jupyter = std::env::var("SLIPWAY_JUPYTER").unwrap();
    let environment = [
        ("PATH", "/usr/bin:/bin"),
        ("HOME", &home),
        ("USER", "ada"),
        ("PORT", &port.to_string()),
        ("JUPYTER", &jupyter),
    ];
    let job = JobDescription {
        name: "bare".into(),
        account: AccountName::new("def-ada").unwrap(),
        partition: Some("cpubase_interac".into()),
        qos: None,
        wckey: None,
        reservation: None,
        constraints: None,
        time: 60,
        cores: 1,
        memory: 2048,
        tres_per_node: None,
        comment: String::new(),
        directory: home.clone(),
        environment: environment
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        output: format!("{home}/bare-%j.log"),
        script: BARE,
    };
    let started = Instant::now();
    let id = client.person(&ada).submit(&job).await.unwrap();
    let submitted = started.elapsed().as_secs_f64();
    let url = format!("http://127.0.0.1:{port}/user/ada/api/status");
    let person = Person::new("");
    slipway_tests::until("the bare job", || async {
        person
            .http
            .get(&url)
            .send()
            .await
            .ok()
            .filter(|r| r.status().is_success())
    })
    .await;
    let seconds = started.elapsed().as_secs_f64();
    client.person(&ada).cancel(id).await.unwrap();
    (submitted, seconds)
}
