//! The options of a start: whatever is sent, what is accepted lies within what this person may choose, and reads back
//! the same.
//!
//! An input is a line of limits (minutes, cores, MiB, GPUs) and the JSON that was sent.

#![no_main]
#![expect(clippy::unwrap_used, reason = "what cannot be prepared ends the run")]

use libfuzzer_sys::fuzz_target;
use shared::names::{AccountName, UserName};
use shared::options::{AccountView, GpuView, Interface, NodeClass, OptionsView, Range, UserOptions, parse};
use shared::raw::RawOptions;
use shared::units::{Cores, Memory, Minutes};

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
    match parse(&raw, &offer) {
        Ok(options) => {
            check(&options, &offer);
            assert_eq!(parse(&options.to_raw(), &offer), Ok(options.clone()));
            let json = serde_json::to_string(&options).unwrap();
            assert_eq!(serde_json::from_str::<UserOptions>(&json).unwrap(), options);
            let sent = serde_json::from_str::<RawOptions>(&json).unwrap();
            assert_eq!(parse(&sent, &offer), Ok(options), "{json}");
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

fn offer([time, cores, memory, gpus]: [u64; 4]) -> OptionsView {
    let range = |max| Range {
        min: 1,
        max,
        default: 1,
    };
    let account = |name, time_max| AccountView {
        name: AccountName::new(name).unwrap(),
        time_max,
    };
    let node = |cores, memory, gpus| NodeClass {
        cores,
        memory,
        gpus,
        nodes: 1,
    };
    let gpus = u32::try_from(gpus).unwrap();
    OptionsView {
        user: UserName::new("ada").unwrap(),
        cluster: "local".into(),
        accounts: vec![account("def-ada", None), account("rrg-ada", Some(time.div_ceil(2)))],
        time: range(time),
        cores: range(cores),
        memory: range(memory),
        gpus: vec![GpuView {
            name: "h100".into(),
            max: gpus,
        }],
        interfaces: vec![Interface::Lab, Interface::Terminal],
        nodes: vec![
            node(cores, memory.div_ceil(2), [].into()),
            node(cores.div_ceil(2), memory, [("h100".into(), gpus)].into()),
        ],
        chosen: UserOptions {
            account: AccountName::new("def-ada").unwrap(),
            time: Minutes::new(1).unwrap(),
            cores: Cores::new(1).unwrap(),
            memory: Memory::new(1).unwrap(),
            gpu: None,
            interface: Interface::Lab,
        },
        age_seconds: 0,
    }
}

fn check(options: &UserOptions, offer: &OptionsView) {
    let (time, cores, memory) = (options.time.get(), options.cores.get(), options.memory.get());
    let account = offer.accounts.iter().find(|account| account.name == options.account);
    let time_max = account.unwrap().time_max.unwrap_or(offer.time.max);
    assert!((1..=time_max).contains(&time.into()), "{options:?}");
    assert!(offer.interfaces.contains(&options.interface), "{options:?}");
    let fits = |node: &NodeClass| {
        let gpus = options
            .gpu
            .as_ref()
            .is_none_or(|gpu| gpu.count > 0 && node.gpus.get(&gpu.name).is_some_and(|there| *there >= gpu.count));
        gpus && u64::from(cores) <= node.cores && memory <= node.memory
    };
    assert!(offer.nodes.iter().any(fits), "{options:?}");
}
