//! Nodes by what they are, and what is free on them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use shared::names::SlurmName;
use shared::options::{Free, NodeClass};

use crate::slurm::{Node, Reservation};

/// Every node that jobs can be started on.
pub(super) struct Nodes {
    /// All of them, by what they are.
    pub(super) classes: Vec<NodeClass>,
    /// The partitions of each node that is out of service.
    pub(super) away: Vec<Vec<String>>,
    by_name: HashMap<String, Node>,
    calendar: Calendar,
}

impl Nodes {
    /// With what is known of reservations, at this time. Jobs go to these partitions, or to any where there are none.
    pub(super) fn new(nodes: Vec<Node>, partitions: &[&str], reservations: &[Reservation], now: i64) -> Self {
        let away = nodes.iter().filter(|node| !node.usable);
        let away = away.map(|node| node.partitions.clone()).collect();
        let calendar = Calendar::new(reservations, now);
        // With every node for jobs out of service, as in a maintenance, a request can still wait for its end.
        let is_for_jobs = |node: &Node| {
            let names = &node.partitions;
            partitions.is_empty() || names.iter().any(|name| partitions.contains(&name.as_str()))
        };
        let none_usable = !nodes.iter().any(|node| node.usable && is_for_jobs(node));
        let stays = |node: &Node| node.usable || (none_usable && is_for_jobs(node));
        let nodes: Vec<_> = nodes.into_iter().filter(stays).collect();
        Self {
            classes: classes(nodes.iter(), None, &calendar),
            away,
            calendar,
            by_name: nodes.into_iter().map(|node| (node.name.clone(), node)).collect(),
        }
    }

    /// Whether all of them are among these.
    pub(super) fn are_in(&self, names: &[String]) -> bool {
        let names: HashSet<_> = names.iter().collect();
        !self.by_name.is_empty() && self.by_name.keys().all(|node| names.contains(node))
    }

    /// The nodes of a reservation, by what they are.
    pub(super) fn reserved(&self, name: &str, nodes: &[String]) -> Vec<NodeClass> {
        let nodes = nodes.iter().filter_map(|node| self.by_name.get(node));
        classes(nodes, Some(name), &self.calendar)
    }
}

/// When which node is kept for something: a maintenance, or a reservation.
struct Calendar(HashMap<String, Vec<(i64, String)>>);

impl Calendar {
    /// What begins after this time.
    fn new(reservations: &[Reservation], now: i64) -> Self {
        let mut begins = HashMap::<String, Vec<(i64, String)>>::new();
        for reservation in reservations.iter().filter(|reservation| reservation.starts_at > now) {
            for node in &reservation.nodes {
                let begin = (reservation.starts_at, reservation.name.clone());
                begins.entry(node.clone()).or_default().push(begin);
            }
        }
        Self(begins)
    }

    /// When the first one begins on a node, for a job in this one or in none.
    fn until(&self, node: &str, reservation: Option<&str>) -> Option<i64> {
        let others = self.0.get(node)?.iter();
        let others = others.filter(|(_, name)| Some(name.as_str()) != reservation);
        others.map(|(begins, _)| *begins).min()
    }
}

/// What is free is free for whoever holds the reservation that a node is in, if any.
fn classes<'a>(
    nodes: impl Iterator<Item = &'a Node>,
    reservation: Option<&str>,
    calendar: &Calendar,
) -> Vec<NodeClass> {
    type Kind<'a> = (
        u64,
        u64,
        &'a BTreeMap<String, u32>,
        &'a [String],
        &'a [String],
        Option<i64>,
    );
    #[derive(Default)]
    struct Class {
        nodes: u32,
        idle: u32,
        free: BTreeSet<Free>,
    }
    let mut found = BTreeMap::<Kind<'a>, Class>::new();
    for node in nodes {
        let kind = (
            node.cores,
            node.memory,
            &node.gpus,
            &node.features[..],
            &node.partitions[..],
            calendar.until(&node.name, reservation),
        );
        let class = found.entry(kind).or_default();
        class.nodes += 1;
        let available = node.usable && !node.planned && node.reservation.as_deref() == reservation;
        if available && node.free_cores > 0 && node.free_memory > 0 {
            class.idle += u32::from(node.free_cores == node.cores);
            class.free.insert(Free {
                cores: node.free_cores,
                memory: node.free_memory,
                gpus: node.free_gpus.clone(),
            });
        }
    }
    let names = |names: &[String]| names.iter().filter_map(|name| SlurmName::new(name).ok()).collect();
    let found = found.into_iter();
    found
        .map(
            |((cores, memory, gpus, features, partitions, until), class)| NodeClass {
                cores,
                memory,
                gpus: gpus.clone(),
                features: names(features),
                partitions: names(partitions),
                nodes: class.nodes,
                idle: class.idle,
                until,
                free: emptiest(class.free),
            },
        )
        .collect()
}

