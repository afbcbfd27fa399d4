//! The contract between Slipway's client and slurmrestd.

use std::collections::BTreeMap;

use backend::slurm::{Client, HELD_BY_USER, JobDescription, JobState, SlurmError};
use shared::names::{AccountName, UserName};
use slipway_tests::{Account, Plan, RealSlurm, Site, until};

/// Each contract as a test on a local cluster and as one on real Slurm.
macro_rules! contract {
    ($($name:ident),+ $(,)?) => {
        mod local {
            $(#[tokio::test] async fn $name() {
                let site = super::local_site().await;
                super::$name(&site).await;
                site.shut_down().await;
            })+
        }
        /// One cluster for all of them: each start takes seconds.
        async fn every_contract_is_kept(release: &str) {
            let slurm = RealSlurm::start(release).await;
            assert!(slurm.release.starts_with(release), "{}", slurm.release);
            let site = Site::start_on(slurm, Plan::default()).await;
            $(println!("{}", stringify!($name)); $name(&site).await;)+
            site.shut_down().await;
        }
        on_each_release!(every_contract_is_kept);
    };
}

contract!(
    the_newest_version_that_both_know_is_spoken,
    a_job_runs_with_what_was_asked_for_and_nothing_else,
    a_job_of_the_same_name_waits_for_the_first,
    states_are_answered_by_id_and_unknown_ones_are_missing,
    cancelling_is_sure_and_twice_is_no_error,
    only_a_pending_job_is_cancelled_as_pending,
    nobody_cancels_or_changes_a_job_of_somebody_else,
    a_held_job_begins_once_its_owner_releases_it,
    refusals_carry_slurms_words_and_number,
    nodes_and_partitions_tell_their_limits,
    associations_are_the_persons_own,
    live_jobs_are_found_by_person,
    ids_of_jobs_are_found_by_name_and_the_jobs_left_alone,
    the_clock_is_slurms,
);

async fn local_site() -> Site {
    let account = |name, accounts: &[&str]| Account {
        name,
        shows: "",
        compute_accounts: accounts.iter().map(ToString::to_string).collect(),
        behaviour: local_slurm::Behaviour::Normal,
        inactive: None,
    };
    let accounts = vec![
        account("alice", &["def-alice_cpu", "def-alice_gpu", "rrg-prof_gpu"]),
        account("bob", &["rrg-prof_cpu", "rrg-prof_gpu", "rpp-x"]),
        account("carol", &["ctb-y"]),
        account("dave", &[]),
    ];
    Site::start(Plan {
        accounts,
        ..Plan::default()
    })
    .await
}

pub(super) fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

/// A job that sleeps, in a place that exists.
fn job(site: &Site, name: &str, script: &'static str) -> JobDescription {
    job_in(site.home("alice"), name, script)
}

/// The same with the person's home.
pub(super) fn job_in(home: String, name: &str, script: &'static str) -> JobDescription {
    JobDescription {
        name: name.into(),
        account: AccountName::new("def-alice_cpu").unwrap(),
        partition: Some("cpubase_interac".into()),
        qos: None,
        wckey: None,
        reservation: None,
        constraints: None,
        time: 10,
        cores: 2,
        memory: 500,
        tres_per_node: None,
        comment: "a comment".into(),
        output: format!("{home}/{name}-%j.out"),
        directory: home,
        environment: BTreeMap::from([
            ("PATH".into(), "/usr/bin:/bin".into()),
            ("LINES".into(), "one\ntwo = 2".into()),
        ]),
        script,
    }
}

pub(super) const SLEEP: &str = "#!/bin/bash\nexec sleep 600\n";

async fn submit(client: &Client, job: &JobDescription) -> u64 {
    client.person(&user("alice")).submit(job).await.unwrap()
}

async fn reach(client: &Client, id: u64, is_right: impl Fn(&JobState) -> bool) -> backend::slurm::Job {
    until(&format!("a state of job {id}"), || async {
        client.service().job(id).await.ok().filter(|job| is_right(&job.state))
    })
    .await
}

