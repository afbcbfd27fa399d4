//! Second factors that are not answered, or wrongly.

use slipway_tests::until;

use super::{acts, cancel, challenge, go_on, site, try_to_sign_in};

const ASKS: &str = "password correct\nshown 1234 Code:\n";

#[tokio::test]
async fn second_factors_that_are_not_answered_count_and_are_logged() {
    let site = site().await;
    acts(&site, "ada.auth", ASKS);
    let mut asked = Vec::new();
    for _ in 0..5 {
        asked.push(challenge(&try_to_sign_in(&site, "ada", "correct").await));
    }
    let reply = try_to_sign_in(&site, "ada", "correct").await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "throttled"));
    assert!(site.log().contains("second factor asked for"));
    cancel(&site.anonymous(), &asked[0]).await;
    until("the second factor that was cancelled is logged", || async {
        let log = site.log();
        let line = log.lines().find(|line| line.contains("second factor not answered"))?;
        (line.contains("user=ada") && line.contains("address=127.0.0.1")).then_some(())
    })
    .await;
    assert_eq!(
        try_to_sign_in(&site, "ada", "correct").await.status,
        429,
        "to cancel gave it back"
    );
    // The flow that is open can still be answered, and its answer is no new attempt.
    let reply = go_on(&site.anonymous(), &asked[4], Some("1234")).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(
        try_to_sign_in(&site, "ada", "correct").await.status,
        202,
        "answering gave nothing back"
    );
    site.shut_down().await;
}

#[tokio::test]
async fn guesses_at_a_code_are_counted_also_with_one_state_again_and_again() {
    let site = site().await;
    acts(&site, "ada.auth", ASKS);
    let asked = challenge(&try_to_sign_in(&site, "ada", "correct").await);
    let mut guesses = 0;
    while go_on(&site.anonymous(), &asked, Some("0000")).await.status == 401 {
        guesses += 1;
        assert!(guesses <= 5, "guesses are not counted");
    }
    let reply = go_on(&site.anonymous(), &asked, Some("1234")).await;
    assert_eq!((reply.status, reply.code().as_str()), (429, "throttled"));
    site.shut_down().await;
}

#[tokio::test]
async fn somebody_who_answers_each_time_may_sign_in_as_often_as_they_like() {
    let site = site().await;
    acts(&site, "ada.auth", ASKS);
    for _ in 0..12 {
        let asked = challenge(&try_to_sign_in(&site, "ada", "correct").await);
        let reply = go_on(&site.anonymous(), &asked, Some("1234")).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    assert!(!site.log().contains("not answered"));
    site.shut_down().await;
}
