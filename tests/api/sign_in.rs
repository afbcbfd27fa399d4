//! Signing in and out.

use http::Method;
use serde_json::{Value, json};
use slipway_tests::{Person, Plan, Site, until};

#[tokio::test]
async fn signing_in_answers_who_it_is_and_signing_out_ends_it_everywhere() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let user: Value = ada.get("hub/api/user").await.json();
    assert_eq!(
        (user["kind"].as_str(), user["name"].as_str()),
        (Some("user"), Some("ada"))
    );
    let (hub, own) = (ada.cookies("hub/"), ada.cookies("user/ada/"));

    assert_eq!(ada.post("hub/api/logout", &json!({})).await.status, 204);
    assert_eq!(ada.get("hub/api/user").await.code(), "not_signed_in");
    // Somebody who kept the cookies gets nothing for them.
    let thief = site.anonymous();
    let with = |path: &str, cookies: &str| thief.request(Method::GET, path).header("cookie", cookies);
    assert_eq!(Person::send(with("hub/api/user", &hub)).await.status, 401);
    assert_eq!(Person::send(with("user/ada/lab", &own)).await.status, 401);
    // Twice is no error.
    assert_eq!(ada.post("hub/api/logout", &json!({})).await.status, 204);
    site.shut_down().await;
}

#[tokio::test]
async fn a_sign_in_that_was_ended_stays_ended_after_a_restart() {
    let mut site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let hub = ada.cookies("hub/");
    let other = site.sign_in("ada").await;
    ada.post("hub/api/logout", &json!({})).await;
    site.kill_slipway().await;
    site.start_slipway().await;
    let thief = site.anonymous();
    assert_eq!(
        Person::send(thief.request(Method::GET, "hub/api/user").header("cookie", hub))
            .await
            .status,
        401
    );
    assert_eq!(other.get("hub/api/user").await.status, 200, "another sign-in ended too");
    site.shut_down().await;
}

#[tokio::test]
async fn a_name_is_taken_as_people_type_it_and_shown_in_its_one_form() {
    let site = Site::start(Plan::default()).await;
    let mut person = site.anonymous();
    let reply = person.sign_in(" Ada ", site.password("ada")).await;
    assert_eq!((reply.status, person.name.as_str()), (200, "ada"));
    site.shut_down().await;
}

#[tokio::test]
async fn wrong_passwords_unknown_names_and_blocked_names_are_answered_alike() {
    let site = Site::start(Plan::default()).await;
    for (name, password) in [
        ("ada", "wrong"),
        ("nobody-at-all", "wrong"),
        ("root", "x"),
        ("ada", ""),
        ("", ""),
        ("a/../b", "x"),
    ] {
        let reply = site.anonymous().sign_in(name, password).await;
        assert_eq!(
            (reply.status, reply.code().as_str()),
            (401, "wrong_password"),
            "{name:?}"
        );
        assert!(!reply.headers.contains_key("set-cookie"));
    }
    site.shut_down().await;
}

#[tokio::test]
async fn an_inactive_account_is_told_so_with_its_date() {
    let site = Site::start(Plan::default()).await;
    let reply = site.anonymous().sign_in("inactive", site.password("inactive")).await;
    let error = reply.error();
    assert_eq!((error.status, error.details["since"].as_str()), (403, "2026-04-01"));
    assert_eq!(reply.code(), "inactive");
    assert!(!reply.headers.contains_key("set-cookie"));
    site.shut_down().await;
}

