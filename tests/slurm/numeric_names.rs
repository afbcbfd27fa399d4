//! Names that Slurm reads as a uid: 2001 is alice's, 0 is root's.

use backend::slurm::{Client, JobState};
use serde_json::{Value, json};
use shared::names::{UserName, is_numeric};
use shared::server::{EndCause, Phase};
use slipway_tests::{Person, Plan, RealSlurm, Site, until};

use super::client::{SLEEP, job_in, user};

on_each_release!(
    what_slurm_takes_for_a_uid_is_refused_before_anything_is_signed,
    where_numeric_names_are_allowed_no_job_runs_as_somebody_else,
);

/// alice computes something, without Slipway.
async fn job_of_alice(site: &Site, client: &Client) -> u64 {
    let job = job_in(site.home("alice"), "computes", SLEEP);
    let id = client.person(&user("alice")).submit(&job).await.unwrap();
    until("her job to run", || async {
        is_running(client, id).await.then_some(())
    })
    .await;
    id
}

async fn is_running(client: &Client, id: u64) -> bool {
    client.service().job(id).await.unwrap().state == JobState::Running
}

async fn cancel(person: &Person, id: u64) -> slipway_tests::Reply {
    person.delete(&format!("hub/api/users/{}/jobs/{id}", person.name)).await
}

/// Writes a name into the comment of a job, with a token of Slurm's own for that name.
async fn write_comment(site: &Site, id: u64, name: &str) {
    let token = site
        .real()
        .ctl(&["scontrol", "token", &format!("username={name}"), "lifespan=60"])
        .await;
    let token = token.trim().trim_start_matches("SLURM_JWT=").to_owned();
    let url = format!("{}/slurm/v0.0.42/job/{id}", site.real().url);
    let request = reqwest::Client::builder().no_proxy().build().unwrap().post(url);
    let request = request.header("x-slurm-user-token", token);
    request.json(&json!({ "comment": name })).send().await.unwrap();
}

async fn what_slurm_takes_for_a_uid_is_refused_before_anything_is_signed(release: &str) {
    let site = Site::start_on(RealSlurm::start(release).await, Plan::default()).await;
    let client = site.slurm_client();
    let id = job_of_alice(&site, &client).await;

    // What Slurm does with such names, whoever signs for them.
    let mut taken = Vec::new();
    for name in [
        "alice", "2001", "0", "+2001", " 2001", "02001", "+1", " 1", "0x7d1", "-2001", "2002",
    ] {
        write_comment(&site, id, name).await;
        if client.service().job(id).await.unwrap().comment == name {
            taken.push(name);
        }
    }
    assert_eq!(taken, ["alice", "2001", "0", "+2001", " 2001", "02001"]);
    assert!(taken[1..].iter().all(|name| is_numeric(name)));

    for (typed, status, code) in [
        ("2001", 403, "numeric_name"),
        ("0", 403, "numeric_name"),
        ("0x7d1", 403, "numeric_name"),
        (" 1", 403, "numeric_name"),
        ("+1", 401, "wrong_password"),
    ] {
        let reply = site.anonymous().sign_in(typed, "any").await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{typed}");
    }
    // With a sign-in of an earlier version, which let them in.
    for person in site.signed_in(["2001", "0", "0x7d1", "1", "02001"].map(str::to_owned)) {
        assert!(cancel(&person, id).await.status >= 400, "{}", person.name);
        assert!(person.start(&json!({})).await.status >= 400, "{}", person.name);
        let signed = format!("signed a token for Slurm sun={} ", person.name);
        assert!(!site.log().contains(&signed), "{}", site.log());
    }
    assert!(is_running(&client, id).await);
    client.person(&user("alice")).cancel(id).await.unwrap();
    site.shut_down().await;
}

async fn where_numeric_names_are_allowed_no_job_runs_as_somebody_else(release: &str) {
    let mut slurm = RealSlurm::start(release).await;
    slurm.use_stub();
    // Slurm finds the user 2024. Of 2001 only the accounting database has heard.
    let add = "echo '2024:x:3024:3024::/home/2024:/bin/bash' >>/etc/passwd
        echo '2024:x:3024:' >>/etc/group
        install -d -o 3024 -g 3024 /home/2024
        sacctmgr -i -Q add user 2024 Account=def-alice_cpu DefaultAccount=def-alice_cpu Cluster=testbed
        sacctmgr -i -Q add user 2001 Account=ctb-y DefaultAccount=ctb-y Cluster=testbed";
    slurm.ctl(&["bash", "-euc", add]).await;
    let plan = Plan {
        identity: "numeric_names = true".into(),
        ..Plan::default()
    };
    let site = Site::start_on(slurm, plan).await;
    let client = site.slurm_client();
    let alice = site.sign_in("alice").await;
    let server = alice.start_and_wait(&json!({})).await.state.job_id.unwrap();
    let id = job_of_alice(&site, &client).await;
    let people = site.signed_in(["2001", "0", "2024"].map(str::to_owned));

    for person in &people {
        for job in [id, server] {
            let refused = cancel(person, job).await;
            assert_eq!(refused.status, 404, "{}: {}", person.name, refused.text);
        }
        assert!(person.server().await.is_none(), "{} has a server", person.name);
    }
    let refused = people[0].start(&json!({})).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (500, "internal"),
        "{}",
        refused.text
    );
    let job = people[0].server().await.unwrap().state.job_id.unwrap();
    let end = people[0].wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::Cancelled, false));
    let told = client.service().job(job).await.unwrap();
    assert_eq!((told.user.as_str(), told.node), ("alice", None), "it ran as alice");
    assert_eq!(told.state, JobState::Ended("CANCELLED".into()));
    assert_eq!(people[1].start(&json!({})).await.code(), "no_association");
    assert!(is_running(&client, id).await && is_running(&client, server).await);
    assert_eq!(alice.get("user/alice/lab").await.status, 200);

    let known = &people[2];
    let own = known.start_and_wait(&json!({})).await.state.job_id.unwrap();
    let shown = site.real().ctl(&["scontrol", "show", "job", &own.to_string()]).await;
    assert!(shown.contains("UserId=2024(3024)"), "{shown}");
    assert_eq!(known.get("user/2024/lab").await.status, 200);
    let name = UserName::new("2024").unwrap();
    let job = job_in(site.home("2024"), "computes", SLEEP);
    let other = client.person(&name).submit(&job).await.unwrap();
    assert_eq!(cancel(known, other).await.status, 204);
    assert_eq!(known.delete(&known.server_path()).await.status, 202);
    known.wait_for(Phase::Ended).await;

    assert_eq!(cancel(&alice, id).await.status, 204);
    let history: Value = people[0].get("hub/api/users/2001/history").await.json();
    let servers = history.as_array().unwrap().iter().map(|past| past["job_id"].as_u64());
    assert!(servers.flatten().all(|past| past != server), "{history}");
    site.shut_down().await;
}
