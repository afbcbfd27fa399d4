//! The options as a document: a cluster with everything that a site may have, and what people see of it.

use local_slurm::{ClusterConfig, NodeConfig, QosConfig, ReservationConfig};
use serde_json::{Value, json};
use shared::names::UserName;
use shared::options::{OptionsView, Source};
use shared::server::Phase;
use slipway_tests::{Account, Person, Plan, Site, sleeping_job, until};

const NOW_AND_LATER: i64 = 12;

fn account(name: &'static str, compute_accounts: &[&str]) -> Account {
    Account {
        name,
        compute_accounts: compute_accounts.iter().map(ToString::to_string).collect(),
        ..Account::all().remove(0)
    }
}

fn cluster(config: &mut ClusterConfig) {
    let base = config.nodes[0].clone();
    config.nodes[2].features = vec!["h100".into(), "nvlink".into()];
    config.nodes.push(NodeConfig {
        name: "c3".into(),
        features: vec!["fast".into()],
        ..base.clone()
    });
    config.nodes.push(NodeConfig {
        name: "c4".into(),
        planned: true,
        ..base.clone()
    });
    config.nodes.push(NodeConfig {
        name: "r1".into(),
        ..base
    });
    config.partitions[0].nodes.extend(["c3", "c4", "r1"].map(String::from));
    config.qos = vec![QosConfig {
        name: "visit".into(),
        max_wall_minutes: Some(90),
        max_cores: Some(4),
    }];
    for user in config.users.iter_mut().filter(|user| user.name == "vera") {
        user.accounts[0].qos = Some("visit".into());
    }
    let reservation = |name: &str, starts_in, ends_in, accounts: &[&str]| ReservationConfig {
        name: name.into(),
        starts_in,
        ends_in,
        nodes: vec!["r1".into()],
        accounts: accounts.iter().map(ToString::to_string).collect(),
        ..ReservationConfig::default()
    };
    config.reservations = vec![
        reservation("course", -60, 3 * 3600, &["def-ada_cpu"]),
        ReservationConfig {
            nodes: vec!["c3".into()],
            ..reservation("tomorrow", NOW_AND_LATER, 7200, &["def-ada_cpu"])
        },
        reservation("next-month", 40 * 86_400, 41 * 86_400, &[]),
        reservation("others", -60, 3600, &["def-bob"]),
    ];
    config.private_data = true;
}

fn plan(more: &str) -> Plan {
    Plan {
        accounts: vec![
            account("ada", &["def-ada_cpu", "def-ada_gpu", "rrg-ada"]),
            account("bob", &["def-bob"]),
            account("vera", &["def-vera"]),
        ],
        partition: None,
        cluster,
        start_timeout_seconds: 5,
        more: format!(
            "[accounts]\ncpu_suffix = \"_cpu\"\ngpu_suffix = \"_gpu\"\n\
             [[route]]\ngpu = false\npartitions = [\"cpubase_interac\"]\n\
             [[route]]\ngpu = true\ntime_max = \"3 h\"\npartitions = [\"gpubase_interac\"]\nnamed = true\n\
             [gpu.\"nvidia_h100_80gb_hbm3_1g.10gb\"]\nlabel = {{ en = \"H100 slice, 10 GB\", fr = \"Tranche de H100, 10 Go\" }}\n\
             percent = 12\nmax = 1\ncores = 2\njob_memory = \"15 GB\"\n{more}"
        ),
        ..Plan::default()
    }
}

async fn offer(person: &Person) -> OptionsView {
    let reply = person.get("hub/api/options").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn names<T: ToString>(all: impl IntoIterator<Item = T>) -> Vec<String> {
    all.into_iter().map(|name| name.to_string()).collect()
}

/// Field and code of the first error.
async fn refused(person: &Person, options: Value) -> (String, String) {
    let reply = person.start(&options).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (422, "options"),
        "{options}: {}",
        reply.text
    );
    let error: Value = reply.json();
    let text = |name: &str| error["fields"][0][name].as_str().unwrap().to_owned();
    (text("field"), text("code"))
}

