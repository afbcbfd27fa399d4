//! The options against real Slurm: whatever they accept is neither refused nor left waiting for ever.

use std::collections::BTreeMap;

use backend::slurm::{Client, JobDescription, JobState};
use shared::options::{Gpus, OptionsView, SpawnRequest, parse};
use shared::raw::RawOptions;
use slipway_tests::{Person, Plan, RealSlurm, Site, Variant, until};

use super::client::{SLEEP, job_in, user};

/// Requests of each person that have to be accepted. Carol runs one job at a time.
const ACCEPTED: [(&str, usize); 3] = [("alice", 30), ("bob", 30), ("carol", 8)];
/// Requests that each makes up at most.
const MOST: u64 = 4000;

/// Ways as Slurm itself goes them, without a plugin: by partitions that Slipway names.
const ROUTES: &str = "[accounts]\ncpu_suffix = \"_cpu\"\ngpu_suffix = \"_gpu\"\n\
    [[route]]\ngpu = false\ntime_max = \"8 h\"\npartitions = [\"cpubase_interac\"]\nnamed = true\n\
    [[route]]\npartitions = [\"long\"]\nnamed = true\n\
    [[route]]\ngpu = true\npartitions = [\"gpubase_interac\"]\nnamed = true\n";

on_each_release!(
    what_is_accepted_runs,
    what_is_free_is_told_of_gpus_slices_and_shares,
    reservations_are_told_to_those_they_are_for_and_waited_for
);

/// Limits of each kind.
const LIMITS: [&str; 7] = [
    "scontrol update NodeName=c2 AvailableFeatures=fast ActiveFeatures=fast",
    "scontrol update NodeName=g1 AvailableFeatures=nvlink,fast ActiveFeatures=nvlink,fast",
    "scontrol update PartitionName=long DenyAccounts=rrg-prof_gpu MaxCPUsPerNode=6",
    "sacctmgr -i modify user alice where account=def-alice_cpu set MaxTRES=cpu=5 MaxWall=01:00:00",
    "sacctmgr -i modify user alice where account=def-alice_gpu set MaxTRES=gres/gpu=2",
    "sacctmgr -i modify qos visit set MaxWall=02:00:00",
    "sacctmgr -i modify account rrg-prof_gpu set MaxWall=03:00:00",
];

async fn site(release: &str, variants: &[Variant], commands: &[&str]) -> Site {
    let slurm = RealSlurm::start_with(release, variants).await;
    for command in commands {
        slurm.ctl(&command.split(' ').collect::<Vec<_>>()).await;
    }
    let plan = Plan {
        partition: None,
        more: ROUTES.into(),
        ..Plan::default()
    };
    Site::start_on(slurm, plan).await
}

async fn offer(person: &Person) -> OptionsView {
    let reply = person.get("hub/api/options").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

/// Numbers that look like chance and are the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        // Knuth's MMIX generator.
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        let index = self.below(u64::try_from(from.len()).unwrap());
        from[usize::try_from(index).unwrap()]
    }

    /// A request such as somebody might make, most of them a little too large for something.
    fn request(&mut self, offer: &OptionsView) -> RawOptions {
        let mut accounts: Vec<_> = offer.accounts.iter().map(|account| account.name.as_str()).collect();
        accounts.push("def-nobody");
        let gpus = [
            "none",
            "none",
            "h100:1",
            "h100:3",
            "nvidia_h100_80gb_hbm3_1g.10gb:1",
            "shard:h100:2",
            "shard:h100:5",
        ];
        let partitions = ["none", "none", "cpubase_interac", "gpubase_interac", "long"];
        let reservations = ["none", "none", "none", "course"];
        RawOptions::default()
            .with("account", self.pick(&accounts))
            .with("gpu", self.pick(&gpus))
            .with("partition", self.pick(&partitions))
            .with("reservation", self.pick(&reservations))
            .with("features", self.pick(&["none", "none", "fast", "nvlink"]))
            .with("time", self.pick(&["5 min", "1:30", "2 h", "0-03:00", "9 h", "30 h"]))
            .with("cores", (1 + self.below(9)).to_string())
            .with("memory", format!("{} MB", 300 + 700 * self.below(48)))
    }
}

