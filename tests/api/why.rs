//! Why something did not start or is over: told by the job, by Slurm and by its accounting, and what support is given.

use http::{Method, header};
use local_slurm::{Behaviour, JobState};
use serde_json::json;
use shared::api::ErrorCode;
use shared::server::{EndCause, PastServer, Phase};
use slipway_tests::{Account, Person, Plan, Site, sleeping_job, until};

use crate::command_line::{said, slipway};

async fn history(person: &Person) -> Vec<PastServer> {
    let path = format!("hub/api/users/{}/history", person.name);
    person.get(&path).await.json()
}

async fn support(person: &Person) -> String {
    person.get(&format!("{}/support", person.server_path())).await.text
}

/// The one end of a start with these set-up lines.
async fn end_with(setup: &str, jupyter: Option<&str>) -> EndCause {
    let plan = Plan::default();
    let site = Site::start(Plan {
        setup: setup.into(),
        jupyter: jupyter.map_or(plan.jupyter.clone(), str::to_owned),
        ..plan
    })
    .await;
    let ada = site.sign_in("ada").await;
    ada.start(&json!({})).await;
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    site.shut_down().await;
    end.cause
}

#[tokio::test]
async fn a_module_that_is_missing_is_told_apart_in_the_words_of_both_kinds_of_modules() {
    let lmod = "module() { echo 'Lmod has detected the following error:  The following module(s) are unknown: \"jupyter\"' >&2; \
                return 1; }; module load jupyter";
    assert_eq!(end_with(lmod, None).await, EndCause::ModuleMissing);
    // Where the lines go on, it is why Jupyter is not there.
    let tcl = "module() { echo 'ERROR: Unable to locate a modulefile for jupyter' >&2; return 1; }; module load jupyter; true";
    assert_eq!(end_with(tcl, Some("no-such-jupyter")).await, EndCause::ModuleMissing);
    // And where Jupyter is there all the same, nobody minds.
    assert_eq!(end_with(tcl, Some("true")).await, EndCause::Finished);
    for failing in ["echo harmless >&2; false", "exit 9"] {
        assert_eq!(end_with(failing, None).await, EndCause::SetupFailed, "{failing}");
    }
}

#[tokio::test]
async fn a_home_that_is_not_there_is_told_apart() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    // Slurm starts the job elsewhere then, as a node without the file system would.
    let home = site.home("ada");
    std::fs::remove_dir_all(&home).unwrap();
    ada.start(&json!({})).await;
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!(end.cause, EndCause::HomeMissing);
    site.shut_down().await;
}

#[tokio::test]
async fn without_the_persons_own_settings_jupyter_sees_fresh_folders_this_once() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let start = ada.server_path();
    for (fresh, seen) in [(true, true), (false, false)] {
        let reply = ada
            .post(&start, &json!({ "user_options": {}, "fresh_settings": fresh }))
            .await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        ada.wait_for(Phase::Ready).await;
        let shown: serde_json::Value = ada.get(&ada.own("show")).await.json();
        let environment = &shown["environment"];
        let folder = environment["JUPYTER_CONFIG_DIR"].as_str().unwrap_or_default();
        assert_eq!(folder.contains("/slipway-"), seen, "{environment}");
        assert_eq!(environment["PYTHONNOUSERSITE"] == "1", seen, "{environment}");
        ada.delete(&start).await;
        ada.wait_for(Phase::Ended).await;
    }
    site.shut_down().await;
}

/// What this person's Jupyter has as its defaults from Slipway.
async fn defaults(person: &Person) -> Option<serde_json::Value> {
    let shown: serde_json::Value = person.get(&person.own("show")).await.json();
    let folder = shown["environment"]["JUPYTER_CONFIG_PATH"].as_str()?;
    let text = std::fs::read(format!("{folder}/labconfig/default_setting_overrides.json")).ok()?;
    Some(serde_json::from_slice(&text).unwrap())
}

