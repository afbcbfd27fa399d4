//! Real Slurm with something really broken: what people see meanwhile, and that nothing is lost.

use serde_json::{Value, json};
use shared::server::{EndCause, Phase, ServerView};
use slipway_tests::{Person, Plan, RealSlurm, Site, Variant, until};

on_each_release!(
    an_outage_of_any_daemon_is_told_while_servers_stay_reachable_and_over_when_it_is_over,
    a_job_that_is_suspended_says_so_and_goes_on,
    a_job_that_an_administrator_puts_back_is_followed_to_its_new_place,
    a_node_that_fails_ends_the_server_and_says_so,
    whoever_ends_a_job_in_slurm_has_ended_the_server,
    a_job_that_has_to_make_room_for_another_says_so,
    a_server_that_does_not_answer_for_a_while_is_not_ended_for_it,
    a_node_that_the_network_has_lost_is_told_apart_and_found_again,
    a_service_user_without_rights_is_made_up_for_by_the_owners,
);

/// With a Jupyter in miniature, which is there at once.
async fn start(release: &str, variants: &[Variant]) -> Site {
    let mut slurm = RealSlurm::start_with(release, variants).await;
    slurm.use_stub();
    Site::start_on(slurm, Plan::default()).await
}

async fn is_silent(person: &Person, silent: bool) {
    let what = if silent {
        "the outage to be told"
    } else {
        "the notice to go"
    };
    until(what, || async {
        let state: Value = person.get("hub/api/site").await.json();
        (state["slurm_silent_since"].is_i64() == silent).then_some(())
    })
    .await;
}

async fn server_is(person: &Person, what: &str, is: impl Fn(&ServerView) -> bool) -> ServerView {
    until(what, || async { person.server().await.filter(&is) }).await
}

async fn an_outage_of_any_daemon_is_told_while_servers_stay_reachable_and_over_when_it_is_over(release: &str) {
    let site = start(release, &[]).await;
    let (alice, bob) = (site.sign_in("alice").await, site.sign_in("bob").await);
    let before = alice.start_and_wait(&json!({})).await;
    assert_eq!(bob.get("hub/api/options").await.status, 200);
    for (stop, daemon, go_on) in [
        ("stop", "slurmrestd", "start"),
        ("stop", "slurmctld", "start"),
        ("pause", "slurmctld", "resume"),
    ] {
        println!("{stop} {daemon}");
        site.real().ctl(&[stop, daemon]).await;
        is_silent(&alice, true).await;
        assert_eq!(alice.get("user/alice/lab").await.status, 200, "{stop} {daemon}");
        let state = alice.server().await.unwrap().state;
        assert_eq!(state.phase, Phase::Ready, "{stop} {daemon}");
        let refused = bob.start(&json!({})).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (503, "slurm_unreachable"),
            "{}",
            refused.text
        );
        site.real().ctl(&[go_on, daemon]).await;
        is_silent(&alice, false).await;
    }
    // Nobody needs the accounting database to start: what bob may choose is known.
    site.real().ctl(&["stop", "slurmdbd"]).await;
    let slurm = site.slurm_client();
    let down = slurm.service().ping_database().await;
    assert!(down.is_err_and(|error| error.is_outage()));
    bob.start_and_wait(&json!({})).await;
    is_silent(&alice, false).await;
    site.real().ctl(&["start", "slurmdbd"]).await;
    until("the database to be known to be back", || async {
        slurm.service().ping_database().await.ok()
    })
    .await;
    assert_eq!(slurm.database_silent_since(), None);
    let after = alice.server().await.unwrap();
    assert_eq!(
        (after.state.phase, after.state.job_id),
        (Phase::Ready, before.state.job_id)
    );
    for person in [&alice, &bob] {
        assert_eq!(person.delete(&person.server_path()).await.status, 202);
        person.wait_for(Phase::Ended).await;
    }
    site.shut_down().await;
}

async fn a_job_that_is_suspended_says_so_and_goes_on(release: &str) {
    let site = start(release, &[]).await;
    let alice = site.sign_in("alice").await;
    let id = alice.start_and_wait(&json!({})).await.state.job_id.unwrap().to_string();
    site.real().ctl(&["scontrol", "suspend", &id]).await;
    let held = server_is(&alice, "the suspension", |server| server.state.suspended).await;
    assert_eq!(held.state.phase, Phase::Ready, "it keeps its place");
    site.real().ctl(&["scontrol", "resume", &id]).await;
    server_is(&alice, "it to go on", |server| !server.state.suspended).await;
    assert_eq!(alice.get("user/alice/lab").await.status, 200);
    site.shut_down().await;
}

