//! slurmrestd's JSON, v0.0.42 to v0.0.45: only what Slipway reads, everything optional that any version
//! leaves out. `slurm/README.md` of the project's notes compares the versions field by field.

mod hostlist;
mod job;
mod resources;
mod submit;

use std::collections::BTreeMap;

use serde::Deserialize;
use shared::names::UserName;

use self::job::WireJob;
use self::resources::{WireAssociation, WireNode, WirePartition, WireQos, WireReservation};
pub(super) use self::submit::{CancelPending, Submit, Touch};
use super::error::number as errno;
use super::{ApiVersion, Association, Job, JobState, Node, Partition, Qos, Reservation, SlurmError};

/// Slurm's optional number. `set` with 0 also means "not known" where a time is meant.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
struct Number {
    set: bool,
    infinite: bool,
    #[serde(rename = "number")]
    value: f64,
}

impl Number {
    #[expect(clippy::cast_possible_truncation, reason = "Slurm's integers, sent as JSON numbers")]
    fn get(self) -> Option<i64> {
        (self.set && !self.infinite).then_some(self.value as i64)
    }

    fn time(self) -> Option<i64> {
        self.get().filter(|time| *time > 0)
    }
}

fn positive(number: Option<i64>) -> Option<u64> {
    number.and_then(|n| u64::try_from(n).ok()).filter(|n| *n > 0)
}

/// One error of an answer.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorItem {
    description: String,
    error_number: i64,
    error: String,
}