#[tokio::test]
async fn jupyter_opens_in_the_language_of_the_page_from_which_it_was_started() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let start = ada.server_path();
    let in_language = |locale| Some(json!({ "@jupyterlab/translation-extension:plugin": { "locale": locale } }));
    for (browser, wanted) in [
        (None, None),
        (Some("en"), in_language("en")),
        (Some("fr-CA, en;q=0.5"), in_language("fr_FR")),
    ] {
        let request = ada.request(Method::POST, &start).json(&json!({}));
        let request = browser.into_iter().fold(request, |request, languages| {
            request.header(header::ACCEPT_LANGUAGE, languages)
        });
        assert_eq!(Person::send(request).await.status, 202);
        ada.wait_for(Phase::Ready).await;
        assert_eq!(defaults(&ada).await, wanted, "{browser:?}");
        if browser != Some("fr-CA, en;q=0.5") {
            ada.delete(&start).await;
            ada.wait_for(Phase::Ended).await;
        }
    }
    // The next one, which nobody's page asks for, opens like it.
    assert_eq!(ada.put(&format!("{start}/next")).await.status, 204);
    assert!(site.cluster().finish(3, JobState::Timeout));
    let is_there = async || {
        let server = ada.server().await?;
        (server.ready && server.state.job_id == Some(4)).then_some(())
    };
    until("the next server", is_there).await;
    assert_eq!(defaults(&ada).await, in_language("fr_FR"));
    site.shut_down().await;
}

#[tokio::test]
async fn a_start_can_wait_from_the_beginning_however_long_that_takes() {
    let site = Site::start(Plan {
        start_timeout_seconds: 5,
        ..Plan::default()
    })
    .await;
    let waits = site.sign_in("waits").await;
    let body = json!({ "user_options": {}, "keep_waiting": true });
    assert_eq!(waits.post(&waits.server_path(), &body).await.status, 202);
    let state = waits.wait_for(Phase::Queued).await.state;
    assert_eq!(state.give_up_at, None);
    site.shut_down().await;
}

