//! What requests may do, and who may make them.

use http::Method;
use serde_json::json;
use shared::server::Phase;
use slipway_tests::{Person, Plan, Site};

/// Everything that changes something.
const CHANGES: [(&str, &str); 7] = [
    ("POST", "hub/api/login"),
    ("POST", "hub/api/login/answer"),
    ("POST", "hub/api/login/cancel"),
    ("POST", "hub/api/logout"),
    ("POST", "hub/api/users/ada/server"),
    ("POST", "hub/api/users/ada/server/keep-waiting"),
    ("DELETE", "hub/api/users/ada/server"),
];

fn body(path: &str) -> serde_json::Value {
    match path {
        "hub/api/login" => json!({ "username": "ada", "password": "x" }),
        path if path.contains("login") => json!({ "state": "x" }),
        _ => json!({}),
    }
}

#[tokio::test]
async fn nothing_is_changed_by_get() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    for (_, path) in CHANGES {
        for method in [Method::GET, Method::HEAD] {
            let reply = Person::send(ada.request(method.clone(), path)).await;
            assert_eq!(reply.status, 404, "{method} {path}");
        }
    }
    // JupyterHub's GET of this page starts a server.
    assert_eq!(ada.navigate("hub/spawn?account=def-ada").await.status, 200);
    assert_eq!(ada.navigate("hub/logout").await.status, 200);
    assert!(ada.server().await.is_none());
    site.shut_down().await;
}

#[tokio::test]
async fn what_changes_something_has_to_come_from_our_own_pages() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let running = ada.start_and_wait(&json!({})).await;
    let origin = ada.origin();
    let other_port = origin.replace(|c: char| c.is_ascii_digit(), "9");
    let headers: [&[(&str, &str)]; 9] = [
        &[],
        &[("origin", "null")],
        &[("origin", "https://evil.example")],
        &[("origin", &other_port)],
        &[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")],
        &[("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")],
        &[("sec-fetch-site", "same-site")],
        &[("sec-fetch-site", "none")],
        &[("referer", &origin)],
    ];
    for (method, path) in CHANGES {
        for headers in headers {
            // Whoever sends neither header is a program, which signs in with a password of its own.
            if headers.iter().all(|(name, _)| *name == "referer") && path.contains("login") {
                continue;
            }
            let method: Method = method.parse().unwrap();
            let mut request = ada.http.request(method, ada.url(path)).json(&body(path));
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let reply = Person::send(request).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "cross_site"),
                "{path} {headers:?}"
            );
        }
    }
    let after = ada.server().await.unwrap().state;
    assert_eq!((after.phase, after.job_id), (Phase::Ready, running.state.job_id));
    site.shut_down().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_with_a_cookie() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    for path in [
        "hub/api/users/ada/server",
        "hub/api/logout",
        "hub/api/login",
        "hub/api/login/answer",
    ] {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "text/plain;application/json",
        ] {
            let request = ada.request(Method::POST, path).header("content-type", kind).body("{}");
            assert_eq!(Person::send(request).await.status, 415, "{path} {kind}");
        }
    }
    assert!(ada.server().await.is_none());
    site.shut_down().await;
}

#[tokio::test]
async fn every_answer_of_ours_keeps_browsers_strict_and_https_alone_is_promised_behind_https() {
    let mut site = Site::start(Plan::default()).await;
    let pages = [
        "hub/login",
        "hub/home",
        "hub/nowhere/at.all",
        "hub/api/user",
        "hub/api/site",
        "nowhere",
        "user/ada/lab",
    ];
    let documents = ["hub/login", "hub/home", "hub/nowhere/at.all"];
    for path in pages {
        let reply = site.anonymous().get(path).await;
        assert_eq!(reply.headers.get("strict-transport-security"), None, "{path}");
    }
    let config = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    let https = config.replace("public_url = \"http:", "public_url = \"https:");
    std::fs::write(site.path("slipway.toml"), https).unwrap();
    site.kill_slipway().await;
    site.start_slipway().await;
    for path in pages {
        let headers = site.anonymous().get(path).await.headers;
        let has = |name: &str, words: &str| {
            headers
                .get(name)
                .is_some_and(|value| value.to_str().unwrap().contains(words))
        };
        assert!(has("strict-transport-security", "max-age="), "{path}: {headers:?}");
        if path.starts_with("user/") {
            continue;
        }
        for (name, words) in [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY")] {
            assert!(has(name, words), "{path}: {name}: {headers:?}");
        }
        let is_document = has("content-type", "text/html");
        assert_eq!(is_document, documents.contains(&path), "{path}: {headers:?}");
        for (name, words) in [
            ("referrer-policy", "same-origin"),
            ("permissions-policy", "camera=()"),
            ("cross-origin-opener-policy", "same-origin"),
        ] {
            assert_eq!(has(name, words), is_document, "{path}: {name}: {headers:?}");
        }
    }
    let secure = site.anonymous();
    let login = json!({ "username": "ada", "password": site.password("ada") });
    let request = secure.http.post(secure.url("hub/api/login")).json(&login);
    let reply = Person::send(request.header("origin", secure.origin().replace("http:", "https:"))).await;
    let cookies: Vec<_> = reply
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|c| c.to_str().unwrap())
        .collect();
    assert_eq!(cookies.len(), 2);
    for cookie in cookies {
        assert!(
            cookie.starts_with("__Secure-slipway-") && cookie.contains("; Secure"),
            "{cookie}"
        );
    }
    site.shut_down().await;
}

#[tokio::test]
async fn an_account_that_was_closed_since_starts_nothing() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    site.close_account("ada");
    let reply = ada.start(&json!({})).await;
    assert_eq!((reply.status, reply.code().as_str()), (403, "inactive"));
    assert!(ada.server().await.is_none());
    site.shut_down().await;
}