#[tokio::test]
async fn the_document_tells_what_there_is_and_what_is_free_for_this_person() {
    let site = Site::start(plan("")).await;
    let ada = site.sign_in("ada").await;
    let found = offer(&ada).await;
    assert_eq!(
        names(found.accounts.iter().map(|account| &account.name)),
        ["def-ada", "rrg-ada"]
    );
    assert_eq!(found.accounts[0].charges.len(), 2);
    assert_eq!(names(&found.partitions), ["cpubase_interac", "gpubase_interac", "long"]);
    assert_eq!(names(&found.features), ["fast", "h100", "nvlink"]);
    let gpus: Vec<_> = found
        .gpus
        .iter()
        .map(|gpu| (gpu.name.as_str(), gpu.max, gpu.memory))
        .collect();
    assert_eq!(
        gpus,
        [("nvidia_h100_80gb_hbm3_1g.10gb", 1, Some(10_240)), ("h100", 4, None)],
        "the smallest first"
    );
    let reservations = names(found.reservations.iter().map(|reservation| &reservation.name));
    assert_eq!(
        reservations,
        ["course", "tomorrow"],
        "neither others' nor what is far away"
    );
    // c1 and c2 are of one kind; so are c4, which is kept for another job, and r1, which is reserved, but for the time
    // at which something begins on r1, as is known once everybody's reservations have been asked for.
    until("the nodes to be told apart", || async {
        let alike: Vec<_> = offer(&ada)
            .await
            .nodes
            .iter()
            .map(|class| (class.nodes, class.idle))
            .collect();
        (alike.contains(&(2, 2)) && alike.contains(&(1, 0))).then_some(())
    })
    .await;

    let server = ada
        .start_and_wait(&json!({ "account": "def-ada", "cores": 6, "memory": "9 GB", "time": "1:30" }))
        .await;
    assert_eq!(server.state.phase, Phase::Ready);
    until("what the job has is no longer free", || async {
        let found = offer(&ada).await;
        found
            .nodes
            .iter()
            .any(|class| (class.nodes, class.idle) == (2, 1))
            .then_some(())
    })
    .await;
    let vera = site.sign_in("vera").await;
    assert_eq!(
        refused(&vera, json!({ "time": "2 h" })).await,
        ("time".into(), "too_large".into())
    );
    assert_eq!(
        refused(&vera, json!({ "cores": 5 })).await,
        ("cores".into(), "no_such_node".into())
    );
    site.shut_down().await;
}

#[tokio::test]
async fn the_gpu_chooses_the_account_and_what_cannot_be_had_together_is_refused() {
    let site = Site::start(plan("")).await;
    let ada = site.sign_in("ada").await;
    for (options, field, code) in [
        (
            json!({ "account": "rrg-ada", "gpu": "h100:4", "time": "4 h" }),
            "time",
            "too_large",
        ),
        (json!({ "gpu": "nvidia_h100_80gb_hbm3_1g.10gb:2" }), "gpu", "too_large"),
        (
            json!({ "gpu": "h100", "partition": "cpubase_interac" }),
            "gpu",
            "not_together",
        ),
        (
            json!({ "features": "nvlink", "partition": "cpubase_interac" }),
            "features",
            "not_together",
        ),
        (json!({ "reservation": "course", "time": "4 h" }), "time", "too_large"),
        (
            json!({ "reservation": "course", "account": "rrg-ada" }),
            "reservation",
            "not_together",
        ),
        (json!({ "reservation": "others" }), "reservation", "not_offered"),
        (json!({ "account": "def-ada_gpu" }), "account", "not_offered"),
        (json!({ "oversubscribe": true }), "oversubscribe", "unknown"),
    ] {
        assert_eq!(
            refused(&ada, options.clone()).await,
            (field.into(), code.into()),
            "{options}"
        );
    }
    let slice = "nvidia_h100_80gb_hbm3_1g.10gb";
    let server = ada
        .start_and_wait(&json!({ "gpu": slice, "time": "3 h", "partition": "gpubase_interac" }))
        .await;
    assert_eq!(server.state.node.as_deref(), Some("g1"));
    let shown: Value = ada.get(&ada.own("show")).await.json();
    assert_eq!(shown["environment"]["SLURM_JOB_ACCOUNT"], "def-ada_gpu", "{shown}");
    site.shut_down().await;
}

