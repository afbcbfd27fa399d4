//! Who signs what for whom: the audit of signatures, the names that nothing is signed for, and that no log tells a
//! secret.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use local_slurm::JobState;
use serde_json::json;
use shared::server::{EndCause, Phase};
use slipway_tests::{Account, Plan, Site, until};

/// The lines of the audit.
fn audit(log: &str) -> Vec<&str> {
    let lines = log.lines().filter(|line| line.contains(" slipway::signatures: "));
    lines.collect()
}

#[tokio::test]
async fn each_signature_is_one_line_with_whom_what_for_until_when_and_the_request_that_caused_it() {
    let site = Site::start(Plan {
        // The audit is no filter's to hide.
        log: "error,backend::serve=info",
        ..Plan::default()
    })
    .await;
    let ada = site.sign_in("ada").await;
    // Documents bring answers along, which are looked for beside them.
    let form = ada.navigate("hub/spawn").await;
    assert_eq!(form.status, 200);
    let started = ada.start(&json!({})).await;
    assert_eq!(started.status, 202);
    ada.wait_for(Phase::Ready).await;
    let request = started.headers["x-request-id"].to_str().unwrap();
    let log = site.log();
    let lines = audit(&log);
    let of = |word: &str| {
        lines
            .iter()
            .filter(|line| line.contains(word))
            .copied()
            .collect::<Vec<_>>()
    };
    let submitted = of("purpose=\"submit a job\"");
    assert_eq!(submitted.len(), 1, "{log}");
    for field in [
        " INFO ",
        "sun=ada",
        "by=\"person\"",
        "until=\"20",
        &format!("request.id={request}"),
    ] {
        assert!(submitted[0].contains(field), "{field} is not in {}", submitted[0]);
    }
    // The poller asked many times since, with one token, or with one more than the first page.
    let service = of("sun=slipway");
    assert!((1..=2).contains(&service.len()), "{service:?}");
    assert!(
        service
            .iter()
            .all(|line| line.contains("purpose=\"questions\" by=\"service\"")),
        "{service:?}"
    );
    // All that is signed for a person is of a request of theirs.
    let of_ada = of("sun=ada");
    let tasks = ["request.id=poller", "request.id=background"];
    let of_tasks = of_ada
        .iter()
        .filter(|line| tasks.iter().any(|task| line.contains(task)));
    assert_eq!(of_tasks.count(), 0, "{of_ada:?}");
    let document = format!("request.id={}", form.headers["x-request-id"].to_str().unwrap());
    assert!(of_ada.iter().any(|line| line.contains(&document)), "{of_ada:?}");
    site.shut_down().await;
}

#[tokio::test]
async fn no_log_tells_a_secret_however_much_is_logged() {
    let site = Site::start(Plan {
        log: "trace,h2=trace,hyper=trace,sqlx=trace",
        ..Plan::default()
    })
    .await;
    let mut ada = slipway_tests::Person::new(&site.url);
    assert_eq!(ada.sign_in("ada", "not the right battery").await.status, 401);
    // What is no sign-in at all may be one that was mistyped.
    for (path, body) in [
        ("hub/api/login", json!({ "username": "ada", "password": 20_261_130 })),
        ("hub/api/login", json!({ "username": "ada", "password": ["20261130"] })),
        ("hub/api/login", json!("20261130")),
        ("hub/api/login", json!(20_261_130)),
        ("hub/api/login/answer", json!({ "state": "s", "answer": 493_817 })),
        ("hub/api/login/answer", json!("493817")),
        ("hub/api/login/cancel", json!({ "state": 493_817 })),
    ] {
        let reply = ada.post(path, &body).await;
        assert_eq!(reply.status, 400, "{path} {body}");
        assert!(
            !reply.text.contains("20261130") && !reply.text.contains("493817"),
            "{}",
            reply.text
        );
    }
    assert_eq!(ada.sign_in("ada", site.password("ada")).await.status, 200);
    let cookies = [ada.cookies("hub/"), ada.cookies("user/ada/")].join("; ");
    ada.start_and_wait(&json!({})).await;
    assert_eq!(ada.get("user/ada/lab?token=told-by-mistake").await.status, 200);
    assert_eq!(
        ada.get("user/ada/no-such-thing?token=told-by-mistake").await.status,
        404
    );
    assert_eq!(ada.get("hub/api/nothing?token=told-by-mistake").await.status, 404);
    ada.delete(&ada.server_path()).await;
    ada.wait_for(Phase::Ended).await;
    assert_eq!(
        ada.post("hub/api/logout", &json!({ "stop_server": "20261130" }))
            .await
            .status,
        400
    );
    assert_eq!(ada.post("hub/api/logout", &json!({})).await.status, 204);
    let log = site.log();
    assert!(
        log.contains("DEBUG") && log.contains("signed out"),
        "too little is logged"
    );
    let mut secrets: Vec<String> = cookies
        .split("; ")
        .map(|pair| pair.split_once('=').unwrap().1.to_owned())
        .filter(|value| value.len() > 20)
        .collect();
    assert!(secrets.len() >= 2, "{cookies}");
    for key in ["slurm.key", "job.key", "sign-in.key"] {
        let bytes = std::fs::read(site.path(key)).unwrap();
        secrets.extend([STANDARD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)]);
        secrets.push(
            bytes
                .iter()
                .fold(String::new(), |text, byte| format!("{text}{byte:02x}")),
        );
    }
    let typed = [
        site.password("ada"),
        "not the right battery",
        "told-by-mistake",
        "20261130",
        "493817",
    ];
    secrets.extend(typed.map(str::to_owned));
    // What every JWT and every key of a job begins with.
    secrets.extend(["eyJ", "PRIVATE KEY"].map(str::to_owned));
    for secret in secrets {
        let line = log.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "{secret} is in {line:?}");
    }
    site.shut_down().await;
}

