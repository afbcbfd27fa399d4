//! What is done for a person, with a token of theirs.
//!
//! A name that Slurm reads as a uid ([`UserName::is_numeric`](shared::names::UserName::is_numeric)) makes it act for
//! whoever has that uid. Every method that shows, changes or cancels a job therefore compares the job's `user_name`
//! first, for all names: a job of somebody else is [`SlurmError::NotFound`], like an unknown one.

use reqwest::Method;

use super::super::outage::Area;
use super::super::token::Purpose;
use super::super::wire::{Answer, CancelPending, Submit, Touch};
use super::super::{Association, Job, JobDescription, Reservation, SlurmError};
use super::{AsPerson, Caller};

impl<'a> AsPerson<'a> {
    fn to(self, purpose: Purpose) -> Caller<'a> {
        Caller::Person(self.user, purpose)
    }

    async fn get(self, purpose: Purpose, area: Area, path: &str) -> Result<Answer, SlurmError> {
        self.client
            .ask(self.to(purpose), Method::GET, area, path, None::<&()>)
            .await
    }

    /// A job, if it is the person's.
    fn owned(self, job: Job) -> Result<Job, SlurmError> {
        if job.user == self.user.as_str() {
            Ok(job)
        } else {
            Err(SlurmError::NotFound)
        }
    }

    fn all_owned(self, mut jobs: Vec<Job>) -> Vec<Job> {
        jobs.retain(|job| job.user == self.user.as_str());
        jobs
    }

    async fn update(self, id: u64, fields: &serde_json::Value) -> Result<(), SlurmError> {
        self.client
            .ask(
                self.to(Purpose::UpdateJob),
                Method::POST,
                Area::Controller,
                &format!("job/{id}"),
                Some(fields),
            )
            .await
            .map(drop)
    }

    /// One of the person's jobs; whatever the service user may see, they see their own.
    pub async fn job(self, id: u64) -> Result<Job, SlurmError> {
        self.submitted_job(id).await.and_then(|job| self.owned(job))
    }

    /// A job that was submitted with a token for this person, whoever Slurm took for its owner: the caller compares
    /// the owner, and knows the job by what was submitted.
    pub async fn submitted_job(self, id: u64) -> Result<Job, SlurmError> {
        self.get(Purpose::ReadJob, Area::Controller, &format!("job/{id}"))
            .await?
            .job()
    }

    /// The numbers of the person's jobs of this name that are not over, from slurmctld alone. No question of
    /// the API selects jobs by owner, but signals do, and say to which jobs they were sent: so this sends one
    /// that every program ignores, to job steps only. Where Slurm takes the name for somebody else's uid, the numbers
    /// are of that person's jobs, in which nothing has happened: [`AsPerson::job`] tells them apart.
    pub async fn ids_of(self, job_name: &str) -> Result<Vec<u64>, SlurmError> {
        let body = Touch {
            job_name,
            user_name: self.user.as_str(),
            signal: "URG",
            flags: ["VERBOSE"],
        };
        self.client
            .ask(
                self.to(Purpose::FindJobs),
                Method::DELETE,
                Area::Controller,
                "jobs/",
                Some(&body),
            )
            .await
            .map(Answer::touched)
    }

    /// Submits a job. [`SlurmError::Unreachable`] with `sent` leaves open whether there is one.
    pub async fn submit(self, job: &JobDescription) -> Result<u64, SlurmError> {
        self.send_job(&Submit::new(job)).await
    }

    /// The same, but the job does not begin before it is released ([`AsPerson::release`]).
    pub async fn submit_held(self, job: &JobDescription) -> Result<u64, SlurmError> {
        self.send_job(&Submit::held(job)).await
    }

    async fn send_job(self, body: &Submit<'_>) -> Result<u64, SlurmError> {
        self.client
            .ask(
                self.to(Purpose::SubmitJob),
                Method::POST,
                Area::Controller,
                "job/submit",
                Some(body),
            )
            .await?
            .submitted()
    }

    /// Lets a job of the person's begin that was submitted held, as Slurm has just told it. Released twice is released
    /// once (`_update_job` in `src/slurmctld/job_mgr.c`).
    pub async fn release(self, job: &Job) -> Result<(), SlurmError> {
        let job = self.owned(job.clone())?;
        self.update(job.id, &serde_json::json!({ "hold": false })).await
    }

    /// Cancels one of the person's jobs, whatever its state; one that is over already is no error.
    pub async fn cancel(self, id: u64) -> Result<(), SlurmError> {
        let job = self.job(id).await?;
        self.cancel_submitted(job.id).await
    }

    /// Cancels a job that was submitted with a token for this person, whoever Slurm took for its owner: Slurm takes this
    /// token for the same. The caller has compared the job with what was submitted. One that is over or gone is no
    /// error.
    pub async fn cancel_submitted(self, id: u64) -> Result<(), SlurmError> {
        match self
            .client
            .ask(
                self.to(Purpose::CancelJob),
                Method::DELETE,
                Area::Controller,
                &format!("job/{id}"),
                None::<&()>,
            )
            .await
        {
            Ok(answer) => answer.cancelled(),
            Err(SlurmError::NotFound) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Cancels this job of the person's, of this name, if it still is pending, and not if it has just started.
    pub async fn cancel_pending(self, id: u64, job_name: &str) -> Result<(), SlurmError> {
        let id = self.job(id).await?.id;
        let body = CancelPending {
            jobs: [id.to_string()],
            job_name,
            job_state: "PENDING",
            user_name: self.user.as_str(),
        };
        self.client
            .ask(
                self.to(Purpose::CancelJob),
                Method::DELETE,
                Area::Controller,
                "jobs/",
                Some(&body),
            )
            .await?
            .cancelled()
    }

    /// The compute accounts the person may charge.
    pub async fn associations(self) -> Result<Vec<Association>, SlurmError> {
        let path = format!("associations?user={}", self.user);
        self.get(Purpose::ReadAccounts, Area::Database, &path)
            .await
            .map(|answer| answer.associations(self.user))
    }

    /// The reservations that Slurm shows to the person.
    pub async fn reservations(self) -> Result<Vec<Reservation>, SlurmError> {
        self.get(Purpose::ReadReservations, Area::Controller, "reservations")
            .await
            .map(Answer::reservations)
    }

    /// The person's jobs that are waiting or running, as the accounting database knows them: some seconds
    /// late, and without the comment.
    pub async fn live_jobs(self) -> Result<Vec<Job>, SlurmError> {
        let path = format!("jobs/?users={}&state=PENDING&state=RUNNING", self.user);
        self.get(Purpose::ReadJob, Area::Database, &path)
            .await
            .map(|answer| self.all_owned(answer.jobs()))
    }

    /// The person's jobs of this name since then, as the accounting database knows them: without the comment.
    pub async fn past_jobs(self, job_name: &str, since: i64) -> Result<Vec<Job>, SlurmError> {
        let path = format!("jobs/?users={}&job_name={job_name}&start_time={since}", self.user);
        self.get(Purpose::ReadJob, Area::Database, &path)
            .await
            .map(|answer| self.all_owned(answer.jobs()))
    }

    /// One of the person's jobs, as the accounting database knows it.
    pub async fn past_job(self, id: u64) -> Result<Job, SlurmError> {
        self.get(Purpose::ReadJob, Area::Database, &format!("job/{id}"))
            .await?
            .job()
            .and_then(|job| self.owned(job))
    }

    /// Changes the comment of one of the person's jobs.
    pub async fn set_comment(self, id: u64, comment: &str) -> Result<(), SlurmError> {
        let job = self.job(id).await?;
        self.update(job.id, &serde_json::json!({ "comment": comment })).await
    }
}