async fn running(client: &Client, id: u64) -> backend::slurm::Job {
    reach(client, id, |state| *state == JobState::Running).await
}

async fn ended(client: &Client, id: u64) -> backend::slurm::Job {
    reach(client, id, |state| matches!(state, JobState::Ended(_))).await
}

async fn cancel(client: &Client, id: u64) {
    client.person(&user("alice")).cancel(id).await.unwrap();
    ended(client, id).await;
}

async fn the_newest_version_that_both_know_is_spoken(site: &Site) {
    let newest = match site.slurm_release() {
        Some(release) if release.starts_with("26.05") => "v0.0.45",
        _ => "v0.0.42",
    };
    assert_eq!(site.slurm_client().service().ping().await.unwrap().to_string(), newest);
}

async fn a_job_runs_with_what_was_asked_for_and_nothing_else(site: &Site) {
    let client = site.slurm_client();
    let id = submit(
        &client,
        &job(
            site,
            "envs",
            "#!/bin/bash\nenv -0 | sort -z | tr '\\0' '|'; pwd\nexit 7\n",
        ),
    )
    .await;
    let job = ended(&client, id).await;
    assert_eq!((job.state, job.exit_code), (JobState::Ended("FAILED".into()), Some(7)));
    assert_eq!(
        (job.name.as_str(), job.user.as_str(), job.comment.as_str(), job.uid),
        ("envs", "alice", "a comment", Some(2001))
    );
    assert!(
        job.submitted_at > 1_700_000_000 && job.started_at >= Some(job.submitted_at) && job.ends_at >= job.started_at
    );
    assert!(job.output.ends_with(&format!("/envs-{id}.out")), "{}", job.output);
    let output = until("its output", || async {
        std::fs::read_to_string(site.file_of_job(&job.output))
            .ok()
            .filter(|text| text.ends_with('\n'))
    })
    .await;
    assert!(
        output.contains("|LINES=one\ntwo = 2|") || output.starts_with("LINES=one\ntwo = 2|"),
        "{output}"
    );
    assert!(
        output.contains("SLURM_JOB_ID=") && !output.contains("|HOME=") && !output.contains("|USER="),
        "{output}"
    );
    assert!(output.trim_end().ends_with(&site.home("alice")), "{output}");
}

async fn a_job_of_the_same_name_waits_for_the_first(site: &Site) {
    let client = site.slurm_client();
    let first = submit(&client, &job(site, "one", SLEEP)).await;
    running(&client, first).await;
    let second = submit(&client, &job(site, "one", SLEEP)).await;
    let waiting = until("its reason", || async {
        client
            .service()
            .job(second)
            .await
            .ok()
            .filter(|job| job.reason == "Dependency")
    })
    .await;
    assert_eq!(waiting.state, JobState::Pending);
    assert_eq!(waiting.node, None);
    cancel(&client, first).await;
    running(&client, second).await;
    cancel(&client, second).await;
}

async fn states_are_answered_by_id_and_unknown_ones_are_missing(site: &Site) {
    let client = site.slurm_client();
    let id = submit(&client, &job(site, "state", SLEEP)).await;
    running(&client, id).await;
    let states = client.service().states(&[id, 999_999]).await.unwrap();
    assert_eq!(states, BTreeMap::from([(id, JobState::Running)]));
    assert_eq!(client.service().job(999_999).await, Err(SlurmError::NotFound));
    cancel(&client, id).await;
}

async fn cancelling_is_sure_and_twice_is_no_error(site: &Site) {
    let client = site.slurm_client();
    let id = submit(&client, &job(site, "cancel", SLEEP)).await;
    running(&client, id).await;
    cancel(&client, id).await;
    let alice = user("alice");
    client.person(&alice).cancel(id).await.unwrap();
    client.person(&alice).cancel_submitted(999_999).await.unwrap();
    assert_eq!(client.person(&alice).cancel(999_999).await, Err(SlurmError::NotFound));
    assert_eq!(
        client.service().job(id).await.unwrap().state,
        JobState::Ended("CANCELLED".into())
    );
}

