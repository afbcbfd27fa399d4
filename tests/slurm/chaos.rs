//! Starts at random moments while Slipway and Slurm's daemons are killed at random moments: no job twice, none that
//! nobody knows of, and what is shown is what Slurm has. `SLIPWAY_CHAOS_STARTS=200` is what `make soak` does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use backend::spawner::{Known, Policy, Submission, derive};
use http::Method;
use serde_json::{Value, json};
use shared::api::UserView;
use shared::server::{EndCause, Phase, ServerView};
use slipway_tests::{Person, Plan, RealSlurm, Site, until};

on_each_release!(nothing_is_made_twice_or_lost_whatever_is_killed_and_when);

const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// Numbers that follow from a seed (xorshift64), so that a bad run can be had again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }

    /// The random moments are what is tested.
    async fn pause(&mut self, milliseconds: u64) {
        tokio::time::sleep(Duration::from_millis(self.below(milliseconds))).await;
    }
}

async fn nothing_is_made_twice_or_lost_whatever_is_killed_and_when(release: &str) {
    let number = |name: &str, otherwise| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse().ok())
            .unwrap_or(otherwise)
    };
    let starts = number("SLIPWAY_CHAOS_STARTS", 9);
    let random: [u8; 8] = backend::keys::random().unwrap();
    let seed = number("SLIPWAY_CHAOS_SEED", u64::from_le_bytes(random) | 1);
    println!("SLIPWAY_CHAOS_SEED={seed} SLIPWAY_CHAOS_STARTS={starts}");

    let mut slurm = RealSlurm::start(release).await;
    slurm.use_stub();
    let mut site = Site::start_on(slurm, Plan::default()).await;
    let mut people = Vec::new();
    for name in PEOPLE {
        people.push(Arc::new(site.sign_in(name).await));
    }
    let left = Arc::new(AtomicUsize::new(usize::try_from(starts).unwrap()));
    let lives: Vec<_> = people
        .iter()
        .zip(1..)
        .map(|(person, n)| tokio::spawn(live(Arc::clone(person), Arc::clone(&left), Chance(seed ^ n))))
        .collect();
    let mut chance = Chance(seed);
    while lives.iter().any(|life| !life.is_finished()) {
        break_something(&mut site, &mut chance).await;
        chance.pause(4000).await;
    }
    let mut shown = Shown::default();
    for life in lives {
        shown.extend(life.await.unwrap());
    }
    let jobs: BTreeSet<u64> = shown.keys().copied().collect();
    assert!(!jobs.is_empty(), "nothing was ever started");
    ends_are_what_slurm_says(&site, &shown).await;
    for person in &people {
        nothing_is_left_over(&site, person).await;
    }
    each_start_made_one_job(&site, &jobs).await;
    site.shut_down().await;
}

/// Jobs that were shown to somebody, and the ends that were shown of them.
type Shown = BTreeMap<u64, Option<EndCause>>;

/// Starts and stops again and again, as somebody would who tries until it works. Answers what was shown.
async fn live(person: Arc<Person>, left: Arc<AtomicUsize>, mut chance: Chance) -> Shown {
    let mut jobs = Shown::new();
    while left
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1))
        .is_ok()
    {
        // Refused while Slurm is away; 400 where a start of before went through without an answer.
        while !matches!(
            ask(&person, Method::POST, &person.server_path(), Some(json!({}))).await,
            Some((202 | 400, _))
        ) {
            chance.pause(400).await;
        }
        let patience = tokio::time::Instant::now() + Duration::from_secs(30);
        let impatient = chance.below(3) == 0;
        while tokio::time::Instant::now() < patience {
            if let Some(server) = shown(&person).await {
                jobs.extend(server.state.job_id.map(|id| (id, None)));
                if server.stopped || server.ready || impatient {
                    break;
                }
            }
            chance.pause(400).await;
        }
        chance.pause(1500).await;
        loop {
            if let Some(server) = shown(&person).await.filter(|server| server.stopped) {
                let end = server.state.end.map(|end| end.cause);
                jobs.extend(server.state.job_id.map(|id| (id, end)));
                break;
            }
            let answer = ask(&person, Method::DELETE, &person.server_path(), None).await;
            if answer.is_some_and(|(status, _)| status == 204) {
                break;
            }
            chance.pause(400).await;
        }
    }
    jobs
}

