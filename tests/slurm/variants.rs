//! What Slipway's client sees of the settings that sites have and the tests' cluster has not.

use std::path::Path;

use backend::config::Slurm;
use backend::slurm::{JobDescription, JobState, SlurmError};
use shared::names::{AccountName, UserName};
use slipway_tests::{RealSlurm, Variant, tls, until};

use super::client::{SLEEP, job_in};
use super::connection::{client, config};

on_each_release!(
    with_private_data_the_operator_sees_every_job_and_people_only_their_own,
    what_the_site_refuses_or_changes_at_submission_is_seen,
    behind_tls_with_a_public_key_only_nothing_else_gets_in,
    a_new_key_takes_over_from_the_old_one_without_a_gap,
    a_drained_node_is_not_usable_and_a_qos_keeps_a_second_job_waiting,
);

fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn job_of(name: &str, account: &str) -> JobDescription {
    JobDescription {
        account: AccountName::new(account).unwrap(),
        ..job_in(format!("/home/{name}"), "variant", SLEEP)
    }
}

fn is_refused<T>(result: Result<T, SlurmError>, number: i64, words: &str) -> bool {
    matches!(result, Err(SlurmError::Refused { code, message }) if code == number && message.contains(words))
}

async fn with_private_data_the_operator_sees_every_job_and_people_only_their_own(release: &str) {
    let slurm = RealSlurm::start_with(release, &[Variant::PrivateData]).await;
    let client = client(&config(&[&slurm.url], &slurm.jwt_key), &[]);
    let (alice, bob) = (user("alice"), user("bob"));
    let id = client
        .person(&alice)
        .submit(&job_of("alice", "def-alice_cpu"))
        .await
        .unwrap();
    assert_eq!(client.service().job(id).await.unwrap().user, "alice");
    assert!(client.service().states(&[id]).await.unwrap().contains_key(&id));
    assert_eq!(client.person(&alice).job(id).await.unwrap().id, id);
    assert_eq!(client.person(&bob).job(id).await, Err(SlurmError::NotFound));
    until("the accounting database", || async {
        client.service().past_job(id).await.ok()
    })
    .await;
    assert_eq!(client.person(&alice).associations().await.unwrap().len(), 3);
    client.person(&alice).cancel(id).await.unwrap();
    slurm.shut_down().await;
}

async fn what_the_site_refuses_or_changes_at_submission_is_seen(release: &str) {
    let variants = [Variant::EnforcePartLimits, Variant::JobSubmitLua, Variant::Shards];
    let slurm = RealSlurm::start_with(release, &variants).await;
    let client = client(&config(&[&slurm.url], &slurm.jwt_key), &[]);
    let (alice, bob) = (user("alice"), user("bob"));
    let good = job_of("alice", "def-alice_cpu");

    let too_long = JobDescription {
        time: 481,
        ..good.clone()
    };
    let refused = client.person(&alice).submit(&too_long).await;
    assert!(is_refused(refused, 2051, "Requested time limit is invalid"));
    let too_wide = JobDescription {
        cores: 64,
        ..good.clone()
    };
    let refused = client.person(&alice).submit(&too_wide).await;
    assert!(is_refused(refused, 2005, "More processors requested than permitted"));

    // The script's own words are lost on the way: slurmrestd has none but these.
    let refused = client.person(&bob).submit(&job_of("bob", "rpp-x")).await;
    assert!(is_refused(refused, -1, "Unspecified error"));
    let two_hours = JobDescription {
        time: 120,
        ..job_of("bob", "rrg-prof_cpu")
    };
    let id = client.person(&bob).submit(&two_hours).await.unwrap();
    let job = until("its start", || async {
        let job = client.service().job(id).await.unwrap();
        (job.state == JobState::Running).then_some(job)
    })
    .await;
    assert_eq!(job.ends_at.unwrap() - job.started_at.unwrap(), 3600);

    let shared = JobDescription {
        partition: Some("gpubase_interac".into()),
        tres_per_node: Some("gres/shard:2".into()),
        ..good
    };
    client.person(&alice).submit(&shared).await.unwrap();
    let nodes = client.service().nodes().await.unwrap();
    let gpus = &nodes.iter().find(|node| node.name == "g1").unwrap().gpus;
    assert_eq!(
        (gpus.len(), gpus.get("h100"), gpus.get("shard:h100")),
        (4, Some(&4), Some(&16)),
        "shares have names of their own"
    );
    slurm.shut_down().await;
}