async fn only_a_pending_job_is_cancelled_as_pending(site: &Site) {
    let client = site.slurm_client();
    let first = submit(&client, &job(site, "pend", SLEEP)).await;
    running(&client, first).await;
    let second = submit(&client, &job(site, "pend", SLEEP)).await;
    let third = submit(&client, &job(site, "pend", SLEEP)).await;
    let alice = user("alice");
    client.person(&alice).cancel_pending(second, "pend").await.unwrap();
    ended(&client, second).await;
    // What runs by then is left alone, whatever Slurm answers; and so is another job of that name.
    let _ = client.person(&alice).cancel_pending(first, "pend").await;
    let _ = client.person(&user("bob")).cancel_pending(third, "pend").await;
    let state = async |id| client.service().job(id).await.unwrap().state;
    assert_eq!(
        (state(first).await, state(third).await),
        (JobState::Running, JobState::Pending)
    );
    cancel(&client, third).await;
    cancel(&client, first).await;
}

async fn nobody_cancels_or_changes_a_job_of_somebody_else(site: &Site) {
    let client = site.slurm_client();
    let id = submit(&client, &job(site, "mine", SLEEP)).await;
    running(&client, id).await;
    let bob = user("bob");
    let job = client.service().job(id).await.unwrap();
    for refused in [
        client.person(&bob).cancel(id).await,
        client.person(&bob).set_comment(id, "x").await,
        client.person(&bob).release(&job).await,
        client.person(&bob).job(id).await.map(drop),
    ] {
        assert_eq!(refused, Err(SlurmError::NotFound), "Slurm is not even asked");
    }
    assert!(matches!(
        client.person(&bob).cancel_submitted(id).await,
        Err(SlurmError::Refused { code: 2002, .. })
    ));
    client
        .person(&user("alice"))
        .set_comment(id, "{\"a\":\"'é\\\"\"}")
        .await
        .unwrap();
    assert_eq!(client.service().job(id).await.unwrap().comment, "{\"a\":\"'é\\\"\"}");
    cancel(&client, id).await;
}

async fn a_held_job_begins_once_its_owner_releases_it(site: &Site) {
    let client = site.slurm_client();
    let alice = user("alice");
    let first = submit(&client, &job(site, "held", SLEEP)).await;
    running(&client, first).await;
    // Also one that waits for another of its name: Slurm lets nobody release what waits for another reason than a hold.
    let held = client
        .person(&alice)
        .submit_held(&job(site, "held", SLEEP))
        .await
        .unwrap();
    let told = client.service().job(held).await.unwrap();
    assert_eq!((&told.state, told.reason.as_str()), (&JobState::Pending, HELD_BY_USER));
    assert_eq!(client.person(&alice).ids_of("held").await.unwrap(), [first, held]);
    client.person(&alice).release(&told).await.unwrap();
    client.person(&alice).release(&told).await.unwrap();
    until("its reason", || async {
        let job = client.service().job(held).await.ok()?;
        (job.reason == "Dependency").then_some(())
    })
    .await;
    cancel(&client, first).await;
    running(&client, held).await;
    client
        .person(&alice)
        .release(&told)
        .await
        .unwrap_or_else(|error| println!("released while it runs: {error}"));
    cancel(&client, held).await;
}

async fn refusals_carry_slurms_words_and_number(site: &Site) {
    let client = site.slurm_client();
    let good = job(site, "refused", SLEEP);
    let account = |name: &str| AccountName::new(name).unwrap();
    for (who, what, number) in [
        (
            "alice",
            JobDescription {
                account: account("nope"),
                ..good.clone()
            },
            2045,
        ),
        (
            "alice",
            JobDescription {
                account: account("ctb-y"),
                ..good.clone()
            },
            2045,
        ),
        ("dave", good.clone(), 2045),
        (
            "alice",
            JobDescription {
                partition: Some("nope".into()),
                ..good.clone()
            },
            2000,
        ),
        (
            "alice",
            JobDescription {
                memory: 1_000_000,
                ..good.clone()
            },
            2014,
        ),
        (
            "alice",
            JobDescription {
                tres_per_node: Some("gres/gpu:a100:1".into()),
                ..good.clone()
            },
            2014,
        ),
    ] {
        match client.person(&user(who)).submit(&what).await {
            Err(SlurmError::Refused { code, message }) => {
                assert_eq!(code, number, "{message}");
                assert!(message.len() > 10, "{message}");
            }
            other => panic!("{number}: {other:?}"),
        }
    }
}

