//! The table of causes: each is provoked once, and the page names it, and what to do, in both languages.

use std::collections::BTreeMap;

use local_slurm::{Behaviour, JobState};
use serde_json::{Value, json};
use shared::reason::{Reason, Refusal, Said, Words};
use shared::server::Phase;
use slipway_tests::{Account, Plan, Site, repository};

/// What Slurm says of a job that waits, and the text that explains it.
const WAITS: [(&str, &str); 44] = [
    ("None", "not_yet"),
    ("Priority", "priority"),
    ("Resources", "resources"),
    ("Licenses", "licences"),
    ("BadConstraints", "no_such_node"),
    ("Constraints", "constraints"),
    ("Dependency", "dependency"),
    ("DependencyNeverSatisfied", "dependency_never"),
    ("BeginTime", "not_before"),
    ("JobHeldUser", "held_by_you"),
    ("JobHeldAdmin", "held"),
    ("JobHoldMaxRequeue", "held"),
    ("Prolog", "preparing"),
    ("Cleaning", "preparing"),
    ("BurstBufferStageIn", "storage"),
    ("Reservation", "reservation"),
    ("ReservationDeleted", "no_reservation"),
    ("ReqNodeNotAvail", "nodes_away"),
    ("ReqNodeNotAvail, UnavailableNodes:c[1-2]", "nodes_named"),
    ("ReqNodeNotAvail, Reserved for maintenance", "maintenance"),
    ("NodeDown", "failed"),
    ("JobLaunchFailure", "failed"),
    ("PartitionDown", "partition_closed"),
    ("PartitionInactive", "partition_closed"),
    ("PartitionTimeLimit", "time"),
    ("PartitionNodeLimit", "size"),
    ("PartitionConfig", "partition_no"),
    ("AccountNotAllowed", "no_access"),
    ("InvalidAccount", "account"),
    ("InvalidQOS", "qos"),
    ("QOSUsageThreshold", "share"),
    ("AccountingPolicy", "policy"),
    ("AssocMaxJobsLimit", "person_jobs"),
    ("QOSMaxJobsPerUserLimit", "person_jobs"),
    ("QOSMaxCpuPerUserLimit", "person_now"),
    ("QOSMaxGRESPerUser", "person_now"),
    ("AssocGrpCpuLimit", "account_now"),
    ("AssocGrpGRES", "account_now"),
    ("AssocGrpMemLimit", "account_now"),
    ("AssocGrpCPUMinutesLimit", "account_spent"),
    ("AssocMaxWallDurationPerJobLimit", "job_much"),
    ("QOSMaxCpuPerJobLimit", "job_much"),
    ("QOSGrpCpuLimit", "class_now"),
    ("OfALaterSlurm", "other"),
];

/// Errors with which Slurm refuses a job, and their texts.
const REFUSALS: [(i32, &str, &str); 10] = [
    (2000, "Invalid partition name specified", "no_partition"),
    (2014, "Requested node configuration is not available", "no_such_node"),
    (2029, "Invalid feature specification", "features"),
    (
        2045,
        "Invalid account or account/partition combination specified",
        "account",
    ),
    (2050, "Job violates accounting/QOS policy", "policy"),
    (
        2051,
        "Requested time limit is invalid (missing or exceeds some limit)",
        "time",
    ),
    (2052, "Access denied to requested reservation", "reservation_not_yours"),
    (2066, "Invalid qos specification", "qos"),
    (2105, "System submissions disabled", "closed"),
    (-1, "Unspecified error", "no_reason"),
];

/// What the job or Slurm ends with, and the messages for it in the page's catalogues.
const ENDS: [(&str, &str, &str); 13] = [
    ("module", "end_module_missing", "advice_not_you"),
    ("setup", "end_setup_failed", "advice_not_you"),
    ("jupyter", "end_jupyter_missing", "advice_not_you"),
    ("fails", "end_jupyter_failed", "advice_jupyter_failed"),
    ("port", "end_port_not_told", "advice_not_you"),
    ("home", "end_home_missing", "advice_home"),
    ("full", "end_home_full", "advice_home_full"),
    ("path", "end_socket_path_too_long", "advice_not_you"),
    ("memory", "end_out_of_memory", "advice_out_of_memory"),
    ("node", "end_node_failed", "advice_again"),
    ("preempted", "end_preempted", "advice_again"),
    ("time", "end_time_limit", "advice_time_limit"),
    ("cancelled", "end_cancelled_by", "advice_saved"),
];