#[tokio::test]
async fn when_the_time_is_over_the_next_one_is_started_once_if_that_is_wanted() {
    let mut site = Site::start(Plan {
        start_timeout_seconds: 300,
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    let next = format!("{}/next", ada.server_path());
    assert_eq!(ada.put(&next).await.status, 400, "nothing runs");
    let first = ada
        .start_and_wait(&json!({ "cores": 2, "interface": "terminal" }))
        .await;
    assert!(!first.state.next);
    assert_eq!(ada.put(&next).await.status, 204);
    assert_eq!(ada.delete(&next).await.status, 204);
    assert!(!ada.server().await.unwrap().state.next);
    assert_eq!(ada.put(&next).await.status, 204);
    assert!(ada.server().await.unwrap().state.next);
    // The wish outlives this Slipway.
    site.kill_slipway().await;
    site.start_slipway().await;
    assert!(ada.server().await.unwrap().state.next);

    assert!(site.cluster().finish(1, JobState::Timeout));
    let second = until("the next server", || async {
        let server = ada.server().await?;
        (server.state.job_id == Some(2) && server.ready).then_some(server)
    })
    .await;
    assert_eq!(second.user_options, first.user_options);
    assert!(!second.state.next, "once");
    assert!(site.cluster().finish(2, JobState::Timeout));
    ada.wait_for(Phase::Ended).await;
    assert!(site.cluster().job(3).is_none());

    // Not after an end that the person wanted, or that the server brought about.
    for (id, end) in [(3, None), (4, Some(JobState::OutOfMemory))] {
        ada.start_and_wait(&json!({})).await;
        assert_eq!(ada.put(&next).await.status, 204);
        match end {
            Some(state) => assert!(site.cluster().finish(id, state)),
            None => assert_eq!(ada.delete(&ada.server_path()).await.status, 202),
        }
        ada.wait_for(Phase::Ended).await;
        assert!(site.cluster().job(id + 1).is_none(), "{end:?}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn the_next_one_that_cannot_be_started_says_why() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.put(&format!("{}/next", ada.server_path())).await.status, 204);
    site.close_account("ada");
    assert!(site.cluster().finish(1, JobState::Timeout));
    let failed = until("why the next one did not start", || async {
        ada.server().await?.state.next_failed
    })
    .await;
    assert_eq!(failed.code, ErrorCode::Inactive);
    site.shut_down().await;
}

#[tokio::test]
async fn the_last_servers_are_listed_with_refused_starts_and_what_only_accounting_remembers() {
    let mut site = Site::start(Plan::default()).await;
    let (ada, refused) = (site.sign_in("ada").await, site.sign_in("refused").await);
    assert_eq!(history(&ada).await, []);
    ada.start_and_wait(&json!({ "cores": 2 })).await;
    ada.delete(&ada.server_path()).await;
    ada.wait_for(Phase::Ended).await;
    ada.start_and_wait(&json!({})).await;
    assert!(site.cluster().finish(2, JobState::OutOfMemory));
    ada.wait_for(Phase::Ended).await;
    let listed = history(&ada).await;
    let causes: Vec<_> = listed.iter().map(|past| past.end.cause.clone()).collect();
    assert_eq!(causes, [EndCause::OutOfMemory, EndCause::Cancelled]);
    assert_eq!(listed[1].options.as_ref().unwrap().cores.get(), 2);
    assert!(
        listed[0].started_at.is_some() && listed[0].ended_at.is_some(),
        "{listed:?}"
    );

    refused.start(&json!({})).await;
    let listed = history(&refused).await;
    assert!(
        matches!(listed[0].end.cause, EndCause::Refused { code: 2050, .. }) && listed[0].job_id.is_none(),
        "{listed:?}"
    );

    // Another installation of Slipway, or one whose store was lost, still has what Slurm remembers.
    site.end_slipway().await;
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(site.path(&format!("slipway.db{suffix}")));
    }
    site.start_slipway().await;
    let listed = history(&ada).await;
    let causes: Vec<_> = listed.iter().map(|past| past.end.cause.clone()).collect();
    assert_eq!(causes, [EndCause::OutOfMemory, EndCause::Cancelled]);
    assert_eq!(listed[0].options, None);
    assert_eq!(ada.get("hub/api/users/refused/history").await.status, 403);
    site.shut_down().await;
}

#[tokio::test]
async fn who_cancelled_a_server_from_elsewhere_is_said_and_stopping_it_here_is_not() {
    let site = Site::start(Plan::default()).await;
    let (ada, slurm) = (site.sign_in("ada").await, site.slurm_client());
    let job = ada.start_and_wait(&json!({})).await.state.job_id.unwrap();
    slurm
        .person(&shared::names::UserName::new("ada").unwrap())
        .cancel(job)
        .await
        .unwrap();
    ada.wait_for(Phase::Ended).await;
    let by = until("who cancelled it", || async {
        let end = ada.wait_for(Phase::Ended).await.state.end?;
        end.cancelled_by
    })
    .await;
    assert_eq!(by, "ada");
    assert_eq!(history(&ada).await[0].end.cancelled_by.as_deref(), Some("ada"));
    ada.start_and_wait(&json!({})).await;
    ada.delete(&ada.server_path()).await;
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!((end.cause, end.cancelled_by), (EndCause::Cancelled, None));
    site.shut_down().await;
}

#[tokio::test]
async fn another_job_is_cancelled_in_its_owners_name_and_nobody_elses() {
    let site = Site::start(Plan {
        job: "interactive = { partitions = [\"long\"] }\n".into(),
        ..Plan::default()
    })
    .await;
    let (ada, waits, slurm) = (
        site.sign_in("ada").await,
        site.sign_in("waits").await,
        site.slurm_client(),
    );
    let name = shared::names::UserName::new("ada").unwrap();
    let job = sleeping_job(&site, "ada", "def-ada", "long");
    let id = slurm.person(&name).submit(&job).await.unwrap();
    let cancel = |person: &str| format!("hub/api/users/{person}/jobs/{id}");
    assert_eq!(waits.delete(&cancel("ada")).await.status, 403);
    waits.delete(&cancel("waits")).await;
    assert_eq!(
        site.cluster().job(1).unwrap().state,
        JobState::Running,
        "it is not theirs"
    );
    let server = ada.start_and_wait(&json!({})).await.state.job_id.unwrap();
    let own = ada.delete(&format!("hub/api/users/ada/jobs/{server}")).await;
    assert_eq!(
        (own.status, own.code().as_str()),
        (400, "conflict"),
        "the server has a button of its own"
    );
    assert_eq!(ada.delete(&cancel("ada")).await.status, 204);
    site.cluster()
        .wait_for(1, std::time::Duration::from_secs(10), |job| {
            job.state == JobState::Cancelled
        })
        .await
        .unwrap();
    site.shut_down().await;
}

#[tokio::test]
async fn support_is_given_the_same_block_by_the_page_and_at_the_command_line() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    assert_eq!(ada.get(&format!("{}/support", ada.server_path())).await.status, 404);
    let asked = ada.start(&json!({ "time": "2 h" })).await;
    let request = asked.headers["x-request-id"].to_str().unwrap().to_owned();
    let server = ada.wait_for(Phase::Ready).await;
    let block = support(&ada).await;
    let job = format!("Job:       {}", server.state.job_id.unwrap());
    for line in [
        "Cluster:   Pretend",
        "User:      ada",
        &format!("Request:   {request}"),
        &job,
        "State:     The server is ready",
        "Slurm:     RUNNING, reason None",
        " time=120",
    ] {
        assert!(block.contains(line), "{line:?} is not in\n{block}");
    }
    assert!(!block.contains("PRIVATE") && !block.contains("nonce"), "{block}");

    let config = site.path("slipway.toml").display().to_string();
    let same = |block: &str| -> Vec<String> {
        let timeless = |line: &&str| !line.starts_with("Written:");
        block.lines().filter(timeless).map(str::to_owned).collect()
    };
    // On another thread: this one is the cluster's too.
    let explain = async |what: &'static str| {
        let config = config.clone();
        let run = move || slipway(&["explain", what, "--config", &config], "");
        tokio::task::spawn_blocking(run).await.unwrap()
    };
    for what in ["ada", "1"] {
        let explained = explain(what).await;
        assert!(explained.status.success(), "{}", said(&explained));
        assert_eq!(
            same(&String::from_utf8_lossy(&explained.stdout)),
            same(&block),
            "{what}"
        );
    }
    let nobody = explain("4711").await;
    assert!(
        !nobody.status.success() && said(&nobody).contains("job 4711"),
        "{}",
        said(&nobody)
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_maintenance_ahead_leaves_room_for_what_is_over_before_it() {
    use shared::options::{OptionsView, Room, Wish, room};
    let site = Site::start(Plan {
        accounts: vec![Account {
            behaviour: Behaviour::Normal,
            ..Account::all().remove(0)
        }],
        cluster: |config| {
            config.reservations = vec![local_slurm::ReservationConfig {
                name: "maintenance".into(),
                starts_in: 2 * 3600,
                ends_in: 9 * 3600,
                nodes: vec!["c1".into(), "c2".into()],
                users: vec!["root".into()],
                maintenance: true,
                ..local_slurm::ReservationConfig::default()
            }];
        },
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    let offer = until("the calendar", || async {
        let offer: OptionsView = ada.get("hub/api/options").await.json();
        offer.nodes.iter().any(|class| class.until.is_some()).then_some(offer)
    })
    .await;
    let mut wish = Wish::of(&offer.chosen, &offer);
    wish.time = Some(60);
    assert_eq!(room(&offer, wish, offer.now), Room::Now);
    wish.time = Some(180);
    let Room::Before { at, time } = room(&offer, wish, offer.now) else {
        panic!("{:?}", room(&offer, wish, offer.now));
    };
    assert!((100..=120).contains(&time), "{time} minutes");
    assert!((offer.now + 6000..offer.now + 7201).contains(&at), "{at}");
    site.shut_down().await;
}
