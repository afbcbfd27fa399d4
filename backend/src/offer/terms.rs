//! On which terms a compute account may use which partitions: the limits of associations, classes of service (QOS)
//! and partitions, in Slurm's own order of precedence (`slurm.schedmd.com/resource_limits.html`).

use std::collections::{BTreeMap, BTreeSet};

use shared::names::{AccountName, SlurmName};
use shared::options::{AccountView, Charge, Reach};

use crate::config::{self, Config};
use crate::slurm::{Association, JobLimits, Partition, Qos};

/// What holds for everybody.
pub(super) struct Rules {
    /// The configured partitions that take jobs; where none does, all of them: a maintenance ends.
    pub(super) partitions: Vec<Partition>,
    qos: BTreeMap<String, Qos>,
}

impl Rules {
    pub(super) fn new(job: &config::Job, mut partitions: Vec<Partition>, qos: Vec<Qos>) -> Self {
        let configured: BTreeSet<_> = job.partitions().collect();
        partitions.retain(|partition| configured.is_empty() || configured.contains(partition.name.as_str()));
        let none_up = !partitions.iter().any(|partition| partition.up);
        partitions.retain(|partition| partition.up || none_up);
        Self {
            partitions,
            qos: qos.into_iter().map(|qos| (qos.name.clone(), qos)).collect(),
        }
    }

    /// The class of service of a job with this association; nothing if it may not have the configured one.
    #[expect(clippy::option_option, reason = "outside: may it be; inside: is there one")]
    fn qos_of(&self, association: &Association, configured: Option<&str>) -> Option<Option<&Qos>> {
        if let Some(name) = configured {
            let may = association.qos.is_empty() || association.qos.iter().any(|qos| qos == name);
            return may.then(|| self.qos.get(name));
        }
        let usual = || association.qos.iter().find(|name| *name == "normal");
        let only = || association.qos.first().filter(|_| association.qos.len() == 1);
        let name = association.default_qos.as_ref().or_else(usual).or_else(only);
        Some(name.and_then(|name| self.qos.get(name)))
    }

    /// What a job may have in a partition; nothing if it may not be there.
    fn reach(&self, association: &Association, partition: &Partition, qos: Option<&Qos>) -> Option<Reach> {
        if association
            .partition
            .as_ref()
            .is_some_and(|only| *only != partition.name)
            || partition.least_nodes > 1
        {
            return None;
        }
        let may = |name: Option<&str>, allowed: &[String], denied: &[String]| {
            let listed = |list: &[String]| list.iter().any(|listed| Some(listed.as_str()) == name);
            (allowed.is_empty() || listed(allowed)) && !listed(denied)
        };
        if !may(
            Some(&association.account),
            &partition.accounts,
            &partition.denied_accounts,
        ) || !may(qos.map(|qos| qos.name.as_str()), &partition.qos, &partition.denied_qos)
        {
            return None;
        }
        let own = partition.own_qos.as_ref().and_then(|name| self.qos.get(name));
        let order = if qos.is_some_and(|qos| qos.over_partition) {
            [qos, own]
        } else {
            [own, qos]
        };
        let limits = first(
            order
                .iter()
                .flatten()
                .map(|qos| &qos.limits)
                .chain([&association.limits]),
        );
        let least = first(order.iter().flatten().map(|qos| &qos.least));
        let over_time = order.iter().flatten().any(|qos| qos.over_partition_time);
        let partition_time = partition.time_max.filter(|_| !over_time || limits.time.is_none());
        Some(Reach {
            partition: SlurmName::new(&partition.name).ok()?,
            time: smaller(limits.time, partition_time),
            cores: smaller(limits.cores, partition.cores_max),
            memory: smaller(limits.memory, partition.memory_max),
            memory_per_core: partition.memory_per_core_max,
            gpus: limits.gpus,
            gpus_of: limits.gpus_of,
            least_cores: least.cores.unwrap_or(0),
            least_gpus: least.gpus.unwrap_or(0),
        })
    }
}

fn smaller(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    [one, other].into_iter().flatten().min()
}

/// Of each limit the one that comes first: where several say something, the later ones do not count.
fn first<'a>(all: impl Iterator<Item = &'a JobLimits>) -> JobLimits {
    all.fold(JobLimits::default(), |mut found, next| {
        found.time = found.time.or(next.time);
        found.cores = found.cores.or(next.cores);
        found.memory = found.memory.or(next.memory);
        found.gpus = found.gpus.or(next.gpus);
        for (name, count) in &next.gpus_of {
            found.gpus_of.entry(name.clone()).or_insert(*count);
        }
        found
    })
}

/// A person's compute accounts, the default first, and the terms that they refer to.
pub(super) struct Terms {
    pub(super) accounts: Vec<AccountView>,
    pub(super) terms: Vec<Vec<Reach>>,
}

impl Terms {
    /// From every association that can submit somewhere.
    pub(super) fn new(config: &Config, rules: &Rules, associations: &[Association]) -> Self {
        let mut by_account = BTreeMap::<&str, Vec<&Association>>::new();
        for association in associations {
            by_account.entry(&association.account).or_default().push(association);
        }
        let mut found = Self {
            accounts: Vec::new(),
            terms: Vec::new(),
        };
        let mut default = None;
        for (account, associations) in by_account {
            let reaches = found.reaches(config, rules, &associations);
            let Some((terms, name)) = reaches.zip(AccountName::new(account).ok()) else {
                continue;
            };
            let shown = found.add(&config.accounts, name, terms);
            if associations.iter().any(|association| association.is_default) {
                default = shown;
            }
        }
        // By name, the default before all.
        found.accounts.sort_by(|a, b| {
            (Some(&a.name) != default.as_ref(), &a.name).cmp(&(Some(&b.name) != default.as_ref(), &b.name))
        });
        found
    }

    /// Where a job may be with these associations of one account; an index of the terms.
    fn reaches(&mut self, config: &Config, rules: &Rules, associations: &[&Association]) -> Option<usize> {
        let reach = |partition: &Partition| {
            // One that holds in this partition only goes before one that holds anywhere, even where it is closed.
            let own = associations
                .iter()
                .find(|found| found.partition.as_ref() == Some(&partition.name));
            let association = own.or_else(|| associations.iter().find(|found| found.partition.is_none()));
            let association = association.filter(|found| !found.closed)?;
            let qos = rules.qos_of(association, config.job.qos.as_deref())?;
            rules.reach(association, partition, qos)
        };
        let reaches: Vec<_> = rules.partitions.iter().filter_map(reach).collect();
        if reaches.is_empty() {
            return None;
        }
        let known = self.terms.iter().position(|terms| *terms == reaches);
        Some(known.unwrap_or_else(|| {
            self.terms.push(reaches);
            self.terms.len() - 1
        }))
    }

    /// Adds one of Slurm's accounts to the compute account that people know.
    fn add(&mut self, accounts: &config::Accounts, account: AccountName, terms: usize) -> Option<AccountName> {
        let (name, gpu) = accounts.split(account.as_str());
        let name = AccountName::new(name).ok()?;
        let charge = Charge { account, gpu, terms };
        match self.accounts.iter_mut().find(|account| account.name == name) {
            Some(account) => account.charges.push(charge),
            None => self.accounts.push(AccountView {
                name: name.clone(),
                charges: vec![charge],
            }),
        }
        Some(name)
    }
}

#[cfg(test)]
mod tests;
