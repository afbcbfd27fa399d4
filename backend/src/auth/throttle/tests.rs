use std::time::Duration;

use super::counts::{ADDRESS, NAME, PAIR, REMEMBERED, SECOND_FACTOR};
use super::*;
use crate::store::Store;

const HOME: [u8; 4] = [192, 0, 2, 1];
const ELSEWHERE: [u8; 4] = [198, 51, 100, 1];

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

/// The clock, and a throttle that goes by it.
fn throttle() -> (Clock, Throttle) {
    let clock = Clock::fixed(1_000);
    (clock.clone(), throttle_at(clock))
}

fn throttle_at(clock: Clock) -> Throttle {
    Throttle::new(&secret(), clock).unwrap()
}

fn secret() -> Secret {
    Secret {
        path: "key".into(),
        bytes: (0..48).collect::<Vec<u8>>().into(),
    }
}

impl Throttle {
    /// One wrong password; how long to wait if it could not even be tried.
    fn fails(&self, address: impl Into<IpAddr>, name: &UserName) -> i64 {
        self.attempt(address.into(), Some(name))
            .map_or_else(|wait| wait.seconds, |_| 0)
    }

    /// The right password.
    fn signs_in(&self, address: impl Into<IpAddr>, name: &UserName) {
        let attempt = self.attempt(address.into(), Some(name)).unwrap();
        self.succeeded([attempt]);
    }

    /// So many wrong passwords, all of which are tried.
    fn fails_often(&self, times: i64, address: impl Into<IpAddr>, name: &UserName) {
        let address = address.into();
        for n in 0..times {
            assert_eq!(self.fails(address, name), 0, "the try after {n} failures");
        }
    }

    fn remembered(&self) -> [usize; 4] {
        let counts = self.lock();
        [
            counts.empty_at[Count::Pair as usize].len(),
            counts.empty_at[Count::Address as usize].len(),
            counts.empty_at[Count::Name as usize].len(),
            counts.signed_in.len(),
        ]
    }
}

/// The address number `n` of very many.
fn address(n: u32) -> IpAddr {
    IpAddr::from((0x0a00_0000 + n).to_be_bytes())
}

#[test]
fn five_failures_make_a_name_wait_where_they_were_made_and_nowhere_else() {
    let (_, throttle) = throttle();
    let (ada, bob) = (name("ada"), name("bob"));
    throttle.fails_often(PAIR.max, ELSEWHERE, &ada);
    assert_eq!(throttle.fails(ELSEWHERE, &ada), PAIR.seconds);
    assert_eq!(throttle.fails(HOME, &ada), 0, "a stranger locked her out");
    assert_eq!(throttle.fails(ELSEWHERE, &bob), 0, "somebody else has to wait too");
}

#[test]
fn whoever_waits_as_long_as_told_gets_a_try_and_not_before() {
    type Fails = fn(&Throttle, u32) -> i64;
    let one_pair: Fails = |throttle, _| throttle.fails(HOME, &name("ada"));
    let one_address: Fails = |throttle, n| throttle.fails(HOME, &name(&format!("u{n}")));
    let one_name: Fails = |throttle, n| throttle.fails(address(n), &name("ada"));
    for (limit, fails) in [(PAIR, one_pair), (ADDRESS, one_address), (NAME, one_name)] {
        let (clock, throttle) = throttle();
        let mut numbers = 0..;
        let mut fails = || fails(&throttle, numbers.next().unwrap());
        for _ in 0..limit.max {
            assert_eq!(fails(), 0);
        }
        assert_eq!(fails(), limit.seconds);
        clock.advance(Duration::from_secs(u64::try_from(limit.seconds).unwrap() - 1));
        assert_eq!(fails(), 1, "a try that has to wait made the wait longer");
        clock.advance(Duration::from_secs(1));
        assert_eq!(fails(), 0, "it was told to try now");
        assert_eq!(fails(), limit.seconds, "there was room for one");
    }
}

