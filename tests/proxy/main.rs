//! What passes between a browser and a person's server, over real sockets and TLS.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

mod churn;
mod front_proxies;
mod guard;
mod http;
mod limits;
mod malformed;
mod node;
mod response_headers;
mod restart;
mod slow;
mod websocket;

use serde_json::json;
use slipway_tests::{Person, Plan, Site};

/// A site where ada's server is ready.
async fn ready() -> (Site, Person) {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    (site, ada)
}