/// What every JSON answer has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    errors: Vec<ErrorItem>,
    job_id: Option<u64>,
    jobs: Vec<WireJob>,
    nodes: Vec<WireNode>,
    partitions: Vec<WirePartition>,
    associations: Vec<WireAssociation>,
    qos: Vec<WireQos>,
    reservations: Vec<WireReservation>,
    pings: Vec<Ping>,
    status: Vec<CancelStatus>,
    statistics: Option<Statistics>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ping {
    responding: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Statistics {
    req_time: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CancelStatus {
    error: CancelError,
    job_id: Number,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct CancelError {
    code: i64,
    string: String,
}

impl Answer {
    /// Reads an answer; the status alone is never believed. A refusal is an error here, except that a
    /// submission with a job id went through whatever else is said.
    pub(super) fn read(status: u16, body: &[u8]) -> Result<Self, SlurmError> {
        let Ok(answer) = serde_json::from_slice::<Self>(body) else {
            return Err(Self::not_json(status, body));
        };
        match answer.errors.first() {
            Some(_) if answer.job_id.is_some_and(|id| id > 0) => Ok(answer),
            Some(error) => Err(error.meaning()),
            // slurmrestd says so of partitions when slurmctld is away: 502 and no error at all.
            None if status >= 500 => Err(SlurmError::Unreachable {
                cause: format!("status {status}"),
                sent: true,
            }),
            None if status >= 400 => Err(SlurmError::NotUnderstood(format!("status {status} without an error"))),
            None => Ok(answer),
        }
    }

    fn not_json(status: u16, body: &[u8]) -> SlurmError {
        let text: String = String::from_utf8_lossy(body).chars().take(200).collect();
        match status {
            401 | 403 => SlurmError::TokenRefused(text),
            // No such path, that is: an unknown job is answered in JSON.
            404 => SlurmError::Version(ApiVersion::known_text()),
            502..=504 => SlurmError::Unreachable {
                cause: format!("status {status}"),
                sent: true,
            },
            _ => SlurmError::NotUnderstood(format!("status {status}: {text}")),
        }
    }

    /// slurmctld answers behind slurmrestd.
    pub(super) fn is_responding(&self) -> bool {
        self.pings.iter().any(|ping| ping.responding)
    }

    pub(super) fn submitted(self) -> Result<u64, SlurmError> {
        self.job_id
            .filter(|id| *id > 0)
            .ok_or_else(|| SlurmError::NotUnderstood("no job id".into()))
    }

    /// What a cancel said of each job: gone already is as good as cancelled.
    pub(super) fn cancelled(self) -> Result<(), SlurmError> {
        let refused = self
            .status
            .into_iter()
            .map(|status| status.error)
            .find(|error| error.code != 0);
        match refused {
            None => Ok(()),
            Some(error) if [errno::ALREADY_DONE, errno::INVALID_JOB_ID].contains(&error.code) => Ok(()),
            Some(error) => Err(SlurmError::Refused {
                message: error.string,
                code: error.code,
            }),
        }
    }

    /// The jobs that a signal was meant for. What became of it in each is no state of that job.
    pub(super) fn touched(self) -> Vec<u64> {
        let ids = self.status.into_iter().map(|status| positive(status.job_id.get()));
        ids.flatten().collect()
    }

    pub(super) fn job(self) -> Result<Job, SlurmError> {
        self.jobs.into_iter().next().map(Job::from).ok_or(SlurmError::NotFound)
    }

    pub(super) fn jobs(self) -> Vec<Job> {
        self.jobs.into_iter().map(Job::from).collect()
    }

    pub(super) fn states(self) -> BTreeMap<u64, JobState> {
        let state = |job: WireJob| Some((job.job_id.get()?, JobState::from_slurm(job.words())));
        self.jobs.into_iter().filter_map(state).collect()
    }

    pub(super) fn nodes(self) -> Vec<Node> {
        self.nodes.into_iter().map(Node::from).collect()
    }

    pub(super) fn partitions(self) -> Vec<Partition> {
        self.partitions.into_iter().map(Partition::from).collect()
    }

    /// Those of this person: a list that Slurm made for another user of the same number is none.
    pub(super) fn associations(self, user: &UserName) -> Vec<Association> {
        let own = |association: &WireAssociation| association.user == user.as_str();
        self.associations
            .into_iter()
            .filter(own)
            .map(Association::from)
            .collect()
    }

    pub(super) fn qos(self) -> Vec<Qos> {
        self.qos.into_iter().map(Qos::from).collect()
    }

    pub(super) fn reservations(self) -> Vec<Reservation> {
        self.reservations.into_iter().map(Reservation::from).collect()
    }

    pub(super) fn clock(&self) -> Option<i64> {
        self.statistics
            .as_ref()
            .and_then(|statistics| statistics.req_time.time())
    }
}

impl ErrorItem {
    fn meaning(&self) -> SlurmError {
        let text = if self.error.is_empty() {
            &self.description
        } else {
            &self.error
        };
        match self.error_number {
            errno::AUTHENTICATION => SlurmError::TokenRefused(text.clone()),
            errno::DATABASE if self.description.contains("authentication") => SlurmError::TokenRefused(text.clone()),
            errno::INVALID_JOB_ID => SlurmError::NotFound,
            errno::DATABASE | errno::NOT_PERMITTED => SlurmError::Unreachable {
                cause: text.clone(),
                sent: true,
            },
            code if errno::COMMUNICATION.contains(&code) || errno::CUT_OFF.contains(&code) => SlurmError::Unreachable {
                cause: text.clone(),
                sent: !errno::NOT_SENT.contains(&code),
            },
            // What `job/{id}` says when slurmctld is away. A submit plugin's refusal has the same number.
            errno::UNSPECIFIED if self.description.starts_with("Unable to query") => SlurmError::Unreachable {
                cause: self.description.clone(),
                sent: true,
            },
            code => SlurmError::Refused {
                message: text.clone(),
                code,
            },
        }
    }
}

/// Reads one answer as the client would, down to its last number, for tests: what kind of thing it turned out to be.
pub fn decode_exchange(status: u16, body: &[u8]) -> Result<&'static str, SlurmError> {
    let answer = Answer::read(status, body)?;
    let _ = (answer.clock(), answer.is_responding());
    Ok(match answer {
        Answer { job_id: Some(_), .. } => "submitted",
        Answer {
            statistics: Some(_), ..
        } => "diag",
        Answer { ref pings, .. } if !pings.is_empty() => "ping",
        Answer { ref jobs, .. } if !jobs.is_empty() => of_kind(answer.jobs(), "jobs"),
        Answer { ref nodes, .. } if !nodes.is_empty() => of_kind(answer.nodes(), "nodes"),
        Answer { ref partitions, .. } if !partitions.is_empty() => of_kind(answer.partitions(), "partitions"),
        Answer { ref associations, .. } if !associations.is_empty() => {
            let all = answer.associations.into_iter().map(Association::from);
            of_kind(all.collect::<Vec<_>>(), "associations")
        }
        Answer { ref qos, .. } if !qos.is_empty() => of_kind(answer.qos(), "qos"),
        Answer { ref reservations, .. } if !reservations.is_empty() => of_kind(answer.reservations(), "reservations"),
        Answer { ref status, .. } if !status.is_empty() => of_kind(answer.touched(), "cancel"),
        _ => "nothing",
    })
}

/// The kind of what has been read.
fn of_kind<T>(_read: T, kind: &'static str) -> &'static str {
    kind
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_gpus_than_there_can_be_are_as_many_as_can_be() {
        let body = br#"{"nodes":[{"gres":"gpu:h100:4294967295,gpu:h100:2"}]}"#;
        let [node] = &Answer::read(200, body).unwrap().nodes()[..] else {
            panic!("one node was sent")
        };
        assert_eq!(node.gpus["h100"], u32::MAX);
    }
}
