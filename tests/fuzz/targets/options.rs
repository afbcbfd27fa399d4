//! The options of a start: whatever is sent, what is accepted lies within what this person may choose, and reads back
//! the same.
//!
//! An input is a line of limits (minutes, cores, MiB, GPUs) and the JSON that was sent.

#![no_main]
#![expect(clippy::unwrap_used, reason = "what cannot be prepared ends the run")]

use std::collections::BTreeMap;

use libfuzzer_sys::fuzz_target;
use shared::names::{AccountName, InterfaceName, SlurmName, UserName};
use shared::options::{
    AccountView, Ages, Charge, Free, GpuView, NodeClass, OptionsView, Range, Reach, ReservationView, Source,
    SpawnRequest, UserOptions, parse,
};
use shared::raw::RawOptions;
use shared::units::{Cores, Memory, Minutes};

/// Slurm's time.
const NOW: i64 = 1_800_000_000;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let (limits, json) = text.split_once('\n').unwrap_or(("", &text));
    let mut limits = limits
        .split_whitespace()
        .map(|number| number.parse().unwrap_or(1_u32).max(1));
    let mut limit = || u64::from(limits.next().unwrap_or(100));
    let offer = offer([limit(), limit(), limit(), limit()]);
    let Ok(raw) = serde_json::from_str::<RawOptions>(json) else {
        return;
    };
    match parse(&raw, &offer, NOW) {
        Ok(request) => {
            check(&request, &offer);
            assert_eq!(parse(&request.options.to_raw(), &offer, NOW), Ok(request.clone()));
            let json = serde_json::to_string(&request.options).unwrap();
            assert_eq!(serde_json::from_str::<UserOptions>(&json).unwrap(), request.options);
            let sent = serde_json::from_str::<RawOptions>(&json).unwrap();
            assert_eq!(parse(&sent, &offer, NOW), Ok(request), "{json}");
        }
        Err(errors) => {
            assert!(!errors.is_empty(), "refused without a reason");
            for error in errors {
                assert!(error.to_string().chars().count() < 300, "{error}");
                serde_json::to_string(&error).unwrap();
            }
        }
    }
});

fn slurm(name: &str) -> SlurmName {
    SlurmName::new(name).unwrap()
}

fn interface(name: &str) -> InterfaceName {
    InterfaceName::new(name).unwrap()
}

/// Two partitions; an account that may use both, one of half the time, one without GPUs; a reservation.
fn offer([time, cores, memory, gpus]: [u64; 4]) -> OptionsView {
    let range = |max| Range {
        min: 1,
        max,
        default: 1,
    };
    let account = |name: &str, gpu, terms| AccountView {
        name: AccountName::new(name).unwrap(),
        charges: vec![Charge {
            account: AccountName::new(name).unwrap(),
            gpu,
            terms,
        }],
    };
    let reach = |partition: &str, time| Reach {
        time: Some(time),
        ..Reach::unlimited(slurm(partition))
    };
    let node = |cores, memory, gpus: BTreeMap<String, u32>, partition: &str| NodeClass {
        cores,
        memory,
        gpus: gpus.clone(),
        features: vec![slurm("fast")],
        partitions: vec![slurm(partition)],
        nodes: 1,
        idle: 1,
        until: None,
        free: vec![Free { cores, memory, gpus }],
    };
    let gpus = u32::try_from(gpus).unwrap();
    let half = time.div_ceil(2);
    OptionsView {
        user: UserName::new("ada").unwrap(),
        cluster: "local".into(),
        now: NOW,
        accounts: vec![
            account("def-ada", None, 0),
            account("rrg-ada", None, 1),
            account("cpu-only", Some(false), 0),
        ],
        terms: vec![
            vec![reach("cpu", time), reach("gpu", time)],
            vec![reach("cpu", half), reach("gpu", half)],
        ],
        partitions: vec![slurm("cpu"), slurm("gpu")],
        routes: None,
        reservations: vec![ReservationView {
            name: slurm("course"),
            starts_at: NOW - 60,
            ends_at: NOW + 3600,
            accounts: vec![AccountName::new("def-ada").unwrap()],
            partition: None,
            nodes: vec![node(cores, memory, BTreeMap::new(), "cpu")],
        }],
        time: range(time),
        cores: range(cores),
        memory: range(memory),
        gpus: vec![GpuView::named("h100", gpus)],
        features: vec![slurm("fast")],
        interfaces: vec![interface("lab"), interface("terminal")],
        profiles: Vec::new(),
        locked: BTreeMap::new(),
        nodes: vec![
            node(cores, memory.div_ceil(2), BTreeMap::new(), "cpu"),
            node(cores.div_ceil(2), memory, [("h100".into(), gpus)].into(), "gpu"),
        ],
        nodes_away: 0,
        other_jobs: Vec::new(),
        events: Vec::new(),
        chosen: UserOptions {
            account: AccountName::new("def-ada").unwrap(),
            time: Minutes::new(1).unwrap(),
            cores: Cores::new(1).unwrap(),
            memory: Memory::new(1).unwrap(),
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

fn check(request: &SpawnRequest, offer: &OptionsView) {
    let options = &request.options;
    let (time, cores, memory) = (options.time.get(), options.cores.get(), options.memory.get());
    let account = offer.account(options.account.as_str()).unwrap();
    let charge = account
        .charges
        .iter()
        .find(|charge| charge.account == request.charge)
        .unwrap();
    assert!(charge.gpu.is_none_or(|gpu| gpu == options.gpu.is_some()), "{request:?}");
    assert!(offer.interfaces.contains(&options.interface), "{request:?}");
    let reservation = options
        .reservation
        .as_ref()
        .map(|name| offer.reservation(name.as_str()).unwrap());
    let nodes = reservation.map_or(&offer.nodes, |reservation| &reservation.nodes);
    let here = |reach: &Reach, node: &NodeClass| {
        let gpus = options
            .gpu
            .as_ref()
            .is_none_or(|gpu| gpu.count > 0 && node.gpus.get(&gpu.name).is_some_and(|there| *there >= gpu.count));
        let chosen = options
            .partition
            .as_ref()
            .is_none_or(|chosen| *chosen == reach.partition);
        gpus && chosen
            && node.partitions.contains(&reach.partition)
            && reach.time.is_none_or(|max| (1..=max).contains(&time.into()))
            && reservation.is_none_or(|found| NOW + i64::from(time) * 60 <= found.ends_at)
            && u64::from(cores) <= node.cores
            && memory <= node.memory
    };
    let fits = |reach: &Reach| nodes.iter().any(|node| here(reach, node));
    assert!(offer.terms[charge.terms].iter().any(fits), "{request:?}");
}
