//! What is sent.

use serde::Serialize;

use crate::slurm::JobDescription;

/// [`super::Number`] as it is sent.
#[derive(Serialize)]
struct Amount {
    set: bool,
    infinite: bool,
    number: u64,
}

impl Amount {
    fn of(number: u64) -> Self {
        Self {
            set: true,
            infinite: false,
            number,
        }
    }
}

/// The body of `job/submit`.
#[derive(Serialize)]
pub(in crate::slurm) struct Submit<'a> {
    job: SubmitJob<'a>,
}

#[derive(Serialize)]
struct SubmitJob<'a> {
    name: &'a str,
    account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    qos: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wckey: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reservation: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    constraints: Option<&'a str>,
    comment: &'a str,
    current_working_directory: &'a str,
    environment: Vec<String>,
    nodes: &'static str,
    tasks: u32,
    cpus_per_task: u32,
    memory_per_node: Amount,
    time_limit: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    tres_per_node: Option<&'a str>,
    standard_output: &'a str,
    requeue: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    hold: bool,
    dependency: &'static str,
    script: &'a str,
}

impl<'a> Submit<'a> {
    /// A job that begins as soon as it can.
    pub(in crate::slurm) fn new(job: &'a JobDescription) -> Self {
        Self::with(job, false)
    }

    /// A job that begins once it is released.
    pub(in crate::slurm) fn held(job: &'a JobDescription) -> Self {
        Self::with(job, true)
    }

    fn with(job: &'a JobDescription, hold: bool) -> Self {
        Self {
            job: SubmitJob {
                name: &job.name,
                account: job.account.as_str(),
                partition: job.partition.as_deref(),
                qos: job.qos.as_deref(),
                wckey: job.wckey.as_deref(),
                reservation: job.reservation.as_deref(),
                constraints: job.constraints.as_deref(),
                comment: &job.comment,
                current_working_directory: &job.directory,
                environment: job
                    .environment
                    .iter()
                    .map(|(name, value)| format!("{name}={value}"))
                    .collect(),
                nodes: "1",
                tasks: 1,
                cpus_per_task: job.cores,
                memory_per_node: Amount::of(job.memory),
                time_limit: Amount::of(job.time.into()),
                tres_per_node: job.tres_per_node.as_deref(),
                standard_output: &job.output,
                requeue: false,
                hold,
                // One job of this name for this person: what makes a second submission harmless.
                dependency: "singleton",
                script: job.script,
            },
        }
    }
}

/// The body of `DELETE jobs/`: one job, if it is that person's, of that name, and still pending.
#[derive(Serialize)]
pub(in crate::slurm) struct CancelPending<'a> {
    pub(in crate::slurm) jobs: [String; 1],
    pub(in crate::slurm) job_name: &'a str,
    pub(in crate::slurm) job_state: &'static str,
    pub(in crate::slurm) user_name: &'a str,
}

/// The body of `DELETE jobs/` with a signal that ends nothing.
#[derive(Serialize)]
pub(in crate::slurm) struct Touch<'a> {
    pub(in crate::slurm) job_name: &'a str,
    pub(in crate::slurm) user_name: &'a str,
    pub(in crate::slurm) signal: &'static str,
    /// Without `VERBOSE` only jobs that refused the signal are listed.
    pub(in crate::slurm) flags: [&'static str; 1],
}