#[test]
fn the_right_password_forgets_the_failures_of_that_name_at_that_address_alone() {
    let (_, throttle) = throttle();
    let (ada, bob) = (name("ada"), name("bob"));
    for (place, who) in [(HOME, &ada), (HOME, &bob), (ELSEWHERE, &ada)] {
        throttle.fails_often(PAIR.max - 1, place, who);
    }
    throttle.signs_in(HOME, &ada);
    throttle.fails_often(PAIR.max, HOME, &ada);
    for (place, who) in [(HOME, &bob), (ELSEWHERE, &ada)] {
        throttle.fails_often(1, place, who);
        assert!(throttle.fails(place, who) > 0, "{who} was forgiven");
    }
}

#[test]
fn many_tries_at_once_are_no_more_than_one_after_the_other() {
    let (_, throttle) = throttle();
    let ada = name("ada");
    let at_once = |count: i64| -> Vec<_> {
        (0..count)
            .filter_map(|_| throttle.attempt(HOME.into(), Some(&ada)).ok())
            .collect()
    };
    let attempts = at_once(100);
    assert_eq!(attempts.len(), 5, "that many passwords are being checked");
    throttle.give_back(attempts);
    assert_eq!(at_once(100).len(), 5, "what was given back is there again");
    assert_eq!(
        at_once(100).len(),
        0,
        "whoever hangs up before the answer has tried all the same"
    );
}

#[test]
fn tries_that_succeed_leave_nothing_to_wait_for() {
    let (_, throttle) = throttle();
    for _ in 0..10 * ADDRESS.max {
        throttle.signs_in(HOME, &name("ada"));
    }
    assert_eq!(throttle.remembered(), [0, 0, 0, 1]);
}

#[test]
fn a_class_of_eighty_with_twenty_typos_behind_one_router_is_served_at_once() {
    let (_, throttle) = throttle();
    let mut trying = Vec::new();
    for n in 0..80 {
        let name = name(&format!("student{n}"));
        if n % 4 == 0 {
            throttle.fails_often(1, HOME, &name);
        }
        trying.push(throttle.attempt(HOME.into(), Some(&name)).unwrap());
    }
    throttle.succeeded(trying);
}

#[test]
fn many_addresses_make_a_name_wait_a_little_but_not_where_it_signed_in_before() {
    let (_, throttle) = throttle();
    let ada = name("ada");
    throttle.signs_in(HOME, &ada);
    for n in 0..1000 {
        throttle.fails(address(n), &ada);
    }
    assert_eq!(throttle.fails(ELSEWHERE, &ada), NAME.seconds);
    throttle.signs_in(HOME, &ada);
    throttle.fails_often(PAIR.max, HOME, &ada);
    assert_eq!(
        throttle.fails(HOME, &ada),
        PAIR.seconds,
        "nobody guesses on at the usual place"
    );
    assert_eq!(throttle.fails(HOME, &name("bob")), 0);
}

#[test]
fn what_is_no_name_counts_for_its_address() {
    let (_, throttle) = throttle();
    for _ in 0..ADDRESS.max {
        let _failed = throttle.attempt(HOME.into(), None).unwrap();
    }
    assert_eq!(throttle.attempt(HOME.into(), None).err(), Some(Wait { seconds: 3 }));
    assert_eq!(throttle.fails(HOME, &name("ada")), 3);
}

