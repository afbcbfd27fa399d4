//! More than a password, and other names.

use serde_json::{Value, json};
use shared::sign_in::ChallengeKind;
use slipway_tests::{Machine, Person, Plan, Reply, Site, until};

use super::{acts, challenge, go_on, send_form, site, threads, try_to_sign_in};

/// Says something, and asks twice more after the password.
const ASKS_TWICE: &str = "password correct\ninfo Two things more.\nshown 1234 First code:\nhidden 5678 Second code:\n";

#[tokio::test]
async fn a_module_that_asks_twice_is_answered_twice() {
    let site = site().await;
    acts(&site, "ada.auth", ASKS_TWICE);
    let ada = site.anonymous();
    let first = challenge(&try_to_sign_in(&site, "ada", "correct").await);
    assert_eq!(
        (first.kind, first.message.as_str()),
        (ChallengeKind::Code, "Two things more.\nFirst code:")
    );
    assert_eq!(ada.get("hub/api/user").await.status, 401, "half a sign-in is none");
    let second = challenge(&go_on(&ada, &first, Some("1234")).await);
    assert_eq!(
        (second.kind, second.message.as_str()),
        (ChallengeKind::Secret, "Second code:")
    );
    let reply = go_on(&ada, &second, Some("5678")).await;
    assert_eq!(
        (reply.status, reply.json::<Value>()["name"].as_str()),
        (200, Some("ada"))
    );
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    until("no thread in PAM", || async { (threads(&site) == 0).then_some(()) }).await;

    // One wrong answer ends it; nobody learns which.
    for answers in [["1234", "wrong"], ["wrong", "5678"]] {
        let mut reply = try_to_sign_in(&site, "ada", "correct").await;
        for answer in answers {
            if reply.status == 202 {
                reply = go_on(&site.anonymous(), &challenge(&reply), Some(answer)).await;
            }
        }
        assert_eq!((reply.status, reply.code().as_str()), (401, "wrong_password"));
    }
    site.shut_down().await;
}

#[tokio::test]
async fn forms_without_scripts_ask_the_same() {
    let site = site().await;
    acts(&site, "ada.auth", ASKS_TWICE);
    let ada = site.anonymous();
    let fields = [("username", "ada"), ("password", "correct"), ("next", "/hub/spawn")];
    let reply = send_form(&ada, "hub/login", &fields).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text.contains("Two things more.\nFirst code:"), "{}", reply.text);
    let next = answered(&ada, &reply, "1234").await;
    assert!(next.text.contains("Second code:") && next.text.contains("type=\"password\""));
    let last = answered(&ada, &next, "5678").await;
    assert_eq!(
        (last.status, last.headers["location"].to_str().unwrap()),
        (303, "/hub/spawn")
    );
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    site.shut_down().await;
}

/// Fills in the form of an answer and sends it.
async fn answered(person: &Person, form: &Reply, answer: &str) -> Reply {
    let value = |name: &str| {
        let after = form.text.split(&format!("name=\"{name}\" value=\"")).nth(1).unwrap();
        after.split('"').next().unwrap().to_owned()
    };
    let (state, next) = (value("state"), value("next"));
    let fields = [("state", state.as_str()), ("next", next.as_str()), ("answer", answer)];
    send_form(person, "hub/login/answer", &fields).await
}

#[tokio::test]
async fn another_replica_goes_on_also_where_a_module_takes_its_time_between_questions() {
    let mut site = site().await;
    acts(
        &site,
        "ada.auth",
        "password correct\nshown 1234 First code:\ninfo Sending the next.\nwait 2 sent\nhidden 5678 Second code:\n",
    );
    let beside = Person::new(&site.start_beside().await);
    let first = challenge(&try_to_sign_in(&site, "ada", "correct").await);
    // Shown before the module goes on.
    let waits = challenge(&go_on(&beside, &first, Some("1234")).await);
    assert_eq!(
        (waits.kind, waits.message.as_str()),
        (ChallengeKind::Wait, "Sending the next.")
    );
    std::fs::write(site.path("acts/sent"), "").unwrap();
    let second = challenge(&go_on(&beside, &waits, None).await);
    assert_eq!(second.message, "Sending the next.\nSecond code:");
    let reply = go_on(&site.anonymous(), &second, Some("5678")).await;
    assert_eq!(
        (reply.status, reply.json::<Value>()["name"].as_str()),
        (200, Some("ada"))
    );
    site.shut_down().await;
}

