//! What a person may do to jobs, with Slurm's refusals.

use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;

use super::Inner;
use crate::config::ReservationConfig;
use crate::error::{ACCESS_DENIED, ALREADY_DONE, BAD_JOB_ID, BAD_USER, HELD, NOT_NOW, NOT_SUPPORTED, SlurmError};
use crate::job::{Job, JobState, Submission};
use crate::runner::Order;
use crate::submission::schema::Warning;
use crate::submission::{Fields, Refusal};

/// Which jobs a `DELETE /jobs/` means; what is absent matches everything.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    pub(crate) ids: Option<Vec<u32>>,
    pub(crate) name: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) account: Option<String>,
    pub(crate) partition: Option<String>,
    pub(crate) states: Option<Vec<JobState>>,
}

/// A job, and whether what was asked could be done to it.
pub(crate) type Outcome = (u32, Result<(), SlurmError>);

impl Filter {
    fn matches(&self, job: &Job) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_deref().is_none_or(|wanted| wanted == value);
        self.ids.as_ref().is_none_or(|ids| ids.contains(&job.id))
            && is(&self.name, &job.asked.name)
            && is(&self.user, &job.asked.user)
            && is(&self.account, &job.asked.account)
            && is(&self.partition, &job.asked.partition)
            && self.states.as_ref().is_none_or(|states| states.contains(&job.state))
    }
}

impl Inner {
    /// Whether this person may change this job: their own, or any for the Operator.
    fn may_change(&self, caller: &str, job: &Job) -> bool {
        job.asked.user == caller || self.config.is_operator(caller)
    }

    /// Whether this person may see this job.
    pub(crate) fn may_see(&self, caller: &str, owner: &str) -> bool {
        !self.config.private_data || owner == caller || self.config.is_operator(caller)
    }

    /// Whether this person may use a reservation, with any of their accounts.
    pub(crate) fn may_use(&self, caller: &str, reservation: &ReservationConfig) -> bool {
        let mut accounts = self.config.user(caller).into_iter().flat_map(|user| &user.accounts);
        self.config.is_operator(caller) || accounts.any(|account| reservation.takes(caller, &account.name))
    }

    /// Looks what can start, so many seconds after the cluster did.
    pub(super) async fn schedule_in(self: Arc<Self>, seconds: i64) {
        if let Ok(seconds) = u64::try_from(seconds) {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            self.kick();
        }
    }

    /// Takes a job, and starts it when there is room.
    pub(crate) fn submit(self: &Arc<Self>, caller: &str, fields: &Fields) -> Result<(u32, Vec<Warning>), Refusal> {
        let asked: Submission = fields.submission(&self.config, caller)?;
        let hold = asked.hold;
        let id = self.change(|state, now| {
            let id = state.jobs.last_key_value().map_or(1, |(last, _)| last + 1);
            state.jobs.insert(id, Job::new(id, asked, now));
            id
        });
        self.kick();
        let mut warnings = fields.warnings.clone();
        if hold {
            let long = format!("Job submission resulted in non-zero return code: {}", HELD.text);
            warnings.extend([long, HELD.text.into_owned()].map(|description| Warning {
                description,
                source: "slurm_submit_batch_job()".into(),
            }));
        }
        Ok((id, warnings))
    }

    /// Cancels a job, or sends it a signal.
    pub(crate) fn cancel(self: &Arc<Self>, caller: &str, id: u32, signal: Option<Signal>) -> Result<(), SlurmError> {
        let signal = signal.filter(|signal| *signal != Signal::KILL);
        let state = self.change(|state, now| {
            let recent = state
                .recent(&self.config, id, now)
                .map(|job| self.may_see(caller, &job.asked.user));
            if recent != Some(true) {
                return Err(BAD_JOB_ID);
            }
            let job = state.jobs.get_mut(&id).ok_or(BAD_JOB_ID)?;
            if !self.may_change(caller, job) {
                return Err(ACCESS_DENIED);
            }
            match (job.state, signal) {
                (JobState::Pending, Some(_)) => Err(NOT_NOW),
                (JobState::Pending, None) => {
                    (job.started, job.ended) = (Some(now), Some(now));
                    job.state = JobState::Cancelled;
                    job.reason = "None".into();
                    job.cancelled_by = caller.into();
                    Ok(JobState::Pending)
                }
                (JobState::Running, _) => Ok(JobState::Running),
                _ => Err(ALREADY_DONE),
            }
        })?;
        match (state, signal) {
            (JobState::Running, Some(signal)) => self.order(id, Order::Signal(signal)),
            (JobState::Running, None) => {
                self.end(id, JobState::Cancelled, caller);
                self.order(id, Order::End);
            }
            _ => self.kick(),
        }
        Ok(())
    }

