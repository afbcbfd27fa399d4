//! The running cluster: its state behind one lock, and the handle that tests and the binary hold.

mod inner;
mod operations;

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::process::Signal;
use tokio::net::TcpListener;

use crate::config::ClusterConfig;
use crate::job::JobState;
use crate::{http, scontrol};

pub(crate) use inner::Inner;
pub(crate) use operations::Filter;

/// What is wrong with the cluster, for tests of those who use it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Nothing.
    #[default]
    None,
    /// slurmrestd takes connections and requests, and never answers.
    Silent,
    /// slurmrestd does not listen; open connections are cut.
    Refused,
    /// Requests are carried out; the connection is cut instead of answering.
    AnswersLost,
    /// The same, of submissions only.
    SubmissionsLost,
    /// Submissions are carried out, and not answered until all is well again.
    SubmissionsHang,
    /// slurmrestd answers that it cannot reach slurmctld (error 1800; real Slurm says so after 9 s).
    ControllerDown,
    /// slurmrestd answers that it cannot reach slurmdbd (error 7000).
    DatabaseDown,
}

/// A look at a job from outside HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobView {
    /// `job_id`
    pub id: u32,
    /// `user_name`
    pub user: String,
    /// `name`
    pub name: String,
    /// The base state.
    pub state: JobState,
    /// Ended, and its processes are not gone yet.
    pub completing: bool,
    /// `state_reason`
    pub reason: String,
    /// `comment`
    pub comment: String,
    /// `wckey`
    pub wckey: String,
    /// Where it runs or ran; empty before.
    pub node: String,
    /// `restart_cnt`
    pub restarts: u32,
    /// The process id of the script while it runs.
    pub process: Option<i32>,
}

/// A running cluster. Dropping it kills every job at once; [`Cluster::shutdown`] does it gently and waits.
pub struct Cluster {
    inner: Arc<Inner>,
    addr: SocketAddr,
}

impl Cluster {
    /// Starts a cluster: listens, and answers until it is shut down or dropped.
    pub async fn start(config: ClusterConfig) -> io::Result<Self> {
        config
            .check()
            .map_err(|message| io::Error::new(io::ErrorKind::InvalidInput, message))?;
        let controller = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let listener = TcpListener::bind(config.listen).await?;
        let addr = listener.local_addr()?;
        let socket = config.socket.as_deref().map(http::listen::bind_socket).transpose()?;
        let inner = Arc::new(Inner::new(config, controller.local_addr()?)?);
        until_shutdown(&inner, scontrol::serve(controller, inner.clone()));
        until_shutdown(&inner, http::listen::serve_tcp(listener, addr, inner.clone()));
        if let Some(socket) = socket {
            until_shutdown(&inner, http::listen::serve_socket(socket, inner.clone()));
        }
        for reservation in &inner.config.reservations {
            for moment in [reservation.starts_in, reservation.ends_in] {
                until_shutdown(&inner, inner.clone().schedule_in(moment));
            }
        }
        Ok(Self { inner, addr })
    }

    /// Where slurmrestd listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// `http://127.0.0.1:port`
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The private folder of this cluster: scripts of jobs, `scontrol`.
    pub fn folder(&self) -> &Path {
        self.inner.folder()
    }

    /// How many requests slurmrestd has had.
    pub fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::Relaxed)
    }

    /// The job, even one that slurmctld has forgotten.
    pub fn job(&self, id: u32) -> Option<JobView> {
        self.inner.view(id)
    }

    /// Waits, without polling, until the job is as asked; `None` when that takes longer than `deadline`.
    pub async fn wait_for(&self, id: u32, deadline: Duration, is: impl Fn(&JobView) -> bool) -> Option<JobView> {
        let mut changes = self.inner.changes();
        let found = async {
            loop {
                if let Some(job) = self.job(id).filter(&is) {
                    return Some(job);
                }
                changes.changed().await.ok()?;
            }
        };
        tokio::time::timeout(deadline, found).await.ok().flatten()
    }

    /// Ends a job from outside, as a failing node, preemption or a full memory would. Says whether it was running.
    pub fn finish(&self, id: u32, state: JobState) -> bool {
        self.inner.finish(id, state).is_ok()
    }

    /// Brings a node down (its jobs fail or go back to the queue), drains it, or brings it back:
    /// `DOWN`, `DRAIN` or `IDLE`. Says whether there is such a node and state.
    pub fn set_node_state(&self, name: &str, state: &str) -> bool {
        self.inner.set_node_state(name, state).is_ok()
    }

    /// Breaks something.
    pub fn set_fault(&self, fault: Fault) {
        self.inner.fault.send_replace(fault);
    }

    /// Connections are taken and never answered.
    pub fn stop_answering(&self) {
        self.set_fault(Fault::Silent);
    }

    /// All is well again. Requests that were not answered never will be.
    pub fn resume(&self) {
        self.set_fault(Fault::None);
    }

    /// Ends every job (SIGTERM, SIGKILL) and stops listening.
    pub async fn shutdown(self) {
        self.inner.servers.cancel();
        self.inner.end_all();
        self.inner.tasks.close();
        self.inner.tasks.wait().await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.inner.servers.cancel();
        self.inner.tasks.close();
        for tree in self.inner.trees() {
            let passes = 0..100; // A process may start another while it is being killed.
            let _gone = passes.into_iter().any(|_| !tree.signal(Signal::KILL));
        }
        if let Some(socket) = &self.inner.config.socket {
            let _ = std::fs::remove_file(socket); // Another cluster may have taken its place.
        }
    }
}

/// Runs a server until the cluster ends.
fn until_shutdown(inner: &Inner, server: impl Future<Output = ()> + Send + 'static) {
    let stop = inner.servers.clone();
    tokio::spawn(async move { stop.run_until_cancelled(server).await });
}
