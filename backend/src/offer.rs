//! What a person may choose now, from what Slurm says of the cluster and of them.
//!
//! Answers of Slurm are kept, and renewed behind the back of whoever asks: a failed look-up is never "nothing".

mod answers;

use std::collections::BTreeMap;
use std::sync::Arc;

use shared::names::{AccountName, UserName};
use shared::options::{AccountView, GpuView, Interface, NodeClass, OptionsView, Range, UserOptions};
use shared::units::{Cores, Memory, Minutes};

use self::answers::{Aged, Answers};
use crate::clock::Clock;
use crate::config::Config;
use crate::slurm::{Association, Client, Node, Partition, SlurmError};

/// The least memory that is worth asking for, in MiB: Jupyter alone needs it.
const LEAST_MEMORY: u64 = 256;

/// Why there is nothing to choose.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Slurm has no association for this person.
    #[error("no association in Slurm")]
    NoAssociation,
    /// The partition has no node, or takes no jobs.
    #[error("the partition of `job.partition` is down or has no node")]
    NoNodes,
    /// Slurm did not answer, and has not answered this before.
    #[error(transparent)]
    Slurm(#[from] SlurmError),
}

/// The cluster, as far as options need it.
#[derive(Clone)]
struct ClusterLimits {
    time_max: u64,
    nodes: Vec<NodeClass>,
}

/// Looks up what people may choose.
pub struct Offers {
    config: Arc<Config>,
    slurm: Arc<Client>,
    cluster: Arc<Answers<(), ClusterLimits>>,
    people: Arc<Answers<UserName, Vec<Association>>>,
    clock: Clock,
}

impl Offers {
    /// Nothing known yet.
    pub fn new(config: Arc<Config>, slurm: Arc<Client>, clock: Clock) -> Self {
        Self {
            config,
            slurm,
            cluster: Arc::default(),
            people: Arc::default(),
            clock,
        }
    }

    /// What this person may choose; `last` is what they chose the last time.
    pub async fn offer(&self, user: &UserName, last: Option<UserOptions>) -> Result<OptionsView, OfferError> {
        let (cluster, person) = tokio::join!(self.limits(), self.associations(user));
        let ((told_at, cluster), (asked_at, associations)) = (cluster?, person?);
        let accounts = accounts(&associations);
        if accounts.is_empty() {
            return Err(OfferError::NoAssociation);
        }
        let offer = self.assemble(user, accounts, &cluster, self.clock.now() - told_at.min(asked_at));
        let mut offer = offer.ok_or(OfferError::NoNodes)?;
        // The last choices, if they can still be had.
        if let Some(last) = last
            && let Ok(last) = shared::options::parse(&last.to_raw(), &offer)
        {
            offer.chosen = last;
        }
        Ok(offer)
    }

    fn assemble(
        &self,
        user: &UserName,
        accounts: Vec<AccountView>,
        cluster: &ClusterLimits,
        age_seconds: i64,
    ) -> Option<OptionsView> {
        let defaults = &self.config.defaults;
        let most = |of: fn(&NodeClass) -> u64| cluster.nodes.iter().map(of).max().filter(|n| *n > 0);
        let range = |min: u64, max: u64, default: u64| Range {
            min: min.min(max),
            max,
            default: default.clamp(min.min(max), max),
        };
        let cores = range(1, most(|node| node.cores)?, defaults.cores.into());
        let memory = range(LEAST_MEMORY, most(|node| node.memory)?, defaults.memory);
        let time = range(1, cluster.time_max, defaults.time.into());
        let first = accounts.first()?;
        let chosen = UserOptions {
            account: first.name.clone(),
            time: Minutes::new(u32::try_from(time.default.min(first.time_max.unwrap_or(u64::MAX))).ok()?).ok()?,
            cores: Cores::new(u32::try_from(cores.default).ok()?).ok()?,
            memory: Memory::new(memory.default).ok()?,
            gpu: None,
            interface: defaults.interface,
        };
        let mut gpus = BTreeMap::<&String, u32>::new();
        for (name, count) in cluster.nodes.iter().flat_map(|node| &node.gpus) {
            let most = gpus.entry(name).or_default();
            *most = (*most).max(*count);
        }
        Some(OptionsView {
            user: user.clone(),
            cluster: self.config.site.cluster.clone(),
            accounts,
            time,
            cores,
            memory,
            gpus: gpus
                .into_iter()
                .map(|(name, max)| GpuView {
                    name: name.clone(),
                    max,
                })
                .collect(),
            interfaces: Interface::ALL.to_vec(),
            nodes: cluster.nodes.clone(),
            chosen,
            age_seconds: age_seconds.try_into().unwrap_or(0),
        })
    }

    /// What jobs can have, from Slurm; asked at the start too, so that the first page need not wait for it.
    async fn limits(&self) -> Result<Aged<ClusterLimits>, SlurmError> {
        let (slurm, config) = (Arc::clone(&self.slurm), Arc::clone(&self.config));
        let look_up = async move {
            let service = slurm.service();
            let (partitions, nodes) = tokio::try_join!(service.partitions(), service.nodes())?;
            Ok(limits(config.job.partition.as_deref(), &partitions, &nodes))
        };
        self.cluster.get((), self.clock.now(), look_up).await
    }

