//! Signing in through PAM, as an unprivileged user on a machine of its own. What the module of `tests/pam` does is
//! written in a file for each name. Linux and root.

mod accounts;
mod push;
mod rhost;
mod said;
mod sessions;
mod steps;
mod unanswered;
mod unit;

use http::Method;
use serde_json::json;
use shared::sign_in::ChallengeView;
use slipway_tests::{Machine, Person, Plan, Reply, Site};

/// A site whose PAM has the module of `tests/pam` alone.
async fn site() -> Site {
    site_on(Machine::default()).await
}

async fn site_on(machine: Machine) -> Site {
    Site::start(Plan {
        machine: Some(machine),
        ..Plan::default()
    })
    .await
}

/// What the module does for `ada.auth`: for that name in that phase.
fn acts(site: &Site, name_and_phase: &str, lines: &str) {
    std::fs::write(site.path(&format!("acts/{name_and_phase}")), lines).unwrap();
}

async fn try_to_sign_in(site: &Site, name: &str, password: &str) -> Reply {
    site.anonymous().sign_in(name, password).await
}

/// What is asked next, of somebody who is not signed in yet.
fn challenge(reply: &Reply) -> ChallengeView {
    assert_eq!(reply.status, 202, "{}", reply.text);
    assert!(!reply.headers.contains_key("set-cookie"));
    reply.json()
}

/// Goes on with an answer, or waits.
async fn go_on(person: &Person, challenge: &ChallengeView, answer: Option<&str>) -> Reply {
    let body = json!({ "state": challenge.state, "answer": answer });
    person.post("hub/api/login/answer", &body).await
}

async fn cancel(person: &Person, challenge: &ChallengeView) {
    let body = json!({ "state": challenge.state });
    assert_eq!(person.post("hub/api/login/cancel", &body).await.status, 204);
}

/// A form without scripts.
async fn send_form(person: &Person, path: &str, fields: &[(&str, &str)]) -> Reply {
    Person::send(person.request(Method::POST, path).form(fields)).await
}

/// How many threads Slipway has in PAM.
fn threads(site: &Site) -> usize {
    let tasks = format!("/proc/{}/task", site.slipway_pid().unwrap());
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).unwrap_or_default();
    let tasks = std::fs::read_dir(tasks).unwrap().flatten();
    tasks.map(name).filter(|name| name.trim() == "pam").count()
}
