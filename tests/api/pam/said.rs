//! Yes, no, and why not.

use serde_json::json;
use slipway_tests::{Machine, SERVICE_USER};

use super::{acts, send_form, site, site_on, try_to_sign_in};

#[tokio::test]
async fn the_right_password_signs_in_and_all_else_is_answered_alike() {
    let site = site().await;
    acts(&site, "ada.auth", "password correct\n");
    acts(&site, "denied.auth", "fail perm_denied\n");
    let wrong = [
        ("ada", "wrong".to_owned()),
        ("ada", "correct\0".to_owned()),
        ("ada", "wrong".repeat(10_000)),
        ("unknown", "correct".to_owned()),
        ("denied", "correct".to_owned()),
    ];
    for (name, password) in &wrong {
        let reply = try_to_sign_in(&site, name, password).await;
        let what = format!("{name} {}: {}", password.len(), reply.text);
        assert_eq!((reply.status, reply.code().as_str()), (401, "wrong_password"), "{what}");
        assert!(reply.error().details.is_empty(), "{what}");
    }
    let reply = try_to_sign_in(&site, "ada", &"x".repeat(1_000_000)).await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "bad_request"));

    let mut ada = site.anonymous();
    let reply = ada.sign_in("ada", "correct").await;
    assert_eq!((reply.status, ada.name.as_str()), (200, "ada"), "{}", reply.text);
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    let log = site.log();
    assert!(log.contains("signed in") && !log.contains("correct"));
    site.shut_down().await;
}

#[tokio::test]
async fn a_password_as_long_as_pam_takes_is_good_and_a_longer_one_never_reaches_a_module() {
    let site = site().await;
    let longest = "x".repeat(511);
    acts(&site, "ada.auth", &format!("password {longest}\n"));
    acts(&site, "bob.auth", &format!("password {longest}x\n"));
    assert_eq!(try_to_sign_in(&site, "ada", &longest).await.status, 200);
    assert_eq!(try_to_sign_in(&site, "bob", &format!("{longest}x")).await.status, 401);
    site.shut_down().await;
}

#[tokio::test]
async fn slipway_is_nobody_special_on_that_machine() {
    let site = site().await;
    let status = std::fs::read_to_string(format!("/proc/{}/status", site.slipway_pid().unwrap())).unwrap();
    let id = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.split_whitespace().nth(1)).map(str::to_owned)
    };
    let user = Some(SERVICE_USER.to_string());
    assert_eq!((id("Uid:"), id("Gid:"), id("Groups:")), (user.clone(), user, None));
    assert_eq!(id("CapEff:"), Some("0".repeat(16)));
    site.shut_down().await;
}

#[tokio::test]
async fn why_an_account_may_not_sign_in_is_told_in_the_modules_own_words() {
    let site = site().await;
    let words = "Renew <it> at the desk, s'il vous plaît.";
    for (file, act, status, code) in [
        ("old.account", "fail acct_expired", 403, "inactive"),
        ("denied.account", "fail perm_denied", 403, "inactive"),
        ("changes.account", "fail new_authtok_reqd", 403, "password_expired"),
        ("changes-first.auth", "fail new_authtok_reqd", 403, "password_expired"),
        ("locked.auth", "fail maxtries", 401, "wrong_password"),
    ] {
        let name = file.split('.').next().unwrap();
        acts(&site, &format!("{name}.auth"), "password correct\n");
        acts(&site, file, &format!("info Dear colleague,\nerror {words}\n{act}\n"));
        let reply = try_to_sign_in(&site, name, "correct").await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{name}");
        assert!(!reply.headers.contains_key("set-cookie"));
        assert_eq!(
            reply.error().details["said"],
            format!("Dear colleague,\n{words}"),
            "{name}"
        );

        let fields = [("username", name), ("password", "correct"), ("next", "")];
        let reply = send_form(&site.anonymous(), "hub/login", &fields).await;
        assert_eq!(reply.status, status, "{name}");
        let shown = "Renew &lt;it&gt; at the desk, s&#39;il vous plaît.";
        assert!(reply.text.contains(shown), "{name}: {}", reply.text);
    }
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_may_no_longer_come_in_starts_nothing_more_and_is_told_why() {
    let site = site().await;
    acts(&site, "ada.auth", "password correct\n");
    let mut ada = site.anonymous();
    assert_eq!(ada.sign_in("ada", "correct").await.status, 200);
    acts(&site, "ada.account", "error Renew it at the desk.\nfail acct_expired\n");
    let reply = ada.start(&json!({})).await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (403, "inactive"),
        "{}",
        reply.text
    );
    assert_eq!(reply.error().details["said"], "Renew it at the desk.");
    assert!(site.cluster().job(1).is_none());
    // Neither what a module says nor that it takes its time is a refusal.
    acts(&site, "ada.account", "info Welcome.\npause 900\n");
    ada.start_and_wait(&json!({})).await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_source_that_is_away_is_told_as_that_and_is_no_failure_of_the_persons() {
    let site = site().await;
    acts(&site, "ada.auth", "password correct\n");
    for lines in ["fail authinfo_unavail\n", "fail system_err\n", "nonsense\n"] {
        acts(&site, "ada.account", lines);
        for _ in 0..4 {
            let reply = try_to_sign_in(&site, "ada", "correct").await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (503, "sign_in_unavailable"),
                "{lines}"
            );
            assert!(!reply.text.to_lowercase().contains("pam") && !reply.text.contains("module"));
        }
    }
    assert!(
        site.log().contains("PAM: Authentication service cannot retrieve"),
        "the log knows more"
    );
    acts(&site, "ada.account", "");
    assert_eq!(try_to_sign_in(&site, "ada", "correct").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn a_service_without_rules_signs_nobody_in() {
    let site = site_on(Machine {
        rules: "auth required no_such_module.so\n",
        ..Machine::default()
    })
    .await;
    let reply = try_to_sign_in(&site, "ada", "correct").await;
    assert_eq!(
        (reply.status, reply.code().as_str()),
        (503, "sign_in_unavailable"),
        "{}",
        reply.text
    );
    site.shut_down().await;
}
