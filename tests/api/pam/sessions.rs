//! Sessions of accounts that PAM knows: its account rules are asked again while their users are signed in.

use slipway_tests::{Machine, Plan, Site, until};

use super::acts;

#[tokio::test]
async fn only_a_definite_answer_of_the_account_rules_ends_sessions() {
    let site = Site::start(Plan {
        machine: Some(Machine::default()),
        sign_in: "recheck_seconds = 1".into(),
        ..Plan::default()
    })
    .await;
    acts(&site, "ada.auth", "password right\n");
    let mut ada = site.anonymous();
    assert_eq!(ada.sign_in("ada", "right").await.status, 200);
    let is_signed_in = async || ada.get("hub/api/user").await.status == 200;
    // The directory is away, or a module has a question for somebody who is not there.
    for (lines, log) in [
        ("fail authinfo_unavail", "cannot recheck accounts"),
        ("fail system_err", "cannot recheck accounts"),
        ("shown yes Are you there?", "cannot recheck accounts"),
    ] {
        let before = site.log().matches(log).count();
        acts(&site, "ada.account", lines);
        until("the look-up to fail", || async {
            (site.log().matches(log).count() > before).then_some(())
        })
        .await;
        assert!(is_signed_in().await, "{lines}");
    }
    acts(&site, "ada.account", "fail acct_expired");
    until("the session to end", || async { (!is_signed_in().await).then_some(()) }).await;
    assert!(site.log().contains("account_closed"), "{}", site.log());
    site.shut_down().await;
}
