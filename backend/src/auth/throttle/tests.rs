use super::*;
use std::time::Duration;

const HOME: [u8; 4] = [192, 0, 2, 1];
const ELSEWHERE: [u8; 4] = [198, 51, 100, 1];

fn name(text: &str) -> UserName {
    UserName::new(text).unwrap()
}

/// The clock, and a throttle that goes by it.
fn throttle() -> (Clock, Throttle) {
    let clock = Clock::fixed(1_000);
    (clock.clone(), Throttle::new(clock))
}

impl Throttle {
    /// One wrong password; how long to wait if it could not even be tried.
    fn fails(&self, address: impl Into<IpAddr>, name: &UserName) -> i64 {
        self.attempt(address.into(), Some(name))
            .map_or_else(|wait| wait.seconds, |_| 0)
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
            counts.pairs.empty_at.len(),
            counts.addresses.empty_at.len(),
            counts.names.empty_at.len(),
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
    throttle.fails_often(PAIR.most, ELSEWHERE, &ada);
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
        for _ in 0..limit.most {
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
        throttle.fails_often(PAIR.most - 1, place, who);
    }
    throttle.attempt(HOME.into(), Some(&ada)).unwrap().succeeded();
    throttle.fails_often(PAIR.most, HOME, &ada);
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
    for attempt in attempts {
        attempt.give_back();
    }
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
    for _ in 0..10 * ADDRESS.most {
        throttle.attempt(HOME.into(), Some(&name("ada"))).unwrap().succeeded();
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
    trying.into_iter().for_each(Attempt::succeeded);
}

#[test]
fn many_addresses_make_a_name_wait_a_little_but_not_where_it_signed_in_before() {
    let (_, throttle) = throttle();
    let ada = name("ada");
    throttle.attempt(HOME.into(), Some(&ada)).unwrap().succeeded();
    for n in 0..1000 {
        throttle.fails(address(n), &ada);
    }
    assert_eq!(throttle.fails(ELSEWHERE, &ada), NAME.seconds);
    throttle.attempt(HOME.into(), Some(&ada)).unwrap().succeeded();
    throttle.fails_often(PAIR.most, HOME, &ada);
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
    for _ in 0..ADDRESS.most {
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
        throttle.fails_often(PAIR.most, ip(one), &name("ada"));
        assert_eq!(throttle.fails(ip(other), &name("ada")) > 0, same, "{one} and {other}");
    }
}

#[test]
fn a_clock_that_is_set_back_makes_nobody_wait_for_hours() {
    let clock = Clock::fixed(100_000);
    let throttle = Throttle::new(clock);
    let ada = name("ada");
    throttle.fails_often(PAIR.most, HOME, &ada);
    let set_back = Throttle {
        counts: Mutex::new(throttle.counts.into_inner().unwrap()),
        clock: Clock::fixed(10_000),
    };
    assert_eq!(set_back.fails(HOME, &ada), PAIR.seconds);
}

#[test]
fn failures_from_everywhere_are_remembered_in_bounded_memory_and_hide_no_guesser() {
    let (clock, throttle) = throttle();
    let ada = name("ada");
    throttle.fails_often(PAIR.most, ELSEWHERE, &ada);
    let names: Vec<_> = (0..40_000).map(|n| name(&format!("u{n}"))).collect();
    for (n, name) in (0..200_000).zip(names.iter().cycle()) {
        throttle.fails(address(n / 4), name);
        if n % 20_000 == 0 {
            clock.advance(Duration::from_secs(1));
            throttle.attempt(address(n), Some(&ada)).unwrap().succeeded();
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
