//! People in a browser: each test starts a site and has one story told by Node (`*.mjs`), with a real Chromium
//! and, where a cell is run, a real Jupyter. Pictures are in `target/e2e/`.

#![expect(clippy::unwrap_used, reason = "a story that cannot be told fails")]

mod why;

use std::process::Stdio;
use std::time::Duration;

use local_slurm::{Behaviour, ClusterConfig, JobState, NodeConfig, ReservationConfig};
use serde_json::json;
use shared::names::UserName;
use slipway_tests::{Account, Machine, Plan, RealSlurm, Site, repository};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Command;

/// How long a story may take.
const DEADLINE: Duration = Duration::from_mins(2);

/// Tells a story to its end.
///
/// # Panics
/// When it does not end well, with its steps and what Slipway said.
async fn tell(site: &Site, name: &str, person: &str) {
    tell_of(site, name, person, &json!([])).await;
}

/// The same of several cases, which are the story's to go through.
async fn tell_of(site: &Site, name: &str, person: &str, cases: &serde_json::Value) {
    let pictures = repository().join("target/e2e");
    let passwords: serde_json::Map<_, _> = site
        .passwords
        .iter()
        .map(|(name, password)| (name.clone(), json!(password)))
        .collect();
    let story = json!({
        "name": name, "url": site.url, "servers": site.servers_url(), "person": person, "passwords": passwords,
        "pictures": pictures, "cases": cases,
    });
    let mut node = Command::new("node")
        .arg(repository().join(format!("tests/e2e/{name}.mjs")))
        .env("STORY", story.to_string()) // Not an argument: those can be read by everybody.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    let (mut answers, mut lines) = (
        node.stdin.take().unwrap(),
        BufReader::new(node.stdout.take().unwrap()).lines(),
    );
    let mut said = String::new();
    let many = u32::try_from(cases.as_array().map_or(0, Vec::len) / 20).unwrap();
    let deadline = tokio::time::Instant::now() + DEADLINE * (1 + many) + silence();
    while let Ok(Some(line)) = tokio::time::timeout_at(deadline, lines.next_line())
        .await
        .map_or(Ok(None), |line| line)
    {
        match line.strip_prefix("please ") {
            Some(wish) => {
                let granted = grant(site, wish).await;
                answers.write_all(format!("{granted}\n").as_bytes()).await.unwrap();
            }
            None => said.extend([
                &line, "
",
            ]),
        }
    }
    let status = tokio::time::timeout_at(deadline, node.wait()).await;
    let ended_well = status
        .as_ref()
        .is_ok_and(|status| status.as_ref().is_ok_and(std::process::ExitStatus::success));
    assert!(
        ended_well,
        "{name} ended with {status:?}:\n{said}\nSlipway said:\n{}",
        site.log()
    );
}

/// What a story may ask for, and what it is told.
async fn grant(site: &Site, wish: &str) -> String {
    match wish.split_once(": ").unwrap_or((wish, "")) {
        ("silence Slurm", _) => site.cluster().stop_answering(),
        ("wake Slurm", _) => site.cluster().resume(),
        // The cookies of a sign-in that ends so soon.
        ("seconds of ada", seconds) => return json!(site.cookies_for("ada", seconds.parse().unwrap())).to_string(),
        ("sign out", name) => {
            let mut command = std::process::Command::new(slipway_tests::program("slipway"));
            let command = command
                .args(["sign-out", name, "--config"])
                .arg(site.path("slipway.toml"));
            assert!(command.status().unwrap().success());
        }
        ("close the account of ada", _) => site.close_account("ada"),
        ("end job", id) => assert!(site.cluster().finish(id.parse().unwrap(), JobState::Timeout)),
        ("renew Slipway", _) => site.hand_over().await,
        ("approve", _) => std::fs::write(site.path("acts/approved"), "").unwrap(),
        other => panic!("no story may ask for {other:?}"),
    }
    "done".to_owned()
}

/// A site with a real Jupyter. It refuses to run as root, which only a test would: so this person allows it.
async fn with_jupyter(person: &str) -> Site {
    let site = Site::start(Plan::default().with_real_jupyter()).await;
    let folder = std::path::PathBuf::from(site.home(person)).join(".jupyter");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(
        folder.join("jupyter_server_config.json"),
        json!({ "ServerApp": { "allow_root": true } }).to_string(),
    )
    .unwrap();
    site
}

