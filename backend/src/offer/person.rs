//! One person's offer, before the site's policy.

use std::collections::{BTreeMap, BTreeSet};

use shared::names::{AccountName, SlurmName, UserName};
use shared::options::{
    Ages, GpuView, NodeClass, OptionsView, OtherJob, ProfileView, Range, ReservationView, Route, Source, UserOptions,
};
use shared::units::{Cores, Memory, Minutes};

use super::OfferError;
use super::nodes::Nodes;
use super::terms::{Rules, Terms};
use crate::config::{ChoosePartition, Config};
use crate::slurm::{Association, Job, JobState, Reservation};

/// The least memory that is worth asking for, in MiB: Jupyter alone needs it.
const LEAST_MEMORY: u64 = 256;
/// A partition without a limit allows what an association allows; a year, in minutes, is more than anybody waits for.
const YEAR: u64 = 365 * 24 * 60;
/// Reservations that begin later than in so many seconds are not shown yet.
const SOON: i64 = 7 * 24 * 3600;

/// All that an offer is made of.
pub(super) struct Person<'a> {
    pub(super) config: &'a Config,
    pub(super) user: &'a UserName,
    pub(super) nodes: &'a Nodes,
    pub(super) rules: &'a Rules,
    pub(super) associations: &'a [Association],
    pub(super) reservations: &'a [Reservation],
    pub(super) jobs: &'a [Job],
    pub(super) now: i64,
}

