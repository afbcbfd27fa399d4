//! How much of one kind the log says.

use std::time::Instant;

use serde_json::{Value, json};
use shared::names::UserName;
use shared::server::Phase;
use slipway_tests::{Plan, Site, until};

#[tokio::test]
async fn a_job_owner_who_keeps_telling_other_ports_gets_a_few_lines_a_minute_and_one_that_counts_the_rest() {
    const CHANGES: u16 = 30;
    let mut site = Site::start(Plan {
        setup: "sleep 300".into(), // Jupyter never tells a port of its own.
        log: "info",
        ..Plan::default()
    })
    .await;
    let begun = Instant::now();
    let ada = site.sign_in("ada").await;
    assert_eq!(ada.start(&json!({})).await.status, 202);
    ada.wait_for(Phase::Starting).await;
    let mut comment: Value = serde_json::from_str(&site.cluster().job(1).unwrap().comment).unwrap();
    let (slurm, user) = (site.slurm_client(), UserName::new("ada").unwrap());
    for port in 1..=CHANGES {
        comment["port"] = port.into();
        comment["start"] = 0.into();
        slurm.person(&user).set_comment(1, &comment.to_string()).await.unwrap();
        let asked = site.cluster().requests();
        // States, the job, its node.
        until("the poller", || async {
            (site.cluster().requests() >= asked + 3).then_some(())
        })
        .await;
    }
    let warned = |log: &str| {
        log.lines()
            .filter(|line| line.contains("WARN backend::spawner"))
            .count()
    };
    let minutes = usize::try_from(begun.elapsed().as_secs() / 60).unwrap() + 1;
    assert!(
        (1..=10 * (minutes + 1)).contains(&warned(&site.log())),
        "{}",
        site.log()
    );
    site.end_slipway().await;
    until("the line that counts the rest", || async {
        let log = site.log();
        let report = log.lines().find(|line| line.contains("more in the last minute"))?;
        assert!(
            report.contains("WARN backend::log") && report.contains("of=\"backend::spawner::way:"),
            "{report}"
        );
        Some(())
    })
    .await;
    site.shut_down().await;
}
