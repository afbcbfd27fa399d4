//! The accounts of the machine itself, by `pam_unix`.

use futures_util::future::join_all;
use slipway_tests::Machine;

use super::{site_on, try_to_sign_in};

pub(super) const PASSWORD: &str = "correct horse battery";
/// `openssl passwd -6` of it.
const HASH: &str =
    "$6$slipwaytests$/RFHt2OePijCDZXppD.aUdg7yDHziFDFEwS7pG.CxQRO7IjAijXCvlYidnOsqaiLa617Z7Lf52TcknkcfgWH/0";
/// Days since 1970; passwords and accounts are good for ever.
const GOOD: &str = "20000:0:99999:7:::";

/// ada, others whose accounts show something, and user0 to user9; their names and passwords are checked by the
/// system's own module.
pub(super) fn local_accounts() -> Machine {
    let mut accounts = vec![
        format!("ada:{HASH}:{GOOD}"),
        format!("locked:!{HASH}:{GOOD}"),
        format!("expired:{HASH}:20000:0:99999:7::1:"),
        format!("changes:{HASH}:0:0:99999:7:::"),
        format!("open::{GOOD}"),
    ];
    accounts.extend((0..10).map(|n| format!("user{n}:{HASH}:{GOOD}")));
    Machine {
        rules: "auth required pam_unix.so nullok\naccount required pam_unix.so\n",
        accounts,
        reads_shadow: true,
        ..Machine::default()
    }
}

#[tokio::test]
async fn local_accounts_sign_in_where_the_service_user_is_in_group_shadow() {
    let site = site_on(local_accounts()).await;
    let tries = [
        ("ada", PASSWORD, 200, ""),
        ("ada", "wrong", 401, "wrong_password"),
        ("nobody-here", PASSWORD, 401, "wrong_password"),
        ("locked", PASSWORD, 401, "wrong_password"),
        // Its password is empty: with `nullok`, pam_unix would take any.
        ("open", PASSWORD, 401, "wrong_password"),
        ("expired", PASSWORD, 403, "inactive"),
        ("changes", PASSWORD, 403, "password_expired"),
    ];
    let replies = join_all(tries.map(|(name, password, ..)| try_to_sign_in(&site, name, password))).await;
    for ((name, _, status, code), reply) in tries.iter().zip(&replies) {
        assert_eq!(reply.status, *status, "{name}: {}", reply.text);
        assert!(code.is_empty() || reply.code() == *code, "{name}: {}", reply.text);
    }
    let said = |reply: usize| replies[reply].error().details["said"].clone();
    assert!(said(5).contains("has expired"), "{}", said(5));
    assert!(said(6).contains("change your password"), "{}", said(6));
    site.shut_down().await;
}

#[tokio::test]
async fn nobodys_password_counts_for_somebody_else_who_signs_in_at_the_same_moment() {
    let site = site_on(local_accounts()).await;
    let names: Vec<_> = (0..10).map(|n| format!("user{n}")).collect();
    let tries = (0..40).map(|n| (names[n % 10].as_str(), n / 10 % 2 == 0));
    let signed_in = tries.map(async |(name, is_right)| {
        let reply = try_to_sign_in(&site, name, if is_right { PASSWORD } else { "wrong" }).await;
        (is_right, reply.status)
    });
    for answer in join_all(signed_in).await {
        assert!(matches!(answer, (true, 200) | (false, 401)), "{answer:?}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn without_that_group_local_accounts_do_not_sign_in() {
    let site = site_on(Machine {
        reads_shadow: false,
        ..local_accounts()
    })
    .await;
    let reply = try_to_sign_in(&site, "ada", PASSWORD).await;
    assert_ne!(reply.status, 200, "group shadow is not needed after all");
    site.shut_down().await;
}

#[tokio::test]
async fn an_account_of_the_system_is_refused_by_its_uid_before_slurm_is_asked() {
    let site = site_on(local_accounts()).await;
    let signed_in = site.sign_in("ada").await;
    let signatures = || site.log().matches("sun=ada ").count();
    let before = signatures();
    let file = site.path("etc/passwd");
    let passwd = std::fs::read_to_string(&file).unwrap();
    let changed = passwd.replace("ada:x:2001:", "ada:x:999:");
    assert_ne!(changed, passwd);
    std::fs::write(&file, changed).unwrap();

    let refused = try_to_sign_in(&site, "ada", PASSWORD).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "system_account"),
        "{}",
        refused.text
    );
    assert!(!refused.text.contains("999"), "{}", refused.text);
    let wrong = try_to_sign_in(&site, "ada", "wrong").await;
    assert_eq!(wrong.code(), "wrong_password", "only who has the password is told");
    // Whoever signed in before starts nothing more.
    let started = signed_in.start(&serde_json::json!({})).await;
    assert_eq!(
        (started.status, started.code().as_str()),
        (403, "system_account"),
        "{}",
        started.text
    );
    let log = site.log();
    assert!(log.contains("uid 999, which is below identity.min_uid (1000)"), "{log}");
    assert_eq!(signatures(), before, "something was signed for them");
    site.shut_down().await;
}