#[tokio::test]
async fn however_a_sign_in_is_refused_the_answer_is_the_same_to_the_letter() {
    let site = Site::start(Plan::default()).await;
    let long = "x".repeat(2000);
    let (mut answers, mut pages) = (Vec::new(), Vec::new());
    for (name, password) in [
        ("ada", "wrong"),
        ("nobody-at-all", "wrong"),
        ("root", "wrong"),
        // Slipway's own account in Slurm.
        ("slipway", "wrong"),
        ("waits", ""),
        ("refused", &long),
        ("nobody-at-all", &long),
        ("no name", "wrong"),
        ("", ""),
    ] {
        let reply = site.anonymous().sign_in(name, password).await;
        let mut error = reply.error();
        assert!(!std::mem::take(&mut error.request_id).is_empty());
        answers.push((reply.status, error, reply.headers.keys().cloned().collect::<Vec<_>>()));
        let fields = [("username", name), ("password", password)];
        let form = Person::send(site.anonymous().request(Method::POST, "hub/login").form(&fields)).await;
        pages.push((
            form.status,
            form.text.replace(&format!("value=\"{name}\""), "value=\"\""),
        ));
    }
    assert_eq!((answers[0].0, pages[0].0), (401, 401));
    for (answer, page) in answers.iter().zip(&pages) {
        assert_eq!(answer, &answers[0]);
        assert_eq!(page, &pages[0]);
    }
    site.shut_down().await;
}

#[tokio::test]
async fn an_account_of_a_blocked_name_or_of_slipways_own_in_slurm_signs_nobody_in() {
    let site = Site::start(Plan::default()).await;
    for name in ["root", "slipway"] {
        let user = shared::names::UserName::new(name).unwrap();
        backend::auth::add_user(&site.path("users.toml"), &user, &"the right one".into()).unwrap();
        let reply = site.anonymous().sign_in(name, "the right one").await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "wrong_password"), "{name}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn guessing_is_slowed_down_for_that_name_alone() {
    let site = Site::start(Plan::default()).await;
    let mut guesser = site.anonymous();
    for _ in 0..5 {
        assert_eq!(guesser.sign_in("ada", "guess").await.status, 401);
    }
    let reply = guesser.sign_in("ada", site.password("ada")).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "throttled"));
    let seconds: u32 = reply.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    assert_eq!(reply.error().details["retry_after"], seconds.to_string());
    site.sign_in("many-accounts").await;
    site.shut_down().await;
}

#[tokio::test]
async fn the_form_without_scripts_says_how_long_to_wait() {
    let site = Site::start(Plan::default()).await;
    let fields = [("username", "ada"), ("password", "guess")];
    let person = site.anonymous();
    let mut reply = Person::send(person.request(Method::POST, "hub/login").form(&fields)).await;
    while reply.status == 401 {
        let request = person.request(Method::POST, "hub/login").form(&fields);
        reply = Person::send(request.header("accept-language", "fr")).await;
    }
    assert_eq!(reply.status, 429);
    let told = reply.text.split("Réessayez dans ").nth(1).unwrap_or_default();
    let seconds: u32 = told.split("\u{a0}s.").next().unwrap().parse().unwrap();
    assert!((1..=30).contains(&seconds), "{seconds}");
    site.shut_down().await;
}

