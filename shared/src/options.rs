//! The options: what a person may choose now, what they chose, and the one function between the two.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::{AccountName, UserName};
use crate::raw::{RawOptions, RawValue};
use crate::units::{Cores, Memory, Minutes};

/// The options' names, in the order in which the form asks for them.
pub const NAMES: [&str; 6] = ["account", "time", "cores", "memory", "gpu", "interface"];

/// What opens when the server is ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Interface {
    /// JupyterLab.
    #[default]
    Lab,
    /// Jupyter Notebook 7.
    Notebook,
    /// One terminal, full page.
    Terminal,
}

impl Interface {
    /// Every interface, recommended first.
    pub const ALL: [Self; 3] = [Self::Lab, Self::Notebook, Self::Terminal];

    /// The name in the API and in links.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lab => "lab",
            Self::Notebook => "notebook",
            Self::Terminal => "terminal",
        }
    }

    /// The path below `/user/<name>/` that opens it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Lab => "lab",
            Self::Notebook => "tree",
            Self::Terminal => "terminals/1",
        }
    }
}

/// What an amount may be and what is proposed, in the unit of its option (minutes, cores, MiB).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// The least that may be asked for.
    pub min: u64,
    /// The most that may be asked for.
    pub max: u64,
    /// What is proposed.
    pub default: u64,
}

/// A compute account that this person may charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountView {
    /// Slurm's name of it.
    pub name: AccountName,
    /// The longest job it allows, in minutes, where that is less than the partition allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_max: Option<u64>,
}

/// A type of GPU, and how many of them one node has at most.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GpuView {
    /// Slurm's name of the type.
    pub name: String,
    /// The most of them on one node.
    pub max: u32,
}

/// Nodes that are alike, and in service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeClass {
    /// Cores of each.
    pub cores: u64,
    /// Memory of each that jobs can have, in MiB.
    pub memory: u64,
    /// GPUs of each, by type.
    #[serde(default)]
    pub gpus: BTreeMap<String, u32>,
    /// How many nodes there are.
    pub nodes: u32,
}

/// What this person may choose now: `GET /hub/api/options`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptionsView {
    /// For whom this was looked up.
    pub user: UserName,
    /// The cluster's name.
    pub cluster: String,
    /// Compute accounts, the default first; never empty.
    pub accounts: Vec<AccountView>,
    /// Minutes.
    pub time: Range,
    /// Cores on one node.
    pub cores: Range,
    /// MiB.
    pub memory: Range,
    /// Types of GPU; empty where there are none.
    pub gpus: Vec<GpuView>,
    /// Interfaces, recommended first.
    pub interfaces: Vec<Interface>,
    /// What the nodes are: a request has to fit on one of them.
    pub nodes: Vec<NodeClass>,
    /// What the form starts with: the last choices where they can still be had, else the defaults.
    pub chosen: UserOptions,
    /// How old the answer from Slurm is, in seconds.
    pub age_seconds: u64,
}

/// GPUs asked for: `h100:2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gpus {
    /// Slurm's name of the type.
    pub name: String,
    /// How many.
    pub count: u32,
}

impl fmt::Display for Gpus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.count)
    }
}

impl From<Gpus> for String {
    fn from(gpus: Gpus) -> Self {
        gpus.to_string()
    }
}

impl TryFrom<String> for Gpus {
    type Error = crate::units::NotAnAmount;
    /// `h100:2` or `h100` for one. Type names have colons nowhere in Slurm.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let (name, count) = match text.split_once(':') {
            Some((name, count)) => (name.trim(), Cores::parse(count)?.get()),
            None => (text.trim(), 1),
        };
        Ok(Self {
            name: name.to_owned(),
            count,
        })
    }
}

/// Options that were parsed against what the person may choose: the only thing a job is made of.
/// As JSON it is what JupyterHub calls `user_options`, and reads back through [`parse`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserOptions {
    /// The compute account that pays.
    pub account: AccountName,
    /// How long.
    pub time: Minutes,
    /// Cores on one node.
    pub cores: Cores,
    /// Memory of the whole job.
    pub memory: Memory,
    /// GPUs, if any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Gpus>,
    /// What opens.
    pub interface: Interface,
}

impl UserOptions {
    /// The same options as somebody would send them.
    pub fn to_raw(&self) -> RawOptions {
        RawOptions::default()
            .with("account", self.account.as_str())
            .with("time", self.time.get().to_string())
            .with("cores", self.cores.get().to_string())
            .with("memory", self.memory.get().to_string())
            .with(
                "gpu",
                self.gpu.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
            )
            .with("interface", self.interface.as_str())
    }
}