async fn behind_tls_with_a_public_key_only_nothing_else_gets_in(release: &str) {
    let slurm = RealSlurm::start_with(release, &[Variant::PublicKeyOnly]).await;
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (url, ca) = tls::in_front_of(slurm.address(), folder.path()).await;
    let (_, other_ca) = tls::in_front_of(slurm.address(), other.path()).await;
    let ours = Slurm {
        ca_file: Some(ca),
        key_id: Some(slurm.rs256_kid.clone()),
        ..config(&[&url], &slurm.rs256_key)
    };
    let alice = user("alice");
    let inside = client(&ours, &[]);
    assert_eq!(inside.service().nodes().await.unwrap().len(), 5);
    assert_eq!(inside.person(&alice).associations().await.unwrap().len(), 3);

    for ca_file in [Some(other_ca), None] {
        let distrustful = client(
            &Slurm {
                ca_file,
                ..ours.clone()
            },
            &[],
        );
        let seen = distrustful.service().nodes().await;
        assert!(
            matches!(seen, Err(SlurmError::Unreachable { sent: false, .. })),
            "{seen:?}"
        );
    }
    // Slurm's own secret, which it has not been told to take.
    let secret = Slurm {
        key_file: Some(slurm.jwt_key.clone()),
        key_id: None,
        ..ours
    };
    let seen = client(&secret, &[]).service().nodes().await;
    assert!(matches!(seen, Err(SlurmError::TokenRefused(_))), "{seen:?}");
    slurm.shut_down().await;
}

/// As `slipway.example.toml` describes it.
async fn a_new_key_takes_over_from_the_old_one_without_a_gap(release: &str) {
    let slurm = RealSlurm::start_with(release, &[Variant::PublicKeyOnly]).await;
    let (folder, jwks) = (tempfile::tempdir().unwrap(), slurm.root.join("etc/slurm/jwks.json"));
    let ours = folder.path().join("jwks.json");
    std::fs::copy(&jwks, &ours).unwrap();
    let pair = backend::keys::create_slurm_key_pair(folder.path()).unwrap();
    let is_taken = async |key: &Path, key_id: &str| {
        let config = Slurm {
            key_id: Some(key_id.to_owned()),
            ..config(&[&slurm.url], key)
        };
        let client = client(&config, &[]);
        let (nodes, accounts) = (
            client.service().nodes().await,
            client.person(&user("alice")).associations().await,
        );
        assert!(matches!(nodes, Ok(_) | Err(SlurmError::TokenRefused(_))), "{nodes:?}");
        assert_eq!(nodes.is_ok(), accounts.is_ok(), "{accounts:?}");
        nodes.is_ok()
    };
    let old = async || is_taken(&slurm.rs256_key, &slurm.rs256_kid).await;
    let new = async || is_taken(&pair.private, &pair.key_id).await;
    let restart = async || {
        std::fs::copy(&ours, &jwks).unwrap();
        slurm.ctl(&["stop", "slurmctld", "slurmdbd"]).await;
        slurm.ctl(&["start", "slurmdbd", "slurmctld"]).await;
    };
    assert_eq!((old().await, new().await), (true, false));
    restart().await;
    assert_eq!(
        (old().await, new().await),
        (true, true),
        "while Slipway is restarted with the new one"
    );
    let mut text: serde_json::Value = serde_json::from_slice(&std::fs::read(&ours).unwrap()).unwrap();
    let keys = text["keys"].as_array_mut().unwrap();
    keys.retain(|key| key["kid"] != slurm.rs256_kid.as_str());
    assert_eq!(keys.len(), 1);
    std::fs::write(&ours, text.to_string()).unwrap();
    restart().await;
    assert_eq!((old().await, new().await), (false, true));
    slurm.shut_down().await;
}

async fn a_drained_node_is_not_usable_and_a_qos_keeps_a_second_job_waiting(release: &str) {
    let slurm = RealSlurm::start(release).await;
    let client = client(&config(&[&slurm.url], &slurm.jwt_key), &[]);
    let nodes = client.service().nodes().await.unwrap();
    let usable = |name| nodes.iter().find(|node| node.name == name).unwrap().usable;
    assert_eq!((usable("c1"), usable("c3")), (true, false));
    let carol = user("carol");
    let first = client.person(&carol).submit(&job_of("carol", "ctb-y")).await.unwrap();
    let another = JobDescription {
        name: "another".into(),
        ..job_of("carol", "ctb-y")
    };
    let second = client.person(&carol).submit(&another).await.unwrap();
    until("the reason", || async {
        let states = client.service().states(&[first]).await.unwrap();
        let job = client.service().job(second).await.unwrap();
        (states[&first] == JobState::Running && job.reason == "QOSMaxJobsPerUserLimit").then_some(())
    })
    .await;
    slurm.shut_down().await;
}
