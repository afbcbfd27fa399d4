//! HTTP/2, where Slipway ends TLS.

use std::sync::Arc;

use axum::body::Body;
use futures_util::future::join_all;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde_json::{Value, json};
use slipway_tests::tls::Authority;
use slipway_tests::{Person, Plan, Site};

use super::port;

/// A browser's connection, on which requests go side by side.
pub(super) struct Browser<'a> {
    person: &'a Person,
    sender: SendRequest<Body>,
}

impl<'a> Browser<'a> {
    pub(super) async fn open(site: &Site, authority: &Authority, person: &'a Person) -> Self {
        let stream = authority
            .connect_for(port(&site.url), &[b"h2", b"http/1.1"])
            .await
            .unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        Self { person, sender }
    }

    /// Asks as browsers do: each cookie in a line of its own.
    pub(super) async fn send(&self, method: &str, path: &str, body: impl Into<Body>) -> Response<Incoming> {
        let mut request = Request::builder()
            .method(method)
            .uri(self.person.url(path))
            .header("origin", self.person.origin());
        for cookie in self.person.cookies(path).split("; ").chain(["own=1", "other=2"]) {
            request = request.header("cookie", cookie);
        }
        let request = request.body(body.into()).unwrap();
        self.sender.clone().send_request(request).await.unwrap()
    }
}

async fn text(response: Response<Incoming>) -> String {
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn a_browser_asks_for_many_things_at_once_on_one_connection() {
    let authority = Arc::new(Authority::new());
    let plan = Plan {
        tls: Some(Arc::clone(&authority)),
        ..Plan::default()
    };
    let mut site = Site::start(plan).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let browser = Browser::open(&site, &authority, &ada).await;

    // A person's server sees what it would see in HTTP/1.1.
    let shown: Value = serde_json::from_str(&text(browser.send("GET", "user/ada/show?a=%2F", "").await).await).unwrap();
    assert_eq!(shown["uri"], "/user/ada/show?a=%2F");
    assert_eq!(
        shown["headers"]["host"],
        json!([ada.origin().trim_start_matches("https://")])
    );
    assert_eq!(shown["headers"]["cookie"], json!(["own=1; other=2"]));
    let sent = "x".repeat(1 << 20);
    let back = text(browser.send("POST", "user/ada/echo", sent.clone()).await).await;
    assert!(back == sent, "{} bytes came back", back.len());

    // More than a browser would have connections for.
    let all = join_all((0..100).map(|_| browser.send("GET", "user/ada/bytes/100000", ""))).await;
    for length in join_all(all.into_iter().map(text)).await {
        assert_eq!(length.len(), 100_000);
    }

    // The same rules as ever.
    let other = browser.send("GET", "user/many-accounts/lab", "").await;
    assert_eq!(other.status(), StatusCode::UNAUTHORIZED);
    let user: Value = serde_json::from_str(&text(browser.send("GET", "hub/api/user", "").await).await).unwrap();
    assert_eq!(user["name"], "ada");

    // What is under way when Slipway ends is finished.
    let under_way = browser.send("GET", "user/ada/bytes/10000000", "").await;
    let (length, ()) = tokio::join!(async { text(under_way).await.len() }, site.end_slipway());
    assert_eq!(length, 10_000_000);
    site.shut_down().await;
}

/// A site with TLS of its own, where ada's server is ready; its limits of time are a second.
async fn hasty() -> (Site, Arc<Authority>, Person) {
    let authority = Arc::new(Authority::new());
    let site = Site::start(Plan {
        tls: Some(Arc::clone(&authority)),
        server: "body_timeout_seconds = 1\nmin_rate_seconds = 1\n".into(),
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    (site, authority, ada)
}

#[tokio::test]
async fn a_body_that_never_arrives_ends_its_own_request_and_no_other() {
    let (site, authority, ada) = hasty().await;
    let browser = Browser::open(&site, &authority, &ada).await;
    let endless = || Body::from_stream(futures_util::stream::pending::<Result<bytes::Bytes, std::io::Error>>());
    let paths = ["hub/api/logout", "user/ada/length"];
    let answers = join_all(paths.map(|path| browser.send("POST", path, endless()))).await;
    for (path, answer) in paths.iter().zip(answers) {
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT, "{path}");
    }
    assert_eq!(browser.send("GET", "user/ada/lab", "").await.status(), StatusCode::OK);
    assert!(!site.log().contains("does not answer"), "{}", site.log());
    site.shut_down().await;
}

#[tokio::test]
async fn an_answer_that_is_not_taken_is_reset_and_the_others_of_its_connection_go_on() {
    let (site, authority, ada) = hasty().await;
    let browser = Browser::open(&site, &authority, &ada).await;
    let quiet = browser.send("GET", "user/ada/quiet/4000", "").await;
    let untouched = browser.send("GET", "user/ada/bytes/50000000", "").await;
    // Two lines, of which the second comes after four seconds.
    assert_eq!(text(quiet).await, "first\nsecond\n");
    let error = untouched.into_body().collect().await.unwrap_err();
    assert!(format!("{error:?}").contains("CANCEL"), "{error:?}");
    let whole = text(browser.send("GET", "user/ada/bytes/50000000", "").await).await;
    assert_eq!(whole.len(), 50_000_000);
    site.shut_down().await;
}