impl Person<'_> {
    pub(super) fn offer(&self, ages: Ages) -> Result<OptionsView, OfferError> {
        let Terms { accounts, terms } = Terms::new(self.config, self.rules, self.associations);
        if accounts.is_empty() {
            return Err(OfferError::NoAssociation);
        }
        let reached: BTreeSet<_> = terms.iter().flatten().map(|reach| &reach.partition).collect();
        let in_reach = |class: &&NodeClass| class.partitions.iter().any(|partition| reached.contains(partition));
        let nodes: Vec<_> = self.nodes.classes.iter().filter(in_reach).cloned().collect();
        let reservations = self.reservations(
            &accounts
                .iter()
                .flat_map(|account| &account.charges)
                .map(|charge| &charge.account)
                .collect(),
        );
        let everywhere = || {
            nodes
                .iter()
                .chain(reservations.iter().flat_map(|reservation| &reservation.nodes))
        };
        let defaults = &self.config.defaults;
        let most = |of: fn(&NodeClass) -> u64| everywhere().map(of).max().filter(|n| *n > 0).ok_or(OfferError::NoNodes);
        let range = |min: u64, max: u64, default: u64| Range {
            min: min.min(max),
            max,
            default: default.clamp(min.min(max), max),
        };
        let time_max = terms.iter().flatten().map(|reach| reach.time.unwrap_or(YEAR)).max();
        let time = range(1, time_max.unwrap_or(0).max(1), defaults.time.into());
        let cores = range(1, most(|node| node.cores)?, defaults.cores.into());
        let memory = range(LEAST_MEMORY, most(|node| node.memory)?, defaults.memory);
        let interfaces: Vec<_> = self.interfaces();
        let interface = defaults.interface.clone().filter(|name| interfaces.contains(name));
        let chosen = UserOptions {
            account: accounts.first().ok_or(OfferError::NoAssociation)?.name.clone(),
            time: amount(time.default, Minutes::new)?,
            cores: amount(cores.default, Cores::new)?,
            memory: Memory::new(memory.default).map_err(|_| OfferError::NoNodes)?,
            gpu: None,
            reservation: None,
            partition: None,
            features: Vec::new(),
            interface: interface
                .or_else(|| interfaces.first().cloned())
                .ok_or(OfferError::NoNodes)?,
        };
        let is_reached = |name: &String| reached.iter().any(|partition| partition.as_str() == name);
        let away = self
            .nodes
            .away
            .iter()
            .filter(|partitions| partitions.iter().any(is_reached));
        let nodes_away = u32::try_from(away.count()).unwrap_or(u32::MAX);
        let features: BTreeSet<SlurmName> = everywhere().flat_map(|node| node.features.iter().cloned()).collect();
        Ok(OptionsView {
            user: self.user.clone(),
            cluster: self.config.site.cluster.clone(),
            now: self.now,
            partitions: match (self.config.job.partition.as_ref(), self.config.options.partition) {
                (None, ChoosePartition::May) => reached.into_iter().cloned().collect(),
                _ => Vec::new(),
            },
            routes: self.routes(),
            gpus: self.gpus(everywhere()),
            features: features.into_iter().collect(),
            interfaces,
            profiles: self.profiles(),
            locked: BTreeMap::new(),
            nodes_away,
            other_jobs: self.other_jobs(),
            events: Vec::new(),
            chosen_from: Source::Defaults,
            last_refused: Vec::new(),
            skip_form: false,
            accounts,
            terms,
            reservations,
            time,
            cores,
            memory,
            nodes,
            chosen,
            ages,
        })
    }

    /// Interfaces that this person may choose, recommended first.
    fn interfaces(&self) -> Vec<shared::names::InterfaceName> {
        let accounts = || self.associations.iter().map(|association| association.account.as_str());
        let all = self.config.interfaces.iter();
        let mine = all.filter(|interface| {
            interface
                .audience()
                .includes(self.user, accounts(), &self.config.groups)
        });
        let mut mine: Vec<_> = mine.collect();
        mine.sort_by_key(|interface| !interface.recommended);
        mine.into_iter().map(|interface| interface.name.clone()).collect()
    }

    fn routes(&self) -> Option<Vec<Route>> {
        let job = &self.config.job;
        if job.partition.is_some() {
            let partitions = job.partitions().filter_map(|name| SlurmName::new(name).ok()).collect();
            return Some(vec![Route {
                gpu: None,
                time_max: None,
                partitions,
            }]);
        }
        let routes = self.config.routes.iter().map(|route| Route {
            gpu: route.gpu,
            time_max: route.time_max,
            partitions: route.partitions.clone(),
        });
        let routes: Vec<_> = routes.collect();
        (!routes.is_empty()).then_some(routes)
    }

    fn profiles(&self) -> Vec<ProfileView> {
        let profiles = self.config.profiles.iter().map(|profile| ProfileView {
            name: profile.name.clone(),
            label: profile.label.clone(),
            about: profile.about.clone(),
            options: profile.options.clone(),
        });
        profiles.collect()
    }

    /// Reservations that the person may use, now or soon, with one of these accounts of Slurm's.
    fn reservations(&self, charges: &BTreeSet<&AccountName>) -> Vec<ReservationView> {
        let in_time =
            |found: &&Reservation| !found.maintenance && found.ends_at > self.now && found.starts_at < self.now + SOON;
        let view = |found: &Reservation| {
            if !allows(&found.users, self.user.as_str()) {
                return None;
            }
            let accounts: Vec<_> = charges
                .iter()
                .filter(|account| allows(&found.accounts, account.as_str()))
                .map(|account| (*account).clone())
                .collect();
            if accounts.is_empty() {
                return None;
            }
            let nodes = self.nodes.reserved(&found.name, &found.nodes);
            Some(ReservationView {
                name: SlurmName::new(&found.name).ok()?,
                starts_at: found.starts_at,
                ends_at: found.ends_at,
                accounts: if found.accounts.is_empty() {
                    Vec::new()
                } else {
                    accounts
                },
                partition: found.partition.as_ref().and_then(|name| SlurmName::new(name).ok()),
                nodes,
            })
        };
        let mut found: Vec<_> = self.reservations.iter().filter(in_time).filter_map(view).collect();
        found.retain(|reservation| !reservation.nodes.is_empty());
        found.sort_by(|a, b| (a.starts_at, &a.name).cmp(&(b.starts_at, &b.name)));
        found
    }

    /// Types of GPU, the smallest first, each with the most that one node has.
    fn gpus<'a>(&self, nodes: impl Iterator<Item = &'a NodeClass>) -> Vec<GpuView> {
        let mut most = BTreeMap::<&str, u32>::new();
        for node in nodes {
            for (name, count) in &node.gpus {
                // Slurm gives a job shares of one GPU only.
                let whole = node
                    .gpus
                    .iter()
                    .filter(|(other, _)| !other.starts_with("shard"))
                    .map(|(_, count)| *count);
                let count = if name.starts_with("shard") {
                    count / whole.max().unwrap_or(1).max(1)
                } else {
                    *count
                };
                let most = most.entry(name).or_default();
                *most = (*most).max(count);
            }
        }
        let view = |(name, max): (&str, u32)| {
            let said = self.config.gpus.get(name).cloned().unwrap_or_default();
            GpuView {
                name: name.to_owned(),
                max: said.max.unwrap_or(max).min(max),
                label: said.label,
                memory: said.memory.or_else(|| slice_memory(name)),
                percent: said.percent,
                cores: said.cores,
                job_memory: said.job_memory,
            }
        };
        let mut gpus: Vec<_> = most.into_iter().map(view).collect();
        gpus.sort_by_key(|gpu| {
            (
                !gpu.name.starts_with("shard"),
                gpu.memory.unwrap_or(u64::MAX),
                gpu.percent.unwrap_or(100),
            )
        });
        gpus
    }

    /// Other interactive jobs: not the server's own.
    fn other_jobs(&self) -> Vec<OtherJob> {
        let interactive = &self.config.job.interactive;
        let view = |job: &Job| {
            let command = job.submit_line.split_whitespace().next().unwrap_or_default();
            let command = command.rsplit('/').next().unwrap_or_default();
            if job.name == self.config.job.name || !interactive.includes(command, &job.partition) {
                return None;
            }
            let running = match job.state {
                JobState::Pending => false,
                JobState::Running | JobState::Suspended => true,
                JobState::Ended(_) => return None,
            };
            Some(OtherJob {
                id: job.id,
                kind: if command.is_empty() {
                    job.name.clone()
                } else {
                    command.to_owned()
                },
                running,
                ends_at: job.ends_at.filter(|_| running),
            })
        };
        self.jobs.iter().filter_map(view).collect()
    }
}

/// Whether a list of Slurm's takes this name: empty for everybody, with `-` before each for everybody but these.
fn allows(list: &[String], name: &str) -> bool {
    let (denied, allowed): (Vec<_>, Vec<_>) = list.iter().partition(|entry| entry.starts_with('-'));
    (allowed.is_empty() || allowed.iter().any(|entry| *entry == name))
        && !denied.iter().any(|entry| entry.trim_start_matches('-') == name)
}

/// The memory of a slice, in MiB, where its name tells it: `a100_1g.5gb`.
fn slice_memory(name: &str) -> Option<u64> {
    let (_, end) = name.rsplit_once("g.")?;
    let gb: u64 = end.split_once("gb")?.0.parse().ok()?;
    Some(gb * 1024)
}

fn amount<T, E>(number: u64, new: fn(u32) -> Result<T, E>) -> Result<T, OfferError> {
    let number = u32::try_from(number).map_err(|_| OfferError::NoNodes)?;
    new(number).map_err(|_| OfferError::NoNodes)
}

#[cfg(test)]
mod tests;
