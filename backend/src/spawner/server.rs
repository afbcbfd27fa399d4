//! One person's server.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use shared::names::UserName;
use shared::options::UserOptions;
use shared::server::Phase;
use tokio::sync::{Mutex as AsyncMutex, watch};

use super::comment::JobComment;
use super::{Known, Submission, Wish};
use crate::proxy::Target;
use crate::slurm::Job;

/// For so many seconds after somebody asked about it, a server counts as watched.
const WATCHED_SECONDS: i64 = 20;

/// However many requests find nothing behind a server, Slurm is asked about it once in so many seconds.
const MISSED_SECONDS: i64 = 3;

/// A person's server.
pub struct Server {
    /// Whose.
    pub user: UserName,
    /// What was asked for.
    pub options: UserOptions,
    pub(super) nonce: String,
    /// The id of the secret that its key is derived from.
    pub(super) key: String,
    pub(super) known: watch::Sender<Known>,
    target: RwLock<Option<Arc<Target>>>,
    /// Held while Slurm is asked for its job and the answer is taken in, so that an older answer never comes last.
    pub(super) looking: AsyncMutex<()>,
    /// Why there was no way to it, when it was last tried in vain.
    obstacle: Mutex<String>,
    /// What is known may be wrong: Slurm is asked for the job whatever its state.
    doubted: AtomicBool,
    /// When somebody last found nothing behind it.
    missed_at: AtomicI64,
    /// When somebody last asked about it.
    asked_at: AtomicI64,
    /// When Jupyter was last asked when it was used …
    activity_asked_at: AtomicI64,
    /// … and the last time that it said.
    active_at: AtomicI64,
    /// When its cancelling was last sent.
    pub(super) cancelled_at: AtomicI64,
}

impl Server {
    pub(super) fn new(user: UserName, options: UserOptions, nonce: String, key: String, known: Known) -> Self {
        Self {
            user,
            options,
            nonce,
            key,
            known: watch::Sender::new(known),
            target: RwLock::default(),
            looking: AsyncMutex::default(),
            obstacle: Mutex::default(),
            doubted: AtomicBool::new(false),
            missed_at: AtomicI64::new(0),
            asked_at: AtomicI64::new(0),
            activity_asked_at: AtomicI64::new(0),
            active_at: AtomicI64::new(0),
            cancelled_at: AtomicI64::new(0),
        }
    }

    /// A server from a job that Slurm told of at this time; nothing if the job is not one of Slipway's.
    pub(super) fn from_job(user: &UserName, job: Job, now: i64) -> Option<Self> {
        let comment = JobComment::read(&job.comment)?;
        let wish = if comment.is_newer() {
            Wish::KeepWaiting
        } else {
            Wish::None
        };
        let mut known = Known {
            submission: Submission::Accepted(job.id),
            wish,
            begins_at: comment.begins_at,
            language: comment.language,
            ..Known::asked(job.submitted_at)
        };
        known.learn(job, now);
        Some(Self::new(
            user.clone(),
            comment.options,
            comment.nonce,
            comment.key,
            known,
        ))
    }

    /// Whether a job with our number is this server's: numbers start again, and comments are the owner's to write.
    pub(super) fn is_mine(&self, job: &Job) -> bool {
        match JobComment::read(&job.comment) {
            Some(comment) => comment.nonce == self.nonce,
            None => job.user == self.user.as_str(),
        }
    }

    /// Why this server's job must not go on: Slurm runs it as somebody else. Two names of the cluster may have one
    /// number, and a name that is harmless here may have one of the system's.
    pub(super) fn wrong_owner(&self, job: &Job, min_uid: u32) -> Option<String> {
        if job.user != self.user.as_str() {
            return Some(format!(
                "Slurm runs job {} as {:?}, not as {}",
                job.id, job.user, self.user
            ));
        }
        let uid = job.uid.filter(|uid| *uid < min_uid)?;
        Some(format!(
            "job {} has the uid {uid}, which is below identity.min_uid ({min_uid})",
            job.id
        ))
    }

