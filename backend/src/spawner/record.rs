//! What the store keeps of a server: enough to reach it while Slurm is away, and for a Slipway beside this one
//! to know of it.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use shared::names::UserName;
use shared::options::UserOptions;

use super::{Known, Server, Submission, Wish};
use crate::look::Language;
use crate::slurm::Job;

/// A server as it is kept.
#[derive(Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) user: UserName,
    options: UserOptions,
    pub(super) nonce: String,
    key: String,
    asked_at: i64,
    #[serde(default)]
    request: Option<String>,
    #[serde(default)]
    begins_at: Option<i64>,
    #[serde(default)]
    language: Option<Language>,
    /// Nothing while the request is on its way to Slurm.
    pub(super) job_id: Option<u64>,
    job: Option<Job>,
    address: Option<SocketAddr>,
    ready: bool,
    /// See [`Known::released`]: a job of an earlier Slipway was never held.
    #[serde(default = "yes")]
    released: bool,
    #[serde(default)]
    pub(super) wish: Wish,
}

fn yes() -> bool {
    true
}

impl Record {
    /// Of a server as it is now.
    pub(super) fn of(server: &Server) -> Self {
        let known = server.known.borrow();
        Self {
            user: server.user.clone(),
            options: server.options.clone(),
            nonce: server.nonce.clone(),
            key: server.key.clone(),
            asked_at: known.asked_at,
            request: known.request.clone(),
            begins_at: known.begins_at,
            language: known.language,
            job_id: server.job_id(),
            job: known.job.clone(),
            address: server.way().map(|target| target.address()),
            ready: known.ready,
            released: known.released,
            wish: known.wish,
        }
    }

    /// The same of a server whose Jupyter has answered.
    pub(super) fn ready(self) -> Self {
        Self { ready: true, ..self }
    }

    /// The server again, and the address that it had.
    pub(super) fn revive(self) -> (Server, Option<SocketAddr>) {
        let known = Known {
            submission: self.job_id.map_or(Submission::Sending, Submission::Accepted),
            job: self.job,
            ready: self.ready,
            released: self.released,
            wish: self.wish,
            request: self.request,
            begins_at: self.begins_at,
            language: self.language,
            ..Known::asked(self.asked_at)
        };
        let server = Server::new(self.user, self.options, self.nonce, self.key, known);
        (server, self.address)
    }
}
