//! Workers that hash passwords, and the queue in front of them.
//!
//! Hashing takes 19 MiB and a core for tens of milliseconds. A client that sends many attempts, or sends them and hangs
//! up, must not delay the attempts of other clients: the queue is bounded, takes addresses in turn and skips attempts
//! whose client is gone ([`FairQueue`]). Hyper drops the future of a request when the connection closes, which drops the
//! [`Conversation`](super::Conversation) and closes the channel that [`Asker::is_abandoned`] looks at. A client can hide
//! that it is gone (bytes after the request keep hyper from reading the end of the connection); its attempts are then
//! hashed in its own turns only.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argon2::Block;
use shared::names::UserName;

use super::fair_queue::{Entry, FairQueue};
use super::{Asker, Denied, LoginAttempt};

/// At most this many workers: each takes 19 MiB and a core.
const MAX_WORKERS: usize = 2;
/// Attempts that wait: with 20 to 40 ms each, the last one has its answer within the patience of a request.
const MAX_WAITING: usize = 512;
/// Attempts of one address that wait: a class behind one router fits.
const MAX_PER_ADDRESS: usize = 256;
/// When a client may try again whose attempt did not fit into the queue, in seconds.
const RETRY_SECONDS: i64 = 5;

/// Room for this many blocks (KiB) is asked for, though a check touches fewer. What is larger than 32 MiB, glibc gives
/// back to the system at once; smaller pieces it keeps, for each thread that ever checked a password (`M_MMAP_THRESHOLD`
/// in `mallopt(3)`).
const ROOM: usize = 33 * 1024;

/// Leaves a core to everything else, on a machine with few.
fn max_workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores - 1).clamp(1, MAX_WORKERS)
}

/// Verifies one attempt; called on a worker, with memory to hash in.
type Verify = dyn Fn(&LoginAttempt, &mut Vec<Block>) -> Result<UserName, Denied> + Send + Sync;

struct Check {
    attempt: LoginAttempt,
    asker: Asker,
}

impl Entry for Check {
    fn is_abandoned(&self) -> bool {
        self.asker.is_abandoned()
    }
}

/// The queue and its workers.
pub(super) struct PasswordChecks {
    verify: Box<Verify>,
    state: Mutex<State>,
}

struct State {
    queue: FairQueue<Check>,
    workers: usize,
    max_workers: usize,
}

