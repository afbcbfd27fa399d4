//! Response headers of a hostile server, on every way that they could pass: HTTP/1.1, HTTP/2, upgrades, trailers.

use std::sync::Arc;

use ::http::{HeaderMap, HeaderName, Method, Request};
use axum::body::Body;
use http_body_util::BodyExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::json;
use slipway_tests::tls::Authority;
use slipway_tests::{Person, Plan, Site};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::ready;

/// Instructions to a proxy or a cache in front, or to the browser about the whole host.
const REMOVED: [(&str, &str); 28] = [
    ("x-accel-redirect", "/private/report.txt"),
    ("x-accel-expires", "600"),
    ("x-accel-limit-rate", "1"),
    ("x-accel-buffering", "yes"),
    ("x-sendfile", "/etc/passwd"),
    ("x-lighttpd-send-file", "/etc/passwd"),
    ("x-litespeed-location", "/private/"),
    ("x-reproxy-url", "http://127.0.0.1/"),
    ("x-envoy-immediate-health-check-fail", "true"),
    ("surrogate-control", "content=\"ESI/1.0\", max-age=600"),
    ("surrogate-key", "hub"),
    ("cdn-cache-control", "max-age=600"),
    ("cloudflare-cdn-cache-control", "max-age=600"),
    ("edge-control", "cache-maxage=600"),
    ("cache-tag", "hub"),
    ("cache-group-invalidation", "\"hub\""),
    ("clear-site-data", "\"*\""),
    ("alt-svc", "h2=\":8443\""),
    ("nel", "{}"),
    ("report-to", "{}"),
    ("public-key-pins", "max-age=600"),
    ("accept-ch", "sec-ch-ua-full-version-list"),
    ("critical-ch", "sec-ch-ua-full-version-list"),
    ("origin-agent-cluster", "?1"),
    ("set-login", "logged-out"),
    ("secure-session-registration", "(ES256); path=\"/x\""),
    ("use-as-dictionary", "match=\"/*\""),
    ("www-authenticate", "Basic realm=\"cluster\""),
];
/// What applications need.
const KEPT: [(&str, &str); 6] = [
    ("x-rstudio-session", "1"),
    ("content-security-policy", "frame-ancestors 'self'"),
    ("access-control-allow-origin", "https://example.org"),
    ("server-timing", "db;dur=5"),
    ("hx-redirect", "lab"),
    ("etag", "\"1\""),
];

/// Has ada's server answer like this at `said/<name>`; the path.
async fn say(ada: &Person, name: &str, said: &serde_json::Value) -> String {
    let path = ada.own(&format!("said/{name}"));
    let set = Person::send(ada.request(Method::PUT, &path).json(said)).await;
    assert_eq!(set.status, 200, "{}", set.text);
    path
}

fn all() -> Vec<(&'static str, &'static str)> {
    REMOVED.into_iter().chain(KEPT).collect()
}

fn check(headers: &HeaderMap) {
    for (name, value) in REMOVED {
        assert!(!headers.contains_key(name), "{name}: {value}");
    }
    for (name, value) in KEPT {
        assert_eq!(headers[name], value, "{name}");
    }
    assert_eq!(headers["cache-control"], "private");
}

#[tokio::test]
async fn nothing_of_an_answer_instructs_a_front_proxy_a_cache_or_the_browser_about_its_host() {
    let (site, ada) = ready().await;
    let path = say(&ada, "all", &json!({ "headers": all() })).await;
    check(&ada.get(&path).await.headers);
    let (_tunnel, upgraded) = ada.tunnel("said/all", None).await.unwrap();
    assert_eq!(upgraded.status(), 101);
    check(upgraded.headers());
    site.shut_down().await;
}