    /// Where it is in its life.
    pub fn phase(&self) -> Phase {
        self.known.borrow().phase()
    }

    /// There is a job, or may be one.
    pub fn is_live(&self) -> bool {
        self.phase().is_live()
    }

    /// Follows every change.
    pub fn watch(&self) -> watch::Receiver<Known> {
        self.known.subscribe()
    }

    /// Somebody asks about it; whether nobody has for a while.
    pub(super) fn asked(&self, now: i64) -> bool {
        now - self.asked_at.swap(now, Ordering::Relaxed) >= WATCHED_SECONDS
    }

    /// Somebody follows it, or asked about it a moment ago.
    pub(super) fn is_watched(&self, now: i64) -> bool {
        self.known.receiver_count() > 0 || self.is_looked_at(now)
    }

    /// Somebody asked about it a moment ago: not only works with it.
    pub(super) fn is_looked_at(&self, now: i64) -> bool {
        now - self.asked_at.load(Ordering::Relaxed) < WATCHED_SECONDS
    }

    /// The way to it, once Jupyter has answered and until the job is over.
    pub fn target(&self) -> Option<Arc<Target>> {
        let open = matches!(self.phase(), Phase::Ready | Phase::Stopping);
        if open { self.way() } else { None }
    }

    /// When its person last sent or got something through the proxy since this Slipway started, or Jupyter was
    /// last used as far as it has said; in seconds since 1970.
    pub fn used_at(&self) -> Option<i64> {
        let by_proxy = self.way().map_or(0, |way| way.used_at());
        let by_jupyter = self.active_at.load(Ordering::Relaxed);
        Some(by_proxy.max(by_jupyter)).filter(|at| *at > 0)
    }

    /// Whether Jupyter is to be asked when it was used, as it was not in the last so many seconds.
    pub(super) fn asks_activity(&self, now: i64, every: i64) -> bool {
        let asked = self.activity_asked_at.load(Ordering::Relaxed);
        // Of many at once, one asks.
        now - asked >= every
            && self
                .activity_asked_at
                .compare_exchange(asked, now, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }

    /// Jupyter says that it was used then.
    pub(super) fn was_active(&self, at: i64) {
        self.active_at.fetch_max(at, Ordering::Relaxed);
    }

    /// The way to it, even if Jupyter has not answered yet.
    pub(super) fn way(&self) -> Option<Arc<Target>> {
        self.target.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// There is no way to it; whether that is for another reason than the last time.
    pub(super) fn is_new_obstacle(&self, why: &str) -> bool {
        let mut obstacle = self.obstacle.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = *obstacle != why;
        if is_new {
            why.clone_into(&mut obstacle);
        }
        is_new
    }

    pub(super) fn set_target(&self, target: Option<Arc<Target>>) {
        *self.target.write().unwrap_or_else(PoisonError::into_inner) = target;
    }

    /// Slurm's number of its job, once it has one.
    pub fn job_id(&self) -> Option<u64> {
        match self.known.borrow().submission {
            Submission::Accepted(id) => Some(id),
            _ => None,
        }
    }

    /// Nothing answered behind it; whether that is worth a look, after the last one.
    pub(super) fn miss(&self, now: i64) -> bool {
        let since = now - self.missed_at.load(Ordering::Relaxed);
        let anew = !(0..MISSED_SECONDS).contains(&since);
        if anew {
            self.missed_at.store(now, Ordering::Relaxed);
            self.doubt();
        }
        anew
    }

    pub(super) fn doubt(&self) {
        self.doubted.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_doubted(&self) -> bool {
        self.doubted.load(Ordering::Relaxed)
    }

    pub(super) fn believe(&self) {
        self.doubted.store(false, Ordering::Relaxed);
    }
}