async fn nodes_and_partitions_tell_their_limits(site: &Site) {
    let client = site.slurm_client();
    let nodes = client.service().nodes().await.unwrap();
    let c1 = nodes.iter().find(|node| node.name == "c1").unwrap();
    assert_eq!(
        (c1.cores, c1.memory, c1.usable, c1.address.as_str()),
        (8, 16_000, true, "127.0.0.1")
    );
    let g1 = nodes.iter().find(|node| node.name == "g1").unwrap();
    assert_eq!(g1.gpus.get("h100"), Some(&4));
    let partitions = client.service().partitions().await.unwrap();
    let interactive = partitions
        .iter()
        .find(|partition| partition.name == "cpubase_interac")
        .unwrap();
    assert_eq!((interactive.up, interactive.time_max), (true, Some(480)));
}

async fn associations_are_the_persons_own(site: &Site) {
    let client = site.slurm_client();
    let (alice, dave) = (user("alice"), user("dave"));
    let mut found = client.person(&alice).associations().await.unwrap();
    found.sort_by(|a, b| a.account.cmp(&b.account));
    let names: Vec<_> = found.iter().map(|a| (a.account.as_str(), a.is_default)).collect();
    assert_eq!(
        names,
        [
            ("def-alice_cpu", true),
            ("def-alice_gpu", false),
            ("rrg-prof_gpu", false)
        ]
    );
    assert_eq!(client.person(&dave).associations().await.unwrap(), []);
}

async fn live_jobs_are_found_by_person(site: &Site) {
    let client = site.slurm_client();
    let id = submit(&client, &job(site, "live", SLEEP)).await;
    running(&client, id).await;
    let alice = user("alice");
    let found = until("the accounting database", || async {
        let jobs = client.person(&alice).live_jobs().await.unwrap();
        jobs.into_iter().find(|job| job.id == id)
    })
    .await;
    assert_eq!(
        (found.name.as_str(), found.user.as_str(), found.state),
        ("live", "alice", JobState::Running)
    );
    cancel(&client, id).await;
    let past = until("its end", || async {
        client
            .service()
            .past_job(id)
            .await
            .ok()
            .filter(|job| matches!(job.state, JobState::Ended(_)))
    })
    .await;
    assert_eq!(past.state, JobState::Ended("CANCELLED".into()));
}

async fn ids_of_jobs_are_found_by_name_and_the_jobs_left_alone(site: &Site) {
    let client = site.slurm_client();
    let (alice, bob) = (user("alice"), user("bob"));
    let first = submit(&client, &job(site, "named", SLEEP)).await;
    running(&client, first).await;
    let second = submit(&client, &job(site, "named", SLEEP)).await;
    assert_eq!(client.person(&alice).ids_of("named").await.unwrap(), [first, second]);
    assert!(client.person(&alice).ids_of("nobody's").await.unwrap().is_empty());
    assert!(client.person(&bob).ids_of("named").await.unwrap().is_empty());
    let states = client.service().states(&[first, second]).await.unwrap();
    assert_eq!(
        (&states[&first], &states[&second]),
        (&JobState::Running, &JobState::Pending)
    );
    cancel(&client, second).await;
    cancel(&client, first).await;
    assert!(client.person(&alice).ids_of("named").await.unwrap().is_empty());
}

async fn the_clock_is_slurms(site: &Site) {
    let clock = site.slurm_client().service().clock().await.unwrap().unwrap();
    assert!((backend::clock::Clock::system().now() - clock).abs() < 5);
}
