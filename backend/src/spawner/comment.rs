//! The small JSON document in a job's comment: how any Slipway knows its jobs again.
//!
//! Its owner can write it and everybody can read it: nothing in it is secret, and nothing in it is trusted
//! except the port, which only counts within the configured range and over the pinned connection.

use serde::{Deserialize, Serialize};
use shared::options::{SpawnRequest, UserOptions};

use crate::look::Language;

/// The schema that this Slipway writes. A newer one is shown and routed, never cancelled.
const SCHEMA: u32 = 1;

/// The document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct JobComment {
    /// The schema's number.
    pub(super) slipway: u32,
    /// What the job's key is derived from, with the secret.
    pub(super) nonce: String,
    /// The id of the secret.
    pub(super) key: String,
    /// What was asked for.
    pub(super) options: UserOptions,
    /// When the reservation begins that the job waits for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begins_at: Option<i64>,
    /// The language of the page that it was started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) language: Option<Language>,
    /// Where Jupyter listens; written by the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) port: Option<u16>,
    /// The start that this port belongs to: a job that was started again has another.
    #[serde(default, skip_serializing)]
    pub(super) start: u64,
}

impl JobComment {
    pub(super) fn new(nonce: String, key: String, request: SpawnRequest) -> Self {
        Self {
            slipway: SCHEMA,
            nonce,
            key,
            options: request.options,
            begins_at: request.begins_at,
            language: None,
            port: None,
            start: 0,
        }
    }

    /// Written by a later Slipway, whose rules for its jobs we do not know.
    pub(super) fn is_newer(&self) -> bool {
        self.slipway > SCHEMA
    }

    /// Reads a comment; nothing if it is not one of Slipway's.
    pub(super) fn read(comment: &str) -> Option<Self> {
        serde_json::from_str(comment).ok()
    }

    /// The text that goes into the job.
    pub(super) fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// Reads a comment as the spawner would, for tests: the port that it tells, and the text that is written of it.
pub fn decode_comment(comment: &str) -> Option<(Option<u16>, String)> {
    let read = JobComment::read(comment)?;
    Some((read.port, read.write()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared::names::{AccountName, InterfaceName};
    use shared::units::{Cores, Memory, Minutes};

    fn request() -> SpawnRequest {
        let options = UserOptions {
            account: AccountName::new("def-ada").unwrap(),
            time: Minutes::new(60).unwrap(),
            cores: Cores::new(2).unwrap(),
            memory: Memory::new(2048).unwrap(),
            gpu: None,
            reservation: None,
            partition: None,
            features: Vec::new(),
            interface: InterfaceName::new("lab").unwrap(),
        };
        SpawnRequest {
            charge: options.account.clone(),
            options,
            partitions: Vec::new(),
            begins_at: None,
        }
    }

    #[test]
    fn what_the_job_appends_is_read() {
        let comment = JobComment::new("n".into(), "k".into(), request());
        // As batch.sh does it.
        let told = format!(
            "{},\"port\":20123,\"start\":0}}",
            comment.write().strip_suffix('}').unwrap()
        );
        let read = JobComment::read(&told).unwrap();
        assert_eq!(
            read,
            JobComment {
                port: Some(20123),
                ..comment
            }
        );
    }

    #[test]
    fn a_job_of_a_later_slipway_is_shown_and_never_given_up() {
        use crate::slurm::{Job, JobState};
        use crate::spawner::{Policy, Server};
        let job = |schema: u32| Job {
            id: 7,
            name: "slipway".into(),
            user: "ada".into(),
            uid: Some(2001),
            state: JobState::Pending,
            reason: "Priority".into(),
            submitted_at: 1_000,
            started_at: None,
            ends_at: None,
            node: None,
            exit_code: None,
            signal: None,
            comment: JobComment {
                slipway: schema,
                ..JobComment::new("n".into(), "k".into(), request())
            }
            .write(),
            restarts: 0,
            partition: String::new(),
            cancelled_by: None,
            submit_line: String::new(),
            output: String::new(),
        };
        let user = shared::names::UserName::new("ada").unwrap();
        let policy = Policy {
            start_timeout: std::time::Duration::from_mins(5),
        };
        let given_up = |schema| {
            let server = Server::from_job(&user, job(schema), 1_010).unwrap();
            server.watch().borrow().give_up_at(policy)
        };
        assert_eq!((given_up(SCHEMA), given_up(SCHEMA + 1)), (Some(1_300), None));
    }

    #[test]
    fn other_comments_are_not_ours() {
        for other in [
            "",
            "my job",
            "{}",
            "[1]",
            r#"{"slipway":1}"#,
            "{\"slipway\":1,\"nonce\":3}",
        ] {
            assert_eq!(JobComment::read(other), None, "{other}");
        }
    }
}