/// What is wrong with one option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Problem {
    /// There is no option of this name.
    Unknown,
    /// There has to be a value.
    Missing,
    /// Not an amount, or not one of this kind.
    Malformed,
    /// Less than the least.
    TooSmall {
        /// The least, in the option's unit.
        min: u64,
    },
    /// More than the most.
    TooLarge {
        /// The most, in the option's unit.
        max: u64,
    },
    /// Not among what this person may choose.
    NotOffered,
    /// Each amount exists, but no single node has all of them.
    NoSuchNode {
        /// The most of this option that a node with the rest has.
        max: u64,
    },
}

/// What is wrong, and with which option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The option's name, as it was sent.
    pub field: String,
    /// What is wrong with it.
    #[serde(flatten)]
    pub problem: Problem,
}

impl fmt::Display for FieldError {
    /// In English, for scripts and logs; the page has its own words.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.field.as_str() {
            "time" => " minutes",
            "memory" => " MiB",
            _ => "",
        };
        // A name that somebody sent is shown, but never at any length.
        let field: String = self.field.chars().take(64).collect();
        match &self.problem {
            Problem::Unknown => write!(
                f,
                "{field}: there is no option of this name (there are: {})",
                NAMES.join(", ")
            ),
            Problem::Missing => write!(f, "{field}: is missing"),
            Problem::Malformed => write!(f, "{field}: cannot be understood"),
            Problem::TooSmall { min } => write!(f, "{field}: at least {min}{unit}"),
            Problem::TooLarge { max } => write!(f, "{field}: at most {max}{unit}"),
            Problem::NotOffered => write!(f, "{field}: is not among what you may choose"),
            Problem::NoSuchNode { max } => {
                write!(f, "{field}: no node has all of this; at most {max}{unit} with the rest")
            }
        }
    }
}

/// Raw options to options, or everything that is wrong with them. An absent option takes what
/// [`OptionsView::chosen`] proposes; an unknown one is refused by name, never dropped.
/// The page calls it for the person's sake, the server for its own; the server's answer counts.
pub fn parse(raw: &RawOptions, offer: &OptionsView) -> Result<UserOptions, Vec<FieldError>> {
    let mut form = Form {
        raw,
        errors: Vec::new(),
    };
    for name in raw.0.keys().filter(|name| !NAMES.contains(&name.as_str())) {
        form.refuse(name, Problem::Unknown);
    }
    let account = form.account(offer);
    let time_max = offer
        .accounts
        .iter()
        .find(|a| Some(&a.name) == account.as_ref())
        .and_then(|a| a.time_max);
    let time_range = Range {
        max: time_max.map_or(offer.time.max, |max| max.min(offer.time.max)),
        ..offer.time
    };
    let time = form.amount(
        "time",
        offer.chosen.time,
        time_range,
        |n| number(n).and_then(|n| Minutes::new(n).ok()),
        |t| Minutes::parse(t).ok(),
    );
    let cores = form.amount(
        "cores",
        offer.chosen.cores,
        offer.cores,
        |n| number(n).and_then(|n| Cores::new(n).ok()),
        |t| Cores::parse(t).ok(),
    );
    let memory = form.amount(
        "memory",
        offer.chosen.memory,
        offer.memory,
        |n| number(n).and_then(|n| Memory::new(n.into()).ok()),
        |t| Memory::parse(t).ok(),
    );
    let gpu = form.gpu(offer);
    let interface = form.interface(offer);
    if let (Some(cores), Some(memory), Some(gpu)) = (cores, memory, &gpu) {
        form.fit_one_node(&offer.nodes, cores, memory, gpu.as_ref());
    }
    match (account, time, cores, memory, gpu, interface) {
        (Some(account), Some(time), Some(cores), Some(memory), Some(gpu), Some(interface))
            if form.errors.is_empty() =>
        {
            Ok(UserOptions {
                account,
                time,
                cores,
                memory,
                gpu,
                interface,
            })
        }
        _ => Err(form.errors),
    }
}

/// What is being parsed, and what was found wrong so far. A parser that answers `None` has said why.
struct Form<'a> {
    raw: &'a RawOptions,
    errors: Vec<FieldError>,
}

