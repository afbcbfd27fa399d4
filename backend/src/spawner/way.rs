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
        let address = self.address_of(node).await;
        if address.is_none() {
            tracing::warn!(node, "no address of this node lies inside the configured networks");
        }
        Some(SocketAddr::new(address?, port))
    }

    /// A node's address, from Slurm.
    async fn address_of(&self, node: &str) -> Option<IpAddr> {
        let address = self.slurm.service().node(node).await.ok()?.address;
        let inside = |ip: &IpAddr| self.config.job.networks.iter().any(|network| network.contains(ip));
        match address.parse::<IpAddr>() {
            Ok(ip) => Some(ip).filter(inside),
            Err(_) => tokio::net::lookup_host((address.as_str(), 0))
                .await
                .ok()?
                .map(|a| a.ip())
                .find(inside),
        }
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
            tracing::warn!(user = %server.user, %address, "a job told an address outside the configured networks and ports");
            return;
        }
        let identities = self.keys.server(&server.key, &server.user, &server.nonce);
        match identities.and_then(|own| tls_config(&own, &self.keys.client(&server.key)?)) {
            Ok(tls) => {
                let most = self.config.server.max_connections_per_person;
                server.set_target(Some(Arc::new(Target::new(address, tls, most))));
            }
            Err(error) => {
                tracing::error!(user = %server.user, key = %Sent(&server.key), %error, "is the secret of this job gone?");
            }
        }
    }
}