#[tokio::test]
async fn a_replica_says_an_answer_again_that_a_slow_module_asks_for_late() {
    let mut site = site().await;
    let slow = "password correct\ninfo One moment.\npause 900\nshown 1234 First code:\nhidden 5678 Second code:\n";
    acts(&site, "ada.auth", slow);
    let ada = site.anonymous();
    let waits = challenge(&try_to_sign_in(&site, "ada", "correct").await);
    assert_eq!(
        (waits.kind, waits.message.as_str()),
        (ChallengeKind::Wait, "One moment.")
    );
    let first = challenge(&go_on(&ada, &waits, None).await);
    let second = challenge(&go_on(&ada, &first, Some("1234")).await);
    let beside = Person::new(&site.start_beside().await);
    let reply = go_on(&beside, &second, Some("5678")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    site.shut_down().await;
}

#[tokio::test]
async fn a_choice_is_offered_as_one() {
    let site = site().await;
    acts(&site, "ada.auth", "password correct\nradio yes Call your phone?\n");
    let choice = challenge(&try_to_sign_in(&site, "ada", "correct").await);
    assert_eq!(
        (choice.kind, choice.message.as_str()),
        (ChallengeKind::Choice, "Call your phone?")
    );
    assert_eq!(choice.choices, ["yes", "no"]);
    assert_eq!(go_on(&site.anonymous(), &choice, Some("yes")).await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn people_who_left_a_question_open_hold_nobody_up_and_can_still_answer_it() {
    let site = site().await;
    let people: Vec<_> = (0..140).map(|n| format!("user{n}")).collect();
    let mut open = Vec::new();
    for name in &people {
        acts(&site, &format!("{name}.auth"), "password correct\nshown 1234 Code:\n");
        open.push(challenge(&try_to_sign_in(&site, name, "correct").await));
    }
    until("threads of the latest alone", || async {
        (threads(&site) == 128).then_some(())
    })
    .await;
    for number in [0, 139] {
        let reply = go_on(&site.anonymous(), &open[number], Some("1234")).await;
        assert_eq!(
            (reply.status, reply.json::<Value>()["name"].as_str()),
            (200, Some(people[number].as_str()))
        );
    }
    site.shut_down().await;
}

#[tokio::test]
async fn who_pam_says_it_is_counts_and_not_what_was_typed() {
    let site = Site::start(Plan {
        machine: Some(Machine::default()),
        sign_in: "domains = [\"example.org\"]".into(),
        ..Plan::default()
    })
    .await;
    acts(&site, "lovelace.auth", "password correct\nrename ADA@Example.org\n");
    let mut person = site.anonymous();
    let reply = person.sign_in("Lovelace", "correct").await;
    assert_eq!((reply.status, person.name.as_str()), (200, "ada"), "{}", reply.text);
    assert!(person.cookies("user/ada/").contains("slipway") && !person.cookies("user/lovelace/").contains("user"));
    let server = person.start_and_wait(&json!({})).await;
    assert_eq!(server.url.as_str(), "/user/ada/");
    assert_eq!(site.cluster().job(1).unwrap().user, "ada");

    for (to, status) in [
        ("root", 403),
        ("ROOT@example.org", 403),
        ("ada@elsewhere.org", 503),
        ("../ada", 503),
    ] {
        acts(&site, "lovelace.auth", &format!("password correct\nrename {to}\n"));
        let reply = try_to_sign_in(&site, "lovelace", "correct").await;
        assert_eq!(reply.status, status, "{to}: {}", reply.text);
        assert!(!reply.headers.contains_key("set-cookie"), "{to}");
    }
    site.shut_down().await;
}