async fn ask(person: &Person, method: Method, path: &str, body: Option<Value>) -> Option<(u16, String)> {
    let mut request = person.request(method, path);
    if let Some(body) = body {
        request = request.json(&body);
    }
    let answer = request.send().await.ok()?;
    Some((answer.status().as_u16(), answer.text().await.ok()?))
}

/// What the page shows of a person's server.
async fn shown(person: &Person) -> Option<ServerView> {
    let path = format!("hub/api/users/{}?include_stopped_servers", person.name);
    let (_, text) = ask(person, Method::GET, &path, None).await?;
    serde_json::from_str::<UserView>(&text).ok()?.servers.remove("")
}

async fn break_something(site: &mut Site, chance: &mut Chance) {
    let daemons = ["slurmrestd", "slurmctld", "slurmdbd"];
    match daemons.get(usize::try_from(chance.below(4)).unwrap()) {
        Some(daemon) => {
            site.real().ctl(&["stop", daemon]).await;
            chance.pause(2000).await;
            site.real().ctl(&["start", daemon]).await;
        }
        None => {
            site.kill_slipway().await;
            chance.pause(500).await;
            site.start_slipway().await;
        }
    }
}

/// Slurm has no job of this person that is not shown, and shows nothing else.
async fn nothing_is_left_over(site: &Site, person: &Person) {
    let name = person.name.as_str();
    until(&format!("Slurm and Slipway to agree on {name}"), || async {
        let queue = site
            .real()
            .ctl(&["squeue", "-h", "-u", name, "-n", "slipway", "-o", "%i"])
            .await;
        let queue: Vec<u64> = queue.lines().map(|id| id.trim().parse().unwrap()).collect();
        assert!(queue.len() < 2, "{name} has {queue:?}");
        let live = shown(person).await.filter(|server| server.state.phase != Phase::Ended);
        let same = live.and_then(|server| server.state.job_id) == queue.first().copied();
        same.then_some(())
    })
    .await;
}

/// What was shown of each end follows from what Slurm says of the job, by the very function that shows it.
async fn ends_are_what_slurm_says(site: &Site, shown: &Shown) {
    let slurm = site.slurm_client();
    let mut compared = 0;
    for (id, end) in shown.iter().filter_map(|(id, end)| Some((*id, end.as_ref()?))) {
        let job = slurm.service().job(id).await.unwrap();
        let now = job.ends_at.unwrap();
        let mut known = Known {
            submission: Submission::Accepted(id),
            ..Known::asked(job.submitted_at)
        };
        known.learn(job, now);
        let policy = Policy {
            start_timeout: Duration::from_mins(5),
        };
        assert_eq!(
            derive(&known, policy, now).end.map(|end| end.cause).as_ref(),
            Some(end),
            "job {id}"
        );
        compared += 1;
    }
    println!("{compared} ends compared with Slurm's");
}

/// By the nonce in its comment each job is the only one of its start; and every job that was shown is there.
async fn each_start_made_one_job(site: &Site, shown: &BTreeSet<u64>) {
    let jobs: Value = serde_json::from_str(&site.real().ctl(&["scontrol", "show", "jobs", "--json"]).await).unwrap();
    let mut starts = BTreeMap::<String, u64>::new();
    for job in jobs["jobs"].as_array().unwrap() {
        let comment: Value = serde_json::from_str(job["comment"].as_str().unwrap()).unwrap();
        let (nonce, id) = (
            comment["nonce"].as_str().unwrap().to_owned(),
            job["job_id"].as_u64().unwrap(),
        );
        if let Some(other) = starts.insert(nonce, id) {
            panic!("jobs {other} and {id} are of one start");
        }
    }
    let made: BTreeSet<u64> = starts.into_values().collect();
    assert!(shown.is_subset(&made), "shown were {shown:?}, there are {made:?}");
}
