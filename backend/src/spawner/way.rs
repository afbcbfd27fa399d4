//! The way to a server: its node's address from Slurm, its port from the job, and this job's key.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use shared::server::Phase;

use super::comment::JobComment;
use super::keys::tls_config;
use super::{Server, Spawner};
use crate::log::Sent;
use crate::proxy::Target;
use crate::slurm::{Job, JobState};

impl Spawner {
    /// Node and port, if the job has told its port, by this start of it, and the way is not open yet.
    pub(super) async fn address(&self, server: &Server, job: &Job) -> Option<SocketAddr> {
        let is_wanted = server.phase() != Phase::Stopping && job.state == JobState::Running;
        if server.way().is_some() || !is_wanted {
            return None;
        }
        let comment = JobComment::read(&job.comment).filter(|comment| comment.nonce == server.nonce)?;
        let port = comment.port.filter(|_| comment.start == job.restarts)?;
        let node = job.node.as_deref()?;
        match self.address_of(node).await {
            Ok(address) => Some(SocketAddr::new(address, port)),
            Err(why) => {
                obstructed(server, &format!("node {node}: {why}"));
                None
            }
        }
    }

    /// A node's address, from Slurm; or why there is none.
    async fn address_of(&self, node: &str) -> Result<IpAddr, String> {
        let node = self.slurm.service().node(node).await.map_err(|e| e.to_string())?;
        let address = node.address;
        let inside = |ip: &IpAddr| self.config.job.networks.iter().any(|network| network.contains(ip));
        let found = match address.parse::<IpAddr>() {
            Ok(ip) => Some(ip).filter(inside),
            Err(_) => {
                let hosts = tokio::net::lookup_host((address.as_str(), 0)).await;
                let hosts = hosts.map_err(|e| format!("{address}: {e}"))?;
                hosts.map(|host| host.ip()).find(inside)
            }
        };
        found.ok_or_else(|| format!("{address} is outside of job.networks"))
    }

    /// Opens the way to a server, inside the configured networks and ports only.
    pub(super) fn open_way(&self, server: &Server, address: SocketAddr) {
        let [first, last] = self.config.job.ports;
        let inside = self
            .config
            .job
            .networks
            .iter()
            .any(|network| network.contains(&address.ip()));
        if !inside || !(first..=last).contains(&address.port()) {
            obstructed(server, &format!("{address} is outside of job.networks and job.ports"));
            return;
        }
        let identities = self.keys.server(&server.key, &server.user, &server.nonce);
        match identities.and_then(|own| tls_config(&own, &self.keys.client(&server.key)?)) {
            Ok(tls) => {
                let most = self.config.server.max_connections_per_person;
                server.set_target(Some(Arc::new(Target::new(address, tls, most))));
            }
            Err(error) => obstructed(server, &format!("is its secret, {}, gone? {error}", Sent(&server.key))),
        }
    }
}

/// Says once why there is no way to a server: it is tried again twice a second, and people write their jobs' comments.
fn obstructed(server: &Server, why: &str) {
    if server.is_new_obstacle(why) {
        tracing::warn!(user = %server.user, job.id = server.job_id(), why, "there is no way to a server");
    }
}
