//! From the start of the process to its first answer, beside JupyterHub with its proxy.

use std::time::{Duration, Instant};

use slipway_tests::{Plan, Site};

use crate::jupyterhub::JupyterHub;
use crate::table::{Median, markdown};

const ROUNDS: usize = 7;

/// How exactly it is seen that somebody answers.
const LOOK_EVERY: Duration = Duration::from_millis(1);

pub(crate) async fn measure() -> String {
    let mut site = Site::start(Plan::default()).await;
    let (mut slipway, mut jupyterhub) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        site.end_slipway().await;
        let person = site.anonymous();
        let began = Instant::now();
        let answered = async {
            while !person
                .http
                .get(person.url("hub/login"))
                .send()
                .await
                .is_ok_and(|answer| answer.status() == 200)
            {
                tokio::time::sleep(LOOK_EVERY).await;
            }
            began.elapsed().as_secs_f64()
        };
        let ((), seconds) = tokio::join!(site.start_slipway(), answered);
        slipway.push(seconds);

        let began = Instant::now();
        let hub = JupyterHub::start().await;
        jupyterhub.push(began.elapsed().as_secs_f64());
        hub.shut_down().await;
    }
    site.shut_down().await;
    let rows = [
        ("Slipway", slipway, "0.1"),
        ("JupyterHub with its proxy", jupyterhub, ""),
    ];
    let rows: Vec<_> = rows
        .into_iter()
        .map(|(name, seconds, most)| vec![name.to_owned(), Median::of(seconds).to_string(), most.to_owned()])
        .collect();
    markdown(
        "From the start of the process to its first answer, s",
        &["", "median (least–greatest)", "at most"],
        &rows,
    )
}
