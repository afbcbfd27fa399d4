//! The state behind one lock, and how jobs move through it.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{Fault, JobView};
use crate::auth::Keys;
use crate::config::ClusterConfig;
use crate::error::{ALREADY_DONE, BAD_JOB_ID, BAD_NODE_NAME, NOT_SUPPORTED, SlurmError};
use crate::job::{Exit, Job, JobState};
use crate::process::{Tree, Watchdog};
use crate::runner::{self, Order};
use crate::schedule::{Node, NodeState, State, schedule};
use crate::{clock, scontrol};

/// What requests, jobs and the handle share.
pub(crate) struct Inner {
    pub(crate) config: ClusterConfig,
    pub(crate) keys: Keys,
    pub(crate) watchdog: Watchdog,
    pub(crate) fault: watch::Sender<Fault>,
    /// Requests that were made to slurmrestd.
    pub(crate) requests: AtomicU64,
    /// When the cluster started.
    pub(crate) since: u64,
    /// Where jobs' `scontrol` calls go.
    pub(crate) controller: SocketAddr,
    /// What a job's token begins with; its id follows.
    pub(crate) secret: String,
    /// Cancelled at the end of the cluster.
    pub(crate) servers: CancellationToken,
    /// The running jobs.
    pub(crate) tasks: TaskTracker,
    state: Mutex<State>,
    /// Locked after `state`, never before it.
    runs: Mutex<HashMap<u32, Run>>,
    changed: watch::Sender<()>,
    folder: TempDir,
}

