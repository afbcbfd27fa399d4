//! What went wrong, told by real Slurm: homes, cancels from elsewhere, maintenance, and what accounting remembers.

use serde_json::json;
use shared::options::{OptionsView, Room, Wish, room};
use shared::server::{EndCause, PastServer, Phase};
use slipway_tests::{Person, Plan, RealSlurm, Site, until};

on_each_release!(
    what_ends_a_job_is_told_by_its_cause,
    a_maintenance_ahead_is_named_and_a_shorter_job_starts,
    when_slurm_expects_to_start_it_is_told,
);

async fn when_slurm_expects_to_start_it_is_told(release: &str) {
    let site = Site::start_on(RealSlurm::start(release).await, Plan::default()).await;
    // Both nodes whole, for ten minutes each.
    let submit = "sbatch -A def-alice_cpu -N 2 --exclusive -t 10 -D /tmp -o /dev/null --wrap 'sleep 600'";
    let whole = ["as", "alice", "sh", "-c", submit];
    site.real().ctl(&whole).await;
    let bob = site.sign_in("bob").await;
    assert_eq!(bob.start(&json!({})).await.status, 202);
    let waiting = until("Slurm's plan", || async {
        let state = bob.server().await?.state;
        state.expected_start_at.is_some().then_some(state)
    })
    .await;
    assert_eq!(waiting.phase, Phase::Queued);
    let (why, expected) = (waiting.why.unwrap(), waiting.expected_start_at.unwrap());
    assert_eq!(why.key, "resources");
    assert!(
        (1..=600).contains(&(expected - waiting.now)),
        "{expected}, now {}",
        waiting.now
    );
    site.shut_down().await;
}

async fn end_of(person: &Person) -> shared::server::EndView {
    let reply = person.start(&json!({})).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    person.wait_for(Phase::Ended).await.state.end.unwrap()
}

async fn history(person: &Person) -> Vec<PastServer> {
    person
        .get(&format!("hub/api/users/{}/history", person.name))
        .await
        .json()
}

async fn what_ends_a_job_is_told_by_its_cause(release: &str) {
    let mut site = Site::start_on(RealSlurm::start(release).await, Plan::default()).await;
    let (alice, bob, carol) = (
        site.sign_in("alice").await,
        site.sign_in("bob").await,
        site.sign_in("carol").await,
    );

    site.real().ctl(&["mv", "/home/bob", "/home/away"]).await;
    assert_eq!(end_of(&bob).await.cause, EndCause::HomeMissing);
    site.real().ctl(&["mv", "/home/away", "/home/bob"]).await;

    let full = "mount -t tmpfs -o size=4k,mode=0755 tmpfs /home/carol && chown carol /home/carol && \
                head -c 4096 /dev/zero >/home/carol/full";
    site.real().ctl(&["bash", "-c", full]).await;
    assert_eq!(end_of(&carol).await.cause, EndCause::HomeFull);
    site.real().ctl(&["umount", "/home/carol"]).await;

    let id = alice.start_and_wait(&json!({})).await.state.job_id.unwrap();
    site.real().ctl(&["scancel", &id.to_string()]).await;
    let by = until("who cancelled it", || async {
        alice.wait_for(Phase::Ended).await.state.end?.cancelled_by
    })
    .await;
    assert_eq!(by, "root");

    // Without the store there is still what Slurm remembers.
    site.end_slipway().await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(site.path(&format!("slipway.db{suffix}")));
    }
    site.start_slipway().await;
    let past = until("the accounting database to have its end", || async {
        history(&alice).await.into_iter().next()
    })
    .await;
    assert_eq!((past.job_id, past.options), (Some(id), None));
    assert_eq!(
        (past.end.cause, past.end.cancelled_by.as_deref()),
        (EndCause::Cancelled, Some("root"))
    );
    let [failed] = &history(&bob).await[..] else {
        panic!("{:?}", history(&bob).await);
    };
    assert_eq!(failed.end.cause, EndCause::HomeMissing);
    site.shut_down().await;
}

async fn a_maintenance_ahead_is_named_and_a_shorter_job_starts(release: &str) {
    let slurm = RealSlurm::start(release).await;
    let maintenance =
        "create reservation=maintenance starttime=now+90minutes duration=60 user=root flags=maint nodes=ALL";
    let command: Vec<_> = std::iter::once("scontrol").chain(maintenance.split(' ')).collect();
    slurm.ctl(&command).await;
    let site = Site::start_on(slurm, Plan::default()).await;
    let alice = site.sign_in("alice").await;
    let offer = until("the calendar", || async {
        let offer: OptionsView = alice.get("hub/api/options").await.json();
        offer.nodes.iter().any(|class| class.until.is_some()).then_some(offer)
    })
    .await;
    let mut wish = Wish::of(&offer.chosen, &offer);
    wish.time = Some(60);
    assert_eq!(room(&offer, wish, offer.now), Room::Now);
    wish.time = Some(120);
    let ahead = room(&offer, wish, offer.now);
    assert!(
        matches!(ahead, Room::Before { time: 80..=90, .. }),
        "{ahead:?} {:?}",
        offer.nodes
    );

    alice.start(&json!({ "time": "2 h" })).await;
    let why = until("Slurm's reason", || async {
        let why = alice.server().await?.state.why?;
        (why.key != "not_yet").then_some(why)
    })
    .await;
    assert_eq!(
        why.key,
        "maintenance",
        "{}",
        site.real().ctl(&["scontrol", "show", "job", "--json"]).await
    );
    alice.delete(&alice.server_path()).await;
    alice.wait_for(Phase::Ended).await;
    let ready = alice.start_and_wait(&json!({ "time": "1 h" })).await;
    assert_eq!(ready.state.phase, Phase::Ready);
    site.shut_down().await;
}
