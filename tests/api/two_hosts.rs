//! People's servers on a host name of their own: the sign-in is handed over, once, for one server, in one browser.

use serde_json::{Value, json};
use slipway_tests::{Person, Plan, Reply, Site};

async fn split() -> Site {
    let plan = Plan {
        split: true,
        ..Plan::default()
    };
    Site::start(plan).await
}

/// As the address bar does it, one redirect at a time.
async fn open(person: &Person, url: &str) -> Reply {
    let request = person.http.get(url).header("sec-fetch-mode", "navigate");
    Person::send(request.header("accept", "text/html")).await
}

fn location(reply: &Reply) -> String {
    assert_eq!(reply.status, 303, "{}", reply.text);
    reply.headers["location"].to_str().unwrap().to_owned()
}

/// From a page of ada's server to the last step of its hand-off.
async fn hand_off(site: &Site, person: &Person) -> String {
    let to_hub = location(&open(person, &server(site, "lab")).await);
    location(&open(person, &to_hub).await)
}

fn server(site: &Site, rest: &str) -> String {
    format!("{}user/ada/{rest}", Site::user_url(&site.url))
}

#[tokio::test]
async fn a_server_opens_at_its_own_host_by_a_code_that_is_good_once() {
    let site = split().await;
    let ada = site.sign_in("ada").await;
    let ready = ada.start_and_wait(&json!({})).await;
    assert_eq!(ready.url, server(&site, ""));
    let to_hub = location(&open(&ada, &server(&site, "lab?a=1")).await);
    assert!(
        to_hub.starts_with(&format!("{}hub/hand-off?next=", site.url)),
        "{to_hub}"
    );
    let back = location(&open(&ada, &to_hub).await);
    assert!(back.starts_with(&server(&site, "slipway-hand-off?")), "{back}");
    let arrived = open(&ada, &back).await;
    assert_eq!(location(&arrived), "/user/ada/lab?a=1");
    let cookies: Vec<_> = arrived.headers.get_all("set-cookie").iter().collect();
    assert!(cookies.iter().all(|cookie| {
        let cookie = cookie.to_str().unwrap();
        cookie.contains("Path=/user/ada/") && cookie.contains("HttpOnly") && !cookie.contains("Domain")
    }));
    assert_eq!(open(&ada, &server(&site, "lab?a=1")).await.status, 200);
    // Again, by somebody who saw the address, or by the same browser going back.
    for person in [&site.anonymous(), &ada] {
        let again = open(person, &back).await;
        assert!(
            !again
                .headers
                .get_all("set-cookie")
                .iter()
                .any(|c| c.to_str().unwrap().starts_with("slipway-user=e"))
        );
        assert_eq!(
            location(&again),
            format!("{}hub/user/ada/lab?a=1", site.url),
            "its page offers to begin anew"
        );
    }
    site.shut_down().await;
}

#[tokio::test]
async fn no_log_tells_the_code_or_the_secret_of_a_hand_off() {
    let plan = Plan {
        split: true,
        signer: true,
        log: "trace,h2=trace,hyper=trace,sqlx=trace",
        ..Plan::default()
    };
    let site = Site::start(plan).await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let begun = open(&ada, &server(&site, "lab")).await;
    let secret = begun.headers["set-cookie"].to_str().unwrap();
    let secret = secret.split(['=', ';']).nth(1).unwrap().to_owned();
    let back = location(&open(&ada, &location(&begun)).await);
    let code = back.split("&code=").nth(1).unwrap().to_owned();
    let arrived = open(&ada, &back).await;
    assert_eq!(location(&arrived), "/user/ada/lab");
    assert_eq!(open(&ada, &server(&site, "lab")).await.status, 200);
    let cookies = arrived.headers.get_all("set-cookie").into_iter();
    let cookies = cookies.filter_map(|cookie| cookie.to_str().unwrap().split(['=', ';']).nth(1));
    let mut secrets: Vec<_> = cookies.filter(|value| value.len() > 20).map(str::to_owned).collect();
    assert!(!secrets.is_empty(), "{:?}", arrived.headers);
    secrets.extend([secret, code, "eyJ".into()]);
    for log in [site.log(), site.signer_log()] {
        assert!(log.contains("INFO"), "too little is logged");
        for secret in &secrets {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(secret.len() > 2 && line.is_none(), "{secret} is in {line:?}");
        }
    }
    site.shut_down().await;
}

