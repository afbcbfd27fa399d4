//! What a person may choose now: the document behind the form.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{FieldError, UserOptions};
use crate::api::Bilingual;
use crate::names::{AccountName, InterfaceName, ProfileName, SlurmName, UserName};
use crate::raw::RawOptions;

/// What this person may choose now: `GET /hub/api/options`. Amounts are minutes, cores and MiB, moments are seconds
/// since 1970 by Slurm's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OptionsView {
    /// For whom this was looked up.
    pub user: UserName,
    /// The cluster's name.
    pub cluster: String,
    /// When this was told.
    pub now: i64,
    /// Compute accounts, the default first; never empty.
    pub accounts: Vec<AccountView>,
    /// What compute accounts refer to: the partitions that a job may be in, and how much it may have there.
    pub terms: Vec<Vec<Reach>>,
    /// Partitions that can be asked for by name; empty where the site does not let people choose one.
    pub partitions: Vec<SlurmName>,
    /// Which partitions a job without one may reach; nothing where the site does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub routes: Option<Vec<Route>>,
    /// Reservations that this person may use now or soon.
    pub reservations: Vec<ReservationView>,
    /// How long.
    pub time: Range,
    /// Cores on one node.
    pub cores: Range,
    /// Memory of the whole job.
    pub memory: Range,
    /// Types of GPU, the smallest first; empty where there are none.
    pub gpus: Vec<GpuView>,
    /// Features that nodes have, to ask for.
    pub features: Vec<SlurmName>,
    /// Interfaces, recommended first.
    pub interfaces: Vec<InterfaceName>,
    /// Choices that the site has a name for.
    #[serde(default)]
    pub profiles: Vec<ProfileView>,
    /// Options that cannot be changed, and why; their value is the one of [`OptionsView::chosen`].
    #[serde(default)]
    pub locked: BTreeMap<String, Lock>,
    /// What the nodes are, and what is free on them: a request has to fit on one of them.
    pub nodes: Vec<NodeClass>,
    /// How many nodes are out of service now, of those that this person's jobs could be on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub nodes_away: u32,
    /// The person's other interactive jobs, which may keep a new one waiting.
    #[serde(default)]
    pub other_jobs: Vec<OtherJob>,
    /// Dated things that change what may be chosen now.
    #[serde(default)]
    pub events: Vec<EventView>,
    /// What the form starts with.
    pub chosen: UserOptions,
    /// Where that comes from.
    pub chosen_from: Source,
    /// An event sends people straight into a server with what is proposed: they are asked nothing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_form: bool,
    /// Why the last choices, or some of them, cannot be had now.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last_refused: Vec<FieldError>,
    /// How old Slurm's answers are.
    pub ages: Ages,
}

/// How old each part is, in seconds; nothing where it could not be had, and never was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Ages {
    /// Nodes and what is free on them, partitions, classes of service.
    pub cluster: i64,
    /// Compute accounts.
    pub accounts: i64,
    /// Reservations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reservations: Option<i64>,
    /// The person's other jobs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other_jobs: Option<i64>,
}

/// Where the form's first values come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The site's defaults.
    #[default]
    Defaults,
    /// What was chosen the last time.
    Last,
}

/// What an amount may be and what is proposed, in the unit of its option (minutes, cores, MiB).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AccountView {
    /// The name that people choose.
    pub name: AccountName,
    /// Slurm's accounts behind it: one, or one without and one with GPUs.
    pub charges: Vec<Charge>,
}

/// One of Slurm's accounts behind a compute account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Charge {
    /// Slurm's name of it.
    pub account: AccountName,
    /// Only for jobs with GPUs, or only for jobs without; nothing: for both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<bool>,
    /// Which of [`OptionsView::terms`] hold.
    pub terms: usize,
}

/// A partition that a job may be in, and the most that it may have there. What is not said is not limited.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reach {
    /// The partition.
    pub partition: SlurmName,
    /// Minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
    /// Cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u64>,
    /// MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// MiB for each core: Slurm would give a job more cores than it asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_per_core: Option<u64>,
    /// GPUs of whatever type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpus: Option<u64>,
    /// GPUs by type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gpus_of: BTreeMap<String, u64>,
    /// The least cores.
    #[serde(default, skip_serializing_if = "is_default")]
    pub least_cores: u64,
    /// The least GPUs.
    #[serde(default, skip_serializing_if = "is_default")]
    pub least_gpus: u64,
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// Partitions that a job without one may reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Route {
    /// Only jobs with GPUs, or only jobs without; nothing: both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<bool>,
    /// Only jobs of at most so many minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_max: Option<u64>,
    /// The partitions.
    pub partitions: Vec<SlurmName>,
}