/// macOS has only one address for itself until it is given more.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_stranger_who_guesses_elsewhere_locks_nobody_out() {
    let site = Site::start(Plan::default()).await;
    let mut stranger = Person::elsewhere(&site.url, [127, 0, 0, 2]);
    for _ in 0..5 {
        assert_eq!(stranger.sign_in("ada", "guess").await.status, 401);
    }
    assert_eq!(stranger.sign_in("ada", site.password("ada")).await.status, 429);
    site.sign_in("ada").await;
    assert_eq!(
        stranger.sign_in("ada", site.password("ada")).await.status,
        429,
        "her signing in lets the stranger guess on"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn whoever_sends_many_guesses_at_once_gets_no_more_than_five() {
    let site = Site::start(Plan::default()).await;
    let guesses = (0..40).map(|_| async { site.anonymous().sign_in("ada", "guess").await.status });
    let answers = futures_util::future::join_all(guesses).await;
    let checked = answers.iter().filter(|status| **status == 401).count();
    let waiting = answers.iter().filter(|status| **status == 429).count();
    assert_eq!((checked, waiting), (5, 35), "{answers:?}");
    site.shut_down().await;
}

#[tokio::test]
async fn a_class_of_eighty_signs_in_behind_one_router_with_twenty_typos() {
    let site = Site::start(Plan::default()).await;
    // Everybody has ada's password.
    let users = std::fs::read_to_string(site.path("users.toml")).unwrap();
    let hash = users.split("[users.ada]").nth(1).unwrap().lines().nth(1).unwrap();
    let class: Vec<_> = (0..80).map(|n| format!("[users.student{n}]\n{hash}\n")).collect();
    std::fs::write(site.path("users.toml"), format!("{users}\n{}", class.concat())).unwrap();
    let students = (0..80).map(|n| {
        let site = &site;
        async move {
            let (mut student, name) = (site.anonymous(), format!("student{n}"));
            if n % 4 == 0 {
                assert_eq!(student.sign_in(&name, "corect horse batery").await.status, 401);
            }
            student.sign_in(&name, site.password("ada")).await.status
        }
    });
    let answers = futures_util::future::join_all(students).await;
    assert_eq!(answers, vec![200; 80]);
    site.shut_down().await;
}

#[tokio::test]
async fn a_flood_of_made_up_names_fills_neither_memory_nor_log_and_its_size_is_told() {
    let plan = Plan {
        log: "info",
        ..Plan::default()
    };
    let mut site = Site::start(plan).await;
    site.sign_in("ada").await;
    let started = std::time::Instant::now();
    let flood = slipway_tests::flood::flood(&site, 5000, 20, 1).await;
    let minutes = started.elapsed().as_secs() / 60 + 1;
    // Five for each name, and one more every half minute.
    assert!((100..=100 + 40 * minutes).contains(&flood.checked), "{flood:?}");
    assert!(flood.memory[1] < flood.memory[0] + 20 * 1024, "{flood:?}");
    assert!(flood.logged < 20_000 * (minutes + 1), "{flood:?}");
    site.end_slipway().await;
    until("the last line about the flood", || async {
        let log = site.log();
        let told = log
            .lines()
            .filter(|line| line.contains("more in the last minute, from 1 addresses"));
        let more: u64 = told
            .filter_map(|line| line.split("and ").nth(1)?.split(' ').next()?.parse::<u64>().ok())
            .sum();
        let lines = log.matches("a sign-in was refused").count();
        let lines = u64::try_from(lines).unwrap();
        (more + lines == 5000 && lines <= 60 * (minutes + 1)).then_some(())
    })
    .await;
    site.shut_down().await;
}

#[tokio::test]
async fn a_request_that_is_none_is_refused_with_what_is_wrong() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    let post = |body: &str, kind: &'static str| {
        Person::send(
            person
                .request(Method::POST, "hub/api/login")
                .header("content-type", kind)
                .body(body.to_owned()),
        )
    };
    let good = json!({ "username": "ada", "password": "x", "admin": true }).to_string();
    let reply = post(&good, "application/json").await;
    assert_eq!(reply.status, 400);
    assert!(reply.error().message.contains("admin"), "{}", reply.text);
    assert_eq!(post("{", "application/json").await.status, 400);
    assert_eq!(
        post("username=ada", "application/x-www-form-urlencoded").await.status,
        415
    );
    let large = json!({ "username": "ada", "password": "x".repeat(100_000) }).to_string();
    let reply = post(&large, "application/json").await;
    assert_eq!((reply.status, reply.code().as_str()), (413, "bad_request"));
    site.shut_down().await;
}