#[tokio::test]
async fn tabs_that_are_opened_together_are_all_signed_in() {
    let site = split().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let tabs = ["lab/tree/a.ipynb", "lab/tree/b.ipynb"];
    let mut steps = Vec::new();
    for tab in tabs {
        steps.push(location(&open(&ada, &server(&site, tab)).await));
    }
    for step in &mut steps {
        *step = location(&open(&ada, step).await);
    }
    for (step, tab) in steps.iter().zip(tabs) {
        assert_eq!(location(&open(&ada, step).await), format!("/user/ada/{tab}"));
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_code_is_good_in_the_browser_that_asked_for_it_alone() {
    let site = split().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let back = hand_off(&site, &ada).await;
    // Somebody else is led to it: a link in a mail.
    let victim = site.anonymous();
    let _ = open(&victim, &server(&site, "lab")).await;
    let reply = open(&victim, &back).await;
    assert!(
        location(&reply).starts_with(&format!("{}hub/user/", site.url)),
        "{}",
        location(&reply)
    );
    let status = Person::send(victim.http.get(server(&site, "api/status"))).await;
    assert_eq!(status.status, 401, "the victim works as ada");
    site.shut_down().await;
}

#[tokio::test]
async fn each_host_answers_for_its_own_paths_and_cookies_alone() {
    let site = split().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    assert_eq!(
        ada.cookies("user/ada/"),
        "",
        "the hub's host has no business with the servers' cookie"
    );
    let user_host = Site::user_url(&site.url);
    // A notebook's script sends whatever it has to the hub's API by the servers' name.
    let thief = site.anonymous();
    let api = thief
        .http
        .get(format!("{user_host}hub/api/user"))
        .header("cookie", ada.cookies("hub/"));
    assert_eq!(Person::send(api).await.status, 404);
    // … or to the hub itself, from its own origin.
    let stop = thief
        .http
        .delete(ada.url(&ada.server_path()))
        .header("cookie", ada.cookies("hub/"))
        .header("origin", user_host.trim_end_matches('/'));
    assert_eq!(Person::send(stop).await.code(), "cross_site");
    // People who mistake one for the other are led on.
    assert_eq!(
        location(&open(&ada, &format!("{user_host}hub/home")).await),
        ada.url("hub/home")
    );
    assert_eq!(
        location(&open(&ada, &ada.url("user/ada/lab?x")).await),
        server(&site, "lab?x")
    );
    assert_eq!(ada.get("user/ada/api/status").await.status, 404);
    site.shut_down().await;
}

#[tokio::test]
async fn what_is_the_matter_with_a_server_is_said_by_the_hubs_page() {
    let site = split().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let handed = hand_off(&site, &ada).await;
    assert_eq!(location(&open(&ada, &handed).await), "/user/ada/lab");
    ada.delete(&ada.server_path()).await;
    ada.wait_for(shared::server::Phase::Ended).await;
    let page = location(&open(&ada, &server(&site, "lab/tree/a.ipynb")).await);
    assert_eq!(page, ada.url("hub/user/ada/lab/tree/a.ipynb"));
    assert_eq!(open(&ada, &page).await.status, 200);
    // Somebody else's server.
    let other = site.sign_in("many-accounts").await;
    let to_hub = location(&open(&other, &server(&site, "lab")).await);
    assert_eq!(location(&open(&other, &to_hub).await), ada.url("hub/user/ada/lab"));
    // Lab's own menu.
    let menu = ada
        .http
        .get(server(&site, "logout"))
        .header("sec-fetch-mode", "navigate");
    assert_eq!(location(&Person::send(menu).await), ada.url("hub/logout"));
    site.shut_down().await;
}

#[tokio::test]
async fn signing_out_at_the_hub_ends_what_was_handed_over() {
    let site = split().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let handed = hand_off(&site, &ada).await;
    open(&ada, &handed).await;
    let status = || Person::send(ada.http.get(server(&site, "api/status")));
    let before: Value = status().await.json();
    assert!(before.is_object());
    assert_eq!(ada.post("hub/api/logout", &json!({})).await.status, 204);
    assert_eq!(status().await.status, 401);
    site.shut_down().await;
}

#[tokio::test]
async fn a_code_is_good_once_even_for_the_browser_that_asked_for_it() {
    let site = split().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    let begun = open(&ada, &server(&site, "lab")).await;
    let secret = begun.headers["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let back = location(&open(&ada, &location(&begun)).await);
    let take = || {
        let request = site.anonymous().http.get(&back).header("cookie", &secret);
        Person::send(request.header("sec-fetch-mode", "navigate"))
    };
    assert_eq!(location(&take().await), "/user/ada/lab");
    let again = take().await;
    assert!(
        location(&again).starts_with(&format!("{}hub/user/", site.url)),
        "{}",
        location(&again)
    );
    assert!(!again.headers.contains_key("set-cookie"));
    site.shut_down().await;
}

#[tokio::test]
async fn what_changes_something_on_a_server_comes_from_the_servers_host() {
    let site = split().await;
    let ada = site.sign_in("ada").await;
    ada.start_and_wait(&json!({})).await;
    open(&ada, &hand_off(&site, &ada).await).await;
    let user_origin = Site::user_url(&ada.origin());
    for (origin, status) in [(user_origin, 200), (ada.origin(), 403)] {
        let request = ada.http.post(server(&site, "echo")).header("origin", &origin).body("x");
        assert_eq!(Person::send(request).await.status, status, "{origin}");
    }
    site.shut_down().await;
}