fn description(request: &SpawnRequest, who: &str, n: u64) -> JobDescription {
    let options = &request.options;
    let names: Vec<_> = request.partitions.iter().map(ToString::to_string).collect();
    let features: Vec<_> = options.features.iter().map(ToString::to_string).collect();
    JobDescription {
        account: request.charge.clone(),
        partition: Some(
            options
                .partition
                .as_ref()
                .map_or_else(|| names.join(","), ToString::to_string),
        ),
        reservation: options.reservation.as_ref().map(ToString::to_string),
        constraints: (!features.is_empty()).then(|| features.join("&")),
        time: options.time.get(),
        cores: options.cores.get(),
        memory: options.memory.get(),
        tres_per_node: options.gpu.as_ref().map(Gpus::to_tres),
        ..job_in(format!("/home/{who}"), &format!("made-up-{n}"), "#!/bin/bash\n")
    }
}

async fn what_is_accepted_runs(release: &str) {
    let site = site(release, &[Variant::Shards], &LIMITS).await;
    let client = site.slurm_client();
    let mut jobs = BTreeMap::new();
    let mut refused = 0;
    // `make soak` asks for more.
    let times = std::env::var("SLIPWAY_MADE_UP_REQUESTS").map_or(1, |times| times.parse().unwrap());
    for (who, wanted) in ACCEPTED.map(|(who, wanted)| (who, wanted * times)) {
        let person = site.sign_in(who).await;
        let offer = until("the limits, the reservation and what is free", || async {
            let offer = offer(&person).await;
            let knows = offer.gpus.iter().any(|gpu| gpu.name == "shard:h100") && !offer.features.is_empty();
            let reserved = who != "bob" || !offer.reservations.is_empty();
            (knows && reserved).then_some(offer)
        })
        .await;
        let mut chance = Chance(7);
        let mut accepted = 0;
        for n in 0..MOST {
            if accepted == wanted {
                break;
            }
            let raw = chance.request(&offer);
            let Ok(request) = parse(&raw, &offer, offer.now) else {
                refused += 1;
                continue;
            };
            accepted += 1;
            let job = description(&request, who, n);
            match client.person(&user(who)).submit(&job).await {
                Ok(id) => drop(jobs.insert(id, (who, request))),
                Err(error) => panic!("{who}: {error}: {request:?}"),
            }
        }
    }
    println!("{} accepted, {refused} refused", jobs.len());
    let wanted: usize = ACCEPTED.iter().map(|(_, wanted)| wanted * times).sum();
    assert_eq!(jobs.len(), wanted);
    everything_runs(&client, &jobs).await;
    site.shut_down().await;
}

/// Waits until every job has run. One that waits for what does not come by waiting is an error.
async fn everything_runs(client: &Client, jobs: &BTreeMap<u64, (&str, SpawnRequest)>) {
    for (id, request) in jobs {
        let job = until(&format!("the end of {request:?}"), || async {
            let job = client.service().job(*id).await.unwrap();
            let waits = job.state == JobState::Pending;
            let word = job.reason.split(',').next().unwrap_or_default();
            let for_what_is_free = ["None", "Resources", "Priority", "ReqNodeNotAvail"].contains(&word);
            let for_others = ["MaxJobs", "PerUser", "BeginTime"]
                .iter()
                .any(|word| job.reason.contains(word));
            assert!(!waits || for_what_is_free || for_others, "{}: {request:?}", job.reason);
            matches!(job.state, JobState::Ended(_)).then_some(job)
        })
        .await;
        assert_eq!(job.state, JobState::Ended("COMPLETED".into()), "{request:?}");
    }
}

