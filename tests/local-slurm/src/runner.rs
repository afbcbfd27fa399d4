//! One running job, from its first process to its last.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::cluster::Inner;
use crate::job::{Exit, Job, JobState};
use crate::process::{self, Program, Tree};
use crate::{clock, scontrol};

/// What a running job is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Its end was decided (and is in its state already).
    End,
    /// Its time limit changed.
    NewLimit,
    /// Pass this signal on.
    Signal(Signal),
}

/// How often to look whether the last process is gone.
const LOOK: Duration = Duration::from_millis(20);
/// When to give up on processes that SIGKILL does not end.
const STUCK: Duration = Duration::from_secs(10);

/// Runs a job that the scheduler has started.
pub(crate) async fn run(inner: Arc<Inner>, job: Job, mut orders: mpsc::UnboundedReceiver<Order>) {
    let started = Instant::now();
    let Ok((mut child, tree)) = launch(&inner, &job) else {
        // What Slurm 24.11 answers when it cannot enter the directory or open the output file.
        inner.settle(job.id, Exit::Signal(53));
        return;
    };
    inner.watchdog.add(&tree);
    inner.running(job.id, &tree);
    let deadline = |inner: &Inner| {
        let limit = inner.with(|state| {
            state
                .jobs
                .get(&job.id)
                .and_then(|job| job.limit(inner.config.minute_seconds))
        });
        limit.map(|limit| started + limit)
    };
    let mut until = deadline(&inner);
    let status = loop {
        let over = async {
            match until {
                Some(until) => sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            status = child.wait() => break status.ok(),
            order = orders.recv() => match order {
                Some(Order::NewLimit) => until = deadline(&inner),
                Some(Order::Signal(signal)) => drop(tree.signal(signal)),
                Some(Order::End) | None => break terminate(&inner, &mut child, &tree).await,
            },
            () = over => {
                inner.end(job.id, JobState::Timeout, "");
                break terminate(&inner, &mut child, &tree).await;
            }
        }
    };
    let exit = status.map_or(Exit::Signal(9), exit_of);
    inner.script_ended(job.id, exit);
    let stuck = Instant::now() + STUCK;
    while tree.signal(Signal::KILL) {
        if Instant::now() > stuck {
            tracing::error!(job.id, "processes of a job do not end");
            break;
        }
        sleep(LOOK).await;
    }
    inner.watchdog.remove(&tree);
    inner.settle(job.id, exit);
}

/// SIGTERM to all, and, after `KillWait`, SIGKILL.
async fn terminate(inner: &Inner, child: &mut tokio::process::Child, tree: &Tree) -> Option<ExitStatus> {
    let wait = Duration::from_secs_f64(inner.config.kill_wait_seconds);
    let until = Instant::now() + wait;
    tree.signal(Signal::TERM);
    let status = timeout(wait, child.wait()).await;
    if status.is_ok() {
        // The script is gone; what it started has the rest of the time.
        while Instant::now() < until && tree.is_alive() {
            sleep(LOOK).await;
        }
    }
    tree.signal(Signal::KILL);
    match status {
        Ok(status) => status.ok(),
        Err(_) => child.wait().await.ok(),
    }
}

fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(0), _) => Exit::Success,
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or(9)),
    }
}

