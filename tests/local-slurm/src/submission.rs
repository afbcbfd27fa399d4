//! From the body of `job/submit` to a [`Submission`], or to the refusal that Slurm 24.11 gives.

pub(crate) mod schema;

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::{ClusterConfig, NodeConfig, PartitionConfig, UserConfig};
use crate::error::{
    BAD_ACCOUNT, BAD_DEPENDENCY, BAD_GRES, BAD_NODE_COUNT, BAD_PARTITION, BAD_QOS, BAD_RESERVATION, NO_DIRECTORY,
    NO_ENVIRONMENT, NO_SCRIPT, NO_SUCH_CONFIGURATION, PARTITION_NOT_AVAILABLE, RESERVATION_ACCESS, SlurmError,
};
use crate::job::Submission;
use crate::resources::{Free, Request, parse_gpus};
use schema::{ParseError, Warning};

/// Fields that change something here. The other fields of the API are accepted with a warning.
const USED: &[&str] = &[
    "account",
    "comment",
    "constraints",
    "cpus_per_task",
    "current_working_directory",
    "dependency",
    "environment",
    "extra",
    "hold",
    "memory_per_cpu",
    "memory_per_node",
    "minimum_cpus",
    "name",
    "nodes",
    "partition",
    "qos",
    "requeue",
    "reservation",
    "script",
    "standard_error",
    "standard_output",
    "standard_input",
    "tasks",
    "time_limit",
    "tres_per_node",
    "wckey",
];

/// The checked fields of a body, with what is to be warned about.
pub(crate) struct Fields {
    fields: Map<String, Value>,
    pub(crate) warnings: Vec<Warning>,
}

/// Why a body is refused.
pub(crate) enum Refusal {
    /// By the data parser.
    Parse(ParseError),
    /// By slurmctld.
    Slurm(SlurmError),
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::Parse(error)
    }
}

impl From<SlurmError> for Refusal {
    fn from(error: SlurmError) -> Self {
        Self::Slurm(error)
    }
}

impl Fields {
    /// The body of `job/submit`: `{"job": {…}}`; the script may stand beside the job.
    pub(crate) fn of_submission(body: &Value) -> Result<Self, ParseError> {
        let body = schema::object(body, "#/")?;
        let empty = Value::Object(Map::new());
        let job = schema::object(body.get("job").unwrap_or(&empty), "#/job/")?;
        let (mut fields, mut warnings) = schema::check(job, "#/job/")?;
        for (name, value) in body {
            match (name.as_str(), value) {
                ("job", _) => {}
                ("script", Value::String(_)) => {
                    fields.entry("script").or_insert_with(|| value.clone());
                }
                _ => warnings.push(schema::unknown_field(name, value, "JOB_SUBMIT_REQ", "#/")),
            }
        }
        let unused = fields.keys().filter(|name| !USED.contains(&name.as_str()));
        warnings.extend(unused.map(|name| Warning {
            description: format!("local-slurm does nothing with \"{name}\""),
            source: format!("#/job/{name}/"),
        }));
        Ok(Self { fields, warnings })
    }

