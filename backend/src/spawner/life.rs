//! The life of a server as one pure function of what is known of it.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use shared::api::ErrorView;
use shared::reason::{Reason, Refusal};
use shared::server::{EndCause, EndView, Phase, StateView};

use super::batch::exit;
use crate::look::Language;
use crate::slurm::{HELD_BY_USER, Job, JobState, NO_OUTPUT};

/// How the request to Slurm went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submission {
    /// Sent, no answer yet; or the answer was lost and the job is being looked for.
    Sending,
    /// Slurm made a job.
    Accepted(u64),
    /// There is no job.
    Failed(EndCause),
}

/// What a person wants of their server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Wish {
    /// What was agreed on.
    #[default]
    None,
    /// To wait in the queue for as long as it takes.
    KeepWaiting,
    /// Another one like it, when its time is over.
    Next,
    /// Its end.
    Stop,
}

/// Everything known of one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// How the request to Slurm went.
    pub submission: Submission,
    /// When the person pressed Start.
    pub asked_at: i64,
    /// The id of the request that asked for it.
    pub request: Option<String>,
    /// When the reservation begins that the job waits for: until then it does not wait too long.
    pub begins_at: Option<i64>,
    /// The language of the page that it was started from, if it was.
    pub language: Option<Language>,
    /// The job as Slurm last told it.
    pub job: Option<Job>,
    /// The job was submitted held, and has been released since.
    pub released: bool,
    /// Slurm's last reason for the wait: the job's own `reason` changes when it is cancelled.
    pub held_by: Option<String>,
    /// Jupyter has answered.
    pub ready: bool,
    /// What the person has asked for since.
    pub wish: Wish,
    /// Why the next one, which was wanted, did not start.
    pub next_failed: Option<ErrorView>,
    /// It waited too long, and its cancelling was sent.
    pub gave_up: bool,
    /// When Slurm told the job as it is here.
    pub told_at: Option<i64>,
    /// Slurm has not answered since then.
    pub silent_since: Option<i64>,
    /// When it was heard of again, after Slurm or Slipway was away.
    pub heard_again_at: Option<i64>,
}

/// Nothing is given up within so many seconds after Slurm or Slipway was away.
const SPARED_SECONDS: i64 = 60;

/// What a site decides about a server's life.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How long a start may wait in the queue.
    pub start_timeout: Duration,
}

impl Known {
    /// At the moment of pressing Start.
    pub fn asked(now: i64) -> Self {
        Self {
            submission: Submission::Sending,
            asked_at: now,
            request: None,
            begins_at: None,
            language: None,
            job: None,
            released: false,
            held_by: None,
            ready: false,
            wish: Wish::None,
            next_failed: None,
            gave_up: false,
            told_at: None,
            silent_since: None,
            heard_again_at: None,
        }
    }

    /// Slurm answers; whether that is news.
    pub fn hear(&mut self, now: i64) -> bool {
        let was_silent = self.silent_since.take().is_some();
        if was_silent {
            self.heard_again_at = Some(now);
        }
        was_silent
    }

    /// Takes in what Slurm says of the job at this time.
    pub fn learn(&mut self, job: Job, now: i64) {
        // Slipway's own hold is no reason for anybody to read.
        let is_reason = job.reason != "None" && !job.reason.is_empty() && !self.awaits_release(&job);
        if job.state == JobState::Pending && is_reason {
            self.held_by = Some(job.reason.clone());
        }
        match job.state {
            // Back in the queue, by an administrator's requeue: what answered is gone.
            JobState::Pending => self.ready = false,
            // It started while its wait was being given up: Slurm cancels only what still waits.
            JobState::Running | JobState::Suspended => self.gave_up = false,
            JobState::Ended(_) => {}
        }
        if self.was_requeued(&job) {
            self.ready = false;
        }
        self.job = Some(job);
        self.told_at = Some(now);
        self.hear(now);
    }

    /// The job is held as it was submitted. A hold after its release is its owner's, and stays.
    pub fn awaits_release(&self, job: &Job) -> bool {
        !self.released && job.state == JobState::Pending && job.reason == HELD_BY_USER
    }