#[tokio::test]
async fn another_site_can_neither_sign_anybody_in_nor_out() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let from = |path: &str, name: &'static str, value: &'static str| {
        let body = json!({ "username": "ada", "password": site.password("ada") });
        Person::send(ada.http.post(ada.url(path)).json(&body).header(name, value))
    };
    for (name, value) in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ] {
        for path in ["hub/api/login", "hub/api/logout", "hub/api/users/ada/server"] {
            let reply = from(path, name, value).await;
            assert_eq!(
                (reply.status, reply.code().as_str()),
                (403, "cross_site"),
                "{path} {name}: {value}"
            );
        }
    }
    assert_eq!(ada.get("hub/api/user").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn the_form_without_scripts_signs_in_and_goes_on_to_own_paths_only() {
    let site = Site::start(Plan::default()).await;
    for (next, target) in [
        ("/user/ada/lab/tree/a.ipynb", "/user/ada/lab/tree/a.ipynb"),
        ("/hub/spawn?time=3h", "/hub/spawn?time=3h"),
        ("//evil.example/", "/hub/home"),
        ("/\\evil.example", "/hub/home"),
        ("https://evil.example/", "/hub/home"),
        ("", "/hub/home"),
    ] {
        let person = site.anonymous();
        let fields = [("username", "ada"), ("password", site.password("ada")), ("next", next)];
        let reply = Person::send(person.request(Method::POST, "hub/login").form(&fields)).await;
        assert_eq!(
            (reply.status, reply.headers["location"].to_str().unwrap()),
            (303, target),
            "{next}"
        );
        assert_eq!(person.get("hub/api/user").await.status, 200);
    }
    site.shut_down().await;
}

#[tokio::test]
async fn the_form_without_scripts_says_what_was_wrong_and_keeps_the_name() {
    let site = Site::start(Plan::default()).await;
    let person = site.anonymous();
    let fields = [
        ("username", "ada\"><script>"),
        ("password", "wrong"),
        ("next", "/hub/spawn"),
    ];
    let request = person
        .request(Method::POST, "hub/login")
        .form(&fields)
        .header("accept-language", "fr");
    let reply = Person::send(request).await;
    assert_eq!(reply.status, 401);
    assert!(
        reply.text.contains("mot de passe ou le code est inexact"),
        "{}",
        reply.text
    );
    assert!(reply.text.contains("value=\"ada&quot;&gt;&lt;script&gt;\"") && !reply.text.contains("\"><script>"));
    assert!(reply.text.contains("value=\"/hub/spawn\""));
    // The name is there already.
    let focused = |id: &str| {
        let field = reply.text.split(&format!("id=\"{id}\"")).nth(1).unwrap();
        field.split('>').next().unwrap().contains("autofocus")
    };
    assert_eq!((focused("username"), focused("password")), (false, true));
    site.shut_down().await;
}

#[tokio::test]
async fn no_password_cookie_or_token_is_ever_logged() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    site.anonymous().sign_in("ada", "a very secret guess").await;
    ada.start_and_wait(&json!({})).await;
    ada.get(&ada.own("show?token=abcdef123456")).await;
    let log = site.log();
    assert!(log.contains("signed in"), "nothing was logged at all");
    let cookie = ada.cookies("hub/");
    let token = cookie.split('=').nth(1).unwrap();
    for secret in [
        site.password("ada"),
        "a very secret guess",
        token,
        "abcdef123456",
        "PRIVATE KEY",
    ] {
        assert!(!log.contains(secret), "the log has {secret:?}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn a_browser_that_lost_one_of_its_cookies_gets_it_again_instead_of_going_in_circles() {
    let site = Site::start(Plan::default()).await;
    let ada = site.sign_in("ada").await;
    let hub = ada.cookies("hub/");
    let browser = site.anonymous();
    let request = browser
        .request(Method::GET, "hub/login?next=/user/ada/lab")
        .header("cookie", hub);
    let reply = Person::send(request).await;
    assert_eq!(
        (reply.status, reply.headers["location"].to_str().unwrap()),
        (303, "/user/ada/lab")
    );
    assert_eq!(
        browser.get("user/ada/lab").await.code(),
        "not_running",
        "the cookie that came along is good"
    );
    site.shut_down().await;
}
