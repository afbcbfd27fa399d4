//! A real Jupyter whose site wants a debugger, which takes a node that nobody shares.

use serde_json::{Value, json};
use slipway_tests::{Kernel, Plan, Site};

#[tokio::test]
async fn a_debugger_is_offered_where_the_site_wants_one_with_a_real_jupyter() {
    let plan = Plan {
        job: "debugger = true\n".into(),
        ..Plan::default()
    };
    let site = Site::start(plan.with_real_jupyter()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let specs: Value = ada.get(&ada.own("api/kernelspecs")).await.json();
    let metadata = &specs["kernelspecs"]["python3"]["spec"]["metadata"];
    assert_eq!(metadata["debugger"], true, "{specs}");
    let mut kernel = Kernel::start(&ada, "python3").await;
    assert_eq!(kernel.execute("6 * 7").await, "42");
    assert_eq!(kernel.debug().await, ["debug_reply", "kernel_info_reply"]);
    site.shut_down().await;
}