async fn a_job_that_an_administrator_puts_back_is_followed_to_its_new_place(release: &str) {
    let site = start(release, &[]).await;
    let alice = site.sign_in("alice").await;
    let id = alice.start_and_wait(&json!({})).await.state.job_id.unwrap().to_string();
    // Our jobs are not put back by themselves; an administrator can all the same.
    site.real()
        .ctl(&["scontrol", "update", &format!("JobId={id}"), "Requeue=1"])
        .await;
    site.real().ctl(&["scontrol", "requeue", &id]).await;
    server_is(&alice, "its place in the queue", |server| {
        server.state.phase == Phase::Queued
    })
    .await;
    assert_eq!(alice.get("user/alice/lab").await.code(), "not_running");
    // Slurm would wait for two minutes. A start within the second in which the first was killed is refused by slurmd,
    // which tells credentials from before and after it apart by whole seconds ("Job credential revoked").
    site.real()
        .ctl(&["scontrol", "update", &format!("JobId={id}"), "StartTime=now+2"])
        .await;
    let again = server_is(&alice, "its second start", |server| {
        matches!(server.state.phase, Phase::Ready | Phase::Ended)
    })
    .await;
    let slurms = site.real().ctl(&["scontrol", "show", "job", &id]).await;
    assert_eq!(again.state.phase, Phase::Ready, "{slurms}");
    assert_eq!(again.state.job_id.unwrap().to_string(), id);
    assert_eq!(alice.get("user/alice/lab").await.status, 200);
    site.shut_down().await;
}

async fn a_node_that_fails_ends_the_server_and_says_so(release: &str) {
    let site = start(release, &[]).await;
    let alice = site.sign_in("alice").await;
    let node = alice.start_and_wait(&json!({})).await.state.node.unwrap();
    let down = [&format!("NodeName={node}"), "State=DOWN", "Reason=test"];
    site.real()
        .ctl(&["scontrol", "update", down[0], down[1], down[2]])
        .await;
    let ended = server_is(&alice, "its end", |server| server.stopped).await;
    let end = ended.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::NodeFailed, true));
    site.shut_down().await;
}

async fn whoever_ends_a_job_in_slurm_has_ended_the_server(release: &str) {
    let site = start(release, &[]).await;
    let (alice, bob) = (site.sign_in("alice").await, site.sign_in("bob").await);
    site.real()
        .ctl(&["scontrol", "update", "NodeName=c1,c2", "State=DRAIN", "Reason=test"])
        .await;
    assert_eq!(bob.start(&json!({})).await.status, 202);
    let waiting = server_is(&bob, "a reason", |server| server.state.reason.is_some()).await;
    site.real()
        .ctl(&["scontrol", "update", "NodeName=c1,c2", "State=RESUME"])
        .await;
    bob.wait_for(Phase::Ready).await;
    let running = alice.start_and_wait(&json!({})).await;
    for (person, server) in [(&alice, running), (&bob, waiting)] {
        site.real()
            .ctl(&["scancel", &server.state.job_id.unwrap().to_string()])
            .await;
        let ended = server_is(person, "its end", |server| server.stopped).await;
        assert_eq!(ended.state.end.unwrap().cause, EndCause::Cancelled);
    }
    site.shut_down().await;
}

async fn a_service_user_without_rights_is_made_up_for_by_the_owners(release: &str) {
    let site = start(release, &[Variant::PrivateData]).await;
    let revoke = ["sacctmgr", "-i", "modify", "user", "slipway", "set", "AdminLevel=None"];
    site.real().ctl(&revoke).await;
    let alice = site.sign_in("alice").await;
    alice.start_and_wait(&json!({})).await;
    assert_eq!(alice.get("user/alice/lab").await.status, 200);
    assert_eq!(alice.delete(&alice.server_path()).await.status, 202);
    assert_eq!(
        alice.wait_for(Phase::Ended).await.state.end.unwrap().cause,
        EndCause::Cancelled
    );
    site.shut_down().await;
}