#[tokio::test]
async fn nothing_of_it_passes_in_http_2_either_and_slipway_alone_promises_https() {
    let authority = Arc::new(Authority::new());
    let plan = Plan {
        tls: Some(Arc::clone(&authority)),
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let mut headers = all();
    headers.push(("strict-transport-security", "max-age=0"));
    headers.push(("trailer", "grpc-status, x-accel-redirect, surrogate-key"));
    let trailers = [
        ("grpc-status", "0"),
        ("set-cookie", "a=1"),
        ("x-accel-redirect", "/private/"),
    ];
    let path = say(&ada, "all", &json!({ "headers": headers, "trailers": trailers })).await;

    let port = ada.origin().rsplit(':').next().unwrap().parse().unwrap();
    let stream = authority.connect_for(port, &[b"h2"]).await.unwrap();
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
        .await
        .unwrap();
    tokio::spawn(connection);
    let request = Request::get(ada.url(&path))
        .header("cookie", ada.cookies(&path))
        .header("te", "trailers");
    let response = sender.send_request(request.body(Body::empty()).unwrap()).await.unwrap();
    check(response.headers());
    let promises: Vec<_> = response.headers().get_all("strict-transport-security").iter().collect();
    assert_eq!(promises, ["max-age=15552000"]);
    let collected = response.into_body().collect().await.unwrap();
    let trailers = collected.trailers().cloned().unwrap_or_default();
    assert_eq!(
        trailers.keys().map(HeaderName::as_str).collect::<Vec<_>>(),
        ["grpc-status"]
    );
    site.shut_down().await;
}

#[tokio::test]
async fn what_follows_a_body_is_for_the_application_alone() {
    let (site, ada) = ready().await;
    let path = say(
        &ada,
        "after",
        &json!({
            "headers": [["trailer", "x-sum, x-accel-redirect, surrogate-control"]],
            "trailers": [["x-sum", "7"], ["x-accel-redirect", "/private/"], ["surrogate-control", "max-age=600"]],
            "body": "body",
        }),
    )
    .await;
    let host = ada.origin().trim_start_matches("http://").to_owned();
    let cookies = ada.cookies(&path);
    let mut connection = TcpStream::connect(&host).await.unwrap();
    let request = format!(
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookies}\r\nConnection: close, TE\r\nTE: trailers\r\n\r\n"
    );
    connection.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("body\r\n0\r\nx-sum: 7\r\n\r\n"), "{answer}");
    site.shut_down().await;
}

#[tokio::test]
async fn a_redirect_is_a_path_of_this_host_or_names_scheme_and_host() {
    let (site, ada) = ready().await;
    let own = ada.origin();
    for (location, becomes) in [
        (format!("{own}//evil.example/"), "/evil.example/"),
        (format!("{own}/\\evil.example/"), "/evil.example/"),
        (format!("{own}/user/ada/lab?x"), "/user/ada/lab?x"),
        ("//evil.example/".to_owned(), "/evil.example/"),
        ("/\\evil.example/".to_owned(), "/evil.example/"),
        ("/\t/evil.example/".to_owned(), "/evil.example/"),
        ("https://example.org//x".to_owned(), "https://example.org//x"),
        ("lab".to_owned(), "lab"),
    ] {
        let said = json!({ "status": 302, "headers": [["location", location]] });
        let path = say(&ada, "redirect", &said).await;
        assert_eq!(ada.get(&path).await.headers["location"], becomes, "{location:?}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn what_a_server_may_say_of_its_own_path_is_narrowed_to_it() {
    let (site, ada) = ready().await;
    for (name, value, becomes) in [
        ("service-worker-allowed", "/", "/user/ada/"),
        ("set-cookie", "a=1; Domain=127.0.0.1; Path=/", "a=1; Path=/user/ada/"),
        (
            "cache-control",
            "public, s-maxage=600, max-age=60",
            "private, max-age=60",
        ),
        ("refresh", "0; url=//evil.example/", "0;url=/evil.example/"),
        (
            "link",
            "</user/ada/x?page=2>; rel=next",
            "</user/ada/x?page=2>; rel=next",
        ),
    ] {
        let path = say(&ada, "narrowed", &json!({ "headers": [[name, value]] })).await;
        assert_eq!(ada.get(&path).await.headers[name], becomes, "{name}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn events_of_a_server_are_not_held_back_by_nginx() {
    let (site, ada) = ready().await;
    let headers = [["content-type", "text/event-stream"], ["x-accel-buffering", "yes"]];
    let path = say(&ada, "events", &json!({ "headers": headers })).await;
    assert_eq!(ada.get(&path).await.headers["x-accel-buffering"], "no");
    site.shut_down().await;
}
