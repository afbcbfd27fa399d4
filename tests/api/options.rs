//! What people may choose, and choosing.

use serde_json::{Value, json};
use slipway_tests::{Plan, Site};

#[tokio::test]
async fn the_options_are_what_slurm_says_of_the_person_and_the_cluster() {
    let site = Site::start(Plan::default()).await;
    let options: Value = site.sign_in("ada").await.get("hub/api/options").await.json();
    let names: Vec<_> = options["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["def-ada", "rrg-ada"]);
    assert_eq!(
        (options["time"]["max"].as_u64(), options["cores"]["max"].as_u64()),
        (Some(480), Some(8))
    );
    assert_eq!(options["memory"]["max"], 16000);
    assert_eq!(options["interfaces"], json!(["lab", "notebook", "terminal"]));
    assert_eq!(options["chosen"]["account"], "def-ada");
    let many: Value = site.sign_in("many-accounts").await.get("hub/api/options").await.json();
    assert_eq!(many["accounts"].as_array().unwrap().len(), 40);
    site.shut_down().await;
}

#[tokio::test]
async fn without_an_association_there_is_nothing_to_choose_and_that_is_said() {
    let site = Site::start(Plan::default()).await;
    let person = site.sign_in("no-association").await;
    for reply in [person.get("hub/api/options").await, person.start(&json!({})).await] {
        assert_eq!((reply.status, reply.code().as_str()), (403, "no_association"));
    }
    site.shut_down().await;
}

#[tokio::test]
async fn options_that_cannot_be_are_refused_by_name_and_no_job_is_made() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    for (options, field, code) in [
        (json!({ "nprocs": 2 }), "nprocs", "unknown"),
        (json!({ "account": "def-somebody-else" }), "account", "not_offered"),
        (json!({ "time": "9 h" }), "time", "too_large"),
        (json!({ "time": "soon" }), "time", "malformed"),
        (json!({ "cores": 9 }), "cores", "too_large"),
        (json!({ "cores": 0 }), "cores", "malformed"),
        (json!({ "memory": "17 Go" }), "memory", "too_large"),
        (json!({ "memory": "1M" }), "memory", "too_small"),
        (json!({ "interface": "rstudio" }), "interface", "not_offered"),
        (json!({ "gpu": "h100:1" }), "gpu", "not_offered"),
        (json!({ "user_options": { "cores": [2] } }), "cores", "malformed"),
        (json!({ "user_options": {}, "cores": 2 }), "user_options", "unknown"),
    ] {
        let reply = ada.start(&options).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (422, "options"),
            "{options}: {}",
            reply.text
        );
        let error: Value = reply.json();
        assert_eq!(
            (
                error["fields"][0]["field"].as_str(),
                error["fields"][0]["code"].as_str()
            ),
            (Some(field), Some(code)),
            "{options}"
        );
    }
    assert_eq!(ada.server().await, None);
    site.shut_down().await;
}

#[tokio::test]
async fn what_was_chosen_reaches_the_job_and_is_proposed_the_next_time() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let options =
        json!({ "account": "rrg-ada", "time": "1:30", "cores": "2", "memory": "3 Go", "interface": "notebook" });
    let server = ada.start_and_wait(&json!({ "user_options": options })).await;
    let chosen = serde_json::to_value(server.user_options.unwrap()).unwrap();
    let expected = json!({ "account": "rrg-ada", "time": 90, "cores": 2, "memory": 3072, "interface": "notebook" });
    assert_eq!(chosen, expected);
    let shown: Value = ada.get(&ada.own("show")).await.json();
    assert_eq!(shown["environment"]["SLURM_CPUS_PER_TASK"], "2", "{shown}");
    let proposed: Value = ada.get("hub/api/options").await.json();
    assert_eq!(proposed["chosen"], expected);
    site.shut_down().await;
}
