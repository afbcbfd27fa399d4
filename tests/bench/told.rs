//! From Slurm knowing to the page being told, on real Slurm, with somebody who looks.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;
use shared::api::UserView;
use shared::server::{Phase, ProgressEvent, StateView};
use slipway_tests::{Person, Plan, RealSlurm, Site};
use tokio::sync::watch;

use crate::table::{Median, markdown};

const ROUNDS: u32 = 5;

pub(crate) async fn measure() -> String {
    let rows = [
        ("the first reason for the wait", "30"),
        ("another reason for the wait", "30"),
        ("the job runs", "3"),
        ("a running server has ended, to the page that waits for it", "3"),
    ];
    let mut slurm = RealSlurm::start("24.11").await;
    slurm.use_stub();
    let plan = Plan {
        start_timeout_seconds: 3600,
        ..Plan::default()
    };
    let site = Site::start_on(slurm, plan).await;
    let alice = site.sign_in("alice").await;
    let mut found: [Vec<f64>; 4] = Default::default();
    for number in 0..ROUNDS {
        for (found, seconds) in found.iter_mut().zip(round(&site, &alice, number).await) {
            found.push(seconds);
        }
    }
    site.shut_down().await;
    let rows: Vec<_> = rows
        .into_iter()
        .zip(found)
        .map(|((what, most), found)| vec![what.to_owned(), Median::of(found).to_string(), most.to_owned()])
        .collect();
    markdown(
        "Told so long after Slurm knows, s",
        &["", "median (spread)", "at most"],
        &rows,
    )
}

async fn round(site: &Site, alice: &Person, number: u32) -> [f64; 4] {
    nodes(site, "DRAIN").await;
    assert_eq!(alice.start(&json!({})).await.status, 202);
    let mut told = follow(alice);
    let id = alice.server().await.unwrap().state.job_id.unwrap().to_string();
    let first = after(known(site, &id, "%r", "None").await, &mut told, |state| {
        state.reason.is_some()
    })
    .await;
    site.real().ctl(&["scontrol", "hold", &id]).await;
    let is_held = |state: &StateView| {
        state
            .reason
            .as_deref()
            .is_some_and(|reason| reason.starts_with("JobHeld"))
    };
    let second = after(Instant::now(), &mut told, is_held).await;
    site.real().ctl(&["scontrol", "release", &id]).await;
    nodes(site, "RESUME").await;
    let runs = after(known(site, &id, "%T", "PENDING").await, &mut told, |state| {
        !matches!(state.phase, Phase::Submitting | Phase::Queued)
    })
    .await;
    alice.wait_for(Phase::Ready).await;
    // As the page does.
    let path = format!("hub/api/users/{}?include_stopped_servers&wait_seconds=14", alice.name);
    let (told, over) = tokio::join!(alice.get(&path), async {
        // At another moment between two questions to Slurm each time.
        tokio::time::sleep(Duration::from_secs(4) + Duration::from_millis(450) * number).await;
        site.real().ctl(&["scancel", &id]).await;
        Instant::now()
    });
    let told_at = Instant::now();
    assert_eq!(told.json::<UserView>().servers[""].state.phase, Phase::Ended);
    [first, second, runs, (told_at - over).as_secs_f64()]
}

async fn nodes(site: &Site, state: &str) {
    let state = format!("State={state}");
    site.real()
        .ctl(&["scontrol", "update", "NodeName=c1,c2", &state, "Reason=bench"])
        .await;
}

/// The moment at which Slurm says something else than this of a job.
async fn known(site: &Site, id: &str, what: &str, not: &str) -> Instant {
    let script = format!("while [ \"$(squeue -h -j {id} -o {what})\" = {not} ]; do sleep 0.05; done");
    site.real().ctl(&["bash", "-c", &script]).await;
    Instant::now()
}

/// What the page is told of a start.
fn follow(person: &Person) -> watch::Receiver<Option<(Instant, StateView)>> {
    let request = person.request(http::Method::GET, &format!("{}/progress", person.server_path()));
    let (tell, told) = watch::channel(None);
    tokio::spawn(async move {
        let mut pieces = request.send().await.unwrap().bytes_stream();
        let mut text = String::new();
        while let Some(Ok(piece)) = pieces.next().await {
            text += &String::from_utf8_lossy(&piece);
            while let Some((line, rest)) = text.split_once('\n') {
                if let Some(json) = line.strip_prefix("data: ") {
                    let event: ProgressEvent = serde_json::from_str(json).unwrap();
                    tell.send_replace(Some((Instant::now(), event.state)));
                }
                text = rest.to_owned();
            }
        }
    });
    told
}

/// How long after this moment the page was told so; nothing if it knew before.
async fn after(
    moment: Instant,
    told: &mut watch::Receiver<Option<(Instant, StateView)>>,
    is: impl Fn(&StateView) -> bool,
) -> f64 {
    let is_so = told.wait_for(|told| told.as_ref().is_some_and(|(_, state)| is(state)));
    let found = tokio::time::timeout(Duration::from_mins(1), is_so)
        .await
        .unwrap()
        .unwrap();
    let (at, _) = found.as_ref().unwrap();
    at.saturating_duration_since(moment).as_secs_f64()
}
