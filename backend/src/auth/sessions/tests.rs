//! What a cookie is good for, and until when.

use super::*;
use std::time::Duration;

fn secret() -> Secret {
    let folder = tempfile::tempdir().unwrap();
    Secret::read_or_create(&folder.path().join("key")).unwrap()
}

fn with_keys(keys: &[Secret], clock: &Clock) -> SignIns {
    SignIns::new(keys, &config::Config::example(), HashMap::new(), clock.clone())
}

fn sign_ins(clock: &Clock) -> SignIns {
    with_keys(&[secret()], clock)
}

fn ada(sign_ins: &SignIns) -> (SignIn, Vec<Cookie<'static>>) {
    let sign_in = sign_ins.start(&UserName::new("ada").unwrap(), None).unwrap();
    let cookies = sign_ins.cookies(Audience::Hub, &sign_in).unwrap();
    (sign_in, cookies)
}

fn request(cookies: &[&Cookie<'_>]) -> HeaderMap {
    let line: Vec<_> = cookies.iter().map(|c| format!("{}={}", c.name(), c.value())).collect();
    HeaderMap::from_iter([(header::COOKIE, line.join("; ").parse().unwrap())])
}

#[test]
fn each_cookie_is_good_for_its_own_part_only() {
    let clock = Clock::fixed(1_000);
    let sign_ins = sign_ins(&clock);
    let (sign_in, cookies) = ada(&sign_ins);
    let [hub, user] = &cookies[..] else {
        panic!("{cookies:?}")
    };
    assert_eq!((hub.path(), user.path()), (Some("/hub/"), Some("/user/ada/")));
    assert_eq!(sign_ins.read(Audience::Hub, &request(&[hub])), Some(sign_in));
    let mut swapped = hub.clone();
    swapped.set_value(user.value().to_owned());
    assert_eq!(sign_ins.read(Audience::Hub, &request(&[&swapped])), None);
    assert_eq!(
        sign_ins.read(Audience::Hub, &request(&[hub, hub])),
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
    let sign_ins = sign_ins(&Clock::fixed(1_000));
    let (sign_in, cookies) = ada(&sign_ins);
    let line = format!("name=é; {}={}", cookies[0].name(), cookies[0].value());
    let headers = HeaderMap::from_iter([(header::COOKIE, http::HeaderValue::from_bytes(line.as_bytes()).unwrap())]);
    assert_eq!(sign_ins.read(Audience::Hub, &headers), Some(sign_in));
}

#[test]
fn a_sign_in_that_is_used_goes_on_until_its_end_and_one_that_is_not_ends_sooner() {
    let clock = Clock::fixed(1_000);
    let sign_ins = sign_ins(&clock);
    let (_, idle) = ada(&sign_ins);
    let (first, mut used) = ada(&sign_ins);
    assert!(
        sign_ins.renewed(Audience::Hub, &first).is_empty(),
        "a new cookie was renewed"
    );
    for hour in 1..24 {
        clock.advance(Duration::from_hours(1));
        let alive = sign_ins.read(Audience::Hub, &request(&[&idle[0]])).is_some();
        assert_eq!(alive, hour < 8, "not used for {hour} hours");
        let found = sign_ins.read(Audience::Hub, &request(&[&used[0]])).unwrap();
        let renewed = sign_ins.renewed(Audience::Hub, &found);
        assert_eq!(renewed.len(), if hour <= 16 { 2 } else { 0 }, "after {hour} hours");
        if !renewed.is_empty() {
            used = renewed;
        }
    }
    clock.advance(Duration::from_hours(1));
    assert_eq!(sign_ins.read(Audience::Hub, &request(&[&used[0]])), None);
}

#[test]
fn what_a_connection_has_shown_before_opens_nothing_to_others_and_nothing_for_longer() {
    let clock = Clock::fixed(1_000);
    let sign_ins = sign_ins(&clock);
    let seen = Seen::default();
    let again = |audience, cookies: &[&Cookie<'_>]| {
        let sign_in = sign_ins.read_again(audience, &request(cookies), &seen);
        sign_in.map(|sign_in| sign_in.id.clone())
    };
    let ((one, own), (other, others)) = (ada(&sign_ins), ada(&sign_ins));
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
    let (late, new) = ada(&sign_ins);
    assert_eq!(again(Audience::User, &[&new[1]]), Some(late.id.clone()));
    sign_ins.end(&late);
    assert_eq!(again(Audience::User, &[&new[1]]), None, "ended");
}

#[test]
fn an_ended_sign_in_is_none_and_others_of_the_same_person_go_on() {
    let sign_ins = sign_ins(&Clock::fixed(1_000));
    let (first, first_cookies) = ada(&sign_ins);
    let (_, second_cookies) = ada(&sign_ins);
    sign_ins.end(&first);
    for (audience, cookie) in [Audience::Hub, Audience::User].into_iter().zip(&first_cookies) {
        assert_eq!(sign_ins.read(audience, &request(&[cookie])), None);
    }
    assert!(sign_ins.read(Audience::Hub, &request(&[&second_cookies[0]])).is_some());
}

#[test]
fn whoever_signs_in_again_goes_on_and_ends_both_by_signing_out() {
    let clock = Clock::fixed(1_000);
    let sign_ins = sign_ins(&clock);
    let (first, cookies) = ada(&sign_ins);
    clock.advance(Duration::from_hours(7));
    let again = sign_ins.start(&first.user, Some(first.clone())).unwrap();
    assert!(again.ends_at > first.ends_at);
    sign_ins.end(&again);
    assert_eq!(sign_ins.read(Audience::User, &request(&[&cookies[1]])), None);
}

#[tokio::test]
async fn what_goes_on_with_a_sign_in_learns_of_its_end_at_once() {
    let sign_ins = sign_ins(&Clock::fixed(1_000));
    let (sign_in, _) = ada(&sign_ins);
    let both = futures_util::future::join(sign_ins.over(&sign_in), async {
        sign_ins.learn([("another".to_owned(), 5_000)]);
        tokio::task::yield_now().await;
        sign_ins.learn([(sign_in.id.clone(), sign_in.ends_at)]);
    });
    let heard = tokio::time::timeout(Duration::from_secs(5), both).await;
    assert!(heard.is_ok(), "it would have gone on until the sign-in's own end");
}

#[test]
fn a_new_key_signs_while_the_former_one_is_still_believed() {
    let clock = Clock::fixed(1_000);
    let (old, new) = (secret(), secret());
    let before = with_keys(std::slice::from_ref(&old), &clock);
    let (sign_in, cookies) = ada(&before);
    let during = with_keys(&[new.clone(), old], &clock);
    assert_eq!(during.read(Audience::Hub, &request(&[&cookies[0]])), Some(sign_in));
    let (_, of_new) = ada(&during);
    assert_eq!(before.read(Audience::Hub, &request(&[&of_new[0]])), None);
    let after = with_keys(&[new], &clock);
    assert!(after.read(Audience::Hub, &request(&[&of_new[0]])).is_some());
    assert_eq!(after.read(Audience::Hub, &request(&[&cookies[0]])), None);
}

#[test]
fn nothing_in_a_cookie_is_a_claim_of_slurms() {
    let (_, cookies) = ada(&sign_ins(&Clock::fixed(1_000)));
    let payload = cookies[0].value().split('.').nth(1).unwrap();
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims.get("sun"), None);
    assert_eq!(claims.get("username"), None);
}

#[test]
fn a_token_without_signature_or_with_another_algorithm_is_none() {
    let sign_ins = sign_ins(&Clock::fixed(1_000));
    let (_, cookies) = ada(&sign_ins);
    let mut parts = cookies[0].value().split('.');
    let header = String::from_utf8(URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap()).unwrap();
    let payload = parts.next().unwrap();
    for algorithm in ["none", "HS256", "HS384", "RS256"] {
        let header = header.replace("HS256", algorithm);
        let mut forged = cookies[0].clone();
        forged.set_value(format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(&header)));
        assert_eq!(sign_ins.read(Audience::Hub, &request(&[&forged])), None, "{header}");
    }
}