#[tokio::test]
async fn blocked_names_and_the_service_users_can_neither_sign_in_nor_act_however_they_came_in() {
    let ordinary = Account::all().remove(0);
    let site = Site::start(Plan {
        accounts: ["root", "slipway", "ada"]
            .map(|name| Account {
                name,
                ..ordinary.clone()
            })
            .to_vec(),
        ..Plan::default()
    })
    .await;
    for name in ["root", "slipway"] {
        let mut person = slipway_tests::Person::new(&site.url);
        let reply = person.sign_in(name, site.password(name)).await;
        assert_eq!((reply.status, reply.code().as_str()), (401, "wrong_password"), "{name}");
    }
    site.sign_in("ada").await;
    // Nor with a session from before their names were blocked, or with a forged one. The signer refuses them as well:
    // `the_signer_keeps_its_own_limits_whatever_it_is_told`.
    for person in site.signed_in(["root", "slipway"].map(str::to_owned)) {
        let refused = person.start(&json!({})).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (401, "not_signed_in"),
            "{}",
            person.name
        );
        let id = refused.headers["x-request-id"].to_str().unwrap();
        let log = site.log();
        let signed: Vec<_> = audit(&log).into_iter().filter(|line| line.contains(id)).collect();
        assert!(signed.is_empty(), "{signed:?}");
    }
    assert!(site.cluster().job(1).is_none());
    site.shut_down().await;
}

/// A start whose job Slurm has as somebody else's is cancelled before it runs, and fails; the log says why.
async fn is_disowned(plan: Plan, words: &str) {
    let site = Site::start(plan).await;
    let ada = site.sign_in("ada").await;
    let refused = ada.start(&json!({})).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (500, "internal"),
        "{}",
        refused.text
    );
    assert!(
        !refused.text.contains("uid") && !refused.text.contains("mallory"),
        "{}",
        refused.text
    );
    let id = refused.headers["x-request-id"].to_str().unwrap();
    let log = site.log();
    let told = |line: &&str| line.contains(words) && line.contains(id) && line.contains(" WARN ");
    assert_eq!(audit(&log).into_iter().filter(told).count(), 1, "{log}");
    let failed = |line: &&str| told(line) && line.contains("backend::edge");
    assert_eq!(log.lines().filter(failed).count(), 1, "{log}");
    until("the job to be cancelled", || async {
        (site.cluster().job(1)?.state == JobState::Cancelled).then_some(())
    })
    .await;
    assert_eq!(site.cluster().job(1).unwrap().node, "", "it has run");
    let end = ada.wait_for(Phase::Ended).await.state.end.unwrap();
    assert_eq!((end.cause, end.was_ready), (EndCause::Cancelled, false));
    assert_ne!(ada.get("user/ada/lab").await.status, 200);
    site.shut_down().await;
}

#[tokio::test]
async fn a_job_with_a_uid_of_the_systems_never_runs() {
    let plan = Plan {
        cluster: |cluster| cluster.users[0].uid = 999,
        ..Plan::default()
    };
    is_disowned(plan, "uid 999, which is below identity.min_uid (1000)").await;
}

#[tokio::test]
async fn a_job_under_another_name_than_it_was_submitted_for_never_runs() {
    let plan = Plan {
        cluster: |cluster| cluster.users[0].shown_as = Some("mallory".into()),
        ..Plan::default()
    };
    is_disowned(plan, "runs job 1 as").await;
}