async fn what_is_free_is_told_of_gpus_slices_and_shares(release: &str) {
    let site = site(release, &[Variant::Shards], &[]).await;
    let client = site.slurm_client();
    let free = || async {
        let nodes = client.service().nodes().await.unwrap();
        let g1 = nodes.into_iter().find(|node| node.name == "g1").unwrap();
        let gpus: Vec<_> = g1
            .free_gpus
            .into_iter()
            .map(|(name, count)| format!("{name}:{count}"))
            .collect();
        (g1.free_cores, g1.free_memory, gpus.join(" "))
    };
    let slice = "nvidia_h100_80gb_hbm3_1g.10gb";
    assert_eq!(
        free().await,
        (8, 32_000, format!("h100:4 {slice}:2 shard:h100:16 shard:{slice}:8"))
    );
    let run = |name: &'static str, tres: &str| {
        let job = JobDescription {
            account: shared::names::AccountName::new("def-alice_gpu").unwrap(),
            partition: Some("gpubase_interac".into()),
            tres_per_node: Some(tres.to_owned()),
            ..job_in("/home/alice".into(), name, SLEEP)
        };
        let client = &client;
        async move {
            let id = client.person(&user("alice")).submit(&job).await.unwrap();
            until("its start", || async {
                let job = client.service().job(id).await.ok()?;
                (job.state == JobState::Running).then_some(())
            })
            .await;
            id
        }
    };
    let one = run("one", "gres/gpu:h100:1").await;
    assert_eq!(
        free().await,
        (6, 31_500, format!("h100:3 {slice}:2 shard:{slice}:8")),
        "no shares while a GPU is in use"
    );
    let two = run("two", &format!("gres/gpu:{slice}:2")).await;
    assert_eq!(free().await, (4, 31_000, "h100:3".to_owned()));
    for id in [one, two] {
        client.person(&user("alice")).cancel(id).await.unwrap();
    }
    until("all free", || async { (free().await.0 == 8).then_some(()) }).await;
    run("three", "gres/shard:h100:2").await;
    assert_eq!(
        free().await,
        (6, 31_500, format!("{slice}:2 shard:h100:14 shard:{slice}:8")),
        "no whole GPU while one is shared"
    );
    let drained = client.service().node("c3").await.unwrap();
    assert!(!drained.usable);
    site.shut_down().await;
}

async fn reservations_are_told_to_those_they_are_for_and_waited_for(release: &str) {
    let soon = "scontrol create reservation ReservationName=soon Users=alice Nodes=c1 StartTime=now+70 Duration=60";
    let site = site(release, &[Variant::PrivateData], &[soon]).await;
    let (alice, bob) = (site.sign_in("alice").await, site.sign_in("bob").await);
    let names = |offer: &OptionsView| -> Vec<String> {
        offer
            .reservations
            .iter()
            .map(|reservation| reservation.name.to_string())
            .collect()
    };
    let (for_alice, for_bob) = (offer(&alice).await, offer(&bob).await);
    assert_eq!(
        (names(&for_alice), names(&for_bob)),
        (vec!["soon".to_owned()], vec!["course".to_owned()])
    );
    // Nodes are reserved some seconds after their reservation began.
    until("the reserved node is free for those who may use it", || async {
        let free = offer(&bob).await.reservations[0].nodes[0].free.clone();
        free.first().is_some_and(|free| free.cores == 8).then_some(())
    })
    .await;
    let begins = for_alice.reservations[0].starts_at;
    let reply = alice
        .start(&serde_json::json!({ "reservation": "soon", "time": "10 min" }))
        .await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let waits = alice.wait_for(shared::server::Phase::Queued).await.state;
    assert!(waits.give_up_at > Some(begins + 200), "{waits:?}");
    until("Slurm's reason", || async {
        let state = alice.server().await?.state;
        (state.reason.as_deref() == Some("Reservation")).then_some(())
    })
    .await;
    assert_eq!(alice.delete(&alice.server_path()).await.status, 202);
    site.shut_down().await;
}
