//! What the form of today's service got wrong, one test each. Elsewhere are: one slow look-up freezes everybody
//! (`outage::while_slurm_hangs_no_page_waits_for_it`), options from the API are dropped
//! (`options::what_was_chosen_reaches_the_job_and_is_proposed_the_next_time`), fields are looked at one by one and the
//! rest is an error 500 (`offer::the_gpu_chooses_the_account_and_what_cannot_be_had_together_is_refused`), a terminal
//! that does not open (the browser's story `terminal`).

use local_slurm::{AccountConfig, ClusterConfig, NodeConfig};
use serde_json::{Value, json};
use shared::options::OptionsView;
use slipway_tests::{Account, Person, Plan, Site, until};

async fn offer(person: &Person) -> OptionsView {
    let reply = person.get("hub/api/options").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn free(cluster: fn(&mut ClusterConfig)) -> Plan {
    Plan {
        partition: None,
        cluster,
        ..Plan::default()
    }
}

#[tokio::test]
async fn a_failed_look_up_is_not_kept_and_the_form_is_back_with_slurm() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    site.end_slipway().await;
    site.cluster().stop_answering();
    site.start_slipway().await;
    assert_eq!(ada.get("hub/api/options").await.code(), "slurm_unreachable");
    site.cluster().resume();
    until("Slurm to be noticed", || async {
        let state: Value = ada.get("hub/api/site").await.json();
        state["slurm_silent_since"].is_null().then_some(())
    })
    .await;
    assert_eq!(offer(&ada).await.accounts.len(), 2);
    site.shut_down().await;
}

#[tokio::test]
async fn a_request_is_checked_in_full_before_anybody_has_seen_the_form() {
    let site = Site::start(Plan::default()).await;
    let reply = site.sign_in("ada").await.start(&json!({ "cores": 500 })).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (422, "options"),
        "{}",
        reply.text
    );
    site.shut_down().await;
}

#[tokio::test]
async fn nodes_that_are_down_or_drained_are_neither_a_maximum_nor_a_type_of_gpu() {
    let mut site = Site::start(free(|_| {})).await;
    let ada = site.sign_in("ada").await;
    let before = offer(&ada).await;
    assert!(before.gpu("h100").is_some());
    assert_eq!(before.memory.max, 32_000);
    site.end_slipway().await;
    assert!(site.cluster().set_node_state("g1", "DRAIN"));
    site.start_slipway().await;
    let after = offer(&ada).await;
    assert_eq!((after.gpus.len(), after.memory.max), (0, 16_000), "{:?}", after.gpus);
    site.shut_down().await;
}

#[tokio::test]
async fn the_longest_time_is_the_one_of_the_account_and_the_partition() {
    let site = Site::start(Plan {
        partition: Some("cpubase_interac,long"),
        cluster: |config| {
            for user in &mut config.users {
                for account in user.accounts.iter_mut().take(1) {
                    account.max_wall_minutes = Some(600);
                }
            }
        },
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    for (options, fits) in [
        (json!({ "account": "def-ada", "time": "10 h" }), true),
        (json!({ "account": "def-ada", "time": "10:01" }), false),
        (json!({ "account": "rrg-ada", "time": "10:01" }), true),
    ] {
        let reply = ada.start(&options).await;
        assert_eq!(reply.status, if fits { 202 } else { 422 }, "{options}: {}", reply.text);
        if fits {
            ada.wait_for(shared::server::Phase::Ready).await;
            ada.delete(&ada.server_path()).await;
            ada.wait_for(shared::server::Phase::Ended).await;
        }
    }
    site.shut_down().await;
}

#[tokio::test]
async fn an_option_of_several_values_reaches_slurm_with_all_of_them() {
    let site = Site::start(free(|config| {
        config.nodes[0].features = vec!["fast".into()];
        config.nodes[1].features = vec!["fast".into(), "icelake".into()];
    }))
    .await;
    let ada = site.sign_in("ada").await;
    for features in [json!(["fast", "icelake"]), json!("fast,icelake")] {
        let server = ada.start_and_wait(&json!({ "features": features })).await;
        assert_eq!(server.state.node.as_deref(), Some("c2"));
        ada.delete(&ada.server_path()).await;
        ada.wait_for(shared::server::Phase::Ended).await;
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_node_in_no_partition_is_nobodys_and_harms_nothing() {
    let site = Site::start(free(|config| {
        let base = config.nodes[0].clone();
        config.nodes.push(NodeConfig {
            name: "lonely".into(),
            memory: 99_000,
            ..base
        });
    }))
    .await;
    assert_eq!(offer(&site.sign_in("ada").await).await.memory.max, 32_000);
    site.shut_down().await;
}

#[tokio::test]
async fn an_account_whose_name_has_a_space_does_not_take_the_others_away() {
    let site = Site::start(Plan {
        accounts: vec![Account::all().remove(0)],
        cluster: |config| {
            let odd = AccountConfig {
                name: "two words".into(),
                ..AccountConfig::default()
            };
            config.users[0].accounts.insert(0, odd);
        },
        ..Plan::default()
    })
    .await;
    let names: Vec<_> = offer(&site.sign_in("ada").await).await.accounts;
    assert_eq!(names.len(), 2, "{names:?}");
    site.shut_down().await;
}