    /// The job has been started anew since Slurm last told of it.
    pub fn was_requeued(&self, job: &Job) -> bool {
        self.job.as_ref().is_some_and(|before| before.restarts != job.restarts)
    }

    /// Where the server is in its life.
    pub fn phase(&self) -> Phase {
        match (&self.submission, &self.job) {
            (Submission::Failed(_), _)
            | (
                _,
                Some(Job {
                    state: JobState::Ended(_),
                    ..
                }),
            ) => Phase::Ended,
            _ if self.wish == Wish::Stop => Phase::Stopping,
            (Submission::Sending, _) => Phase::Submitting,
            (
                _,
                None
                | Some(Job {
                    state: JobState::Pending,
                    ..
                }),
            ) => Phase::Queued,
            _ if self.ready => Phase::Ready,
            _ => Phase::Starting,
        }
    }

    /// When the wait in the queue is given up.
    pub fn give_up_at(&self, policy: Policy) -> Option<i64> {
        let seconds = i64::try_from(policy.start_timeout.as_secs()).unwrap_or(i64::MAX);
        // What ran before and was put back into the queue is nobody's start that waits too long.
        let is_start = self.job.as_ref().is_none_or(|job| job.restarts == 0);
        let waits = self.phase() == Phase::Queued && is_start && self.wish != Wish::KeepWaiting;
        let since = self.begins_at.map_or(self.asked_at, |begins| begins.max(self.asked_at));
        // Slurm could start nothing while it was away, and nobody could say that they would rather wait.
        let heard = self
            .heard_again_at
            .map(|at| at.saturating_add(seconds.min(SPARED_SECONDS)));
        waits.then(|| since.saturating_add(seconds).max(heard.unwrap_or(i64::MIN)))
    }

    /// How it ended, if it has.
    pub(super) fn end(&self) -> Option<EndView> {
        let cause = match (&self.submission, &self.job) {
            (Submission::Failed(cause), _) => cause.clone(),
            (
                _,
                Some(
                    job @ Job {
                        state: JobState::Ended(word),
                        ..
                    },
                ),
            ) => self.cause(word, job.exit_code),
            _ => return None,
        };
        // A job that never was on a node has written nothing.
        let ran = self.job.as_ref().filter(|job| job.node.is_some());
        let log = ran.map(|job| job.output.clone()).filter(|path| !path.is_empty());
        let by = self.job.as_ref().and_then(|job| job.cancelled_by.clone());
        let why = match &cause {
            EndCause::GaveUp { reason } => Some(Reason::from_slurm(reason.as_deref().unwrap_or_default()).into()),
            EndCause::Refused { message, code } => Some(Refusal::from_code(*code).saying(message).into()),
            _ => None,
        };
        Some(EndView {
            why,
            cancelled_by: by.filter(|_| cause == EndCause::Cancelled && self.wish != Wish::Stop),
            cause,
            was_ready: self.ready,
            log,
        })
    }

    fn cause(&self, word: &str, exit_code: Option<i64>) -> EndCause {
        match word {
            "COMPLETED" => EndCause::Finished,
            "CANCELLED" if self.gave_up => EndCause::GaveUp {
                reason: self.held_by.clone(),
            },
            "CANCELLED" => EndCause::Cancelled,
            "TIMEOUT" | "DEADLINE" => EndCause::TimeLimit,
            "OUT_OF_MEMORY" => EndCause::OutOfMemory,
            "NODE_FAIL" | "BOOT_FAIL" | "LAUNCH_FAILED" => EndCause::NodeFailed,
            "PREEMPTED" => EndCause::Preempted,
            "FAILED" if self.job.as_ref().is_some_and(|job| job.signal == Some(NO_OUTPUT)) => EndCause::HomeMissing,
            // slurmd could not start it; the exit code is slurmctld's invention.
            "FAILED" if self.job.as_ref().is_some_and(|job| job.reason == "JobLaunchFailure") => EndCause::NodeFailed,
            "FAILED" => match exit_code {
                Some(exit::SETUP_FAILED) => EndCause::SetupFailed,
                Some(exit::JUPYTER_MISSING) => EndCause::JupyterMissing,
                Some(exit::NO_PORT) => EndCause::NoPort,
                Some(exit::PORT_NOT_TOLD) => EndCause::PortNotTold,
                Some(exit::NO_FOLDER) => EndCause::NoFolder,
                Some(exit::MODULE_MISSING) => EndCause::ModuleMissing,
                Some(exit::HOME_MISSING) => EndCause::HomeMissing,
                Some(exit::HOME_FULL) => EndCause::HomeFull,
                Some(exit::SOCKET_PATH_TOO_LONG) => EndCause::SocketPathTooLong,
                Some(exit_code) => EndCause::JupyterFailed { exit_code },
                None => EndCause::Other {
                    slurm_state: word.to_owned(),
                },
            },
            _ => EndCause::Other {
                slurm_state: word.to_owned(),
            },
        }
    }
}

