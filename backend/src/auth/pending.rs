//! Sign-ins that have passed their first step and wait: for a second factor, or for the source of accounts.
//!
//! What such a sign-in counts for stays counted until it succeeds ([`Throttle`](super::Throttle)), and one that is never
//! answered is logged: a question or a push that its person did not answer may be somebody who has their password.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use shared::names::UserName;

use super::{Attempt, Flow, Throttle};
use crate::store::Store;

/// Sign-ins that are remembered. Past that, each step of another one counts, and its end is not logged.
const MAX: usize = 20_000;

/// A sign-in that waits.
#[derive(Debug)]
pub struct Pending {
    /// The name that was typed.
    pub user: UserName,
    /// Where from.
    pub address: IpAddr,
    /// What it counts for, until it succeeds.
    pub attempts: Vec<Attempt>,
    /// Whether something was asked or said: a second factor. Otherwise the source of accounts has not answered yet.
    pub asked: bool,
}

impl Pending {
    /// Logs that it was not answered.
    pub fn log_unanswered(&self, reason: &str) {
        let Self { user, address, .. } = self;
        if self.asked {
            tracing::warn!(%user, %address, reason, "second factor not answered");
        } else {
            tracing::info!(%user, %address, reason, "sign-in abandoned while its check was waiting");
        }
    }
}

/// All sign-ins that wait at this replica, by the id of their flow.
#[derive(Default)]
pub struct PendingSignIns(Mutex<HashMap<String, (i64, Pending)>>);

impl PendingSignIns {
    /// Adds a sign-in, or further attempts of one, which count as second factors once something is asked. Returns
    /// whether that is so for the first time.
    pub fn add(&self, flow: &Flow, new: Pending, throttle: &Throttle) -> bool {
        let mut all = self.lock();
        let earlier = all.remove(&flow.id).map(|(_, pending)| pending);
        let is_first = new.asked && !earlier.as_ref().is_some_and(|earlier| earlier.asked);
        let mut pending = match earlier {
            Some(mut earlier) => {
                earlier.asked |= new.asked;
                earlier.attempts.extend(new.attempts);
                earlier
            }
            None => new,
        };
        if pending.asked {
            for attempt in &mut pending.attempts {
                throttle.add_second_factor(attempt, &pending.user);
            }
        }
        if all.len() < MAX {
            all.insert(flow.id.clone(), (flow.ends_at, pending));
        }
        is_first
    }

    /// Whether this replica has a sign-in.
    pub fn contains(&self, id: &str) -> bool {
        self.lock().contains_key(id)
    }

    /// Removes a sign-in that is over.
    pub fn remove(&self, id: &str) -> Option<Pending> {
        self.lock().remove(id).map(|(_, pending)| pending)
    }

    /// Logs the sign-ins that ran out of time, unless another replica has answered them.
    pub async fn log_expired(&self, store: &Store, now: i64) {
        for (id, pending) in self.take_expired(now) {
            match store.is_flow_over(&id).await {
                Ok(true) => {}
                Ok(false) => pending.log_unanswered("expired"),
                Err(error) => {
                    tracing::debug!(%error, "cannot read from the store whether another replica answered a sign-in");
                    pending.log_unanswered("expired");
                }
            }
        }
    }

    fn take_expired(&self, now: i64) -> Vec<(String, Pending)> {
        let expired = self
            .lock()
            .extract_if(|_, (ends_at, _)| *ends_at <= now)
            .collect::<Vec<_>>();
        expired.into_iter().map(|(id, (_, pending))| (id, pending)).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (i64, Pending)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::keys::Secret;

    fn flow(id: &str, ends_at: i64) -> Flow {
        Flow {
            id: id.into(),
            user: UserName::new("ada").unwrap(),
            answers: 0,
            ends_at,
            is_held: true,
        }
    }

    fn pending(asked: bool) -> Pending {
        Pending {
            user: UserName::new("ada").unwrap(),
            address: [192, 0, 2, 1].into(),
            attempts: Vec::new(),
            asked,
        }
    }

    #[test]
    fn a_second_factor_is_asked_for_once_and_expires_unless_it_was_answered() {
        let all = PendingSignIns::default();
        let key = Secret {
            path: "key".into(),
            bytes: vec![7; 48].into(),
        };
        let throttle = Throttle::new(&key, Clock::fixed(0)).unwrap();
        let add = |id: &str, asked: bool| all.add(&flow(id, 300), pending(asked), &throttle);
        assert!(!add("waits", false));
        assert!(add("waits", true), "it was silent before");
        assert!(add("asks", true));
        assert!(!add("asks", true), "the second question is not the first");
        add("answered", true);
        all.remove("answered");
        assert!(all.take_expired(299).is_empty());
        let mut expired: Vec<_> = all.take_expired(300).into_iter().map(|(id, _)| id).collect();
        expired.sort();
        assert_eq!(expired, ["asks", "waits"]);
        assert!(all.take_expired(300).is_empty());
    }
}
