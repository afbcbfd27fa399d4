//! Cores, memory and GPUs: what a job asks for, what a node has left, and how Slurm writes both.

use std::fmt::Write as _;

use crate::config::NodeConfig;

/// GPUs that a job asks for on its node (`gres/gpu:h100:2`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GpuRequest {
    /// Any type when absent.
    pub(crate) kind: Option<String>,
    pub(crate) count: usize,
}

/// What a job asks for on its one node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Request {
    pub(crate) cores: usize,
    /// MiB.
    pub(crate) memory: u64,
    pub(crate) gpus: Vec<GpuRequest>,
}

/// What a job was given: a node, by its place in the configuration, and the numbers of cores and GPUs there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Allocation {
    pub(crate) node: usize,
    pub(crate) cores: Vec<usize>,
    /// MiB.
    pub(crate) memory: u64,
    pub(crate) gpus: Vec<usize>,
}

/// What is free on a node.
#[derive(Clone, Debug)]
pub(crate) struct Free {
    pub(crate) cores: Vec<bool>,
    /// MiB.
    pub(crate) memory: u64,
    pub(crate) gpus: Vec<bool>,
}

/// `tres_per_node` as Slurm reads it: `gres/gpu:h100:2,gres/gpu:1`. `None` for what is not a GPU.
pub(crate) fn parse_gpus(text: &str) -> Option<Vec<GpuRequest>> {
    let one = |item: &str| -> Option<GpuRequest> {
        let name = item
            .strip_prefix("gres/")
            .or_else(|| item.strip_prefix("gres:"))
            .unwrap_or(item);
        let mut parts = name.split(':');
        if parts.next() != Some("gpu") {
            return None;
        }
        let (kind, count) = match (parts.next(), parts.next(), parts.next()) {
            (None, ..) => (None, 1),
            (Some(only), None, _) => only.parse().map_or((Some(only), 1), |count| (None, count)),
            (Some(kind), Some(count), None) => (Some(kind), count.parse().ok()?),
            _ => return None,
        };
        Some(GpuRequest {
            kind: kind.map(Into::into),
            count,
        })
    };
    text.split(',').filter(|item| !item.is_empty()).map(one).collect()
}

/// The type of each GPU of a node, by device number.
fn kinds(node: &NodeConfig) -> impl Iterator<Item = &str> {
    node.gpus
        .iter()
        .flat_map(|gpus| std::iter::repeat_n(gpus.kind.as_str(), gpus.count))
}

impl Request {
    pub(crate) fn gpu_count(&self) -> usize {
        self.gpus.iter().map(|gpus| gpus.count).sum()
    }

    /// `cpu=2,mem=2000M,node=1,billing=2,gres/gpu=2`
    pub(crate) fn tres(&self) -> String {
        let mut text = format!(
            "cpu={cores},mem={},node=1,billing={cores}",
            megabytes(self.memory),
            cores = self.cores
        );
        if self.gpu_count() > 0 {
            let _ = write!(text, ",gres/gpu={}", self.gpu_count());
        }
        text
    }
}

impl Free {
    /// A node on which nothing runs.
    pub(crate) fn whole(node: &NodeConfig) -> Self {
        Self {
            cores: vec![true; node.cores],
            memory: node.memory,
            gpus: vec![true; kinds(node).count()],
        }
    }

    pub(crate) fn take(&mut self, allocation: &Allocation) {
        self.memory = self.memory.saturating_sub(allocation.memory);
        set(&mut self.cores, &allocation.cores, false);
        set(&mut self.gpus, &allocation.gpus, false);
    }

    pub(crate) fn give_back(&mut self, allocation: &Allocation) {
        self.memory += allocation.memory;
        set(&mut self.cores, &allocation.cores, true);
        set(&mut self.gpus, &allocation.gpus, true);
    }

    /// The cores and GPUs that this request would get, lowest numbers first, if it fits.
    pub(crate) fn fit(&self, index: usize, node: &NodeConfig, request: &Request) -> Option<Allocation> {
        if request.memory > self.memory {
            return None;
        }
        let cores = first(
            request.cores,
            self.cores
                .iter()
                .enumerate()
                .filter(|(_, free)| **free)
                .map(|(core, _)| core),
        )?;
        let mut gpus: Vec<usize> = Vec::new();
        for wanted in &request.gpus {
            let usable = kinds(node).enumerate().filter(|(gpu, kind)| {
                self.gpus[*gpu] && !gpus.contains(gpu) && wanted.kind.as_deref().is_none_or(|wanted| wanted == *kind)
            });
            let more = first(wanted.count, usable.map(|(gpu, _)| gpu))?;
            gpus.extend(more);
        }
        Some(Allocation {
            node: index,
            cores,
            memory: request.memory,
            gpus,
        })
    }
}

fn set(slots: &mut [bool], which: &[usize], value: bool) {
    for slot in which {
        if let Some(slot) = slots.get_mut(*slot) {
            *slot = value;
        }
    }
}

fn first(count: usize, of: impl Iterator<Item = usize>) -> Option<Vec<usize>> {
    let found: Vec<usize> = of.take(count).collect();
    (found.len() == count).then_some(found)
}

/// `gres` of a node: `gpu:h100:4,…`
pub(crate) fn gres(node: &NodeConfig) -> String {
    let items: Vec<String> = node
        .gpus
        .iter()
        .map(|gpus| format!("gpu:{}:{}", gpus.kind, gpus.count))
        .collect();
    items.join(",")
}