    /// The body of a job's update.
    pub(crate) fn of_update(body: &Value) -> Result<Self, ParseError> {
        let (fields, warnings) = schema::check(schema::object(body, "#/")?, "#/")?;
        Ok(Self { fields, warnings })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.keys().map(String::as_str)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name)?.as_str()
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.fields.get(name)?.as_bool()
    }

    /// Minutes of `time_limit`; `u32::MAX` for no limit, which is also what 0 means.
    pub(crate) fn minutes(&self) -> Option<u32> {
        match self.fields.get("time_limit")? {
            Value::Number(number) => {
                let minutes = number
                    .as_i64()
                    .and_then(|minutes| u32::try_from(minutes).ok())
                    .unwrap_or(u32::MAX);
                Some(if minutes == 0 { u32::MAX } else { minutes })
            }
            _ => Some(u32::MAX),
        }
    }

    /// A count; a negative one is as good as none.
    fn count<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        self.fields
            .get(name)?
            .as_i64()
            .and_then(|number| T::try_from(number).ok())
    }

    fn environment(&self) -> Option<BTreeMap<String, String>> {
        let items = self.fields.get("environment")?.as_array()?;
        let pair = |item: &Value| {
            item.as_str()?
                .split_once('=')
                .map(|(name, value)| (name.into(), value.into()))
        };
        Some(items.iter().filter_map(pair).collect())
    }

    /// What slurmctld makes of it for this person, or the error it gives.
    pub(crate) fn submission(&self, config: &ClusterConfig, user: &str) -> Result<Submission, Refusal> {
        let own = |name: &str| self.text(name).unwrap_or_default().to_owned();
        let script = self
            .text("script")
            .filter(|script| !script.is_empty())
            .ok_or(NO_SCRIPT)?;
        let directory = self.text("current_working_directory").ok_or(NO_DIRECTORY)?;
        let environment = self
            .environment()
            .filter(|items| !items.is_empty())
            .ok_or(NO_ENVIRONMENT)?;
        let (person, account, association) = self.association(config, user)?;
        if let Some(refusal) = person.behaviour.refusal() {
            return Err(refusal.into());
        }
        self.refuse_what_does_not_exist_here(config, person, &account)?;
        let tasks: usize = self.count("tasks").unwrap_or(1).max(1);
        let cpus_per_task = self.count::<usize>("cpus_per_task").filter(|cpus| *cpus > 0);
        let cores = tasks
            .saturating_mul(cpus_per_task.unwrap_or(1))
            .max(self.count("minimum_cpus").unwrap_or(0));
        let cpus = u64::try_from(cores).unwrap_or(u64::MAX);
        let memory_per_cpu: Option<u64> = self.count("memory_per_cpu");
        let memory_given: Option<u64> = self.count("memory_per_node");
        let gpus = parse_gpus(self.text("tres_per_node").unwrap_or_default()).ok_or(BAD_GRES)?;
        let constraints: Vec<String> = own("constraints")
            .split('&')
            .filter(|word| !word.is_empty())
            .map(Into::into)
            .collect();
        let fits = |partition: &PartitionConfig, request: &Request| {
            let has = |node: &NodeConfig| constraints.iter().all(|feature| node.features.contains(feature));
            nodes_of(config, partition).any(|node| has(node) && Free::whole(node).fit(0, node, request).is_some())
        };
        let memory_in = |partition: &PartitionConfig| {
            memory_given.unwrap_or_else(|| memory_per_cpu.unwrap_or(partition.memory_per_cpu).saturating_mul(cpus))
        };
        let request_in = |partition: &PartitionConfig| Request {
            cores,
            memory: memory_in(partition),
            gpus: gpus.clone(),
        };
        // Of several partitions the first that could have the job.
        let partitions = self.partitions(config, &account)?;
        let partition = partitions
            .into_iter()
            .find(|partition| fits(partition, &request_in(partition)));
        let partition = partition.ok_or(NO_SUCH_CONFIGURATION)?;
        let request = request_in(partition);
        Ok(Submission {
            user: user.into(),
            uid: person.uid,
            account,
            default_account: self.text("account").is_none(),
            association,
            partition: partition.name.clone(),
            default_partition: self.text("partition").is_none(),
            name: self.text("name").unwrap_or("openapi").to_owned(),
            comment: own("comment"),
            script: script.into(),
            directory: directory.into(),
            environment,
            standard_output: self.text("standard_output").unwrap_or("slurm-%j.out").to_owned(),
            standard_error: own("standard_error"),
            tasks,
            tasks_given: self.fields.contains_key("tasks"),
            cpus_per_task,
            request,
            memory_per_cpu: memory_given.is_none().then_some(memory_per_cpu).flatten(),
            memory_given: memory_given.or(memory_per_cpu).is_some(),
            tres_per_node: own("tres_per_node"),
            time_limit: self.minutes().unwrap_or(partition.default_minutes),
            singleton: self.text("dependency") == Some("singleton"),
            requeue: self.flag("requeue").unwrap_or(true),
            hold: self.flag("hold").unwrap_or(false),
            extra: own("extra"),
            reservation: own("reservation"),
            qos: own("qos"),
            wckey: own("wckey"),
            constraints,
        })
    }

    fn partitions<'a>(
        &self,
        config: &'a ClusterConfig,
        account: &String,
    ) -> Result<Vec<&'a PartitionConfig>, SlurmError> {
        let all_of = |names: &str| {
            names
                .split(',')
                .map(|name| config.partition(name))
                .collect::<Option<Vec<_>>>()
        };
        let partitions = match self.text("partition") {
            Some(names) => all_of(names),
            None => config.partitions.first().map(|first| vec![first]),
        };
        let partitions = partitions.ok_or(BAD_PARTITION)?;
        if partitions
            .iter()
            .any(|partition| matches!(partition.state.as_str(), "INACTIVE" | "DRAIN"))
        {
            return Err(PARTITION_NOT_AVAILABLE);
        }
        if partitions
            .iter()
            .any(|partition| !(partition.accounts.is_empty() || partition.accounts.contains(account)))
        {
            return Err(BAD_ACCOUNT);
        }
        Ok(partitions)
    }

    fn association<'a>(
        &self,
        config: &'a ClusterConfig,
        user: &str,
    ) -> Result<(&'a UserConfig, String, u32), SlurmError> {
        let mut own = config.associations().filter(|(_, person, _)| person.name == user);
        let found = match self.text("account") {
            Some(name) => own.find(|(.., account)| account.name == name),
            None => own.find(|(.., account)| account.default),
        };
        found
            .map(|(id, person, account)| (person, account.name.clone(), id))
            .ok_or(BAD_ACCOUNT)
    }

    /// What the API knows and this cluster does not have.
    fn refuse_what_does_not_exist_here(
        &self,
        config: &ClusterConfig,
        person: &UserConfig,
        account: &str,
    ) -> Result<(), SlurmError> {
        let other = |name: &str, known: &[&str]| self.text(name).is_some_and(|value| !known.contains(&value));
        if other("dependency", &["", "singleton"]) {
            return Err(BAD_DEPENDENCY);
        }
        let charged = person.accounts.iter().find(|charged| charged.name == account);
        if other(
            "qos",
            &[
                "",
                charged.and_then(|charged| charged.qos.as_deref()).unwrap_or("normal"),
            ],
        ) {
            return Err(BAD_QOS);
        }
        if let Some(name) = self.text("reservation").filter(|name| !name.is_empty()) {
            let found = config
                .reservations
                .iter()
                .find(|found| found.name == name)
                .ok_or(BAD_RESERVATION)?;
            if !found.takes(&person.name, account) {
                return Err(RESERVATION_ACCESS);
            }
        }
        if other("nodes", &["1", "1-1"]) {
            return Err(BAD_NODE_COUNT);
        }
        Ok(())
    }
}

fn nodes_of<'a>(config: &'a ClusterConfig, partition: &'a PartitionConfig) -> impl Iterator<Item = &'a NodeConfig> {
    config.nodes.iter().filter(|node| partition.nodes.contains(&node.name))
}
