//! What a person chose.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::{AccountName, InterfaceName, SlurmName};
use crate::raw::RawOptions;
use crate::units::{Cores, Memory, Minutes, NotAnAmount};

/// GPUs asked for: `h100:2`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
#[serde(try_from = "String", into = "String")]
pub struct Gpus {
    /// Slurm's name of the type; `gpu` where it has none; `shard` or `shard:TYPE` for shares of one.
    pub name: String,
    /// How many.
    pub count: u32,
}

impl Gpus {
    /// As Slurm asks for them (`gres/gpu:h100:2`).
    pub fn to_tres(&self) -> String {
        match self.name.as_str() {
            "gpu" | "shard" => format!("gres/{self}"),
            shard if shard.starts_with("shard:") => format!("gres/{self}"),
            _ => format!("gres/gpu:{self}"),
        }
    }
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
    type Error = NotAnAmount;
    /// `h100:2`, or `h100` for one. What follows the last colon is a number, or part of the name.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        let text = text.trim();
        let (name, count) = match text.rsplit_once(':') {
            Some(("shard", kind)) if !kind.trim().starts_with(|c: char| c.is_ascii_digit()) => (text, 1),
            Some((name, count)) => (name.trim(), Cores::parse(count)?.get()),
            None => (text, 1),
        };
        if name.is_empty() {
            return Err(NotAnAmount);
        }
        Ok(Self {
            name: name.to_owned(),
            count,
        })
    }
}

/// Options that were parsed against what the person may choose: the only thing a job is made of.
/// As JSON it is what JupyterHub calls `user_options`, and reads back through [`parse`](super::parse).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct UserOptions {
    /// The compute account that pays, as people choose it.
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
    /// Nodes that are set aside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservation: Option<SlurmName>,
    /// The partition, if not the one that the site or Slurm chooses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<SlurmName>,
    /// What the node has to be or have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<SlurmName>,
    /// What opens.
    pub interface: InterfaceName,
}

impl UserOptions {
    /// The same options as somebody would send them; every one of them, so that none is taken from elsewhere.
    pub fn to_raw(&self) -> RawOptions {
        let name = |name: &Option<SlurmName>| name.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string);
        let features: Vec<_> = self.features.iter().map(SlurmName::as_str).collect();
        RawOptions::default()
            .with("account", self.account.as_str())
            .with("time", self.time.get().to_string())
            .with("cores", self.cores.get().to_string())
            .with("memory", self.memory.get().to_string())
            .with(
                "gpu",
                self.gpu.as_ref().map_or_else(|| NONE.to_owned(), ToString::to_string),
            )
            .with("reservation", name(&self.reservation))
            .with("partition", name(&self.partition))
            .with(
                "features",
                if features.is_empty() {
                    NONE.to_owned()
                } else {
                    features.join(",")
                },
            )
            .with("interface", self.interface.as_str())
    }
}

/// "I want none of these", where leaving an option out means what is proposed.
pub const NONE: &str = "none";