struct Run {
    orders: mpsc::UnboundedSender<Order>,
    tree: Option<Tree>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Inner {
    pub(crate) fn new(config: ClusterConfig, controller: SocketAddr) -> io::Result<Self> {
        let now = clock::now();
        let nodes = config
            .nodes
            .iter()
            .map(|_| Node {
                last_busy: now,
                ..Node::default()
            })
            .collect();
        let folder = tempfile::Builder::new().prefix("local-slurm-").tempdir()?;
        scontrol::install(folder.path(), config.scontrol.as_deref())?;
        Ok(Self {
            keys: Keys::read(&config)?,
            watchdog: Watchdog::start(folder.path())?,
            fault: watch::Sender::default(),
            requests: AtomicU64::new(0),
            since: now,
            controller,
            secret: scontrol::secret()?,
            servers: CancellationToken::new(),
            tasks: TaskTracker::new(),
            state: Mutex::new(State {
                nodes,
                updated: now,
                since: now,
                ..State::default()
            }),
            runs: Mutex::default(),
            changed: watch::Sender::default(),
            folder,
            config,
        })
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The folder that stands first on a job's `PATH`.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder().join("bin")
    }

    /// A tick for every change of state.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// A look at the state.
    pub(crate) fn with<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&lock(&self.state))
    }

    /// A change of the state.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut State, u64) -> T) -> T {
        let now = clock::now();
        let mut state = lock(&self.state);
        let result = change(&mut state, now);
        state.updated = now;
        drop(state);
        self.changed.send_replace(());
        result
    }

    /// Starts whatever can start now. Called after every change that may make room.
    pub(crate) fn kick(self: &Arc<Self>) {
        if self.servers.is_cancelled() {
            return;
        }
        self.change(|state, now| {
            for id in schedule(&self.config, state, now) {
                let Some(job) = state.jobs.get(&id) else { continue };
                let (orders, inbox) = mpsc::unbounded_channel();
                lock(&self.runs).insert(id, Run { orders, tree: None });
                self.tasks.spawn(runner::run(self.clone(), job.clone(), inbox));
            }
        });
    }

    /// The processes of a job have started.
    pub(crate) fn running(&self, id: u32, tree: &Tree) {
        if let Some(run) = lock(&self.runs).get_mut(&id) {
            run.tree = Some(tree.clone());
        }
        self.changed.send_replace(());
    }

    pub(crate) fn order(&self, id: u32, order: Order) {
        if let Some(run) = lock(&self.runs).get(&id) {
            let _ = run.orders.send(order); // A job that has just ended needs no orders.
        }
    }

    pub(crate) fn trees(&self) -> Vec<Tree> {
        lock(&self.runs).values().filter_map(|run| run.tree.clone()).collect()
    }

    /// The name of the node a job runs or ran on; empty before.
    pub(crate) fn node_name(&self, job: &Job) -> String {
        let node = job.allocation.as_ref().map(|given| given.node);
        node.map(|node| self.config.nodes[node].name.clone())
            .unwrap_or_default()
    }

    pub(crate) fn view(&self, id: u32) -> Option<JobView> {
        let process = lock(&self.runs)
            .get(&id)
            .and_then(|run| Some(run.tree.as_ref()?.leader()));
        self.with(|state| {
            let job = state.jobs.get(&id)?;
            Some(JobView {
                id,
                user: job.asked.user.clone(),
                name: job.asked.name.clone(),
                state: job.state,
                completing: job.completing,
                reason: job.reason.clone(),
                comment: job.asked.comment.clone(),
                wckey: job.asked.wckey.clone(),
                node: self.node_name(job),
                restarts: job.restarts,
                process,
            })
        })
    }

    /// A running job's end is decided; its processes are still there.
    pub(crate) fn end(&self, id: u32, end: JobState, by: &str) {
        self.change(|state, now| {
            let running = |job: &&mut Job| job.state == JobState::Running;
            if let Some(job) = state.jobs.get_mut(&id).filter(running) {
                job.state = end;
                job.completing = true;
                job.ended = Some(now);
                job.reason = end.reason().into();
                job.cancelled_by = by.into();
                if end == JobState::NodeFail {
                    job.failed_node = self.node_name(job);
                }
            }
        });
    }

    /// Every running job is cancelled.
    pub(crate) fn end_all(&self) {
        let running: Vec<u32> = lock(&self.runs).keys().copied().collect();
        for id in running {
            self.end(id, JobState::Cancelled, "");
            self.order(id, Order::End);
        }
    }

    /// The script is over; what it left behind is still there.
    pub(crate) fn script_ended(&self, id: u32, exit: Exit) {
        self.change(|state, now| {
            if let Some(job) = state.jobs.get_mut(&id)
                && job.state == JobState::Running
            {
                own_end(job, exit, now);
                job.completing = true;
            }
        });
    }

    /// The last process of a job is gone.
    pub(crate) fn settle(self: &Arc<Self>, id: u32, exit: Exit) {
        lock(&self.runs).remove(&id);
        let again = self.change(|state, now| {
            let job = state.jobs.get_mut(&id)?;
            if job.state == JobState::Running {
                own_end(job, exit, now); // It could not be launched.
            }
            job.completing = false;
            job.exit = if job.state == JobState::NodeFail {
                Exit::Signal(1)
            } else {
                exit
            };
            if let Some(given) = &job.allocation {
                state.nodes[given.node].last_busy = now;
            }
            if job.state != JobState::NodeFail || !job.asked.requeue {
                return None;
            }
            let begin = now + self.config.requeue_seconds;
            let restarts = job.restarts + 1;
            *job = Job {
                begin,
                restarts,
                ..Job::new(id, job.asked.clone(), now)
            };
            Some(Duration::from_secs(self.config.requeue_seconds))
        });
        self.kick();
        if let Some(after) = again {
            let inner = self.clone();
            let stop = self.servers.clone();
            tokio::spawn(stop.run_until_cancelled_owned(async move {
                tokio::time::sleep(after).await;
                inner.kick();
            }));
        }
    }

    /// Ends a job from outside.
    pub(crate) fn finish(self: &Arc<Self>, id: u32, end: JobState) -> Result<(), SlurmError> {
        if matches!(end, JobState::Pending | JobState::Running) {
            return Err(NOT_SUPPORTED);
        }
        let state = self
            .with(|state| state.jobs.get(&id).map(|job| job.state))
            .ok_or(BAD_JOB_ID)?;
        if state != JobState::Running {
            return Err(ALREADY_DONE);
        }
        self.end(id, end, "");
        self.order(id, Order::End);
        Ok(())
    }

    pub(crate) fn set_node_state(self: &Arc<Self>, name: &str, to: &str) -> Result<(), SlurmError> {
        let node = self
            .config
            .nodes
            .iter()
            .position(|node| node.name == name)
            .ok_or(BAD_NODE_NAME)?;
        let to = match to.to_ascii_uppercase().as_str() {
            "DOWN" => NodeState::Down,
            "DRAIN" => NodeState::Drain,
            "IDLE" | "RESUME" | "UP" => NodeState::Up,
            _ => return Err(NOT_SUPPORTED),
        };
        let lost: Vec<u32> = self.change(|state, now| {
            let reason = if to == NodeState::Up { "" } else { "set by local-slurm" };
            let since = if to == NodeState::Up { 0 } else { now };
            let last_busy = state.nodes[node].last_busy;
            let down = to == NodeState::Down;
            state.nodes[node] = Node {
                state: to,
                reason: reason.into(),
                reason_since: since,
                last_busy,
            };
            let there = |job: &&Job| job.allocation.as_ref().is_some_and(|given| given.node == node);
            let running = state.jobs.values().filter(|job| down && job.state == JobState::Running);
            running.filter(there).map(|job| job.id).collect()
        });
        for id in lost {
            self.end(id, JobState::NodeFail, "");
            self.order(id, Order::End);
        }
        self.kick();
        Ok(())
    }
}

/// The end of a job that nobody ended.
fn own_end(job: &mut Job, exit: Exit, now: u64) {
    job.ended = Some(now);
    job.exit = exit;
    (job.state, job.reason) = match exit {
        Exit::Success => (JobState::Completed, "None".into()),
        Exit::Code(_) => (JobState::Failed, "NonZeroExitCode".into()),
        Exit::Signal(signal) => {
            job.description = format!("RaisedSignal:{signal}({})", words_of_signal(signal));
            (JobState::Failed, "RaisedSignal".into())
        }
    };
}

/// `strsignal` of Linux, for the signals that end jobs.
fn words_of_signal(signal: i32) -> String {
    let words = match signal {
        1 => "Hangup",
        2 => "Interrupt",
        6 => "Aborted",
        9 => "Killed",
        11 => "Segmentation fault",
        15 => "Terminated",
        34.. => return format!("Real-time signal {}", signal - 34),
        _ => return format!("Signal {signal}"),
    };
    words.into()
}
