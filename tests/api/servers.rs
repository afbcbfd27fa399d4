//! A server's life through the API.

use local_slurm::JobState;
use serde_json::{Value, json};
use shared::api::UserView;
use shared::server::{EndCause, Phase, ProgressEvent};
use slipway_tests::{Plan, Site, until};

#[tokio::test]
async fn a_start_goes_through_its_phases_and_ends_at_the_interface() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    assert_eq!(ada.start(&json!({ "interface": "notebook" })).await.status, 202);
    let events = ada.progress().await;
    let last = events.last().unwrap();
    assert_eq!(
        (last.progress, last.ready, last.url.as_deref()),
        (100, Some(true), Some("/user/ada/tree"))
    );
    assert!(
        events.iter().any(|event| event.state.phase == Phase::Starting),
        "{events:?}"
    );
    let progress: Vec<_> = events.iter().map(|event| event.progress).collect();
    assert!(progress.is_sorted(), "{progress:?}");
    let same = |a: &ProgressEvent, b: &ProgressEvent| {
        (&a.message, a.state.phase, &a.state.reason) == (&b.message, b.state.phase, &b.state.reason)
    };
    assert!(
        events.windows(2).all(|pair| !same(&pair[0], &pair[1])),
        "something was told twice: {events:?}"
    );
    assert_eq!(ada.get("user/ada/tree").await.status, 200);

    let user: Value = ada.get("hub/api/users/ada").await.json();
    let server = &user["servers"][""];
    assert_eq!(
        (user["server"].as_str(), server["ready"].as_bool()),
        (Some("/user/ada/"), Some(true))
    );
    assert_eq!(
        (server["pending"].is_null(), server["url"].as_str()),
        (true, Some("/user/ada/"))
    );
    assert_eq!(server["progress_url"], "/hub/api/users/ada/server/progress");
    assert_eq!(server["state"]["node"], "c1");
    assert!(server["started"].as_str().unwrap().ends_with('Z'));
    assert!(server["state"]["ends_at"].as_i64() > server["state"]["started_at"].as_i64());
    site.shut_down().await;
}

#[tokio::test]
async fn stopping_ends_the_job_and_stopping_again_is_no_error() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.delete(&ada.server_path()).await.status, 202);
    let ended = ada.wait_for(Phase::Ended).await;
    assert_eq!(ended.state.end.unwrap().cause, EndCause::Cancelled);
    assert_eq!(ada.delete(&ada.server_path()).await.status, 204);
    assert_eq!(ada.get("user/ada/lab").await.code(), "not_running");
    let user: Value = ada.get("hub/api/user").await.json();
    assert_eq!(user["servers"], json!({}));
    // And it can be started again.
    ada.start_and_wait(&json!({})).await;
    site.shut_down().await;
}

#[tokio::test]
async fn many_clicks_at_once_make_one_job() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let click = || async { ada.start(&json!({})).await.status };
    let (a, b, c, d) = tokio::join!(click(), click(), click(), click());
    assert_eq!([a, b, c, d], [202; 4]);
    let server = ada.wait_for(Phase::Ready).await;
    assert_eq!(server.state.job_id, Some(1));
    assert!(site.cluster().job(2).is_none(), "a second job was made");
    let again = ada.start(&json!({})).await;
    assert_eq!((again.status, again.code().as_str()), (400, "conflict"));
    site.shut_down().await;
}

#[tokio::test]
async fn a_waiting_start_shows_slurms_reason_and_can_be_cancelled() {
    let site = Site::start(Plan::default()).await;
    let person = site.sign_in("waits").await;
    assert_eq!(person.start(&json!({})).await.status, 202);
    let server = until("a reason", || async {
        person.server().await.filter(|server| server.state.reason.is_some())
    })
    .await;
    assert_eq!(
        (server.state.phase, server.state.reason.as_deref()),
        (Phase::Queued, Some("Resources"))
    );
    assert_eq!((server.pending.as_deref(), server.ready), (Some("spawn"), false));
    let left = server.state.give_up_at.unwrap() - server.state.now;
    assert!((290..=300).contains(&left), "{left}");
    assert_eq!(person.delete(&person.server_path()).await.status, 202);
    let end = person.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::Cancelled, false));
    site.shut_down().await;
}

#[tokio::test]
async fn a_start_that_waits_too_long_is_given_up_and_says_what_held_it() {
    let site = Site::start(Plan {
        start_timeout_seconds: 5,
        ..Plan::default()
    })
    .await;
    let person = site.sign_in("waits").await;
    person.start(&json!({})).await;
    let events = person.progress().await;
    let last = events.last().unwrap();
    assert_eq!(last.failed, Some(true));
    let end = last.state.end.clone().unwrap();
    assert_eq!(
        end.cause,
        EndCause::GaveUp {
            reason: Some("Resources".into())
        }
    );
    assert!(last.message.contains("Resources"), "{}", last.message);
    // The same is told to whoever asks later.
    assert_eq!(person.progress().await.last().unwrap().state.end.clone().unwrap(), end);
    site.shut_down().await;
}

#[tokio::test]
async fn a_refusal_reaches_the_person_in_slurms_own_words() {
    let site = Site::start(Plan::default()).await;
    let person = site.sign_in("refused").await;
    let reply = person.start(&json!({})).await;
    assert_eq!((reply.status, reply.code().as_str()), (422, "refused"));
    let error = reply.error();
    assert!(
        error.details["slurm"].contains("Job violates accounting/QOS policy"),
        "{error:?}"
    );
    assert_eq!(error.details["slurm_code"], "2050");
    let end = person.server().await.unwrap().state.end.unwrap();
    assert!(matches!(end.cause, EndCause::Refused { code: 2050, .. }), "{end:?}");
    site.shut_down().await;
}