impl PasswordChecks {
    /// With what verifies an attempt.
    pub(super) fn new(
        verify: impl Fn(&LoginAttempt, &mut Vec<Block>) -> Result<UserName, Denied> + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            verify: Box::new(verify),
            state: Mutex::new(State {
                queue: FairQueue::new(MAX_WAITING, MAX_PER_ADDRESS),
                workers: 0,
                max_workers: max_workers(),
            }),
        })
    }

    /// Adds an attempt to the queue. The asker hears the result, or [`Denied::Busy`] where there is no room.
    pub(super) fn add(self: &Arc<Self>, attempt: LoginAttempt, asker: Asker) {
        let address = attempt.address;
        let mut state = self.lock();
        let refused = state.queue.push(address, Check { attempt, asker });
        let waiting = state.queue.len();
        tracing::debug!(%address, waiting, "password check queued");
        let starts_worker = state.workers < state.max_workers && waiting > 0;
        state.workers += usize::from(starts_worker);
        drop(state);
        if let Some(check) = refused {
            tracing::debug!(address = %check.attempt.address, "no room for a password check");
            check.asker.end(Err(Denied::Busy { seconds: RETRY_SECONDS }));
        }
        if starts_worker {
            self.start_worker();
        }
    }

    /// A worker lives while there are attempts: its memory is allocated once for all of them. Pages that come and go
    /// with each check would hold up every other thread.
    fn start_worker(self: &Arc<Self>) {
        let this = Arc::clone(self);
        let thread = std::thread::Builder::new().name("password".into());
        let Err(error) = thread.spawn(move || this.work()) else {
            return;
        };
        tracing::warn!(%error, "cannot start a thread for password checks");
        let mut state = self.lock();
        state.workers -= 1;
        // Other workers take what waits. Without any, the dropped askers answer that the source is unavailable.
        let dropped: Vec<_> = match state.workers {
            0 => std::iter::from_fn(|| state.queue.pop()).collect(),
            _ => Vec::new(),
        };
        drop(state);
        drop(dropped);
    }

    fn work(&self) {
        lower_priority();
        let mut blocks = Vec::with_capacity(ROOM);
        loop {
            let mut state = self.lock();
            let Some(check) = state.queue.pop() else {
                state.workers -= 1;
                return;
            };
            drop(state);
            let result = (self.verify)(&check.attempt, &mut blocks);
            tracing::debug!(address = %check.attempt.address, "password checked");
            check.asker.end(result);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves every attempt in the queue.
    #[cfg(test)]
    pub(super) fn stop(&self) {
        self.lock().max_workers = 0;
    }

    /// Starts workers again after [`Self::stop`].
    #[cfg(test)]
    pub(super) fn resume(self: &Arc<Self>) {
        let mut state = self.lock();
        (state.max_workers, state.workers) = (1, 1);
        drop(state);
        self.start_worker();
    }
}

/// A worker runs when other threads do not, so hashing delays no other request (`setpriority(2)`, which on Linux is for
/// one thread).
fn lower_priority() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19) {
        tracing::debug!(%error, "cannot lower the priority of password checks");
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::{Conversation, Step};
    use super::*;

    fn attempt(name: &str, address: impl Into<IpAddr>) -> LoginAttempt {
        LoginAttempt {
            user: UserName::new(name).unwrap(),
            password: "x".into(),
            address: address.into(),
        }
    }

    /// Counts what is verified; says yes to everybody.
    fn counting() -> (Arc<PasswordChecks>, Arc<AtomicUsize>) {
        let verified = Arc::<AtomicUsize>::default();
        let counter = Arc::clone(&verified);
        let checks = PasswordChecks::new(move |attempt, _| {
            counter.fetch_add(1, Ordering::SeqCst);
            Ok(attempt.user.clone())
        });
        (checks, verified)
    }

    fn add(checks: &Arc<PasswordChecks>, attempt: LoginAttempt) -> Conversation {
        let (conversation, asker) = Conversation::new();
        checks.add(attempt, asker);
        conversation
    }

    #[tokio::test]
    async fn a_flood_of_abandoned_attempts_costs_no_hashing_and_the_right_password_is_answered() {
        let (checks, verified) = counting();
        checks.stop();
        for n in 0..1_500_u32 {
            let address = [192, 0, 2, u8::try_from(n % 5).unwrap()];
            drop(add(&checks, attempt(&format!("u{n}"), address)));
        }
        let ada = add(&checks, attempt("ada", [198, 51, 100, 1]));
        checks.resume();
        assert_eq!(ada.settled().await, Step::Over(Ok(UserName::new("ada").unwrap())));
        assert_eq!(verified.load(Ordering::SeqCst), 1);
    }

    #[tokio::test]
    async fn attempts_past_the_bound_are_answered_at_once_and_keep_no_other_address_out() {
        let (checks, _) = counting();
        checks.stop();
        let waiting: Vec<_> = (0..MAX_PER_ADDRESS)
            .map(|n| add(&checks, attempt(&format!("u{n}"), [192, 0, 2, 1])))
            .collect();
        let surplus = add(&checks, attempt("surplus", [192, 0, 2, 1]));
        let busy = Step::Over(Err(Denied::Busy { seconds: RETRY_SECONDS }));
        assert_eq!(surplus.settled().await, busy);
        let ada = add(&checks, attempt("ada", [198, 51, 100, 1]));
        checks.resume();
        assert!(matches!(ada.settled().await, Step::Over(Ok(_))));
        for conversation in waiting {
            assert!(matches!(conversation.settled().await, Step::Over(Ok(_))));
        }
    }
}
