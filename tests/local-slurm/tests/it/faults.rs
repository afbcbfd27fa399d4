//! What tests of others need broken, broken; and the Unix socket.

use std::time::Duration;

use local_slurm::{Fault, JobState};
use reqwest::{Client, Method};
use serde_json::json;

use crate::common::{Bench, KEY, reply, token, until_async};

const PING: &str = "/slurm/v0.0.42/ping";

#[tokio::test]
async fn a_silent_cluster_takes_requests_and_never_answers_them() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    bench.cluster.stop_answering();
    let error = alice
        .ask(Method::GET, PING)
        .timeout(Duration::from_millis(200))
        .send()
        .await
        .unwrap_err();
    assert!(error.is_timeout());
    let submit = alice
        .ask(Method::POST, "/slurm/v0.0.42/job/submit")
        .json(&json!({"job": bench.job("true")}));
    let error = submit.timeout(Duration::from_millis(200)).send().await.unwrap_err();
    assert!(error.is_timeout());
    bench.cluster.resume();
    assert_eq!(alice.get(PING).await.status, 200);
    assert_eq!(bench.cluster.job(1), None, "nor are they carried out later");
}

#[tokio::test]
async fn a_refusing_cluster_comes_back_at_the_same_address_with_its_jobs() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    let id = alice.submit(&bench.job("sleep 1000")).await;
    bench.cluster.set_fault(Fault::Refused);
    until_async("a refused connection", || async {
        alice
            .ask(Method::GET, PING)
            .send()
            .await
            .err()
            .filter(reqwest::Error::is_connect)
    })
    .await;
    bench.cluster.resume();
    until_async("an answer", || async { alice.ask(Method::GET, PING).send().await.ok() }).await;
    assert_eq!(alice.job(id).await["job_state"], json!(["RUNNING"]));
}

#[tokio::test]
async fn a_lost_answer_leaves_a_job() {
    let bench = Bench::start().await;
    let alice = bench.role("alice");
    bench.cluster.set_fault(Fault::AnswersLost);
    let submit = alice
        .ask(Method::POST, "/slurm/v0.0.42/job/submit")
        .json(&json!({"job": bench.job("sleep 1000")}));
    assert!(submit.send().await.is_err());
    bench.wait(1, JobState::Running).await;
    bench.cluster.resume();
    assert_eq!(alice.job(1).await["name"], "test");
}

#[tokio::test]
async fn the_unix_socket_answers_as_tcp_does() {
    let bench = Bench::start_with(|config, folder| config.socket = Some(folder.join("sock"))).await;
    let client = Client::builder()
        .unix_socket(bench.path("sock"))
        .no_proxy()
        .build()
        .unwrap();
    let ping = client
        .get(format!("http://localhost{PING}"))
        .bearer_auth(token("alice"));
    assert_eq!(reply(ping).await.body["pings"][0]["pinged"], "UP");
}

#[tokio::test]
async fn the_control_paths_need_the_control_token() {
    let bench = Bench::start_with(|config, _| config.control_token = Some("control".into())).await;
    let ask = |path: &str, body: &serde_json::Value| bench.request(Method::POST, path).json(body);
    let body = json!({"fault": "controller_down"});
    assert_eq!(reply(ask("/local/fault", &body)).await.status, 401);
    assert_eq!(
        reply(ask("/local/fault", &body).bearer_auth(String::from_utf8_lossy(KEY)))
            .await
            .status,
        401
    );
    assert_eq!(
        reply(ask("/local/fault", &body).bearer_auth("control")).await.status,
        204
    );
    assert_eq!(bench.role("alice").get(PING).await.body["pings"][0]["pinged"], "DOWN");
    for fault in ["silent", "none"] {
        assert_eq!(
            reply(ask("/local/fault", &json!({"fault": fault})).bearer_auth("control"))
                .await
                .status,
            204
        );
    }
    let drain = json!({"name": "c2", "state": "DRAIN"});
    assert_eq!(
        reply(ask("/local/node", &drain).bearer_auth("control")).await.status,
        204
    );
    let node = bench.role("alice").get("/slurm/v0.0.42/node/c2").await.body;
    assert_eq!(node["nodes"][0]["state"], json!(["IDLE", "DRAIN"]));
    let id = bench.role("alice").submit(&bench.job("sleep 1000")).await;
    let finish = json!({"job_id": id, "state": "PREEMPTED"});
    assert_eq!(
        reply(ask("/local/finish", &finish).bearer_auth("control")).await.status,
        204
    );
    bench.wait(id, JobState::Preempted).await;

    let without = Bench::start().await;
    assert_eq!(
        reply(without.request(Method::POST, "/local/fault").json(&body))
            .await
            .status,
        404
    );
}
