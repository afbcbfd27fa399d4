//! Names that Slurm reads as a uid: 2001 is ada's, 0 is root's.

use std::time::Duration;

use local_slurm::JobState;
use serde_json::{Value, json};
use shared::names::UserName;
use shared::server::Phase;
use slipway_tests::{Account, Person, Plan, Site, sleeping_job};

const NUMERIC: [&str; 4] = ["2001", "0", "0x7d1", "2024"];

/// People with these names have passwords; Slurm knows ada, whose uid is 2001, and a user named 2024.
fn plan(identity: &str) -> Plan {
    let ada = Account::all().remove(0);
    let named = |name| Account { name, ..ada.clone() };
    Plan {
        accounts: [named("ada")].into_iter().chain(NUMERIC.map(named)).collect(),
        identity: identity.into(),
        cluster: |cluster| {
            cluster
                .users
                .retain(|user| ["ada", "2024"].contains(&user.name.as_str()));
            assert_eq!((cluster.users[0].name.as_str(), cluster.users[0].uid), ("ada", 2001));
        },
        ..Plan::default()
    }
}

/// ada computes something, without Slipway.
async fn job_of_ada(site: &Site) -> u64 {
    let job = sleeping_job(site, "ada", "def-ada", "long");
    let ada = UserName::new("ada").unwrap();
    let id = site.slurm_client().person(&ada).submit(&job).await.unwrap();
    let running = |job: &local_slurm::JobView| job.state == JobState::Running;
    let started = site
        .cluster()
        .wait_for(u32::try_from(id).unwrap(), Duration::from_secs(10), running);
    started.await.unwrap();
    id
}

async fn cancel(person: &Person, id: u64) -> slipway_tests::Reply {
    person.delete(&format!("hub/api/users/{}/jobs/{id}", person.name)).await
}

fn state(site: &Site, id: u64) -> JobState {
    site.cluster().job(u32::try_from(id).unwrap()).unwrap().state
}

#[tokio::test]
async fn a_name_that_slurm_reads_as_a_uid_is_refused_before_anything_is_signed() {
    let site = Site::start(plan("")).await;
    let id = job_of_ada(&site).await;
    for (typed, status, code) in [
        ("2001", 403, "numeric_name"),
        ("0", 403, "numeric_name"),
        ("0X7D1", 403, "numeric_name"),
        (" 2001", 403, "numeric_name"),
        ("2024", 403, "numeric_name"),
        // No name of anybody's.
        ("+2001", 401, "wrong_password"),
    ] {
        let name = typed.trim().to_lowercase();
        let password = site.passwords.iter().find(|(user, _)| *user == name);
        let password = password.map_or("any", |(_, password)| password);
        let reply = site.anonymous().sign_in(typed, password).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (status, code),
            "{typed}: {}",
            reply.text
        );
    }
    let form = site.anonymous();
    let sent = form.request(http::Method::POST, "hub/login");
    let page = Person::send(sent.form(&[("username", "2001"), ("password", "any")])).await;
    assert!(page.text.contains("This username is a number"), "{}", page.text);

    // With a session of an earlier version, which let them in.
    for person in site.signed_in(NUMERIC.map(str::to_owned)) {
        let refused = cancel(&person, id).await;
        assert!(refused.status >= 400, "{} cancelled it", person.name);
        assert!(person.start(&json!({})).await.status >= 400, "{} started", person.name);
        assert!(person.get("hub/api/options").await.status >= 400);
    }
    assert_eq!(state(&site, id), JobState::Running);
    assert!(site.cluster().job(2).is_none(), "a job was made");
    let log = site.log();
    for name in NUMERIC {
        let of_name = |line: &&str| line.contains(" slipway::signatures: ") && line.contains(&format!("sun={name} "));
        let signed: Vec<_> = log.lines().filter(of_name).collect();
        assert!(signed.is_empty(), "{signed:?}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn where_such_names_are_allowed_nobody_sees_or_cancels_a_job_of_whoever_has_that_uid() {
    let site = Site::start(plan("numeric_names = true")).await;
    let ada = site.sign_in("ada").await;
    let server = ada.start_and_wait(&json!({})).await.state.job_id.unwrap();
    let id = job_of_ada(&site).await;
    for name in ["2001", "0", "0x7d1"] {
        let person = site.sign_in(name).await;
        for job in [id, server] {
            let refused = cancel(&person, job).await;
            assert_eq!(refused.status, 404, "{name}: {}", refused.text);
            assert_eq!(refused.code(), cancel(&person, 999).await.code(), "{name}");
        }
        assert!(person.server().await.is_none(), "{name} sees ada's server");
        let history: Value = person.get(&format!("hub/api/users/{name}/history")).await.json();
        assert_eq!(history, json!([]), "{name} sees ada's servers");
        assert_eq!(person.get("hub/api/options").await.code(), "no_association", "{name}");
        assert_ne!(person.get(&person.own("lab")).await.status, 200);
    }
    assert_eq!(ada.server().await.unwrap().state.phase, Phase::Ready);
    assert_eq!(
        (state(&site, id), state(&site, server)),
        (JobState::Running, JobState::Running)
    );
    assert_eq!(cancel(&ada, id).await.status, 204);
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_whose_name_is_a_number_that_slurm_knows_works_like_everybody() {
    let site = Site::start(plan("numeric_names = true")).await;
    let person = site.sign_in("2024").await;
    let job = person.start_and_wait(&json!({})).await.state.job_id.unwrap();
    assert_eq!(person.get(&person.own("lab")).await.status, 200);
    let job = site.cluster().job(u32::try_from(job).unwrap()).unwrap();
    assert_eq!(job.user, "2024");
    assert_eq!(person.delete(&person.server_path()).await.status, 202);
    person.wait_for(Phase::Ended).await;
    site.shut_down().await;
}