/// Without those that have no more free of anything than another one.
fn emptiest(free: BTreeSet<Free>) -> Vec<Free> {
    let mut kept: Vec<Free> = Vec::new();
    // Whatever is worth keeping beside another comes before it in this order.
    for one in free.into_iter().rev() {
        if !kept.iter().any(|other| holds(other, &one)) {
            kept.push(one);
        }
    }
    kept
}

fn holds(more: &Free, less: &Free) -> bool {
    more.cores >= less.cores
        && more.memory >= less.memory
        && less
            .gpus
            .iter()
            .all(|(name, count)| more.gpus.get(name).copied().unwrap_or(0) >= *count)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn node(name: &str, free_cores: u64) -> Node {
        Node {
            name: name.into(),
            usable: true,
            cores: 8,
            memory: 1000,
            free_cores,
            free_memory: 1000,
            partitions: vec!["a".into()],
            ..Node::default()
        }
    }

    fn free(nodes: &Nodes) -> Vec<(u32, u32, Vec<u64>)> {
        let of = |class: &NodeClass| {
            (
                class.nodes,
                class.idle,
                class.free.iter().map(|free| free.cores).collect(),
            )
        };
        nodes.classes.iter().map(of).collect()
    }

    #[test]
    fn nodes_that_are_out_planned_or_reserved_are_not_free_and_those_that_are_out_do_not_count() {
        let out = Node {
            usable: false,
            ..node("n3", 8)
        };
        let planned = Node {
            planned: true,
            ..node("n4", 8)
        };
        let reserved = Node {
            reservation: Some("course".into()),
            ..node("n5", 7)
        };
        let nodes = Nodes::new(
            vec![node("n1", 2), node("n2", 0), out.clone(), planned, reserved],
            &[],
            &[],
            0,
        );
        assert_eq!(free(&nodes), [(4, 0, vec![2])]);
        let course = nodes.reserved("course", &["n5".into(), "n1".into(), "gone".into()]);
        assert_eq!(
            (course[0].nodes, course[0].free.len(), course[0].free[0].cores),
            (2, 1, 7)
        );
        assert_eq!(nodes.away, [["a"]]);
        let maintenance = Nodes::new(vec![out.clone()], &[], &[], 0);
        assert_eq!(free(&maintenance), [(1, 0, vec![])], "in a maintenance one can wait");
        let other = Node {
            partitions: vec!["b".into()],
            ..node("n6", 8)
        };
        let of_jobs = Nodes::new(vec![out, other], &["a"], &[], 0);
        assert_eq!(free(&of_jobs).len(), 2, "also in one of the nodes that jobs go to");
    }

    #[test]
    fn nodes_that_something_is_planned_on_are_a_kind_of_their_own_with_the_time_at_which_it_begins() {
        let reservation = |name: &str, starts_at, nodes: &[&str]| Reservation {
            name: name.into(),
            starts_at,
            ends_at: starts_at + 100,
            nodes: nodes.iter().map(ToString::to_string).collect(),
            ..Reservation::default()
        };
        let planned = [
            reservation("over", 50, &["n3"]),
            reservation("course", 500, &["n1", "n2"]),
            reservation("maintenance", 300, &["n2"]),
        ];
        let nodes = Nodes::new(vec![node("n1", 8), node("n2", 8), node("n3", 8)], &[], &planned, 100);
        let until: Vec<_> = nodes.classes.iter().map(|class| (class.nodes, class.until)).collect();
        assert_eq!(until, [(1, None), (1, Some(300)), (1, Some(500))]);
        let names = ["n1".to_owned(), "n2".to_owned()];
        let course = nodes.reserved("course", &names);
        let until: Vec<_> = course.iter().map(|class| (class.nodes, class.until)).collect();
        assert_eq!(until, [(1, None), (1, Some(300))], "its own beginning is no end of it");
    }

    proptest! {
        #[test]
        fn whatever_is_free_on_one_node_is_free_on_one_of_the_emptiest(
            nodes in prop::collection::vec((1_u64..9, 1_u64..9, 0_u32..3), 1..40), wish in (1_u64..9, 1_u64..9, 0_u32..3)
        ) {
            let all: BTreeSet<Free> = nodes.into_iter().map(|(cores, memory, gpus)| Free {
                cores,
                memory,
                gpus: if gpus > 0 { BTreeMap::from([("h100".to_owned(), gpus)]) } else { BTreeMap::new() },
            }).collect();
            let wish = Free { cores: wish.0, memory: wish.1, gpus: BTreeMap::from([("h100".to_owned(), wish.2)]) };
            let kept = emptiest(all.clone());
            prop_assert_eq!(all.iter().any(|free| holds(free, &wish)), kept.iter().any(|free| holds(free, &wish)));
            for (n, one) in kept.iter().enumerate() {
                prop_assert!(kept.iter().enumerate().all(|(other, free)| n == other || !holds(free, one)), "{:?}", kept);
            }
        }
    }
}
