mod limits;

use std::collections::BTreeMap;

use super::*;
use crate::api::Bilingual;
use crate::names::{AccountName, InterfaceName, ProfileName, SlurmName, UserName};
use crate::raw::RawOptions;
use crate::units::{Cores, Memory, Minutes};
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;

fn slurm(name: &str) -> SlurmName {
    SlurmName::new(name).unwrap()
}

fn account(name: &str) -> AccountName {
    AccountName::new(name).unwrap()
}

fn interface(name: &str) -> InterfaceName {
    InterfaceName::new(name).unwrap()
}

fn reach(partition: &str, time: u64) -> Reach {
    Reach {
        time: Some(time),
        ..Reach::unlimited(slurm(partition))
    }
}

fn node(cores: u64, memory: u64, gpus: &[(&str, u32)], partitions: &[&str]) -> NodeClass {
    let gpus: BTreeMap<String, u32> = gpus.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    NodeClass {
        cores,
        memory,
        gpus: gpus.clone(),
        features: Vec::new(),
        partitions: partitions.iter().map(|name| slurm(name)).collect(),
        nodes: 1,
        idle: 1,
        until: None,
        free: vec![Free { cores, memory, gpus }],
    }
}

fn always(name: &str, terms: usize) -> AccountView {
    AccountView {
        name: account(name),
        charges: vec![Charge {
            account: account(name),
            gpu: None,
            terms,
        }],
    }
}

fn terms() -> Vec<Vec<Reach>> {
    vec![
        vec![reach("cpu", 480), reach("gpu", 480)],
        vec![reach("cpu", 120), reach("gpu", 120)],
        vec![reach("cpu", 480)],
        vec![reach("gpu", 480)],
    ]
}

fn nodes() -> Vec<NodeClass> {
    vec![
        node(8, 32_000, &[("h100", 4)], &["gpu"]),
        NodeClass {
            features: vec![slurm("fast")],
            ..node(8, 32_000, &[], &["cpu"])
        },
        node(16, 16_000, &[], &["cpu"]),
    ]
}

/// Two accounts, of which one has less time; a third that is two of Slurm's; a partition for GPUs.
fn offer() -> OptionsView {
    let joined = |name: &str, gpu, terms| Charge {
        account: account(name),
        gpu: Some(gpu),
        terms,
    };
    OptionsView {
        user: UserName::new("ada").unwrap(),
        cluster: "local".into(),
        now: NOW,
        accounts: vec![
            always("def-ada", 0),
            always("rrg-ada", 1),
            AccountView {
                name: account("rrg-x"),
                charges: vec![joined("rrg-x_cpu", false, 2), joined("rrg-x_gpu", true, 3)],
            },
            AccountView {
                name: account("cpu-only"),
                charges: vec![joined("cpu-only_cpu", false, 2)],
            },
        ],
        terms: terms(),
        partitions: vec![slurm("cpu"), slurm("gpu")],
        routes: Some(vec![
            Route {
                gpu: Some(false),
                time_max: None,
                partitions: vec![slurm("cpu")],
            },
            Route {
                gpu: Some(true),
                time_max: Some(180),
                partitions: vec![slurm("gpu")],
            },
        ]),
        reservations: vec![ReservationView {
            name: slurm("course"),
            starts_at: NOW + 3600,
            ends_at: NOW + 3 * 3600,
            accounts: vec![account("def-ada")],
            partition: None,
            nodes: vec![node(4, 8000, &[], &["cpu"])],
        }],
        time: Range {
            min: 1,
            max: 480,
            default: 60,
        },
        cores: Range {
            min: 1,
            max: 16,
            default: 1,
        },
        memory: Range {
            min: 256,
            max: 32_000,
            default: 2000,
        },
        gpus: vec![GpuView::named("h100", 4)],
        features: vec![slurm("fast"), slurm("icelake")],
        interfaces: ["lab", "notebook", "terminal"].map(interface).to_vec(),
        profiles: vec![ProfileView {
            name: ProfileName::new("big").unwrap(),
            label: Bilingual::default(),
            about: None,
            options: RawOptions::default().with("cores", "16").with("memory", "8G"),
        }],
        locked: BTreeMap::new(),
        nodes: nodes(),
        nodes_away: 0,
        other_jobs: Vec::new(),
        events: Vec::new(),
        chosen: UserOptions {
            account: account("def-ada"),
            time: Minutes::new(60).unwrap(),
            cores: Cores::new(1).unwrap(),
            memory: Memory::new(2000).unwrap(),
            gpu: None,
            reservation: None,
            partition: None,
            features: Vec::new(),
            interface: interface("lab"),
        },
        chosen_from: Source::Defaults,
        skip_form: false,
        last_refused: Vec::new(),
        ages: Ages::default(),
    }
}