fn launch(inner: &Inner, job: &Job) -> std::io::Result<(tokio::process::Child, Tree)> {
    let folder = inner.folder().join(format!("job{:05}", job.id));
    std::fs::create_dir_all(&folder)?;
    let script = folder.join("slurm_script");
    write_private(&script, &job.asked.script)?;
    let conf = folder.join("slurm.conf");
    write_private(&conf, &scontrol::conf(inner, job.id))?;
    let node = inner.node_name(job);
    let output = PathBuf::from(job.output(&node));
    let error =
        (!job.asked.standard_error.is_empty()).then(|| PathBuf::from(job.expand(&job.asked.standard_error, &node)));
    let child = process::start(&Program {
        script: &script,
        text: &job.asked.script,
        directory: Path::new(&job.asked.directory),
        environment: &environment(inner, job, &conf),
        output: &output,
        error: error.as_deref().filter(|error| *error != output),
    })?;
    let tree = Tree::new(child.id().unwrap_or_default(), &conf);
    Ok((child, tree))
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    std::fs::write(path, text)?; // The folder is private; the mode says so once more.
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

/// The submitted environment and Slurm's variables, nothing else; `PATH` begins with the folder of `scontrol`.
fn environment(inner: &Inner, job: &Job, conf: &Path) -> BTreeMap<String, String> {
    let asked = &job.asked;
    let node = inner.node_name(job);
    let given = job.allocation.as_ref();
    let gpus: Vec<String> = given
        .map(|given| given.gpus.iter().map(ToString::to_string).collect())
        .unwrap_or_default();
    let gpus = gpus.join(",");
    let id = job.id.to_string();
    let cores = asked.request.cores.to_string();
    let tasks = asked.tasks.to_string();
    let mut all = asked.environment.clone();
    let mut set = |name: &str, value: &str| drop(all.insert(name.into(), value.into()));
    for name in ["SLURM_JOB_ID", "SLURM_JOBID"] {
        set(name, &id);
    }
    for name in [
        "SLURM_JOB_NODELIST",
        "SLURM_NODELIST",
        "SLURMD_NODENAME",
        "SLURM_TOPOLOGY_ADDR",
    ] {
        set(name, &node);
    }
    for name in ["SLURM_JOB_NUM_NODES", "SLURM_NNODES"] {
        set(name, "1");
    }
    for name in ["SLURM_NODEID", "SLURM_PROCID", "SLURM_LOCALID", "SLURM_GTIDS"] {
        set(name, "0");
    }
    for name in ["SLURM_JOB_CPUS_PER_NODE", "SLURM_CPUS_ON_NODE"] {
        set(name, &cores);
    }
    if asked.tasks_given {
        set("SLURM_NTASKS", &tasks);
        set("SLURM_NPROCS", &tasks);
    }
    set("SLURM_TASKS_PER_NODE", &tasks);
    if let Some(cpus) = asked.cpus_per_task {
        set("SLURM_CPUS_PER_TASK", &cpus.to_string());
    }
    match asked.memory_per_cpu {
        Some(memory) => set("SLURM_MEM_PER_CPU", &memory.to_string()),
        None => set("SLURM_MEM_PER_NODE", &asked.request.memory.to_string()),
    }
    set("SLURM_JOB_NAME", &asked.name);
    set("SLURM_JOB_PARTITION", &asked.partition);
    set("SLURM_JOB_ACCOUNT", &asked.account);
    set(
        "SLURM_JOB_QOS",
        if asked.qos.is_empty() { "normal" } else { &asked.qos },
    );
    set("SLURM_JOB_USER", &asked.user);
    set("SLURM_JOB_UID", &asked.uid.to_string());
    set("SLURM_JOB_GID", &asked.uid.to_string());
    set("SLURM_CLUSTER_NAME", &inner.config.name);
    set("SLURM_SUBMIT_DIR", &asked.directory);
    set("SLURM_SUBMIT_HOST", "localhost");
    set("SLURM_CONF", &conf.display().to_string());
    let begin = job.started.unwrap_or_else(clock::now);
    set("SLURM_JOB_START_TIME", &begin.to_string());
    if let Some(limit) = job.limit(inner.config.minute_seconds) {
        set("SLURM_JOB_END_TIME", &(begin + limit.as_secs()).to_string());
    }
    if !gpus.is_empty() {
        set("SLURM_JOB_GPUS", &gpus);
        set("SLURM_GPUS_ON_NODE", &asked.request.gpu_count().to_string());
        set("CUDA_VISIBLE_DEVICES", &gpus);
    }
    if job.restarts > 0 {
        set("SLURM_RESTART_COUNT", &job.restarts.to_string());
    }
    let path = all.get("PATH").map_or("/usr/local/bin:/usr/bin:/bin", String::as_str);
    let path = format!("{}:{path}", inner.programs().display());
    all.insert("PATH".into(), path);
    all
}
