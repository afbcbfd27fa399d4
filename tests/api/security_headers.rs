//! Security headers of what Slipway itself answers, wherever that is.

use serde_json::json;
use slipway_tests::{Plan, Reply, Site};

#[tokio::test]
async fn what_slipway_itself_answers_below_a_persons_path_has_the_headers_of_all_its_pages() {
    let site = Site::start(Plan::default()).await;
    let (ada, anonymous) = (site.sign_in("ada").await, site.anonymous());
    let strict = |reply: &Reply, what: &str| {
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(
                reply.headers.get(name).unwrap_or_else(|| panic!("{what}: {name}")),
                value,
                "{what}"
            );
        }
    };
    let page = ada.navigate("hub/nothing-of-this-name").await;
    let not_running = ada.navigate("user/ada/lab").await;
    assert_eq!(not_running.status, 424);
    for name in [
        "content-security-policy",
        "cross-origin-opener-policy",
        "permissions-policy",
        "referrer-policy",
        "x-content-type-options",
        "x-frame-options",
    ] {
        assert!(page.headers.contains_key(name), "{name}");
        assert!(not_running.headers.contains_key(name), "{name}");
        // The policy names what each document has inside.
        if name != "content-security-policy" {
            assert_eq!(not_running.headers[name], page.headers[name]);
        }
    }
    strict(&not_running, "the page of a server that does not run");
    let other = ada.get("user/many-accounts/lab").await;
    for (reply, status, what) in [
        (ada.get("user/ada/api/status").await, 424, "its error"),
        (anonymous.get("user/ada/lab").await, 401, "without a sign-in"),
        (anonymous.navigate("user/ada/lab").await, 303, "to the form to sign in"),
        (other, 401, "somebody else's"),
        (ada.get("user/ada/logout").await, 303, "to sign out"),
        (ada.get("user/ada").await, 303, "to the path with a slash"),
        (anonymous.get("").await, 303, "from the root to the hub"),
    ] {
        assert_eq!(reply.status, status, "{what}");
        strict(&reply, what);
    }
    // The answers of a person's server have that server's own.
    ada.start_and_wait(&json!({})).await;
    let own = ada.get("user/ada/lab").await;
    assert_eq!((own.status, own.headers.get("x-frame-options")), (200, None));
    site.shut_down().await;
}