impl Form<'_> {
    fn refuse(&mut self, field: &str, problem: Problem) {
        self.errors.push(FieldError {
            field: field.to_owned(),
            problem,
        });
    }

    fn account(&mut self, offer: &OptionsView) -> Option<AccountName> {
        let name = match self.raw.get("account") {
            None => return Some(offer.chosen.account.clone()),
            Some(RawValue::Text(text)) => text.trim(),
            Some(_) => return self.no("account", Problem::Malformed),
        };
        match offer.accounts.iter().find(|account| account.name.as_str() == name) {
            Some(account) => Some(account.name.clone()),
            None => self.no("account", Problem::NotOffered),
        }
    }

    fn amount<T: Copy + Into<Amount>>(
        &mut self,
        field: &str,
        proposed: T,
        range: Range,
        from_number: impl Fn(f64) -> Option<T>,
        from_text: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let amount = match self.raw.get(field) {
            None => Some(proposed),
            Some(RawValue::Number(number)) => from_number(*number),
            Some(RawValue::Text(text)) => from_text(text),
            Some(_) => None,
        };
        let Some(amount) = amount else {
            return self.no(field, Problem::Malformed);
        };
        let Amount(plain) = amount.into();
        if plain < range.min {
            return self.no(field, Problem::TooSmall { min: range.min });
        }
        if plain > range.max {
            return self.no(field, Problem::TooLarge { max: range.max });
        }
        Some(amount)
    }

    /// `Some(None)` is no GPU.
    #[expect(clippy::option_option, reason = "outside: did it parse; inside: is there one")]
    fn gpu(&mut self, offer: &OptionsView) -> Option<Option<Gpus>> {
        let text = match self.raw.get("gpu") {
            None => return Some(offer.chosen.gpu.clone()),
            Some(RawValue::Text(text)) => text.trim(),
            Some(_) => return self.no("gpu", Problem::Malformed),
        };
        if text == "none" {
            return Some(None);
        }
        let Ok(gpus) = Gpus::try_from(text.to_owned()) else {
            return self.no("gpu", Problem::Malformed);
        };
        match offer.gpus.iter().find(|gpu| gpu.name == gpus.name) {
            None => self.no("gpu", Problem::NotOffered),
            Some(gpu) if gpus.count > gpu.max => self.no("gpu", Problem::TooLarge { max: gpu.max.into() }),
            Some(_) => Some(Some(gpus)),
        }
    }

    fn interface(&mut self, offer: &OptionsView) -> Option<Interface> {
        let name = match self.raw.get("interface") {
            None => return Some(offer.chosen.interface),
            Some(RawValue::Text(text)) => text.trim(),
            Some(_) => return self.no("interface", Problem::Malformed),
        };
        match offer.interfaces.iter().find(|interface| interface.as_str() == name) {
            Some(interface) => Some(*interface),
            None => self.no("interface", Problem::NotOffered),
        }
    }

    /// Cores, memory and GPUs have to be on one node together. The complaint goes to the option that
    /// most likely has to give: memory, or cores where no node of that many cores has the GPUs.
    fn fit_one_node(&mut self, nodes: &[NodeClass], cores: Cores, memory: Memory, gpu: Option<&Gpus>) {
        let (Amount(cores), Amount(memory)) = (cores.into(), memory.into());
        let with_gpu: Vec<_> = nodes
            .iter()
            .filter(|node| gpu.is_none_or(|gpu| node.gpus.get(&gpu.name).is_some_and(|has| *has >= gpu.count)))
            .collect();
        let with_cores: Vec<_> = with_gpu.iter().filter(|node| node.cores >= cores).collect();
        let Some(memory_max) = with_cores.iter().map(|node| node.memory).max() else {
            let max = with_gpu.iter().map(|node| node.cores).max().unwrap_or(0);
            return self.refuse("cores", Problem::NoSuchNode { max });
        };
        if memory > memory_max {
            self.refuse("memory", Problem::NoSuchNode { max: memory_max });
        }
    }

    fn no<T>(&mut self, field: &str, problem: Problem) -> Option<T> {
        self.refuse(field, problem);
        None
    }
}

/// An amount's bare number, to compare it with a [`Range`].
struct Amount(u64);

impl From<Minutes> for Amount {
    fn from(minutes: Minutes) -> Self {
        Self(minutes.get().into())
    }
}

impl From<Cores> for Amount {
    fn from(cores: Cores) -> Self {
        Self(cores.get().into())
    }
}

impl From<Memory> for Amount {
    fn from(memory: Memory) -> Self {
        Self(memory.get())
    }
}