#[tokio::test]
async fn a_person_runs_a_cell_restarts_the_kernel_stops_and_comes_back_to_the_same_notebook() {
    let site = with_jupyter("ada").await;
    tell(&site, "lab", "ada").await;
    site.shut_down().await;
}

/// How long nothing happens in the day of somebody who works: five minutes in `make soak`.
fn silence() -> Duration {
    let seconds = std::env::var("SLIPWAY_SILENCE_SECONDS").map_or(10, |seconds| seconds.parse().unwrap());
    Duration::from_secs(seconds)
}

#[tokio::test]
async fn a_person_works_in_lab_for_a_day_while_slipway_is_renewed() {
    let site = with_jupyter("ada").await;
    tell_of(&site, "day", "ada", &json!([silence().as_secs()])).await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_runs_a_cell_in_french_on_a_phone_in_the_dark() {
    let site = with_jupyter("ada").await;
    tell(&site, "phone", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_types_a_command_into_a_terminal() {
    let site = with_jupyter("ada").await;
    tell(&site, "terminal", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_runs_a_cell_and_stops_through_real_slurm_24_11() {
    let site = Site::start_on(RealSlurm::start("24.11").await, Plan::default()).await;
    tell(&site, "lab", "alice").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_logs_in_after_every_mistake_and_without_scripts() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "login", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_is_told_what_is_wrong_with_the_options_and_what_slurm_refuses() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "options", "ada").await;
    site.shut_down().await;
}

/// A site that has everything there is to choose from.
fn rich(more: &str) -> Plan {
    fn cluster(config: &mut ClusterConfig) {
        let base = config.nodes[0].clone();
        for (name, feature) in [("c3", "fast"), ("r1", "large-disk")] {
            config.nodes.push(NodeConfig {
                name: name.into(),
                features: vec![feature.into()],
                ..base.clone()
            });
            config.partitions[0].nodes.push(name.into());
        }
        let reservation = |name: &str, node: &str, starts_in, ends_in| ReservationConfig {
            name: name.into(),
            starts_in,
            ends_in,
            nodes: vec![node.into()],
            ..ReservationConfig::default()
        };
        config.reservations = vec![
            reservation("course", "r1", -60, 3 * 3600),
            reservation("tomorrow", "c3", 20 * 3600, 28 * 3600),
        ];
    }
    let person = |name: &'static str, accounts: &[&str], behaviour| Account {
        name,
        compute_accounts: accounts.iter().map(ToString::to_string).collect(),
        behaviour,
        ..Account::all().remove(0)
    };
    let waits = Behaviour::Waits {
        reason: "Resources".into(),
    };
    Plan {
        accounts: vec![
            person("ada", &["def-ada_cpu", "def-ada_gpu", "rrg-ada"], Behaviour::Normal),
            person("bob", &["def-bob"], Behaviour::Normal),
            person("vera", &["def-vera"], Behaviour::Normal),
            person("waits", &["def-waits"], waits),
        ],
        partition: None,
        cluster,
        more: format!("{RICH}{more}"),
        ..Plan::default()
    }
}

const RICH: &str = r#"
[accounts]
cpu_suffix = "_cpu"
gpu_suffix = "_gpu"
[options.note]
text = { en = "Compute nodes have no internet: upload what you need first.", fr = "Les nœuds de calcul n’ont pas accès à Internet : téléversez d’abord ce qu’il vous faut." }
link = { en = "https://example.org/files", fr = "https://example.org/fr/fichiers" }
[[route]]
gpu = false
partitions = ["cpubase_interac"]
[[route]]
gpu = true
time_max = "3 h"
partitions = ["gpubase_interac"]
named = true
[gpu."nvidia_h100_80gb_hbm3_1g.10gb"]
label = { en = "H100 slice, 10 GB", fr = "Tranche de H100, 10 Go" }
percent = 14
max = 1
cores = 2
job_memory = "15 GB"
[gpu.h100]
label = { en = "H100", fr = "H100" }
[[profile]]
name = "one-gpu"
label = { en = "A GPU", fr = "Un GPU" }
about = { en = "To see whether it helps.", fr = "Pour voir si cela aide." }
options = { gpu = "h100", time = "1 h", cores = 2, memory = "4 GB" }
[[profile]]
name = "short"
label = { en = "A short one", fr = "Un court" }
options = { time = "30 min" }
"#;

const EVENT: &str = r#"
[[event]]
name = "course"
title = { en = "Course", fr = "Cours" }
from = 2026-01-01T00:00:00Z
until = 2099-01-01T00:00:00Z
instructors = ["bob"]
skip_form = true
[event.lock]
gpu = "none"
time = "2 h"
interface = "lab"
"#;

#[tokio::test]
async fn a_person_chooses_among_everything_and_shares_the_link() {
    let site = Site::start(rich("")).await;
    tell(&site, "form", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_sees_what_has_the_focus_at_400_percent_and_on_a_phone() {
    let site = Site::start(rich("")).await;
    tell(&site, "small", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_uses_the_form_before_the_page_runs_and_loses_nothing() {
    let mut plan = rich("");
    plan.accounts.extend(
        Account::all()
            .into_iter()
            .filter(|account| account.name == "many-accounts"),
    );
    let site = Site::start(plan).await;
    tell(&site, "before", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn people_of_an_event_get_what_it_forces_and_their_instructor_sees_how_they_do() {
    let site = Site::start(rich(EVENT)).await;
    tell(&site, "event", "ada").await;
    site.shut_down().await;
}

/// How many seconds after its cluster the reservation of the class begins.
const NINE_O_CLOCK: i64 = 30;

#[tokio::test]
async fn a_class_of_eighty_starts_into_a_reservation_at_nine() {
    fn cluster(config: &mut ClusterConfig) {
        let base = config.nodes[0].clone();
        let names: Vec<String> = (0..20).map(|n| format!("r{n}")).collect();
        for name in &names {
            config.nodes.push(NodeConfig {
                name: name.clone(),
                ..base.clone()
            });
        }
        config.partitions[0].nodes.extend(names.clone());
        config.reservations = vec![ReservationConfig {
            name: "nine-o-clock".into(),
            starts_in: NINE_O_CLOCK,
            ends_in: 3 * 3600,
            nodes: names,
            ..ReservationConfig::default()
        }];
    }
    let class: Vec<&'static str> = (1..80).map(|n| &*format!("s{n:02}").leak()).collect();
    let person = |name: &'static str| Account {
        name,
        compute_accounts: vec!["def-class".into()],
        ..Account::all().remove(0)
    };
    let event = EVENT.replace("skip_form = true", "").replace(
        "gpu = \"none\"\ntime = \"2 h\"",
        "reservation = \"nine-o-clock\"\ntime = \"2 h\"",
    );
    let site = Site::start(Plan {
        accounts: class.iter().copied().chain(["ada", "bob"]).map(person).collect(),
        partition: None,
        cluster,
        more: event,
        ..Plan::default()
    })
    .await;
    let people = site.signed_in(class.iter().map(ToString::to_string));
    let wish = json!({});
    let starts = people.iter().map(|person| person.start(&wish));
    for reply in futures_util::future::join_all(starts).await {
        assert_eq!(reply.status, 202, "{}", reply.text);
    }
    tell(&site, "class", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_gets_a_slice_of_a_gpu_for_three_hours_charged_to_an_allocation() {
    let site = Site::start(rich("")).await;
    tell(&site, "slice", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn an_event_gives_everybody_a_terminal_and_the_form_comes_after_signing_in() {
    let event = EVENT.replace("skip_form = true", "").replace("\"lab\"", "\"terminal\"");
    let site = Site::start(rich(&format!("[options]\nlanding = \"form\"\n{event}"))).await;
    tell(&site, "forced-terminal", "vera").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_site_can_lead_people_straight_into_their_usual_server() {
    let plan = Plan {
        more: "[options]\nlanding = \"start\"\n".into(),
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    tell(&site, "straight", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_sees_where_their_server_is_in_its_life() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "server-pages", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_is_told_where_they_asked_for_it_what_could_not_be_done() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "attempts", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_gets_the_next_server_that_was_wanted_or_is_told_why_not() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "next", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_reads_what_the_site_announces_and_dismisses_it() {
    fn cluster(config: &mut ClusterConfig) {
        let maintenance = ReservationConfig {
            name: "maintenance".into(),
            starts_in: -60,
            ends_in: 3 * 3600,
            nodes: config.nodes.iter().map(|node| node.name.clone()).collect(),
            maintenance: true,
            ..ReservationConfig::default()
        };
        config.reservations.push(maintenance);
    }
    let mut site = Site::start(Plan {
        cluster,
        more: r#"
[site.help]
username = { en = "Not your e-mail.", fr = "Pas votre courriel." }
time = { en = "A class takes two.", fr = "Un cours en dure deux." }
[[site.hubs]]
name = "Narval"
url = { en = "https://narval.example.org/", fr = "https://narval.example.org/fr" }
about = { en = "Notebooks on Narval", fr = "Des carnets sur Narval" }
[[site.hubs]]
name = "Open OnDemand"
url = "https://ondemand.example.org/"
about = { en = "Desktops and Jupyter on Rorqual", fr = "Bureaux et Jupyter sur Rorqual" }
[[site.announcements]]
text = { en = "Maintenance on 1 December: no job runs.", fr = "Entretien le 1er décembre : aucune tâche." }
from = 2026-11-28T12:00:00-05:00
link = { en = "https://status.example.org/", fr = "https://status.example.org/fr" }
[[site.announcements]]
text = { en = "This is over.", fr = "C’est fini." }
until = 2026-01-01T00:00:00Z
"#
        .into(),
        ..Plan::default()
    })
    .await;
    site.kill_slipway().await;
    let config = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    let logo = repository().join("style/icon.svg");
    let with_logo = format!("[site]\nlogo = {:?}", logo.display().to_string());
    std::fs::write(site.path("slipway.toml"), config.replace("[site]", &with_logo)).unwrap();
    site.start_slipway().await;
    tell(&site, "announcement", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_who_follows_a_link_to_somebody_elses_server_is_told_so() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "not-yours", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_whose_start_was_given_up_reads_why_and_tries_again() {
    let site = Site::start(Plan {
        start_timeout_seconds: 5,
        ..Plan::default()
    })
    .await;
    tell(&site, "given-up", "waits").await;
    site.shut_down().await;
}

/// Jupyter that fails over the person's own settings, on one node that is soon full.
#[tokio::test]
async fn a_person_whose_start_came_to_nothing_is_helped() {
    let stub = Plan::default().jupyter;
    let person = |name| Account {
        name,
        compute_accounts: vec!["def-x".into()],
        ..Account::all().remove(0)
    };
    let site = Site::start(Plan {
        accounts: vec![person("ada"), person("bob")],
        jupyter: "jupyter_with_settings".into(),
        setup: format!(
            "jupyter_with_settings() {{ [[ $JUPYTER_CONFIG_DIR || $USER != ada ]] && exec '{stub}' \"$@\"; exit 3; }}"
        ),
        start_timeout_seconds: 8,
        job: "interactive = { partitions = [\"long\"] }\n".into(),
        cluster: |config| {
            config.partitions[0].nodes = vec!["c1".into()];
            config.partitions[2].nodes = vec!["c2".into()];
        },
        more: "[[route]]\npartitions = [\"cpubase_interac\"]\n".into(),
        ..Plan::default()
    })
    .await;
    let ada = UserName::new("ada").unwrap();
    let job = slipway_tests::sleeping_job(&site, "ada", "def-x", "long");
    site.slurm_client().person(&ada).submit(&job).await.unwrap();
    tell(&site, "help", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_is_kept_up_to_date_without_events_and_after_a_time_without_network() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "no-events", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_logs_in_starts_and_stops_by_keyboard_alone() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "keyboard", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_whose_login_ends_loses_neither_a_form_nor_an_open_lab() {
    let site = with_jupyter("ada").await;
    tell(&site, "log-in-again", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_hostile_notebook_is_kept_from_the_hub_by_a_second_host_name() {
    let site = Site::start(Plan {
        split: true,
        ..Plan::default()
    })
    .await;
    tell(&site, "hostile-split", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_hostile_notebook_at_the_hubs_own_host_name_can_do_what_is_written_down_and_no_more() {
    let site = Site::start(Plan::default()).await;
    tell(&site, "hostile", "ada").await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_person_gives_a_second_factor_and_approves_on_a_phone() {
    let plan = Plan {
        machine: Some(Machine::default()),
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    let acts = |name: &str, lines| std::fs::write(site.path(&format!("acts/{name}.auth")), lines).unwrap();
    let twice = "password correct\ninfo Two things more.\nshown 1234 First code:\nhidden 5678 Second code:\n";
    acts("ada", twice);
    acts(
        "waits",
        "password correct\ninfo Approve on your phone.\nwait 60 approved\n",
    );
    acts("refused", "password correct\n");
    std::fs::write(site.path("acts/refused.account"), "fail new_authtok_reqd\n").unwrap();
    acts(
        "many-accounts",
        "password correct\nradio yes Use this computer from now on?\n",
    );
    tell(&site, "second-factor", "ada").await;
    site.shut_down().await;
}