#[tokio::test]
async fn a_job_waits_for_a_reservation_that_begins_later_and_is_not_given_up_before() {
    let site = Site::start(plan("")).await;
    let ada = site.sign_in("ada").await;
    let reply = ada.start(&json!({ "reservation": "tomorrow", "time": "1 h" })).await;
    assert_eq!(reply.status, 202, "{}", reply.text);
    let waits = ada.wait_for(Phase::Queued).await.state;
    let begins = offer(&ada)
        .await
        .reservations
        .iter()
        .find(|found| found.name.as_str() == "tomorrow")
        .unwrap()
        .starts_at;
    assert_eq!(
        waits.give_up_at,
        Some(begins + 5),
        "five seconds from its beginning, not from the request"
    );
    let ready = ada.wait_for(Phase::Ready).await.state;
    assert_eq!(ready.node.as_deref(), Some("c3"));
    assert!(ready.started_at.unwrap() >= begins);
    site.shut_down().await;
}

#[tokio::test]
async fn a_reservation_that_a_start_waits_for_is_known_after_slipway_was_killed() {
    let mut site = Site::start(plan("")).await;
    let ada = site.sign_in("ada").await;
    ada.start(&json!({ "reservation": "tomorrow", "time": "1 h" })).await;
    let before = ada.wait_for(Phase::Queued).await.state;
    site.kill_slipway().await;
    site.start_slipway().await;
    let after = ada.wait_for(Phase::Queued).await.state;
    assert!(before.begins_at.is_some(), "{before:?}");
    assert_eq!(
        (after.begins_at, after.give_up_at),
        (before.begins_at, before.give_up_at)
    );
    site.shut_down().await;
}

#[tokio::test]
async fn another_interactive_job_is_named_and_what_a_site_does_not_call_interactive_is_not() {
    let site = Site::start(Plan {
        job: "interactive = { partitions = [\"long\"] }\nqos = \"visit\"\nwckey = \"jupyter\"\n".into(),
        ..plan("")
    })
    .await;
    let (slurm, vera) = (site.slurm_client(), site.sign_in("vera").await);
    let job = |partition| sleeping_job(&site, "vera", "def-vera", partition);
    let name = UserName::new("vera").unwrap();
    slurm.person(&name).submit(&job("cpubase_interac")).await.unwrap();
    let allocation = slurm.person(&name).submit(&job("long")).await.unwrap();
    until("the accounting database to know both", || async {
        (slurm.person(&name).live_jobs().await.ok()?.len() == 2).then_some(())
    })
    .await;
    let server = vera.start_and_wait(&json!({})).await;
    let others = offer(&vera).await.other_jobs;
    assert_eq!(
        others.iter().map(|job| (job.id, job.running)).collect::<Vec<_>>(),
        [(allocation, true)],
        "neither a batch job nor the server itself"
    );
    let shown: Value = vera.get(&vera.own("show")).await.json();
    let id = u32::try_from(server.state.job_id.unwrap()).unwrap();
    assert_eq!(shown["environment"]["SLURM_JOB_QOS"], "visit");
    assert_eq!(site.cluster().job(id).unwrap().wckey, "jupyter");
    site.shut_down().await;
}

#[tokio::test]
async fn what_the_site_sets_cannot_be_changed_and_what_it_leaves_out_cannot_be_chosen() {
    let site = Site::start(plan(
        "[options]\npartition = \"no\"\n[options.lock]\ninterface = \"terminal\"\n[options.choices]\ngpu = [\"h100\"]\n\
         [options.most]\ntime = \"2 h\"\nmemory = \"4 GB\"\n",
    ))
    .await;
    let ada = site.sign_in("ada").await;
    let found = offer(&ada).await;
    assert_eq!(
        (found.time.max, found.memory.max, found.partitions.len()),
        (120, 4096, 0)
    );
    assert_eq!(names(found.gpus.iter().map(|gpu| &gpu.name)), ["h100"]);
    assert_eq!(
        (found.chosen.interface.as_str(), found.locked.contains_key("interface")),
        ("terminal", true)
    );
    for (options, field, code) in [
        (json!({ "interface": "lab" }), "interface", "locked"),
        (json!({ "time": "3 h" }), "time", "too_large"),
        (json!({ "partition": "long" }), "partition", "not_offered"),
    ] {
        assert_eq!(
            refused(&ada, options.clone()).await,
            (field.into(), code.into()),
            "{options}"
        );
    }
    let server = ada.start_and_wait(&json!({ "interface": "terminal" })).await;
    assert_eq!(server.user_options.unwrap().interface.as_str(), "terminal");
    site.shut_down().await;
}

