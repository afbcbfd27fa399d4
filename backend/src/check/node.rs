//! The hops to the node: where Jupyter is, and whether it answers through the proxy.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, header};
use serde::Deserialize;
use shared::server::{EndCause, Phase};
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep, timeout};
use tower::ServiceExt;

use super::{Check, advice};
use crate::auth::{Audience, SignInDetails};
use crate::listen::ClientAddress;
use crate::router::Site;
use crate::slurm::Job;
use crate::spawner::Server;

/// A job of one minute is over by then, however seldom slurmctld looks.
const JOB_IS_OVER: Duration = Duration::from_mins(4);
/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What the job writes into its comment.
#[derive(Deserialize)]
struct Told {
    port: Option<u16>,
}

impl Check<'_> {
    /// The job tells its port, and Slurm the address of its node: both as configured.
    pub(super) async fn address(&self, server: &Server) -> Result<(String, SocketAddr), String> {
        let (port, job) = self.port(server).await?;
        let config = &self.app.config.job;
        let [first, last] = config.ports;
        if !(first..=last).contains(&port) {
            return Err(format!(
                "it told port {port}, outside of job.ports: did something else write its comment?"
            ));
        }
        let node = job.node.unwrap_or_default();
        let found = self.app.slurm.service().node(&node).await;
        let name = found
            .map_err(|error| advice::slurm(&error, &self.app.config.slurm))?
            .address;
        let addresses: Vec<_> = match tokio::net::lookup_host((name.as_str(), port)).await {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                return Err(format!(
                    "{node} has the address {name} in Slurm, which this machine cannot look up ({error}): give the \
                     nodes a NodeAddr in slurm.conf, or this machine their names"
                ));
            }
        };
        let inside = |address: &&SocketAddr| config.networks.iter().any(|network| network.contains(&address.ip()));
        match addresses.iter().find(inside) {
            Some(address) => Ok((
                format!("{address} ({node}), inside of job.ports and job.networks"),
                *address,
            )),
            None => {
                let ips: Vec<_> = addresses.iter().map(|address| address.ip().to_string()).collect();
                Err(advice::outside(&node, &ips.join(", "), config))
            }
        }
    }

    /// The port in the job's comment, as its owner sees it.
    async fn port(&self, server: &Server) -> Result<(u16, Job), String> {
        let looked_at = Instant::now();
        while let (Phase::Starting | Phase::Ready, Some(id)) = self.now(server)
            && looked_at.elapsed() < JOB_IS_OVER
        {
            if let Ok(job) = self.app.slurm.person(self.user).job(id).await
                && let Ok(Told { port: Some(port) }) = serde_json::from_str(&job.comment)
            {
                return Ok((port, job));
            }
            sleep(EVERY).await;
        }
        Err(self.explain(server, "before it told its port"))
    }

    /// Jupyter answers the spawner, and then, through Slipway's own proxy, the person.
    pub(super) async fn ask_jupyter(&self, server: &Server, address: SocketAddr) -> Result<(String, ()), String> {
        let config = &self.app.config;
        let asked_at = Instant::now();
        let (mut connected, mut last) = (false, None);
        while self.now(server).0 == Phase::Starting && asked_at.elapsed() < JOB_IS_OVER {
            if !connected {
                last = connect(address).await.err();
                connected = last.is_none();
            }
            sleep(EVERY).await;
        }
        if self.now(server).0 != Phase::Ready {
            let end = self.app.spawner.state(server).end;
            let was_running = end.is_none_or(|end| end.cause == EndCause::TimeLimit);
            return Err(match last.filter(|_| was_running) {
                Some(error) => advice::connection(&error, address, &config.job),
                None => self.explain(server, "before Jupyter answered"),
            });
        }
        let path = self.app.routes.server(self.user, "api/status");
        let Ok(answer) = Site::new(Arc::clone(&self.app)).oneshot(self.request(&path)?).await;
        let status = answer.status();
        if !status.is_success() {
            return Err(format!(
                "through Slipway's proxy {path} was answered with {status}: see the job's output for what Jupyter has \
                 against server.public_url ({})",
                config.server.public_url
            ));
        }
        let seconds = asked_at.elapsed().as_secs();
        Ok((format!("{path} answers through the proxy after {seconds} s"), ()))
    }

    /// As the person's browser would send it.
    fn request(&self, path: &str) -> Result<Request<Body>, String> {
        let sessions = &self.app.sessions;
        let session = sessions.start(self.user, None, &SignInDetails::default())?;
        let cookie = sessions.cookie_of(Audience::User, &session)?;
        Request::get(path)
            .header(header::HOST, self.app.config.server.user_host())
            .header(header::COOKIE, format!("{}={}", cookie.name(), cookie.value()))
            .extension(ConnectInfo(ClientAddress(Ipv4Addr::LOCALHOST.into())))
            .body(Body::empty())
            .map_err(|e| e.to_string())
    }
}

async fn connect(address: SocketAddr) -> io::Result<()> {
    timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await?.map(drop)
}