async fn a_job_that_has_to_make_room_for_another_says_so(release: &str) {
    let site = start(release, &[Variant::Preemption]).await;
    let alice = site.sign_in("alice").await;
    let node = alice.start_and_wait(&json!({})).await.state.node.unwrap();
    let urgent = format!(
        "sbatch --partition=urgent --account=rrg-prof_cpu --nodelist={node} --exclusive --chdir=/tmp --wrap='sleep 60'"
    );
    site.real().ctl(&["as", "bob", "bash", "-c", &urgent]).await;
    let ended = server_is(&alice, "its end", |server| server.stopped).await;
    let end = ended.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::Preempted, true));
    site.shut_down().await;
}

async fn a_server_that_does_not_answer_for_a_while_is_not_ended_for_it(release: &str) {
    let site = start(release, &[]).await;
    let alice = site.sign_in("alice").await;
    alice.start_and_wait(&json!({})).await;
    let signal = async |signal| site.real().ctl(&["pkill", signal, "-f", "stub-jupyter"]).await;
    // Leaves a connection that waits for the next request: a new one would be given up after a few seconds.
    assert_eq!(alice.get("user/alice/api/status").await.status, 200);
    // As on a node that hangs, or behind a network that is cut: nothing comes back.
    signal("-STOP").await;
    let asked = tokio::spawn(alice.request(http::Method::GET, "user/alice/api/status").send());
    // Slurm is asked again meanwhile, and nothing comes of it.
    site.real().ctl(&["stop", "slurmrestd"]).await;
    is_silent(&alice, true).await;
    site.real().ctl(&["start", "slurmrestd"]).await;
    is_silent(&alice, false).await;
    assert_eq!(alice.server().await.unwrap().state.phase, Phase::Ready);
    assert!(!asked.is_finished(), "somebody answered for it");
    signal("-CONT").await;
    assert_eq!(
        asked.await.unwrap().unwrap().status(),
        200,
        "the request that waited is answered"
    );
    site.shut_down().await;
}

/// The node behind an address vanishes from the network, without a word to anybody. Mended when this value goes.
struct Cut(String);

impl Cut {
    fn off(address: String) -> Self {
        Self::route("add", &address);
        Self(address)
    }

    fn route(what: &str, address: &str) {
        let route = ["route", what, "blackhole", address, "table", "local"];
        let done = std::process::Command::new("ip").args(route).status();
        assert!(done.unwrap().success(), "{route:?}");
    }
}

impl Drop for Cut {
    fn drop(&mut self) {
        Self::route("del", &self.0);
    }
}

async fn a_node_that_the_network_has_lost_is_told_apart_and_found_again(release: &str) {
    let mut slurm = RealSlurm::start_with(release, &[Variant::NodeAddress]).await;
    slurm.use_stub();
    let address = slurm.node_address().await;
    let plan = Plan {
        bind: "0.0.0.0",
        ..Plan::default()
    };
    let site = Site::start_on(slurm, plan).await;
    let alice = site.sign_in("alice").await;
    let before = alice.start_and_wait(&json!({})).await;
    assert_eq!(alice.get("user/alice/lab").await.status, 200);
    let cut = Cut::off(address);
    // The first goes into a connection that nobody has said is dead; the second finds that out.
    let waiting = tokio::spawn(alice.request(http::Method::GET, "user/alice/api/status").send());
    let refused = until("a request that has no way", || async {
        let reply = alice.get("user/alice/api/status").await;
        (reply.status == 503).then_some(reply)
    })
    .await;
    assert_eq!(refused.code(), "not_answering");
    // Slurm is asked again meanwhile, and nothing comes of it.
    site.real().ctl(&["stop", "slurmrestd"]).await;
    is_silent(&alice, true).await;
    site.real().ctl(&["start", "slurmrestd"]).await;
    is_silent(&alice, false).await;
    let during = alice.server().await.unwrap().state;
    assert_eq!((during.phase, during.job_id), (Phase::Ready, before.state.job_id));
    // What was sent into it is given up, and not when the system would.
    let first = waiting.await.unwrap().unwrap().status();
    assert_eq!(first, 503, "somebody answered for it");
    drop(cut);
    let after = until("the server to be found again", || async {
        let reply = alice.get("user/alice/lab").await;
        (reply.status == 200).then_some(reply)
    });
    after.await;
    assert_eq!(alice.server().await.unwrap().state.job_id, before.state.job_id);
    site.shut_down().await;
}