#[test]
fn one_network_of_ipv6_is_one_address_and_an_ipv4_address_is_the_same_in_either_form() {
    let ip = |text: &str| text.parse::<IpAddr>().unwrap();
    for (one, other, same) in [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", false),
        ("::ffff:192.0.2.1", "192.0.2.1", true),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
    ] {
        let (_, throttle) = throttle();
        throttle.fails_often(PAIR.max, ip(one), &name("ada"));
        assert_eq!(throttle.fails(ip(other), &name("ada")) > 0, same, "{one} and {other}");
    }
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_wait_for_hours() {
    let clock = Clock::fixed(100_000);
    let throttle = throttle_at(clock);
    let ada = name("ada");
    throttle.fails_often(PAIR.max, HOME, &ada);
    let set_back = Throttle {
        clock: Clock::fixed(10_000),
        ..throttle
    };
    assert_eq!(set_back.fails(HOME, &ada), PAIR.seconds);
}

#[test]
fn failures_from_everywhere_are_remembered_in_bounded_memory_and_hide_no_guesser() {
    let (clock, throttle) = throttle();
    let ada = name("ada");
    throttle.fails_often(PAIR.max, ELSEWHERE, &ada);
    let names: Vec<_> = (0..40_000).map(|n| name(&format!("u{n}"))).collect();
    for (n, name) in (0..200_000).zip(names.iter().cycle()) {
        throttle.fails(address(n / 4), name);
        if n % 20_000 == 0 {
            clock.advance(Duration::from_secs(1));
            throttle.signs_in(address(n), &ada);
        }
    }
    let remembered = throttle.remembered();
    assert!(remembered.iter().all(|count| *count <= REMEMBERED), "{remembered:?}");
    assert!(
        remembered[..3].iter().all(|count| *count >= REMEMBERED / 2),
        "{remembered:?}"
    );
    assert_eq!(
        throttle.fails(ELSEWHERE, &ada),
        PAIR.seconds - 10,
        "the flood washed the count away"
    );
}

#[test]
fn second_factors_that_are_not_answered_make_a_name_wait_everywhere_but_at_its_usual_places() {
    let (clock, throttle) = throttle();
    let ada = name("ada");
    throttle.signs_in(HOME, &ada);
    for n in 0..u32::try_from(SECOND_FACTOR.max).unwrap() {
        let mut attempt = throttle.attempt(address(n), Some(&ada)).unwrap();
        throttle.add_second_factor(&mut attempt, &ada);
    }
    assert_eq!(throttle.fails(ELSEWHERE, &ada), SECOND_FACTOR.seconds);
    assert_eq!(throttle.fails(ELSEWHERE, &name("bob")), 0);
    throttle.signs_in(HOME, &ada);
    clock.advance(Duration::from_secs(SECOND_FACTOR.seconds.unsigned_abs()));
    assert_eq!(throttle.fails(ELSEWHERE, &ada), 0);
}

#[test]
fn a_second_factor_that_is_answered_leaves_nothing_to_wait_for() {
    let (_, throttle) = throttle();
    let ada = name("ada");
    for n in 0..20 {
        let mut attempt = throttle.attempt(address(n), Some(&ada)).unwrap();
        throttle.add_second_factor(&mut attempt, &ada);
        throttle.succeeded([attempt]);
    }
    assert_eq!(throttle.fails(ELSEWHERE, &ada), 0);
    assert_eq!(throttle.remembered()[2], 1, "only the last failure counts");
}

/// Replicas that share a store, and their clock.
struct Replicas {
    clock: Clock,
    store: Store,
    _folder: tempfile::TempDir,
}

impl Replicas {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            clock: Clock::fixed(1_000),
            store: Store::open(&folder.path().join("slipway.db")).await.unwrap(),
            _folder: folder,
        }
    }

    async fn start(&self) -> Throttle {
        let throttle = throttle_at(self.clock.clone());
        throttle.synchronize(&self.store).await;
        throttle
    }

    async fn synchronize(&self, replicas: &[&Throttle]) {
        // What the last one writes is read by the first one the next time.
        for replica in replicas.iter().chain(replicas) {
            replica.synchronize(&self.store).await;
        }
    }
}

#[tokio::test]
async fn counts_survive_a_restart_and_empty_meanwhile() {
    let replicas = Replicas::new().await;
    let ada = name("ada");
    let before = replicas.start().await;
    before.fails_often(PAIR.max, HOME, &ada);
    before.synchronize(&replicas.store).await;
    let after = replicas.start().await;
    assert_eq!(after.fails(HOME, &ada), PAIR.seconds);
    assert_eq!(after.fails(ELSEWHERE, &ada), 0);
    replicas.clock.advance(Duration::from_secs(PAIR.seconds.unsigned_abs()));
    let later = replicas.start().await;
    assert_eq!(later.fails(HOME, &ada), 0);
    assert_eq!(later.fails(HOME, &ada), PAIR.seconds);
}

