//! What a session is valid for, and until when.

use std::time::Duration;

use super::*;
use crate::store::{Store, UserRevocation};

fn secret() -> Secret {
    let folder = tempfile::tempdir().unwrap();
    Secret::read_or_create(&folder.path().join("key")).unwrap()
}

fn with_keys(keys: &[Secret], clock: &Clock) -> Sessions {
    Sessions::new(keys, &Arc::new(Config::example()), clock.clone())
}

fn sessions(clock: &Clock) -> Sessions {
    with_keys(&[secret()], clock)
}

fn name(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn ada(sessions: &Sessions) -> (Session, Vec<Cookie<'static>>) {
    let started = sessions.start(&name("ada"), None, &SignInDetails::default());
    let session = started.unwrap();
    let cookies = sessions.cookies(&session).unwrap();
    (session, cookies)
}

fn end(sessions: &Sessions, session: &Session) {
    sessions.apply_revocations(SessionEnds {
        sessions: vec![(session.id.clone(), session.ends_at)],
        users: Vec::new(),
    });
}

/// Ends all sessions that began up to a time.
fn end_all(sessions: &Sessions, user: &str, through: i64) {
    sessions.apply_revocations(SessionEnds {
        sessions: Vec::new(),
        users: vec![UserRevocation::new(name(user), through)],
    });
}

fn request(cookies: &[&Cookie<'_>]) -> HeaderMap {
    let line: Vec<_> = cookies.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
    HeaderMap::from_iter([(header::COOKIE, line.join("; ").parse().unwrap())])
}

#[test]
fn each_cookie_is_good_for_its_own_part_only() {
    let clock = Clock::fixed(1_000);
    let sessions = sessions(&clock);
    let (session, cookies) = ada(&sessions);
    let [hub, user] = &cookies[..] else {
        panic!("{cookies:?}")
    };
    assert_eq!((hub.path(), user.path()), (Some("/hub/"), Some("/user/ada/")));
    assert_eq!(sessions.authenticate(Audience::Hub, &request(&[hub])), Some(session));
    let mut swapped = hub.clone();
    swapped.set_value(user.value().to_owned());
    assert_eq!(sessions.authenticate(Audience::Hub, &request(&[&swapped])), None);
    assert_eq!(
        sessions.authenticate(Audience::Hub, &request(&[hub, hub])),
        None,
        "a cookie was planted"
    );
    for cookie in [hub, user] {
        assert!(cookie.http_only() == Some(true) && cookie.secure() == Some(true));
        assert_eq!(cookie.same_site(), Some(SameSite::Lax));
    }
}

#[test]
fn a_cookie_of_somebody_elses_page_hides_no_sign_in() {
    let sessions = sessions(&Clock::fixed(1_000));
    let (session, cookies) = ada(&sessions);
    let line = format!("name=é; {}={}", cookies[0].name(), cookies[0].value());
    let headers = HeaderMap::from_iter([(header::COOKIE, http::HeaderValue::from_bytes(line.as_bytes()).unwrap())]);
    assert_eq!(sessions.authenticate(Audience::Hub, &headers), Some(session));
}

#[test]
fn a_session_that_is_used_lasts_until_its_end_and_one_that_is_not_ends_sooner() {
    let clock = Clock::fixed(1_000);
    let sessions = sessions(&clock);
    let (_, idle) = ada(&sessions);
    let (first, mut used) = ada(&sessions);
    assert_eq!(sessions.renew(Audience::Hub, &first), None, "a new cookie was renewed");
    for hour in 1..24 {
        clock.advance(Duration::from_hours(1));
        if hour >= 8 {
            let found = sessions.authenticate(Audience::Hub, &request(&[&idle[0]]));
            assert_eq!(found, None, "not used for {hour} hours");
        }
        let found = sessions.authenticate(Audience::Hub, &request(&[&used[0]])).unwrap();
        let renewed = sessions.renew(Audience::Hub, &found);
        assert_eq!(renewed.is_some(), hour <= 16, "after {hour} hours");
        if let Some(renewed) = renewed {
            let left = renewed.max_age().unwrap().whole_hours();
            assert_eq!(left, 24 - hour, "the browser keeps it until the session ends");
            used[0] = renewed;
        }
    }
    clock.advance(Duration::from_hours(1));
    assert_eq!(sessions.authenticate(Audience::Hub, &request(&[&used[0]])), None);
}

#[test]
fn only_the_cookie_that_was_shown_is_renewed_and_either_keeps_the_session_active() {
    let clock = Clock::fixed(1_000);
    let sessions = sessions(&clock);
    let (_, cookies) = ada(&sessions);
    let [hub, user] = &cookies[..] else {
        panic!("{cookies:?}")
    };
    for _ in 0..4 {
        clock.advance(Duration::from_hours(5));
        let found = sessions.authenticate(Audience::User, &request(&[user])).unwrap();
        let renewed = sessions.renew(Audience::User, &found).unwrap();
        assert_eq!(renewed.name(), user.name());
    }
    let found = sessions.authenticate(Audience::Hub, &request(&[hub]));
    assert!(found.is_some(), "twenty hours in Lab signed its user out of the hub");
    assert_eq!(
        sessions.renew(Audience::Hub, &found.unwrap()).unwrap().name(),
        hub.name()
    );
}

#[test]
fn without_a_store_that_knows_its_last_use_a_cookie_alone_decides() {
    let clock = Clock::fixed(1_000);
    let key = secret();
    let (_, cookies) = ada(&with_keys(std::slice::from_ref(&key), &clock));
    for (hours, is_active) in [(7, true), (8, false)] {
        clock.advance(Duration::from_hours(if hours == 7 { 7 } else { 1 }));
        // A process that has just started, with an empty store.
        let restarted = with_keys(std::slice::from_ref(&key), &clock);
        let found = restarted.authenticate(Audience::Hub, &request(&[&cookies[0]]));
        assert_eq!(found.is_some(), is_active, "after {hours} hours");
    }
}

#[test]
fn a_cookie_of_a_release_that_recorded_no_sessions_is_valid_and_counts_as_old() {
    let clock = Clock::fixed(1_000);
    let sessions = sessions(&clock);
    let (session, _) = ada(&sessions);
    let old = Session {
        id: "of before".into(),
        authenticated_at: 0,
        ..session
    };
    let cookie = sessions.cookie_of(Audience::Hub, &old).unwrap();
    assert_eq!(sessions.authenticate(Audience::Hub, &request(&[&cookie])), Some(old));
    end_all(&sessions, "ada", 1);
    assert_eq!(sessions.authenticate(Audience::Hub, &request(&[&cookie])), None);
}

#[test]
fn all_sessions_of_a_user_end_that_began_before_and_a_new_one_is_valid_in_the_same_second() {
    let clock = Clock::fixed(1_000);
    let sessions = sessions(&clock);
    let bob = sessions.start(&name("bob"), None, &SignInDetails::default()).unwrap();
    let (first, cookies) = ada(&sessions);
    end_all(&sessions, "ada", 1_000);
    for (audience, cookie) in [Audience::Hub, Audience::User].into_iter().zip(&cookies) {
        assert_eq!(sessions.authenticate(audience, &request(&[cookie])), None);
    }
    assert!(sessions.has_ended(&first) && !sessions.has_ended(&bob));
    let (_, again) = ada(&sessions);
    assert!(sessions.authenticate(Audience::Hub, &request(&[&again[0]])).is_some());
}

#[tokio::test]
async fn a_session_that_was_ended_with_its_first_cookie_stays_ended_for_later_ones() {
    let clock = Clock::fixed(1_000);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    let mut config = Config::example();
    config.sign_in.idle_hours = config.sign_in.lifetime_hours;
    let (key, config) = (secret(), Arc::new(config));
    let sessions = Sessions::new(std::slice::from_ref(&key), &config, clock.clone());
    let (first, _) = ada(&sessions);
    clock.advance(Duration::from_hours(10));
    let again = sessions.start(&first.user, Some(first.clone()), &SignInDetails::default());
    let later = sessions.cookies(&again.unwrap()).unwrap();
    sessions.end(&store, &first, EndReason::SignedOut).await.unwrap();
    clock.advance(Duration::from_hours(15));
    sessions.registry.forget_expired(clock.now());
    store.forget_expired_sessions(clock.now()).await.unwrap();
    let restarted = Sessions::new(&[key], &config, clock);
    restarted.load(&store).await.unwrap();
    for sessions in [sessions, restarted] {
        assert_eq!(sessions.authenticate(Audience::Hub, &request(&[&later[0]])), None);
    }
}

#[test]
fn a_name_that_is_blocked_has_no_session_whatever_its_cookie_says() {
    let clock = Clock::fixed(1_000);
    let key = secret();
    let (_, cookies) = ada(&with_keys(std::slice::from_ref(&key), &clock));
    let mut config = Config::example();
    config.sign_in.blocked.insert(name("ada"));
    let blocking = Sessions::new(&[key], &Arc::new(config), clock);
    assert_eq!(blocking.authenticate(Audience::Hub, &request(&[&cookies[0]])), None);
}

#[test]
fn a_user_has_no_more_than_a_hundred_sessions_and_loses_the_one_used_longest_ago() {
    let clock = Clock::fixed(1_000);
    let sessions = sessions(&clock);
    let (_, first) = ada(&sessions);
    clock.advance(Duration::from_secs(1));
    let (_, second) = ada(&sessions);
    clock.advance(Duration::from_secs(1));
    for _ in 2..MAX_PER_USER {
        ada(&sessions);
    }
    clock.advance(Duration::from_secs(1));
    let is_valid = |cookies: &[Cookie<'_>]| sessions.authenticate(Audience::Hub, &request(&[&cookies[0]])).is_some();
    assert!(is_valid(&first));
    ada(&sessions);
    assert!(is_valid(&first) && !is_valid(&second), "the first was used last");
    assert_eq!(sessions.registry.sessions_of(&name("ada")).len(), MAX_PER_USER);
}

#[test]
fn a_browser_is_kept_as_plain_text_of_bounded_length() {
    assert_eq!(clean_user_agent("Fire\u{202e}fox\n").as_deref(), Some("Fire?fox?"));
    assert_eq!(clean_user_agent(&"x".repeat(5_000)).unwrap().len(), USER_AGENT_LENGTH);
    assert_eq!(clean_user_agent("  "), None);
}

#[test]
fn what_a_connection_has_shown_before_opens_nothing_to_others_and_nothing_for_longer() {
    let clock = Clock::fixed(1_000);
    let sessions = sessions(&clock);
    let seen = Seen::default();
    let again = |audience, cookies: &[&Cookie<'_>]| {
        let session = sessions.authenticate_again(audience, &request(cookies), &seen);
        session.map(|session| session.id.clone())
    };
    let ((one, own), (other, others)) = (ada(&sessions), ada(&sessions));
    for _ in 0..2 {
        assert_eq!(again(Audience::User, &[&own[1]]), Some(one.id.clone()));
    }
    // A proxy in front sends the requests of many people on one connection.
    assert_eq!(again(Audience::User, &[&others[1]]), Some(other.id));
    assert_eq!(again(Audience::User, &[&own[1]]), Some(one.id.clone()));
    assert_eq!(again(Audience::User, &[]), None, "nobody");
    let mut forged = own[1].clone();
    forged.set_value(format!("{}A", own[1].value()));
    assert_eq!(again(Audience::User, &[&forged]), None, "a forged one");
    assert_eq!(again(Audience::User, &[&own[1], &own[1]]), None, "two of them");
    let mut hub = own[1].clone();
    hub.set_name(own[0].name().to_owned());
    assert_eq!(again(Audience::Hub, &[&hub]), None, "of another part");
    clock.advance(Duration::from_hours(9));
    assert_eq!(again(Audience::User, &[&own[1]]), None, "idle for too long");
    let (late, new) = ada(&sessions);
    assert_eq!(again(Audience::User, &[&new[1]]), Some(late.id.clone()));
    end(&sessions, &late);
    assert_eq!(again(Audience::User, &[&new[1]]), None, "ended");
}

#[test]
fn an_ended_sign_in_is_none_and_others_of_the_same_person_go_on() {
    let sessions = sessions(&Clock::fixed(1_000));
    let (first, first_cookies) = ada(&sessions);
    let (_, second_cookies) = ada(&sessions);
    end(&sessions, &first);
    for (audience, cookie) in [Audience::Hub, Audience::User].into_iter().zip(&first_cookies) {
        assert_eq!(sessions.authenticate(audience, &request(&[cookie])), None);
    }
    assert!(
        sessions
            .authenticate(Audience::Hub, &request(&[&second_cookies[0]]))
            .is_some()
    );
}

#[test]
fn whoever_signs_in_again_goes_on_and_ends_both_by_signing_out() {
    let clock = Clock::fixed(1_000);
    let sessions = sessions(&clock);
    let (first, cookies) = ada(&sessions);
    clock.advance(Duration::from_hours(7));
    let again = sessions
        .start(&first.user, Some(first.clone()), &SignInDetails::default())
        .unwrap();
    assert!(again.ends_at > first.ends_at);
    end(&sessions, &again);
    assert_eq!(sessions.authenticate(Audience::User, &request(&[&cookies[1]])), None);
}

#[tokio::test]
async fn what_goes_on_with_a_sign_in_learns_of_its_end_at_once() {
    let sessions = sessions(&Clock::fixed(1_000));
    let (session, _) = ada(&sessions);
    let both = futures_util::future::join(sessions.wait_until_ended(&session), async {
        end_all(&sessions, "bob", 5_000);
        tokio::task::yield_now().await;
        end(&sessions, &session);
    });
    let heard = tokio::time::timeout(Duration::from_secs(5), both).await;
    assert!(heard.is_ok(), "it would have gone on until the sign-in's own end");
}

#[test]
fn a_new_key_signs_while_the_former_one_is_still_believed() {
    let clock = Clock::fixed(1_000);
    let (old, new) = (secret(), secret());
    let before = with_keys(std::slice::from_ref(&old), &clock);
    let (session, cookies) = ada(&before);
    let during = with_keys(&[new.clone(), old], &clock);
    assert_eq!(
        during.authenticate(Audience::Hub, &request(&[&cookies[0]])),
        Some(session)
    );
    let (_, of_new) = ada(&during);
    assert_eq!(before.authenticate(Audience::Hub, &request(&[&of_new[0]])), None);
    let after = with_keys(&[new], &clock);
    assert!(after.authenticate(Audience::Hub, &request(&[&of_new[0]])).is_some());
    assert_eq!(after.authenticate(Audience::Hub, &request(&[&cookies[0]])), None);
}

#[test]
fn nothing_in_a_cookie_is_a_claim_of_slurms() {
    let (_, cookies) = ada(&sessions(&Clock::fixed(1_000)));
    let payload = cookies[0].value().split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims.get("sun"), None);
    assert_eq!(claims.get("username"), None);
}

#[test]
fn a_token_without_signature_or_with_another_algorithm_is_none() {
    let sessions = sessions(&Clock::fixed(1_000));
    let (_, cookies) = ada(&sessions);
    let mut parts = cookies[0].value().split('.');
    let header = String::from_utf8(URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap()).unwrap();
    let payload = parts.next().unwrap();
    for algorithm in ["none", "HS256", "HS384", "RS256"] {
        let header = header.replace("HS256", algorithm);
        let mut forged = cookies[0].clone();
        forged.set_value(format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(&header)));
        assert_eq!(
            sessions.authenticate(Audience::Hub, &request(&[&forged])),
            None,
            "{header}"
        );
    }
}