#[tokio::test]
async fn what_fails_in_the_job_is_told_by_its_cause() {
    for (setup, jupyter, cause) in [
        ("", "no-such-jupyter", EndCause::JupyterMissing),
        (
            "module() { return 1; }; module load jupyter",
            "true",
            EndCause::SetupFailed,
        ),
        ("", "false", EndCause::JupyterFailed { exit_code: 1 }),
        ("", "true", EndCause::Finished),
        (
            "scontrol() { return 1; }; PATH=/nowhere; scontrol=/nowhere; SLURM_JOB_ID=0",
            "/bin/true",
            EndCause::PortNotTold,
        ),
    ] {
        let site = Site::start(Plan {
            setup: setup.into(),
            jupyter: jupyter.into(),
            ..Plan::default()
        })
        .await;
        let ada = site.sign_in("ada").await;
        ada.start(&json!({})).await;
        let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
        assert_eq!((end.cause, end.was_ready), (cause, false), "{setup:?} {jupyter}");
        let log = end.log.unwrap();
        assert!(std::path::Path::new(&log).exists(), "{log}");
        site.shut_down().await;
    }
}

#[tokio::test]
async fn a_server_whose_time_is_over_says_so() {
    let site = Site::start(Plan {
        minute_seconds: 3.0,
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({ "time": 1 })).await;
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::TimeLimit, true));
    site.shut_down().await;
}

#[tokio::test]
async fn a_server_that_ends_itself_is_ended_here_too() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    // The process goes away in the middle of its answer.
    ada.post(&ada.own("exit/0"), &json!({})).await;
    let ended = until("its end", || async {
        let server = ada.server().await?;
        (server.state.phase == Phase::Ended).then_some(server)
    });
    assert_eq!(ended.await.state.end.unwrap().cause, EndCause::Finished);
    site.shut_down().await;
}

#[tokio::test]
async fn nobody_sees_starts_or_stops_a_server_of_somebody_else() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let other = site.sign_in("many-accounts").await;
    let anonymous = site.anonymous();
    for (method, path) in [
        (http::Method::GET, "hub/api/users/ada"),
        (http::Method::GET, "hub/api/users/ada/server/progress"),
        (http::Method::POST, "hub/api/users/ada/server"),
        (http::Method::DELETE, "hub/api/users/ada/server"),
    ] {
        let reply = slipway_tests::Person::send(other.request(method.clone(), path)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (403, "forbidden"),
            "{method} {path}"
        );
        let reply = slipway_tests::Person::send(anonymous.request(method.clone(), path)).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "not_signed_in"),
            "{method} {path}"
        );
    }
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    site.shut_down().await;
}

#[tokio::test]
async fn progress_without_a_start_is_refused() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let reply = ada.get("hub/api/users/ada/server/progress").await;
    assert_eq!((reply.status, reply.code().as_str()), (400, "conflict"));
    site.shut_down().await;
}

#[tokio::test]
async fn a_hundred_people_who_start_at_once_all_get_their_server() {
    let site = Site::start(Plan {
        cluster: |cluster| {
            for node in &mut cluster.nodes {
                (node.cores, node.memory) = (64, 1_000_000);
            }
            let people = (0..100).map(|n| local_slurm::UserConfig {
                name: format!("p{n}"),
                uid: 10_000 + n,
                accounts: vec![local_slurm::AccountConfig {
                    name: format!("def-p{n}"),
                    default: true,
                    ..local_slurm::AccountConfig::default()
                }],
                ..local_slurm::UserConfig::default()
            });
            cluster.users.extend(people);
        },
        ..Plan::default()
    })
    .await;
    let people = site.signed_in((0..100).map(|n| format!("p{n}")));
    for person in &people {
        std::fs::create_dir_all(site.home(&person.name)).unwrap();
    }
    let starts = people.iter().map(async |person| person.start(&json!({})).await);
    for reply in futures_util::future::join_all(starts).await {
        assert_eq!(reply.status, 202, "{}", reply.text);
    }
    let servers = people
        .iter()
        .map(async |person| person.wait_for(Phase::Ready).await.state.job_id);
    let jobs: std::collections::BTreeSet<_> = futures_util::future::join_all(servers).await.into_iter().collect();
    assert_eq!(jobs.len(), 100);
    assert!(site.cluster().job(101).is_none(), "somebody has two jobs");
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_waits_for_a_running_server_is_told_of_its_end_at_once() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    // Longer than anybody would wait for this test.
    let path = format!("hub/api/users/{}?include_stopped_servers&wait_seconds=1000", ada.name);
    let waits = tokio::spawn(ada.request(http::Method::GET, &path).send());
    for _ in 0..5 {
        assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    }
    assert!(!waits.is_finished());
    assert!(site.cluster().finish(1, JobState::Timeout));
    let told = waits.await.unwrap().unwrap();
    assert_eq!(
        told.json::<UserView>().await.unwrap().servers[""].state.phase,
        Phase::Ended
    );
    // Of one that does not run, there is nothing to wait for.
    assert_eq!(
        ada.get(&path).await.json::<UserView>().servers[""].state.phase,
        Phase::Ended
    );
    site.shut_down().await;
}