    /// Asks Slurm once for what everybody needs.
    pub async fn prepare(&self) {
        if let Err(error) = self.limits().await {
            tracing::debug!(%error, "the cluster's limits are not known yet");
        }
    }

    async fn associations(&self, user: &UserName) -> Result<Aged<Vec<Association>>, SlurmError> {
        let (slurm, name) = (Arc::clone(&self.slurm), user.clone());
        let look_up = async move { slurm.person(&name).associations().await };
        self.people.get(user.clone(), self.clock.now(), look_up).await
    }
}

/// Compute accounts, the default first; each once, whatever partitions it has associations for.
fn accounts(associations: &[Association]) -> Vec<AccountView> {
    let mut sorted: Vec<_> = associations.iter().collect();
    sorted.sort_by_key(|association| (!association.is_default, &association.account));
    let mut accounts: Vec<AccountView> = Vec::new();
    for association in sorted {
        let Ok(name) = AccountName::new(&association.account) else {
            continue;
        };
        if accounts.iter().all(|account| account.name != name) {
            accounts.push(AccountView {
                name,
                time_max: association.limits.time,
            });
        }
    }
    accounts
}

/// What jobs can have: in the configured partition, in Slurm's default, or where neither is known in any.
fn limits(configured: Option<&str>, partitions: &[Partition], nodes: &[Node]) -> ClusterLimits {
    let up = || partitions.iter().filter(|partition| partition.up);
    let reached: Vec<_> = match configured {
        Some(name) => up().filter(|partition| partition.name == name).collect(),
        None if up().any(|partition| partition.is_default) => up().filter(|partition| partition.is_default).collect(),
        None => up().collect(),
    };
    // A partition without a limit allows what an association allows; a year is more than anybody waits for.
    let time_max = reached
        .iter()
        .map(|partition| partition.time_max.unwrap_or(365 * 24 * 60))
        .max()
        .unwrap_or(0);
    let mut classes = BTreeMap::<(u64, u64, BTreeMap<String, u32>), u32>::new();
    let in_reach = |node: &&Node| {
        reached
            .iter()
            .any(|partition| node.partitions.contains(&partition.name))
    };
    // With every node out of service, as in a maintenance, a request can still wait for its end.
    let none_usable = !nodes.iter().filter(in_reach).any(|node| node.usable);
    for node in nodes.iter().filter(in_reach).filter(|node| node.usable || none_usable) {
        *classes.entry((node.cores, node.memory, node.gpus.clone())).or_default() += 1;
    }
    let nodes = classes
        .into_iter()
        .map(|((cores, memory, gpus), nodes)| NodeClass {
            cores,
            memory,
            gpus,
            nodes,
        })
        .collect();
    ClusterLimits { time_max, nodes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn association(account: &str, is_default: bool) -> Association {
        Association {
            account: account.into(),
            is_default,
            ..Association::default()
        }
    }

    #[test]
    fn the_default_compute_account_comes_first_and_each_comes_once() {
        let found = accounts(&[
            association("rrg-x", false),
            association("def-b", true),
            association("rrg-x", false),
            association("def-a", false),
        ]);
        let names: Vec<_> = found.iter().map(|account| account.name.as_str()).collect();
        assert_eq!(names, ["def-b", "def-a", "rrg-x"]);
    }

    #[test]
    fn nodes_out_of_service_or_out_of_reach_count_for_nothing() {
        let node = |name: &str, usable, cores, partition: &str| Node {
            name: name.into(),
            usable,
            cores,
            memory: 1000,
            partitions: vec![partition.into()],
            ..Node::default()
        };
        let partition = |name: &str, up, is_default, time_max| Partition {
            name: name.into(),
            up,
            is_default,
            time_max,
            ..Partition::default()
        };
        let nodes = [
            node("c1", true, 8, "a"),
            node("c2", true, 8, "a"),
            node("c3", false, 64, "a"),
            node("c4", true, 128, "b"),
        ];
        let partitions = [partition("a", true, true, Some(480)), partition("b", true, false, None)];
        let cores = |configured| {
            limits(configured, &partitions, &nodes)
                .nodes
                .iter()
                .map(|n| (n.cores, n.nodes))
                .collect::<Vec<_>>()
        };
        assert_eq!(cores(None), [(8, 2)], "the default partition");
        assert_eq!(cores(Some("b")), [(128, 1)]);
        assert_eq!(cores(Some("gone")), []);
        assert_eq!(limits(Some("a"), &partitions, &nodes).time_max, 480);
        let drained = [node("c1", false, 8, "a")];
        assert_eq!(
            limits(None, &partitions, &drained).nodes.len(),
            1,
            "in a maintenance one can wait"
        );
        let unknown = [
            partition("a", true, false, Some(480)),
            partition("b", false, false, None),
        ];
        assert_eq!(
            limits(None, &unknown, &nodes).nodes.len(),
            1,
            "no default is told: every partition that is up"
        );
    }
}