fn parsed(json: &str) -> Result<SpawnRequest, Vec<FieldError>> {
    parse(&serde_json::from_str(json).unwrap(), &offer(), NOW)
}

fn errors(json: &str) -> Vec<(String, Problem)> {
    parsed(json)
        .unwrap_err()
        .into_iter()
        .map(|e| (e.field, e.problem))
        .collect()
}

#[test]
fn nothing_sent_is_what_is_proposed() {
    assert_eq!(parsed("{}").unwrap().options, offer().chosen);
    assert_eq!(
        parsed(r#"{"account":"","time":null,"gpu":" "}"#).unwrap().options,
        offer().chosen
    );
}

#[test]
fn numbers_and_texts_mean_the_same() {
    let numbers = parsed(r#"{"time":180,"cores":4,"memory":8192,"gpu":"h100"}"#).unwrap();
    for text in ["3h", "3:00", "3:00:00", "0-03:00", "180 min", "180"] {
        for memory in ["8 Go", "8G", "8192 MB", "8192"] {
            let texts = format!(r#"{{"time":"{text}","cores":"4","memory":"{memory}","gpu":"h100:1"}}"#);
            assert_eq!(parsed(&texts).as_ref(), Ok(&numbers), "{texts}");
        }
    }
    let gpu = numbers.options.gpu.unwrap();
    assert_eq!((gpu.name.as_str(), gpu.count), ("h100", 1));
}

#[test]
fn gpus_without_a_type_slices_and_shares_are_asked_for_in_slurms_words() {
    for (text, name, count, tres) in [
        ("h100", "h100", 1, "gres/gpu:h100:1"),
        ("h100:2", "h100", 2, "gres/gpu:h100:2"),
        ("gpu:2", "gpu", 2, "gres/gpu:2"),
        ("a100_1g.5gb:1", "a100_1g.5gb", 1, "gres/gpu:a100_1g.5gb:1"),
        ("shard:8", "shard", 8, "gres/shard:8"),
        ("shard:h100", "shard:h100", 1, "gres/shard:h100:1"),
        ("shard:h100:8", "shard:h100", 8, "gres/shard:h100:8"),
    ] {
        let gpus = Gpus::try_from(text.to_owned()).unwrap();
        assert_eq!(
            (gpus.name.as_str(), gpus.count, gpus.to_tres().as_str()),
            (name, count, tres)
        );
        assert_eq!(Gpus::try_from(gpus.to_string()), Ok(gpus));
    }
    for text in ["h100:0", "h100:x", ":2", ":", "", "shard:0"] {
        assert!(Gpus::try_from(text.to_owned()).is_err(), "{text}");
    }
}

#[test]
fn everything_wrong_is_said_at_once_each_by_its_own_name() {
    let found = errors(
        r#"{"account":"rrg-of-others","time":"9 h","cores":0.5,"memory":"1M","gpu":"a100","interface":"rstudio","nprocs":3,
            "reservation":"secret","partition":"debug","features":"gone","profile":"none-such"}"#,
    );
    let expected = [
        ("nprocs", Problem::Unknown),
        ("profile", Problem::NotOffered),
        ("account", Problem::NotOffered),
        ("time", Problem::TooLarge { max: 480 }),
        ("cores", Problem::Malformed),
        ("memory", Problem::TooSmall { min: 256 }),
        ("gpu", Problem::NotOffered),
        ("reservation", Problem::NotOffered),
        ("partition", Problem::NotOffered),
        ("features", Problem::NotOffered),
        ("interface", Problem::NotOffered),
    ];
    assert_eq!(found, expected.map(|(field, problem)| (field.to_owned(), problem)));
}

#[test]
fn what_cannot_be_had_together_is_said_of_the_option_that_has_to_give() {
    for (json, field, problem) in [
        (
            r#"{"account":"rrg-ada","time":"3h"}"#,
            "time",
            Problem::TooLarge { max: 120 },
        ),
        (r#"{"gpu":"h100","time":"4h"}"#, "time", Problem::TooLarge { max: 180 }),
        (
            r#"{"cores":16,"memory":"20G"}"#,
            "memory",
            Problem::NoSuchNode { max: 16_000 },
        ),
        (
            r#"{"cores":16,"gpu":"h100:4"}"#,
            "cores",
            Problem::NoSuchNode { max: 8 },
        ),
        (r#"{"gpu":"h100:5"}"#, "gpu", Problem::TooLarge { max: 4 }),
        (r#"{"gpu":"h100","partition":"cpu"}"#, "gpu", Problem::NotTogether),
        (r#"{"gpu":"h100","account":"cpu-only"}"#, "gpu", Problem::NotTogether),
        (
            r#"{"partition":"gpu","account":"cpu-only"}"#,
            "partition",
            Problem::NotTogether,
        ),
        (r#"{"features":"icelake"}"#, "features", Problem::NotTogether),
        (
            r#"{"features":"fast","cores":16}"#,
            "cores",
            Problem::NoSuchNode { max: 8 },
        ),
        (
            r#"{"reservation":"course","account":"rrg-ada"}"#,
            "reservation",
            Problem::NotTogether,
        ),
        (
            r#"{"reservation":"course","time":"3h"}"#,
            "time",
            Problem::TooLarge { max: 120 },
        ),
        (
            r#"{"reservation":"course","cores":8}"#,
            "cores",
            Problem::NoSuchNode { max: 4 },
        ),
        (
            r#"{"reservation":"course","gpu":"h100"}"#,
            "reservation",
            Problem::NotTogether,
        ),
    ] {
        assert_eq!(errors(json), [(field.to_owned(), problem)], "{json}");
    }
}

#[test]
fn with_a_gpu_the_account_for_gpus_is_charged() {
    let charge = |json: &str| parsed(json).unwrap().charge.to_string();
    assert_eq!(charge(r#"{"account":"rrg-x"}"#), "rrg-x_cpu");
    assert_eq!(charge(r#"{"account":"rrg-x","gpu":"h100"}"#), "rrg-x_gpu");
    assert_eq!(charge(r#"{"account":"rrg-ada","gpu":"h100"}"#), "rrg-ada");
}

#[test]
fn a_profile_fills_in_what_was_not_said_and_the_last_choices_can_be_left() {
    let options = parsed(r#"{"profile":"big","cores":2}"#).unwrap().options;
    assert_eq!((options.cores.get(), options.memory.get()), (2, 8192));
    let mut offer = offer();
    offer.chosen.partition = Some(slurm("gpu"));
    offer.chosen.features = vec![slurm("fast")];
    offer.chosen.reservation = Some(slurm("course"));
    let none = RawOptions::default()
        .with("partition", "none")
        .with("features", "none")
        .with("reservation", "none");
    let options = parse(&none, &offer, NOW).unwrap().options;
    assert_eq!((options.partition, options.reservation), (None, None));
    assert!(options.features.is_empty());
}

#[test]
fn a_locked_option_can_be_left_out_or_sent_as_it_is() {
    let mut offer = offer();
    offer.locked.insert("interface".into(), Lock::default());
    let send = |name: &str| parse(&RawOptions::default().with("interface", name), &offer, NOW);
    assert!(send("lab").is_ok());
    assert!(parse(&RawOptions::default(), &offer, NOW).is_ok());
    let error = send("terminal").unwrap_err();
    assert_eq!(
        (error[0].field.as_str(), &error[0].problem),
        ("interface", &Problem::Locked)
    );
}

#[test]
fn values_of_the_wrong_kind_are_refused_by_name() {
    for name in NAMES {
        assert_eq!(
            errors(&format!(r#"{{"{name}":[1]}}"#)),
            vec![(name.into(), Problem::Malformed)],
            "{name}"
        );
    }
}

#[test]
fn an_error_in_json_names_field_code_and_limit() {
    let error = FieldError {
        field: "time".into(),
        problem: Problem::TooLarge { max: 480 },
    };
    assert_eq!(
        serde_json::to_string(&error).unwrap(),
        r#"{"field":"time","code":"too_large","max":480}"#
    );
    assert_eq!(error.to_string(), "time: at most 480 minutes");
}

#[test]
fn room_is_told_from_what_is_free_and_something_smaller_is_proposed() {
    let mut offer = offer();
    let gpu = Gpus {
        name: "h100".into(),
        count: 2,
    };
    let wish = |account, cores, memory| Wish {
        account,
        time: Some(60),
        cores: Some(cores),
        memory: Some(memory),
        ..Wish::default()
    };
    let found = offer.accounts[0].clone();
    let ask = |offer: &OptionsView, cores, memory| room(offer, wish(Some(&found), cores, memory), NOW);
    assert_eq!(ask(&offer, 16, 16_000), Room::Now);
    offer.nodes[2].free = vec![Free {
        cores: 4,
        memory: 16_000,
        gpus: BTreeMap::new(),
    }];
    assert_eq!(ask(&offer, 16, 16_000), Room::For(vec![("cores", 4)]));
    offer.nodes[2].free.clear();
    assert_eq!(ask(&offer, 16, 16_000), Room::None);
    assert_eq!(ask(&offer, 8, 32_000), Room::Now);
    offer.nodes[1].free[0].memory = 4000;
    assert_eq!(ask(&offer, 8, 32_000), Room::For(vec![("memory", 4000)]));
    offer.nodes[0].free[0].gpus.insert("h100".into(), 1);
    let with_gpu = Wish {
        gpu: Some(&gpu),
        ..wish(Some(&found), 1, 1000)
    };
    assert_eq!(room(&offer, with_gpu, NOW), Room::For(vec![("gpu", 1)]));
    let later = Wish {
        reservation: Some(&offer.reservations[0]),
        ..wish(Some(&found), 1, 1000)
    };
    assert_eq!(room(&offer, later, NOW), Room::At(NOW + 3600));
    offer.routes = None;
    assert_eq!(ask(&offer, 1, 1000), Room::Unknown, "who knows where the site puts it");
}

#[test]
fn a_shorter_job_may_find_room_where_a_longer_one_may_not_go() {
    let mut offer = offer();
    offer.routes = None;
    offer.terms[0] = vec![reach("cpu", 60), reach("gpu", 480)];
    offer.nodes[0].free.clear();
    let wish = |partition| Wish {
        account: offer.account("def-ada"),
        time: Some(120),
        cores: Some(1),
        memory: Some(1000),
        partition,
        ..Wish::default()
    };
    let mut routed = offer.clone();
    routed.routes = Some(vec![Route {
        gpu: None,
        time_max: None,
        partitions: vec![slurm("cpu"), slurm("gpu")],
    }]);
    assert_eq!(room(&routed, wish(None), NOW), Room::For(vec![("time", 60)]));
}

/// The same question as the parser's, asked of everything in turn.
fn can_be_had(offer: &OptionsView, request: &SpawnRequest) -> bool {
    let options = &request.options;
    let account = offer
        .accounts
        .iter()
        .find(|account| account.name == options.account)
        .unwrap();
    let charge = account
        .charges
        .iter()
        .find(|charge| charge.account == request.charge)
        .unwrap();
    let reservation = options
        .reservation
        .as_ref()
        .map(|name| offer.reservation(name.as_str()).unwrap());
    let nodes = reservation.map_or(&offer.nodes, |reservation| &reservation.nodes);
    let time = u64::from(options.time.get());
    offer.terms[charge.terms].iter().any(|reach| {
        let by_choice = options.partition.as_ref() == Some(&reach.partition);
        let by_route = options.partition.is_none()
            && offer.routes.as_ref().is_none_or(|routes| {
                routes.iter().any(|route| {
                    route.gpu.is_none_or(|gpu| gpu == options.gpu.is_some())
                        && route.time_max.is_none_or(|max| time <= max)
                        && route.partitions.contains(&reach.partition)
                })
            });
        (by_choice || by_route)
            && reach.time.is_none_or(|max| time <= max)
            && reservation
                .is_none_or(|found| NOW.max(found.starts_at) + i64::try_from(time).unwrap() * 60 <= found.ends_at)
            && nodes.iter().any(|node| {
                node.partitions.contains(&reach.partition)
                    && node.cores >= options.cores.get().into()
                    && node.memory >= options.memory.get()
                    && options.features.iter().all(|feature| node.features.contains(feature))
                    && options
                        .gpu
                        .as_ref()
                        .is_none_or(|gpu| node.gpus.get(&gpu.name).is_some_and(|has| *has >= gpu.count))
            })
    })
}

proptest! {
    #[test]
    fn what_is_accepted_can_be_had_and_reads_back_the_same(
        account in "def-ada|rrg-ada|rrg-x|cpu-only|[a-z]{0,3}",
        time in "\\PC{0,8}|[1-9][0-9]{0,2} ?(h|min)?|[1-9]:[0-5][0-9]", cores in 0_u32..20, memory in 0_u64..40_000,
        gpu in "none|h100:[0-9]|[a-z]{1,4}", partition in "none|cpu|gpu|\\PC{0,3}", features in "none|fast|icelake|fast,icelake|\\PC{0,4}",
        reservation in "none|none|course|\\PC{0,3}", profile in "none|big|\\PC{0,3}",
    ) {
        let offer = offer();
        let raw = RawOptions::default().with("account", account).with("time", time).with("cores", cores.to_string())
            .with("memory", memory.to_string()).with("gpu", gpu).with("partition", partition).with("features", features)
            .with("reservation", reservation).with("profile", profile);
        if let Ok(request) = parse(&raw, &offer, NOW) {
            prop_assert!(can_be_had(&offer, &request), "{:?}", request);
            prop_assert_eq!(parse(&request.options.to_raw(), &offer, NOW), Ok(request.clone()));
            let json = serde_json::to_string(&request.options).unwrap();
            prop_assert_eq!(&serde_json::from_str::<UserOptions>(&json).unwrap(), &request.options);
            prop_assert_eq!(parse(&serde_json::from_str(&json).unwrap(), &offer, NOW), Ok(request));
        }
    }

    #[test]
    fn what_can_be_had_is_accepted(
        account in 0_usize..4, time in 1_u32..500, cores in 1_u32..18, memory in 256_u64..33_000, gpu in 0_u32..6, partition in 0_usize..3,
        fast in any::<bool>(), reserved in any::<bool>(),
    ) {
        let offer = offer();
        let name = &offer.accounts[account].name;
        let options = UserOptions {
            account: name.clone(),
            time: Minutes::new(time).unwrap(),
            cores: Cores::new(cores).unwrap(),
            memory: Memory::new(memory).unwrap(),
            gpu: (gpu > 0).then(|| Gpus { name: "h100".into(), count: gpu }),
            reservation: reserved.then(|| slurm("course")),
            partition: [None, Some(slurm("cpu")), Some(slurm("gpu"))][partition].clone(),
            features: if fast { vec![slurm("fast")] } else { Vec::new() },
            interface: interface("lab"),
        };
        let accepted = parse(&options.to_raw(), &offer, NOW);
        if let Some(charge) = offer.accounts[account].charge(gpu > 0) {
            let request = SpawnRequest {
                options,
                charge: charge.account.clone(),
                partitions: Vec::new(),
                begins_at: None,
            };
            let may = offer.reservations[0].accounts.contains(&request.charge) || !reserved;
            prop_assert_eq!(accepted.is_ok(), may && can_be_had(&offer, &request), "{:?}: {:?}", request, accepted);
        }
    }
}