/// What the API shows of a server.
pub fn derive(known: &Known, policy: Policy, now: i64) -> StateView {
    let job = known.job.as_ref();
    let phase = known.phase();
    let waiting = phase == Phase::Queued;
    let running = job.is_some_and(|job| job.state.is_on_node());
    StateView {
        phase,
        now,
        job_id: match known.submission {
            Submission::Accepted(id) => Some(id),
            _ => None,
        },
        node: job.and_then(|job| job.node.clone()),
        reason: if waiting { known.held_by.clone() } else { None },
        why: waiting.then(|| Reason::from_slurm(known.held_by.as_deref().unwrap_or_default()).into()),
        told_at: known.told_at.filter(|_| waiting),
        suspended: job.is_some_and(|job| job.state == JobState::Suspended),
        submitted_at: Some(job.map_or(known.asked_at, |job| job.submitted_at)),
        expected_start_at: job
            .and_then(|job| job.started_at)
            .filter(|start| waiting && *start > now),
        begins_at: known.begins_at.filter(|at| waiting && *at > now),
        give_up_at: known.give_up_at(policy),
        started_at: job.and_then(|job| job.started_at).filter(|_| !waiting),
        ends_at: job
            .and_then(|job| job.ends_at)
            .filter(|_| running || phase == Phase::Ended),
        end: known.end(),
        next: known.wish == Wish::Next && phase.is_live(),
        next_failed: known.next_failed.clone(),
        slurm_silent_since: known.silent_since,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Policy = Policy {
        start_timeout: Duration::from_mins(5),
    };

    fn job(words: &[&str]) -> Job {
        Job {
            id: 7,
            name: "slipway".into(),
            user: "ada".into(),
            uid: Some(2001),
            state: JobState::from_slurm(words),
            reason: "None".into(),
            submitted_at: 1_000,
            started_at: None,
            ends_at: None,
            node: None,
            exit_code: None,
            signal: None,
            comment: String::new(),
            restarts: 0,
            partition: String::new(),
            cancelled_by: None,
            submit_line: String::new(),
            output: "/home/ada/.slipway-7.log".into(),
        }
    }

    fn accepted() -> Known {
        Known {
            submission: Submission::Accepted(7),
            ..Known::asked(1_000)
        }
    }

    fn with(words: &[&str], change: impl FnOnce(&mut Known, &mut Job)) -> StateView {
        let (mut known, mut job) = (accepted(), job(words));
        change(&mut known, &mut job);
        known.learn(job, 1_010);
        derive(&known, POLICY, 1_010)
    }

    #[test]
    fn each_row_of_a_servers_life_is_derived() {
        assert_eq!(derive(&Known::asked(1_000), POLICY, 1_001).phase, Phase::Submitting);
        assert_eq!(derive(&accepted(), POLICY, 1_001).phase, Phase::Queued);
        assert_eq!(with(&["PENDING"], |_, _| {}).phase, Phase::Queued);
        assert_eq!(with(&["RUNNING", "CONFIGURING"], |_, _| {}).phase, Phase::Starting);
        assert_eq!(with(&["RUNNING"], |known, _| known.ready = true).phase, Phase::Ready);
        assert_eq!(
            with(&["RUNNING"], |known, _| known.wish = Wish::Stop).phase,
            Phase::Stopping
        );
        assert_eq!(with(&["CANCELLED", "COMPLETING"], |_, _| {}).phase, Phase::Ended);
        let failed = Known {
            submission: Submission::Failed(EndCause::Unreachable),
            ..Known::asked(1_000)
        };
        assert_eq!(derive(&failed, POLICY, 1_001).end.unwrap().cause, EndCause::Unreachable);
    }

    #[test]
    fn while_it_waits_the_reason_the_expected_start_and_the_time_left_are_shown() {
        let state = with(&["PENDING"], |_, job| {
            job.reason = "Resources".into();
            job.started_at = Some(2_000);
        });
        assert_eq!(
            (state.reason.as_deref(), state.expected_start_at),
            (Some("Resources"), Some(2_000))
        );
        assert_eq!((state.give_up_at, state.started_at), (Some(1_300), None));
    }

    #[test]
    fn slipways_own_hold_is_no_reason_to_show_and_a_hold_after_the_release_is() {
        let held = |released| {
            with(&["PENDING"], |known, job| {
                known.released = released;
                job.reason = HELD_BY_USER.into();
            })
        };
        assert_eq!(held(false).reason, None);
        assert_eq!(held(true).reason.as_deref(), Some(HELD_BY_USER));
        let (known, mut waiting) = (accepted(), job(&["PENDING"]));
        waiting.reason = HELD_BY_USER.into();
        assert!(known.awaits_release(&waiting));
        let released = Known {
            released: true,
            ..known.clone()
        };
        assert!(!released.awaits_release(&waiting), "its owner holds it");
        waiting.reason = "Resources".into();
        assert!(!known.awaits_release(&waiting));
    }

    #[test]
    fn once_it_runs_nothing_is_given_up_any_more() {
        let state = with(&["RUNNING"], |_, job| job.started_at = Some(1_005));
        assert_eq!((state.give_up_at, state.started_at), (None, Some(1_005)));
    }

    #[test]
    fn every_end_has_its_cause() {
        let other = |word: &str| EndCause::Other {
            slurm_state: word.into(),
        };
        for (words, exit_code, cause) in [
            (&["COMPLETED"][..], None, EndCause::Finished),
            (&["CANCELLED"], None, EndCause::Cancelled),
            (&["TIMEOUT", "COMPLETING"], None, EndCause::TimeLimit),
            (&["DEADLINE"], None, EndCause::TimeLimit),
            (&["OUT_OF_MEMORY"], None, EndCause::OutOfMemory),
            (&["NODE_FAIL"], None, EndCause::NodeFailed),
            (&["BOOT_FAIL"], None, EndCause::NodeFailed),
            (&["PREEMPTED"], None, EndCause::Preempted),
            (&["FAILED"], Some(81), EndCause::SetupFailed),
            (&["FAILED"], Some(82), EndCause::JupyterMissing),
            (&["FAILED"], Some(83), EndCause::NoPort),
            (&["FAILED"], Some(84), EndCause::PortNotTold),
            (&["FAILED"], Some(85), EndCause::NoFolder),
            (&["FAILED"], Some(89), EndCause::SocketPathTooLong),
            (&["FAILED"], Some(86), EndCause::ModuleMissing),
            (&["FAILED"], Some(87), EndCause::HomeMissing),
            (&["FAILED"], Some(88), EndCause::HomeFull),
            (&["FAILED"], Some(1), EndCause::JupyterFailed { exit_code: 1 }),
            (&["FAILED"], None, other("FAILED")),
            (&["REVOKED"], None, other("REVOKED")),
        ] {
            let state = with(words, |_, job| {
                job.exit_code = exit_code;
                job.node = Some("n1".into());
            });
            let end = state.end.unwrap();
            assert_eq!(
                (end.cause, end.log.as_deref()),
                (cause, Some("/home/ada/.slipway-7.log")),
                "{words:?}"
            );
        }
    }

    #[test]
    fn a_job_that_its_node_could_not_start_is_no_failure_of_jupyter() {
        let launch = with(&["FAILED"], |_, job| {
            job.exit_code = Some(1);
            job.reason = "JobLaunchFailure".into();
        });
        assert_eq!(launch.end.unwrap().cause, EndCause::NodeFailed);
    }

    #[test]
    fn a_job_whose_output_could_not_be_opened_had_no_home_and_one_that_never_ran_has_no_output() {
        let end = with(&["FAILED"], |_, job| job.signal = Some(NO_OUTPUT)).end.unwrap();
        assert_eq!((end.cause, end.log), (EndCause::HomeMissing, None));
    }

    #[test]
    fn a_start_that_was_given_up_names_what_really_held_it() {
        let mut known = accepted();
        let waiting = Job {
            reason: "QOSMaxJobsPerUserLimit".into(),
            ..job(&["PENDING"])
        };
        known.learn(waiting, 1_010);
        known.gave_up = true;
        known.learn(job(&["CANCELLED"]), 1_305);
        let cause = derive(&known, POLICY, 1_310).end.unwrap().cause;
        assert_eq!(
            cause,
            EndCause::GaveUp {
                reason: Some("QOSMaxJobsPerUserLimit".into())
            }
        );
    }

    #[test]
    fn a_job_that_started_at_the_last_moment_was_not_given_up() {
        let mut known = Known {
            gave_up: true,
            ..accepted()
        };
        known.learn(job(&["RUNNING"]), 1_010);
        known.learn(job(&["CANCELLED"]), 1_010);
        assert_eq!(derive(&known, POLICY, 1_400).end.unwrap().cause, EndCause::Cancelled);
    }

    #[test]
    fn a_job_that_goes_back_to_the_queue_is_no_longer_ready() {
        let mut known = accepted();
        known.ready = true;
        known.learn(job(&["PENDING", "REQUEUED"]), 1_010);
        assert_eq!(known.phase(), Phase::Queued);
    }

    #[test]
    fn a_job_that_was_put_back_is_not_given_up_for_the_time_it_ran() {
        let put_back = with(&["PENDING"], |_, job| job.restarts = 1);
        assert_eq!((put_back.phase, put_back.give_up_at), (Phase::Queued, None));
    }

    #[test]
    fn a_job_that_was_started_anew_is_not_ready_even_if_nobody_saw_it_in_the_queue() {
        let mut known = accepted();
        known.learn(job(&["RUNNING"]), 1_010);
        known.ready = true;
        known.learn(job(&["RUNNING"]), 1_020);
        assert_eq!(known.phase(), Phase::Ready);
        let anew = Job {
            restarts: 1,
            ..job(&["RUNNING"])
        };
        known.learn(anew, 1_030);
        assert_eq!(known.phase(), Phase::Starting);
    }

    #[test]
    fn whoever_keeps_waiting_is_not_given_up() {
        let state = with(&["PENDING"], |known, _| known.wish = Wish::KeepWaiting);
        assert_eq!(
            (state.phase, state.give_up_at, state.told_at),
            (Phase::Queued, None, Some(1_010))
        );
    }

    #[test]
    fn a_suspended_job_keeps_its_phase_and_says_so() {
        let state = with(&["SUSPENDED"], |known, _| known.ready = true);
        assert_eq!((state.phase, state.suspended), (Phase::Ready, true));
        assert_eq!(with(&["RUNNING", "STOPPED"], |_, _| {}).phase, Phase::Starting);
    }

    #[test]
    fn silence_of_slurm_changes_nothing_but_is_shown_with_its_age() {
        let mut known = accepted();
        known.learn(job(&["RUNNING"]), 1_010);
        known.ready = true;
        known.silent_since = Some(1_005);
        let state = derive(&known, POLICY, 1_010);
        assert_eq!((state.phase, state.slurm_silent_since), (Phase::Ready, Some(1_005)));
    }

    #[test]
    fn nothing_is_given_up_at_the_end_of_a_silence_in_which_it_could_not_start() {
        let mut known = accepted();
        known.learn(job(&["PENDING"]), 1_010);
        let due = known.give_up_at(POLICY).unwrap();
        known.silent_since = Some(1_020);
        assert!(known.hear(due - 1) && !known.hear(due));
        let spared = known.give_up_at(POLICY).unwrap();
        assert!((due + 20..=due + 59).contains(&spared), "{due}, {spared}");
        known.silent_since = Some(1_020);
        known.learn(job(&["PENDING"]), due + 100);
        assert!(known.give_up_at(POLICY) > Some(due + 100), "learned of by its job");
    }
}