/// Nodes that are set aside for some people, this one among them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ReservationView {
    /// Slurm's name of it.
    pub name: SlurmName,
    /// When it begins.
    pub starts_at: i64,
    /// When it ends.
    pub ends_at: i64,
    /// Slurm's accounts that a job in it has to charge; empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accounts: Vec<AccountName>,
    /// The only partition whose jobs it takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition: Option<SlurmName>,
    /// Its nodes.
    pub nodes: Vec<NodeClass>,
}

/// A type of GPU, a slice of one, or shares of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct GpuView {
    /// Slurm's name of the type.
    pub name: String,
    /// The most of them that may be asked for.
    pub max: u32,
    /// What the site calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Bilingual>,
    /// The memory of one, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
    /// Which part of a whole GPU it is, in hundredths.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<u32>,
    /// The cores that are proposed with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cores: Option<u64>,
    /// The memory of the job, in MiB, that is proposed with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_memory: Option<u64>,
}

/// Nodes that are alike, and in service.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NodeClass {
    /// Cores of each.
    pub cores: u64,
    /// Memory of each that jobs can have, in MiB.
    pub memory: u64,
    /// GPUs of each, by type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gpus: BTreeMap<String, u32>,
    /// What they are or have.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub features: Vec<SlurmName>,
    /// The partitions they are in.
    pub partitions: Vec<SlurmName>,
    /// How many nodes there are.
    pub nodes: u32,
    /// How many of them have nothing to do.
    pub idle: u32,
    /// From then on they are kept for something else: a maintenance, or a reservation. A job that would run into it
    /// does not start on them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// What is free on the emptiest of them: whatever is free on one is free, in whole, on one of these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub free: Vec<Free>,
}

/// What no job has, on one node.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Free {
    /// Cores.
    pub cores: u64,
    /// MiB.
    pub memory: u64,
    /// GPUs by type.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub gpus: BTreeMap<String, u32>,
}

/// Values that the site has a name for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProfileView {
    /// Its name in the API and in links.
    pub name: ProfileName,
    /// Its name for people.
    pub label: Bilingual,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Bilingual>,
    /// The values.
    pub options: RawOptions,
}

/// Why an option cannot be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Lock {
    /// The event that sets it; nothing: the site does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<Bilingual>,
}

/// Something dated, such as a course, that this person takes part in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EventView {
    /// Its name in the API.
    pub name: ProfileName,
    /// What it is called.
    pub title: Bilingual,
    /// When it begins.
    pub starts_at: i64,
    /// When it ends.
    pub ends_at: i64,
    /// This person may see how the others are doing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub instructor: bool,
}

/// Another interactive job of the person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OtherJob {
    /// Its number.
    pub id: u64,
    /// What made it: `salloc`, `srun`, `sbatch`, or the name of the job.
    pub kind: String,
    /// It runs; else it waits.
    pub running: bool,
    /// When its time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<i64>,
}

impl Reach {
    /// No limit but those of the nodes.
    pub fn unlimited(partition: SlurmName) -> Self {
        Self {
            partition,
            time: None,
            cores: None,
            memory: None,
            memory_per_core: None,
            gpus: None,
            gpus_of: BTreeMap::new(),
            least_cores: 0,
            least_gpus: 0,
        }
    }
}

impl GpuView {
    /// A type of which nothing but this is known.
    pub fn named(name: &str, max: u32) -> Self {
        Self {
            name: name.to_owned(),
            max,
            label: None,
            memory: None,
            percent: None,
            cores: None,
            job_memory: None,
        }
    }
}

impl OptionsView {
    /// The compute account of this name.
    pub fn account(&self, name: &str) -> Option<&AccountView> {
        self.accounts.iter().find(|account| account.name.as_str() == name)
    }

    /// The reservation of this name.
    pub fn reservation(&self, name: &str) -> Option<&ReservationView> {
        self.reservations.iter().find(|found| found.name.as_str() == name)
    }

    /// The type of GPU of this name.
    pub fn gpu(&self, name: &str) -> Option<&GpuView> {
        self.gpus.iter().find(|gpu| gpu.name == name)
    }
}