#[tokio::test]
async fn counts_of_replicas_add_up_and_attempts_that_are_given_back_are_so_for_all() {
    let replicas = Replicas::new().await;
    let (one, other) = (replicas.start().await, replicas.start().await);
    let ada = name("ada");
    one.fails_often(2, HOME, &ada);
    let attempt = one.attempt(HOME.into(), Some(&ada)).unwrap();
    other.fails_often(2, HOME, &ada);
    replicas.synchronize(&[&one, &other]).await;
    for replica in [&one, &other] {
        assert_eq!(replica.fails(HOME, &ada), PAIR.seconds, "two, two and one are five");
    }
    one.give_back([attempt]);
    replicas.synchronize(&[&one, &other]).await;
    assert_eq!(other.fails(HOME, &ada), 0, "one was given back");
    replicas.synchronize(&[&other, &one]).await;
    assert_eq!(one.fails(HOME, &ada), PAIR.seconds);
}

#[tokio::test]
async fn a_sign_in_at_one_replica_is_known_to_all() {
    let replicas = Replicas::new().await;
    let (one, other) = (replicas.start().await, replicas.start().await);
    let ada = name("ada");
    one.fails_often(PAIR.max - 1, HOME, &ada);
    replicas.synchronize(&[&one, &other]).await;
    other.signs_in(HOME, &ada);
    replicas.synchronize(&[&other, &one]).await;
    one.fails_often(PAIR.max, HOME, &ada);
    // The usual place survives a restart: strangers cannot lock her out of it.
    let restarted = replicas.start().await;
    for n in 0..200 {
        restarted.fails(address(n), &ada);
    }
    assert!(restarted.fails(ELSEWHERE, &ada) > 0);
    replicas.clock.advance(Duration::from_secs(PAIR.seconds.unsigned_abs()));
    assert_eq!(restarted.fails(HOME, &ada), 0);
}

#[tokio::test]
async fn without_the_store_counting_goes_on_and_what_was_not_written_is_written_later() {
    let replicas = Replicas::new().await;
    let folder = tempfile::tempdir().unwrap();
    let away = Store::open(&folder.path().join("slipway.db")).await.unwrap();
    away.clone().close().await;
    let one = replicas.start().await;
    let ada = name("ada");
    one.fails_often(3, HOME, &ada);
    one.synchronize(&away).await;
    one.fails_often(2, HOME, &ada);
    one.synchronize(&away).await;
    assert_eq!(one.fails(HOME, &ada), PAIR.seconds);
    one.synchronize(&replicas.store).await;
    assert_eq!(replicas.start().await.fails(HOME, &ada), PAIR.seconds);
}

#[tokio::test]
async fn the_store_has_no_names_and_only_rows_that_still_count() {
    let replicas = Replicas::new().await;
    let one = replicas.start().await;
    one.fails_often(1, HOME, &name("ada-lovelace"));
    one.signs_in(ELSEWHERE, &name("grace"));
    one.synchronize(&replicas.store).await;
    let rows = replicas.store.rate_limits(0).await.unwrap().1;
    assert_eq!(rows.len(), 4, "three counts and a place: {rows:?}");
    assert!(rows.iter().all(|row| row.key.len() == 16));
    let one_day = Duration::from_hours(24);
    replicas.clock.advance(one_day);
    one.prune(&replicas.store).await;
    assert_eq!(
        replicas.store.rate_limits(0).await.unwrap().1.len(),
        1,
        "the place is kept"
    );
    replicas.clock.advance(one_day * 90);
    one.prune(&replicas.store).await;
    assert_eq!(replicas.store.rate_limits(0).await.unwrap().1, []);
}
