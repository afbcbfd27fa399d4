//! The addresses under which people come, and those that they bookmark.

use http::Method;
use serde_json::json;
use slipway_tests::{Person, Plan, Site};

fn location(reply: &slipway_tests::Reply) -> &str {
    reply.headers["location"].to_str().unwrap()
}

#[tokio::test]
async fn a_request_for_another_host_name_is_refused() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    for path in ["hub/login", "hub/api/site", "user/ada/lab"] {
        let reply = Person::send(person.request(Method::GET, path).header("host", "evil.example")).await;
        assert_eq!((reply.status, reply.code().as_str()), (421, "wrong_host"), "{path}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_page_at_another_name_of_the_host_links_to_the_right_address_in_the_persons_language() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    let page = person
        .request(Method::GET, "hub/spawn?profile=a&x=%22%3E")
        .header("host", "other-name.example")
        .header("sec-fetch-mode", "navigate")
        .header("accept-language", "fr-CA");
    let reply = Person::send(page).await;
    assert_eq!(reply.status, 421);
    let link = format!("<a href=\"{}/hub/spawn?profile=a&amp;x=%22%3E\">", person.origin());
    assert!(reply.text.contains(&link), "{}", reply.text);
    assert!(reply.text.contains("Ce service a une autre adresse"), "{}", reply.text);
    // It cannot load anything from the address that it is shown at.
    for loads in ["<script", "<link", "src="] {
        assert!(!reply.text.contains(loads), "{loads}: {}", reply.text);
    }
    assert!(site.log().contains("a proxy in front has to pass on Host"));
    site.shut_down().await;
}

#[tokio::test]
async fn the_default_port_in_a_host_name_makes_no_difference() {
    let mut site = Site::start(Plan::default()).await;
    site.kill_slipway().await;
    let config = std::fs::read_to_string(site.path("slipway.toml")).unwrap();
    let own = site.anonymous().origin();
    for (url, accepted, refused) in [
        (
            "http://hub.localhost",
            ["hub.localhost", "Hub.localhost:80"],
            "hub.localhost:443",
        ),
        (
            "https://hub.localhost",
            ["hub.localhost", "hub.localhost:443"],
            "hub.localhost:80",
        ),
    ] {
        std::fs::write(site.path("slipway.toml"), config.replace(&own, url)).unwrap();
        site.start_slipway().await;
        let person = site.anonymous();
        let status = async |host: &str| {
            let request = person.http.get(format!("{own}/hub/login")).header("host", host);
            Person::send(request).await.status
        };
        for host in accepted {
            assert_eq!(status(host).await, 200, "{url} as {host}");
        }
        assert_eq!(status(refused).await, 421, "{url} as {refused}");
        site.kill_slipway().await;
    }
    site.shut_down().await;
}

#[tokio::test]
async fn the_base_path_leads_home_with_and_without_its_slash() {
    let plan = Plan {
        base: "/jupyter/",
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    let person = site.anonymous();
    for path in ["/jupyter", "/jupyter/", "/jupyter/hub/"] {
        let request = person.http.get(format!("{}{path}", person.origin()));
        let reply = Person::send(request).await;
        assert_eq!((reply.status, location(&reply)), (303, "/jupyter/hub/home"), "{path}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_name_in_capitals_or_encoded_leads_to_the_owners_address() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    for (path, to) in [
        (
            "user/Many-Accounts/lab/tree/a%20b.ipynb?x=1",
            "/user/many-accounts/lab/tree/a%20b.ipynb?x=1",
        ),
        ("user/many%2Daccounts/lab", "/user/many-accounts/lab"),
    ] {
        let reply = person.navigate(path).await;
        assert_eq!((reply.status, location(&reply)), (303, to));
    }
    // What changes something is not led anywhere.
    let reply = person.post("user/Many-Accounts/api/terminals", &json!({})).await;
    assert_eq!(reply.status, 401);
    site.shut_down().await;
}

#[tokio::test]
async fn signing_in_never_leads_to_signing_out() {
    let site = Site::start(Plan::default()).await;
    for next in ["/hub/logout", "/hub/login", "/user/ada/logout", "/hub/api/user"] {
        let person = site.anonymous();
        let fields = [("username", "ada"), ("password", site.password("ada")), ("next", next)];
        let reply = Person::send(person.request(Method::POST, "hub/login").form(&fields)).await;
        assert_eq!((reply.status, location(&reply)), (303, "/hub/home"), "{next}");
        let again = person.navigate(&format!("hub/login?next={next}")).await;
        assert_eq!((again.status, location(&again)), (303, "/hub/home"), "{next}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_page_that_does_not_exist_is_answered_404_with_the_page() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    for person in [&ada, &site.anonymous()] {
        for path in ["hub/does-not-exist", "hub/spawn/more", "hub/events"] {
            let reply = person.navigate(path).await;
            assert_eq!(reply.status, 404, "{path}");
            assert!(reply.text.starts_with("<!doctype html>"), "{path}: {}", reply.text);
        }
        for path in [
            "hub/home",
            "hub/spawn",
            "hub/logout",
            "hub/spawn-pending/ada",
            "hub/user-redirect/lab",
        ] {
            assert_eq!(person.navigate(path).await.status, 200, "{path}");
        }
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_document_says_that_nobody_is_signed_in_so_that_the_page_does_not_ask() {
    let site = Site::start(Plan::default()).await;
    let says = "data-signed-in=\"no\"";
    for path in ["hub/login", "hub/home", "hub/does-not-exist"] {
        assert!(site.anonymous().navigate(path).await.text.contains(says), "{path}");
    }
    assert!(!site.sign_in("ada").await.navigate("hub/home").await.text.contains(says));
    site.shut_down().await;
}

#[tokio::test]
async fn nginx_is_told_not_to_collect_the_events_of_a_start() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let events = ada.get("hub/api/users/ada/server/progress").await;
    assert_eq!(events.headers["x-accel-buffering"], "no");
    site.shut_down().await;
}

#[tokio::test]
async fn a_page_that_hides_its_origin_from_others_may_change_something_and_a_sandboxed_one_may_not() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let stop = async |site: &str| {
        let request = ada.http.delete(ada.url("hub/api/users/ada/server"));
        let request = request.header("origin", "null").header("sec-fetch-site", site);
        Person::send(request).await.status
    };
    assert_eq!(stop("same-origin").await, 204);
    for other in ["cross-site", "same-site", "none"] {
        assert_eq!(stop(other).await, 403, "{other}");
    }
    site.shut_down().await;
}