/// The lines of the site for people whose jobs are to fail in some way. (Lines that exit are told apart by a trap.)
const SETUP: &str = r#"case $USER in
  end-module) echo "The following module(s) are unknown: jupyter" >&2; false ;;
  end-setup) false ;;
  end-jupyter) jupyter=no-such-jupyter ;;
  end-fails) jupyter=false ;;
  end-port) scontrol() { return 1; }; scontrol=/nowhere; SLURM_JOB_ID=0; PATH=/nowhere ;;
  end-home) trap - EXIT; fail 87 "no home" ;;
  end-full) trap - EXIT; fail 88 "no room" ;;
  end-path) trap - EXIT; fail 89 "long path" ;;
esac"#;

fn person(name: String, behaviour: Behaviour) -> Account {
    Account {
        name: name.leak(),
        compute_accounts: vec!["def-x".into()],
        behaviour,
        ..Account::all().remove(0)
    }
}

/// One case for the story: who to look at, and what the page has to say in each language.
fn case(user: &str, texts: [[String; 2]; 2]) -> Value {
    let [en, fr] = texts.map(|[what, to_do]| json!([what, to_do]));
    json!({ "user": user, "en": en, "fr": fr })
}

#[tokio::test]
async fn the_page_names_every_cause_and_what_to_do_in_both_languages() {
    let catalogues = [Words::ENGLISH, Words::FRENCH].map(|file| serde_json::from_str::<Words>(file).unwrap());
    let messages = ["en", "fr"].map(|language| {
        let file = std::fs::read_to_string(repository().join(format!("frontend/src/text/{language}.json"))).unwrap();
        serde_json::from_str::<BTreeMap<String, String>>(&file).unwrap()
    });
    let (mut accounts, mut cases) = (Vec::new(), Vec::new());
    let said = |said: Said| [said.what, said.what_to_do];
    for (n, (word, key)) in WAITS.into_iter().enumerate() {
        let (user, reason) = (format!("wait-{n}"), Reason::from_slurm(word));
        assert_eq!(reason.key(), key, "{word}");
        cases.push(case(
            &user,
            catalogues.each_ref().map(|words| said(words.waits(&reason))),
        ));
        accounts.push(person(user, Behaviour::Waits { reason: word.into() }));
    }
    for (n, (error_number, error, key)) in REFUSALS.into_iter().enumerate() {
        let (user, refusal) = (
            format!("refused-{n}"),
            Refusal::from_code(error_number.into()).saying(error),
        );
        assert_eq!(refusal.key(), key, "{error_number}");
        cases.push(case(
            &user,
            catalogues.each_ref().map(|words| said(words.refused(&refusal))),
        ));
        let error = error.to_owned();
        accounts.push(person(user, Behaviour::Refused { error_number, error }));
    }
    for (name, end, advice) in ENDS {
        let user = format!("end-{name}");
        let text = |messages: &BTreeMap<String, String>| {
            let what = messages[end].replace("{0}", if name == "cancelled" { &user } else { "1" });
            [what, messages[advice].clone()]
        };
        cases.push(case(&user, messages.each_ref().map(text)));
        accounts.push(person(user, Behaviour::Normal));
    }
    assert!(cases.len() >= 60, "{} cases", cases.len());

    let site = Site::start(Plan {
        accounts,
        setup: SETUP.into(),
        cluster: |config| config.nodes.iter_mut().for_each(|node| node.cores = 64),
        ..Plan::default()
    })
    .await;
    let people = site.signed_in(cases.iter().map(|case| case["user"].as_str().unwrap().to_owned()));
    let wish = json!({});
    futures_util::future::join_all(people.iter().map(|person| person.start(&wish))).await;
    for person in &people {
        let Some(name) = person.name.strip_prefix("end-") else {
            continue;
        };
        let state = match name {
            "memory" => JobState::OutOfMemory,
            "node" => JobState::NodeFail,
            "preempted" => JobState::Preempted,
            "time" => JobState::Timeout,
            "cancelled" => JobState::Cancelled,
            _ => continue,
        };
        let id = person.wait_for(Phase::Ready).await.state.job_id.unwrap();
        if state == JobState::Cancelled {
            let name = shared::names::UserName::new(&person.name).unwrap();
            site.slurm_client().person(&name).cancel(id).await.unwrap();
        } else {
            assert!(site.cluster().finish(u32::try_from(id).unwrap(), state));
        }
        person.wait_for(Phase::Ended).await;
    }
    let cookies = |name: &Value| site.cookies_for(name.as_str().unwrap(), 3600);
    for case in &mut cases {
        let own = cookies(&case["user"]);
        case["cookies"] = json!(own);
    }
    super::tell_of(&site, "why", "wait-0", &json!(cases)).await;
    site.shut_down().await;
}