/// Two events, of which one is over, for a group of which ada is and bob is not.
const EVENTS: &str = r#"[groups]
class = ["ada"]
[[event]]
name = "course"
title = { en = "Course", fr = "Cours" }
from = 2026-01-01T00:00:00Z
until = 2099-01-01T00:00:00Z
groups = ["class"]
instructors = ["bob"]
open = "lab/tree/course"
skip_form = true
[event.lock]
reservation = "course"
time = "2 h"
[[event]]
name = "over"
title = { en = "Over", fr = "Fini" }
from = 2020-01-01T00:00:00-05:00
until = 2020-02-01T00:00:00-05:00
[event.lock]
interface = "notebook"
"#;

#[tokio::test]
async fn an_event_holds_while_it_is_on_for_those_it_is_for_and_its_instructors_see_how_they_do() {
    let site = Site::start(plan(EVENTS)).await;
    let (ada, bob) = (site.sign_in("ada").await, site.sign_in("bob").await);
    let found = offer(&ada).await;
    let chosen = &found.chosen;
    assert_eq!(
        chosen.reservation.as_ref().map(ToString::to_string).as_deref(),
        Some("course")
    );
    assert_eq!(
        (chosen.time.get(), chosen.interface.as_str(), found.skip_form),
        (120, "lab", true)
    );
    assert_eq!(found.locked["time"].event.as_ref().unwrap().fr, "Cours");
    assert_eq!((found.events.len(), found.events[0].instructor), (1, false));
    assert_eq!(
        refused(&ada, json!({ "time": "1 h" })).await,
        ("time".into(), "locked".into())
    );

    let board = "hub/api/events/course";
    assert_eq!(ada.get(board).await.status, 404, "for instructors only");
    assert_eq!(bob.get("hub/api/events/over").await.status, 404);
    let nobody: Value = bob.get(board).await.json();
    assert_eq!(nobody["people"], json!([]));

    ada.start_and_wait(&json!({})).await;
    let ready = ada.progress().await;
    let url = ready.last().unwrap().url.as_deref().unwrap();
    assert!(url.ends_with("/user/ada/lab/tree/course"), "{url}");
    bob.start_and_wait(&json!({})).await;
    let one: Value = bob.get(board).await.json();
    let row = &one["people"][0];
    assert_eq!(
        (one["people"].as_array().unwrap().len(), &row["user"], &row["phase"]),
        (1, &json!("ada"), &json!("ready"))
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_profile_is_started_by_its_name_and_can_be_changed_in_part() {
    let profile = "[[profile]]\nname = \"short-gpu\"\nlabel = { en = \"A GPU\", fr = \"Un GPU\" }\n\
                   options = { gpu = \"h100\", time = \"1 h\", cores = 2 }\n";
    let site = Site::start(plan(profile)).await;
    let ada = site.sign_in("ada").await;
    let chosen = ada
        .start_and_wait(&json!({ "profile": "short-gpu", "cores": 3 }))
        .await
        .user_options
        .unwrap();
    assert_eq!(
        (
            chosen.gpu.unwrap().to_string().as_str(),
            chosen.time.get(),
            chosen.cores.get()
        ),
        ("h100:1", 60, 3)
    );
    assert_eq!(offer(&ada).await.profiles.len(), 1);
    let bob = site.sign_in("bob").await;
    assert_eq!(
        refused(&bob, json!({ "profile": "long" })).await,
        ("profile".into(), "not_offered".into())
    );
    site.shut_down().await;
}

#[tokio::test]
async fn interfaces_are_the_sites_with_lines_and_arguments_of_their_own_for_those_they_are_for() {
    let interfaces = "[[interface]]\nname = \"lab\"\nrecommended = true\n[[interface]]\nname = \"rstudio\"\n\
                      label = { en = \"RStudio\", fr = \"RStudio\" }\nabout = { en = \"R.\", fr = \"R.\" }\npath = \"rstudio/\"\n\
                      setup = \"export RSTUDIO=here\"\narguments = [\"--ServerApp.answer_yes=True\"]\nusers = [\"ada\"]\n";
    let site = Site::start(plan(interfaces)).await;
    let (ada, bob) = (site.sign_in("ada").await, site.sign_in("bob").await);
    assert_eq!(names(offer(&ada).await.interfaces), ["lab", "rstudio"]);
    assert_eq!(names(offer(&bob).await.interfaces), ["lab"]);
    assert_eq!(
        refused(&bob, json!({ "interface": "rstudio" })).await,
        ("interface".into(), "not_offered".into())
    );
    ada.start_and_wait(&json!({ "interface": "rstudio" })).await;
    let shown: Value = ada.get(&ada.own("show")).await.json();
    assert_eq!(shown["environment"]["RSTUDIO"], "here");
    let arguments = shown["arguments"].as_array().unwrap();
    assert!(
        arguments.contains(&json!("--ServerApp.answer_yes=True")),
        "{arguments:?}"
    );
    let url = ada.progress().await.last().unwrap().url.clone().unwrap();
    assert!(url.ends_with("/user/ada/rstudio/"), "{url}");
    let about: Value = site.anonymous().get("hub/api/site").await.json();
    let rstudio = &about["interfaces"][1];
    assert_eq!(
        (&rstudio["label"]["fr"], &rstudio["changeable"]),
        (&json!("RStudio"), &Value::Null)
    );
    site.shut_down().await;
}

#[tokio::test]
async fn last_choices_that_cannot_be_had_any_more_are_left_and_that_is_said() {
    let mut site = Site::start(plan("")).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({ "interface": "notebook", "cores": 3 }))
        .await;
    assert_eq!(offer(&ada).await.chosen_from, Source::Last);
    site.end_slipway().await;
    let config = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    std::fs::write(
        site.path("slipway.toml"),
        format!("{config}\n[[interface]]\nname = \"lab\"\n"),
    )
    .unwrap();
    site.start_slipway().await;
    let found = offer(&ada).await;
    assert_eq!((found.chosen.interface.as_str(), found.chosen.cores.get()), ("lab", 3));
    assert_eq!(
        (found.chosen_from, found.last_refused[0].field.as_str()),
        (Source::Last, "interface")
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_hundred_who_open_the_form_are_one_look_at_the_cluster_and_one_at_each_person() {
    let names: Vec<&'static str> = (0..25).map(|n| &*Box::leak(format!("p{n}").into_boxed_str())).collect();
    let site = Site::start(Plan {
        accounts: names.iter().map(|name| account(name, &["def-x"])).collect(),
        cluster: |_| {},
        ..plan("")
    })
    .await;
    let people = site.signed_in(names.iter().map(ToString::to_string));
    offer(&people[0]).await;
    let before = site.cluster().requests();
    let all = people.iter().flat_map(|person| (0..4).map(move |_| offer(person)));
    futures_util::future::join_all(all).await;
    let asked = site.cluster().requests() - before;
    // Associations, reservations and other jobs of 24 people; the poller and pings may come between.
    assert!((72..=80).contains(&asked), "{asked} requests");
    site.shut_down().await;
}

#[tokio::test]
async fn the_document_has_a_schema() {
    let site = Site::start(Plan::default()).await;
    let schema: Value = site.sign_in("ada").await.get("hub/api/options/schema").await.json();
    let fields = schema["properties"].as_object().unwrap();
    let document: Value = site.sign_in("ada").await.get("hub/api/options").await.json();
    for name in document.as_object().unwrap().keys() {
        assert!(fields.contains_key(name), "{name} is not in the schema");
    }
    site.shut_down().await;
}
