//! Who may pass: on each request and on each upgrade alike.

use ::http::Method;
use slipway_tests::{Person, Plan, Site};

use crate::ready;

/// The headers of a WebSocket handshake.
fn upgrade(request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
    request
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

#[tokio::test]
async fn nobody_passes_without_signing_in() {
    let (site, _ada) = ready().await;
    let anonymous = site.anonymous();
    let plain = |method, path: &str| anonymous.request(method, path);
    for request in [
        plain(Method::GET, "user/ada/lab"),
        plain(Method::POST, "user/ada/api/contents"),
        upgrade(plain(Method::GET, "user/ada/api/kernels/k/channels").header("origin", anonymous.origin())),
    ] {
        let reply = Person::send(request).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "not_signed_in"));
    }
    let reply = anonymous.navigate("user/ada/lab/tree/a%20b.ipynb?x=1").await;
    assert_eq!(reply.status, 303);
    assert_eq!(
        reply.headers["location"],
        "/hub/login?next=/user/ada/lab/tree/a%2520b.ipynb%3Fx%3D1"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn nobody_passes_to_the_server_of_somebody_else() {
    let (site, ada) = ready().await;
    let other = site.sign_in("many-accounts").await;
    let own = other.cookies("user/many-accounts/");
    let with = |method, path: &str| other.request(method, path).header("cookie", &own);
    for request in [
        with(Method::GET, "user/ada/lab"),
        with(Method::DELETE, "user/ada/api/kernels/k"),
        with(Method::GET, "user/ada/../ada/lab"),
        upgrade(with(Method::GET, "user/ada/api/kernels/k/channels").header("origin", other.origin())),
    ] {
        let reply = Person::send(request).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "forbidden"));
    }
    // The hub's cookie is not one for people's servers, and the other way round.
    let hub = ada.cookies("hub/").replace("slipway-hub", "slipway-user");
    let reply = Person::send(
        site.anonymous()
            .request(Method::GET, "user/ada/lab")
            .header("cookie", hub),
    )
    .await;
    assert_eq!(reply.status, 401);
    let user = ada.cookies("user/ada/").replace("slipway-user", "slipway-hub");
    let reply = Person::send(
        site.anonymous()
            .request(Method::GET, "hub/api/user")
            .header("cookie", user),
    )
    .await;
    assert_eq!(reply.status, 401);
    // Signed in, the page says whose it is, in place of a form to log in.
    let reply = other.navigate("hub/login?next=/user/ada/lab").await;
    assert_eq!(reply.status, 403);
    site.shut_down().await;
}

#[tokio::test]
async fn another_site_can_neither_change_anything_nor_open_a_tunnel() {
    let (site, ada) = ready().await;
    let plain = |method: Method| ada.http.request(method, ada.url("user/ada/echo"));
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("x-nothing", "1"),
    ] {
        for request in [plain(Method::POST), plain(Method::DELETE), upgrade(plain(Method::GET))] {
            let reply = Person::send(request.header(name, value)).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "cross_site"),
                "{name}: {value}"
            );
        }
    }
    // Links from elsewhere work: a GET changes nothing.
    let reply = Person::send(plain(Method::GET).header("sec-fetch-site", "cross-site")).await;
    assert_eq!(reply.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn a_terminal_is_made_for_whoever_opens_its_page_and_not_for_what_embeds_or_fetches_it() {
    let (site, ada) = ready().await;
    let page = |target: &str| {
        ada.request(Method::GET, "user/ada/terminals/1")
            .header("sec-fetch-dest", target)
    };
    for target in ["iframe", "empty", "image"] {
        assert_eq!(Person::send(page(target)).await.status, 200, "{target}");
        assert_eq!(ada.get("user/ada/api/terminals").await.text, "", "{target}");
    }
    assert_eq!(Person::send(page("document")).await.status, 200);
    assert_eq!(ada.get("user/ada/api/terminals").await.text, "{\"name\":\"1\"}\n");
    site.shut_down().await;
}

#[tokio::test]
async fn a_server_that_does_not_run_is_told_to_people_and_to_scripts() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let reply = ada.get("user/ada/api/contents").await;
    assert_eq!((reply.status, reply.code().as_str()), (424, "not_running"));
    let reply = ada.navigate("user/ada/lab/tree/a.ipynb").await;
    assert_eq!(reply.status, 424);
    assert!(reply.text.starts_with("<!doctype html>"), "{}", reply.text);
    site.shut_down().await;
}

#[tokio::test]
async fn two_cookies_of_one_name_are_none() {
    let (site, ada) = ready().await;
    let own = ada.cookies("user/ada/");
    let request = site
        .anonymous()
        .request(Method::GET, "user/ada/lab")
        .header("cookie", format!("{own}; {own}"));
    assert_eq!(Person::send(request).await.status, 401);
    site.shut_down().await;
}