/// A JSON number that is whole and in range.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to lie within the target's range"
)]
fn number(number: f64) -> Option<u32> {
    (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offer() -> OptionsView {
        let account = |name: &str, time_max| AccountView {
            name: AccountName::new(name).unwrap(),
            time_max,
        };
        let node = |cores, memory, gpus: &[(&str, u32)]| NodeClass {
            cores,
            memory,
            gpus: gpus.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
            nodes: 1,
        };
        OptionsView {
            user: UserName::new("ada").unwrap(),
            cluster: "local".into(),
            accounts: vec![account("def-ada", None), account("rrg-ada", Some(120))],
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
            gpus: vec![GpuView {
                name: "h100".into(),
                max: 4,
            }],
            interfaces: Interface::ALL.to_vec(),
            nodes: vec![node(8, 32_000, &[("h100", 4)]), node(16, 16_000, &[])],
            chosen: UserOptions {
                account: AccountName::new("def-ada").unwrap(),
                time: Minutes::new(60).unwrap(),
                cores: Cores::new(1).unwrap(),
                memory: Memory::new(2000).unwrap(),
                gpu: None,
                interface: Interface::Lab,
            },
            age_seconds: 0,
        }
    }

    fn errors(json: &str) -> Vec<(String, Problem)> {
        let raw = serde_json::from_str(json).unwrap();
        parse(&raw, &offer())
            .unwrap_err()
            .into_iter()
            .map(|e| (e.field, e.problem))
            .collect()
    }

    #[test]
    fn nothing_sent_is_what_is_proposed() {
        assert_eq!(parse(&RawOptions::default(), &offer()), Ok(offer().chosen));
        let empty = serde_json::from_str(r#"{"account":"","time":null,"gpu":" "}"#).unwrap();
        assert_eq!(parse(&empty, &offer()), Ok(offer().chosen));
    }

    #[test]
    fn numbers_and_texts_mean_the_same() {
        let numbers = serde_json::from_str(r#"{"time":180,"cores":4,"memory":8192,"gpu":"h100"}"#).unwrap();
        let texts = serde_json::from_str(r#"{"time":"3h","cores":"4","memory":"8 Go","gpu":"h100:1"}"#).unwrap();
        assert_eq!(parse(&numbers, &offer()), parse(&texts, &offer()));
        assert_eq!(
            parse(&numbers, &offer()).unwrap().gpu,
            Some(Gpus {
                name: "h100".into(),
                count: 1
            })
        );
    }

    #[test]
    fn everything_wrong_is_said_at_once_each_by_its_own_name() {
        let found = errors(
            r#"{"account":"rrg-of-others","time":"9 h","cores":0.5,"memory":"1M","gpu":"a100","interface":"rstudio","nprocs":3}"#,
        );
        assert_eq!(
            found,
            vec![
                ("nprocs".into(), Problem::Unknown),
                ("account".into(), Problem::NotOffered),
                ("time".into(), Problem::TooLarge { max: 480 }),
                ("cores".into(), Problem::Malformed),
                ("memory".into(), Problem::TooSmall { min: 256 }),
                ("gpu".into(), Problem::NotOffered),
                ("interface".into(), Problem::NotOffered),
            ]
        );
    }

    #[test]
    fn a_compute_account_can_allow_less_time_than_the_partition() {
        assert_eq!(
            errors(r#"{"account":"rrg-ada","time":"3h"}"#),
            vec![("time".into(), Problem::TooLarge { max: 120 })]
        );
    }

    #[test]
    fn cores_memory_and_gpus_have_to_be_on_one_node() {
        assert_eq!(
            errors(r#"{"cores":16,"memory":"20G"}"#),
            vec![("memory".into(), Problem::NoSuchNode { max: 16_000 })]
        );
        assert_eq!(
            errors(r#"{"cores":16,"gpu":"h100:4"}"#),
            vec![("cores".into(), Problem::NoSuchNode { max: 8 })]
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

    proptest! {
        #[test]
        fn what_is_accepted_lies_within_the_offer_and_reads_back_the_same(
            time in "\\PC{0,8}|[1-9][0-9]{0,2} ?(h|min)?", cores in 0_u32..20, memory in 0_u64..40_000, gpu in "none|h100:[0-9]|[a-z]{1,4}"
        ) {
            let offer = offer();
            let raw = RawOptions::default().with("time", time).with("cores", cores.to_string())
                .with("memory", memory.to_string()).with("gpu", gpu);
            if let Ok(options) = parse(&raw, &offer) {
                prop_assert!(u64::from(options.time.get()) <= offer.time.max);
                prop_assert!(offer.nodes.iter().any(|n| n.cores >= options.cores.get().into() && n.memory >= options.memory.get()));
                prop_assert_eq!(parse(&options.to_raw(), &offer), Ok(options.clone()));
                let json = serde_json::to_string(&options).unwrap();
                prop_assert_eq!(serde_json::from_str::<UserOptions>(&json).unwrap(), options);
            }
        }
    }
}