    /// Cancels the jobs that match and still run or wait. Answers what became of each.
    pub(crate) fn cancel_matching(self: &Arc<Self>, caller: &str, filter: &Filter) -> Vec<Outcome> {
        let matching = self.alive(caller, filter);
        // Named jobs that are not there are listed too; those that do not match are left alone.
        let there = |id: &u32| self.with(|state| state.jobs.contains_key(id));
        let named = filter.ids.iter().flatten().copied().filter(|id| !there(id));
        let all = matching.into_iter().chain(named);
        all.map(|id| (id, self.cancel(caller, id, None))).collect()
    }

    /// Signals the steps of the jobs that match. There are none here, so nothing happens but the answer.
    pub(crate) fn signal_steps(&self, caller: &str, filter: &Filter) -> Vec<Outcome> {
        let outcome = |id| {
            let outcome = self.with(|state| match state.jobs.get(&id) {
                Some(job) if !self.may_change(caller, job) => Err(ACCESS_DENIED),
                Some(job) if job.state == JobState::Pending => Err(NOT_NOW),
                _ => Ok(()),
            });
            (id, outcome)
        };
        self.alive(caller, filter).into_iter().map(outcome).collect()
    }

    fn alive(&self, caller: &str, filter: &Filter) -> Vec<u32> {
        self.with(|state| {
            let alive = state
                .jobs
                .values()
                .filter(|job| matches!(job.state, JobState::Pending | JobState::Running));
            let seen = alive.filter(|job| self.may_see(caller, &job.asked.user) && filter.matches(job));
            seen.map(|job| job.id).collect()
        })
    }

    /// Changes a job: comment, name, hold, time limit (lower, unless by the Operator).
    pub(crate) fn update(self: &Arc<Self>, caller: &str, id: u32, fields: &Fields) -> Result<(), SlurmError> {
        const KNOWN: &[&str] = &["comment", "extra", "hold", "job_id", "name", "requeue", "time_limit"];
        let is_operator = self.config.is_operator(caller);
        self.change(|state, now| {
            state.recent(&self.config, id, now).ok_or(BAD_JOB_ID)?;
            let job = state.jobs.get_mut(&id).ok_or(BAD_JOB_ID)?;
            if !self.may_change(caller, job) {
                return Err(BAD_USER);
            }
            if fields.names().any(|name| !KNOWN.contains(&name)) {
                return Err(NOT_SUPPORTED);
            }
            if let Some(minutes) = fields.minutes() {
                if !matches!(job.state, JobState::Pending | JobState::Running) {
                    return Err(ALREADY_DONE);
                }
                if minutes > job.asked.time_limit && !is_operator {
                    return Err(ACCESS_DENIED);
                }
                job.asked.time_limit = minutes;
            }
            for (name, field) in [
                ("comment", &mut job.asked.comment),
                ("extra", &mut job.asked.extra),
                ("name", &mut job.asked.name),
            ] {
                if let Some(text) = fields.text(name) {
                    text.clone_into(field);
                }
            }
            job.asked.hold = fields.flag("hold").unwrap_or(job.asked.hold);
            job.asked.requeue = fields.flag("requeue").unwrap_or(job.asked.requeue);
            Ok(())
        })?;
        self.order(id, Order::NewLimit);
        self.kick();
        Ok(())
    }

    /// A job's own `scontrol update`: the comment of a job of the same person.
    pub(crate) fn comment(&self, by: u32, id: u32, comment: &str) -> Result<(), SlurmError> {
        self.change(|state, _| {
            let caller = state.jobs.get(&by).map(|job| job.asked.user.clone()).ok_or(BAD_USER)?;
            let job = state.jobs.get_mut(&id).ok_or(BAD_JOB_ID)?;
            if job.asked.user != caller {
                return Err(BAD_USER);
            }
            comment.clone_into(&mut job.asked.comment);
            Ok(())
        })
    }
}