/// `gpu:h100:2(IDX:0-1)` for each type of the node: with nothing used `0(IDX:N/A)`, as `gres_used` has it.
pub(crate) fn gres_used(node: &NodeConfig, used: &[usize]) -> Vec<String> {
    let mut next = 0;
    let item = |gpus: &crate::config::GpuConfig| {
        let range = next..next + gpus.count;
        next = range.end;
        let mine: Vec<usize> = used.iter().copied().filter(|gpu| range.contains(gpu)).collect();
        let index = if mine.is_empty() { "N/A".into() } else { ranges(&mine) };
        format!("gpu:{}:{}(IDX:{index})", gpus.kind, mine.len())
    };
    node.gpus.iter().map(item).collect()
}

/// `0-1,4` for 0, 1 and 4.
pub(crate) fn ranges(numbers: &[usize]) -> String {
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for number in sorted {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => runs.push((number, number)),
        }
    }
    let write = |(first, last): &(usize, usize)| {
        if first == last {
            first.to_string()
        } else {
            format!("{first}-{last}")
        }
    };
    runs.iter().map(write).collect::<Vec<_>>().join(",")
}

/// `c[1-2],g1` for c1, c2 and g1, as Slurm writes a list of hosts.
pub(crate) fn hostlist(names: &[String]) -> String {
    let mut groups: Vec<(&str, Vec<usize>)> = Vec::new();
    for name in names {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let digits = &name[stem.len()..];
        let number = digits
            .parse::<usize>()
            .ok()
            .filter(|number| number.to_string() == digits);
        match (number, groups.last_mut()) {
            (Some(number), Some((last, numbers))) if *last == stem && !numbers.is_empty() => numbers.push(number),
            (Some(number), _) => groups.push((stem, vec![number])),
            (None, _) => groups.push((name, Vec::new())),
        }
    }
    let write = |(stem, numbers): &(&str, Vec<usize>)| match numbers.as_slice() {
        [] => (*stem).to_owned(),
        [one] => format!("{stem}{one}"),
        many => format!("{stem}[{}]", ranges(many)),
    };
    groups.iter().map(write).collect::<Vec<_>>().join(",")
}

/// MiB in Slurm's TRES strings: `2000M`, `4G`, `62.50G`. It goes up a unit while the number divides by 512.
pub(crate) fn megabytes(mib: u64) -> String {
    let mut number = mib;
    let mut hundredths = 0;
    let mut units = ["M", "G", "T", "P"].iter();
    let mut unit = units.next();
    while hundredths == 0 && number >= 1024 && number.is_multiple_of(512) {
        hundredths = (number % 1024) * 100 / 1024;
        number /= 1024;
        unit = units.next();
    }
    let unit = unit.unwrap_or(&"P");
    if hundredths == 0 {
        format!("{number}{unit}")
    } else {
        format!("{number}.{hundredths:02}{unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gpus_are_read_as_slurm_writes_them() {
        let one = |kind: Option<&str>, count| {
            Some(vec![GpuRequest {
                kind: kind.map(Into::into),
                count,
            }])
        };
        assert_eq!(parse_gpus("gres/gpu:h100:2"), one(Some("h100"), 2));
        assert_eq!(parse_gpus("gres/gpu:3"), one(None, 3));
        assert_eq!(parse_gpus("gres:gpu:h100"), one(Some("h100"), 1));
        assert_eq!(parse_gpus(""), Some(vec![]));
        assert_eq!(parse_gpus("license/matlab:1"), None);
        assert_eq!(parse_gpus("gres/gpu:h100:many"), None);
    }

    #[test]
    fn sizes_and_lists_are_written_as_slurm_writes_them() {
        assert_eq!(megabytes(2000), "2000M");
        assert_eq!(megabytes(64_000), "62.50G");
        assert_eq!(megabytes(4096), "4G");
        assert_eq!(megabytes(1_048_576), "1T");
        assert_eq!(ranges(&[4, 1, 0]), "0-1,4");
        let names = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(hostlist(&names(&["c1", "c2", "g1"])), "c[1-2],g1");
        assert_eq!(hostlist(&names(&["login"])), "login");
    }

    #[test]
    fn a_node_gives_the_lowest_free_cores_and_gpus_of_the_type_asked_for() {
        let node = NodeConfig {
            name: "g1".into(),
            cores: 4,
            memory: 1000,
            gpus: vec![
                crate::config::GpuConfig {
                    kind: "a".into(),
                    count: 2,
                },
                crate::config::GpuConfig {
                    kind: "b".into(),
                    count: 1,
                },
            ],
            address: String::new(),
            features: Vec::new(),
            planned: false,
        };
        let mut free = Free::whole(&node);
        let ask = |cores, kind: Option<&str>, count| Request {
            cores,
            memory: 100,
            gpus: vec![GpuRequest {
                kind: kind.map(Into::into),
                count,
            }],
        };
        let given = free.fit(0, &node, &ask(2, Some("b"), 1)).unwrap();
        assert_eq!(
            (given.cores.as_slice(), given.gpus.as_slice()),
            ([0, 1].as_slice(), [2].as_slice())
        );
        free.take(&given);
        assert_eq!(free.fit(0, &node, &ask(1, Some("b"), 1)), None);
        assert_eq!(free.fit(0, &node, &ask(3, None, 1)), None);
        assert_eq!(free.fit(0, &node, &ask(2, None, 2)).unwrap().gpus, [0, 1]);
        assert_eq!(gres_used(&node, &given.gpus), ["gpu:a:0(IDX:N/A)", "gpu:b:1(IDX:2)"]);
        free.give_back(&given);
        assert_eq!(free.memory, 1000);
    }
}
