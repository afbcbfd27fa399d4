//! Answers of Slurm that are kept. While one is new it is given as it is. Once it is older it is still given, and
//! renewed in the background for whoever asks next. When it is so old that it may mislead, whoever asks waits a
//! little for the new one. However many ask, Slurm is asked once.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

use crate::cause::Cause;
use crate::slurm::SlurmError;

/// Answers that are kept of one kind.
const MOST: usize = 5_000;
/// An answer older than this, in seconds, is waited for …
const OLD_SECONDS: i64 = 60;
/// … so long.
const PATIENCE: Duration = Duration::from_millis(1500);

/// An answer and when it was given.
pub(super) type Aged<T> = (i64, Arc<T>);

/// What becomes of a look-up that is under way.
type Flight<T> = watch::Receiver<Option<Result<Aged<T>, SlurmError>>>;

struct Kept<T> {
    answer: Option<Aged<T>>,
    flight: Option<Flight<T>>,
}

/// Answers by what was asked.
pub(super) struct Answers<K, T> {
    kept: Mutex<HashMap<K, Kept<T>>>,
    new_seconds: i64,
}

impl<K, T> Answers<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    /// Nothing known yet; answers count as new for so many seconds.
    pub(super) fn new(new_seconds: i64) -> Arc<Self> {
        Arc::new(Self {
            kept: Mutex::default(),
            new_seconds,
        })
    }

    /// The answer that is kept, or the one that `look_up` finds.
    pub(super) async fn get<F>(
        self: &Arc<Self>,
        key: K,
        now: i64,
        look_up: impl FnOnce() -> F,
    ) -> Result<Aged<T>, SlurmError>
    where
        F: Future<Output = Result<T, SlurmError>> + Send + 'static,
    {
        let (answer, mut flight) = {
            let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
            if all.len() >= MOST && !all.contains_key(&key) {
                all.clear();
            }
            let kept = all.entry(key.clone()).or_insert(Kept {
                answer: None,
                flight: None,
            });
            if let Some(answer) = &kept.answer
                && self.is_new(now - answer.0)
            {
                return Ok(answer.clone());
            }
            let flight = kept.flight.get_or_insert_with(|| self.fly(key, now, look_up()));
            (kept.answer.clone(), flight.clone())
        };
        let landed = async {
            let result = flight
                .wait_for(Option::is_some)
                .await
                .ok()
                .and_then(|result| result.clone());
            result.unwrap_or_else(|| Err(SlurmError::NotUnderstood("a look-up was given up".into())))
        };
        match answer {
            None => landed.await,
            Some(answer) if (0..OLD_SECONDS.max(self.new_seconds)).contains(&(now - answer.0)) => Ok(answer),
            Some(answer) => Ok(match tokio::time::timeout(PATIENCE, landed).await {
                Ok(Ok(renewed)) => renewed,
                _ => answer,
            }),
        }
    }

    /// Of the future is what was kept before the clock was set back.
    fn is_new(&self, age: i64) -> bool {
        (0..self.new_seconds).contains(&age)
    }

    /// Renews an answer that is not new any more, without waiting for it.
    pub(super) fn renew<F>(self: &Arc<Self>, key: K, now: i64, look_up: impl FnOnce() -> F)
    where
        F: Future<Output = Result<T, SlurmError>> + Send + 'static,
    {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.entry(key.clone()).or_insert(Kept {
            answer: None,
            flight: None,
        });
        let is_new = kept.answer.as_ref().is_some_and(|(at, _)| self.is_new(now - at));
        if !is_new {
            kept.flight.get_or_insert_with(|| self.fly(key, now, look_up()));
        }
    }

    /// The answer that is kept, however old.
    pub(super) fn known(&self, key: &K) -> Option<Arc<T>> {
        let all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(key)?.answer.as_ref().map(|(_, found)| Arc::clone(found))
    }

    /// Forgets an answer that is known to be wrong.
    pub(super) fn forget(&self, key: &K) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.get_mut(key) {
            kept.answer = None;
        }
    }

    /// Looks it up on a task of its own: it goes on if whoever asked goes away.
    fn fly(
        self: &Arc<Self>,
        key: K,
        now: i64,
        look_up: impl Future<Output = Result<T, SlurmError>> + Send + 'static,
    ) -> Flight<T> {
        let (landing, flight) = watch::channel(None);
        let this = Arc::clone(self);
        tokio::spawn(Cause::carried(async move {
            let result = look_up.await.map(|found| (now, Arc::new(found)));
            if let Err(error) = &result {
                tracing::debug!(%error, "an answer of Slurm could not be renewed");
            }
            let mut all = this.kept.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = all.entry(key).or_insert(Kept {
                answer: None,
                flight: None,
            });
            if let Ok(answer) = &result {
                kept.answer = Some(answer.clone());
            }
            kept.flight = None;
            drop(all);
            landing.send_replace(Some(result));
        }));
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn away() -> SlurmError {
        SlurmError::Unreachable {
            cause: "away".into(),
            sent: false,
        }
    }

    #[tokio::test]
    async fn an_old_answer_is_given_at_once_and_renewed_for_the_next() {
        let answers = Answers::<(), i32>::new(30);
        let get = |now, found: Result<i32, SlurmError>| {
            let answers = Arc::clone(&answers);
            async move {
                let (at, found) = answers.get((), now, || async { found }).await?;
                Ok::<_, SlurmError>((at, *found))
            }
        };
        assert_eq!(get(100, Err(away())).await, Err(away()), "nothing is known yet");
        assert_eq!(get(100, Ok(1)).await, Ok((100, 1)));
        assert_eq!(get(129, Ok(2)).await, Ok((100, 1)), "still new");
        assert_eq!(get(130, Ok(3)).await, Ok((100, 1)), "older, and given at once");
        tokio::task::yield_now().await;
        assert_eq!(get(131, Ok(4)).await, Ok((130, 3)), "renewed meanwhile");
        assert_eq!(get(200, Ok(5)).await, Ok((200, 5)), "old: waited for");
        assert_eq!(
            get(300, Err(away())).await,
            Ok((200, 5)),
            "a failed look-up changes nothing"
        );
    }

    #[tokio::test]
    async fn nobody_waits_for_ever_for_a_new_answer_while_there_is_an_old_one() {
        let answers = Answers::<(), i32>::new(30);
        let first = answers.get((), 0, || async { Ok(1) }).await.unwrap();
        assert_eq!((first.0, *first.1), (0, 1));
        assert_eq!(*answers.get((), 1000, std::future::pending).await.unwrap().1, 1);
    }

    #[tokio::test]
    async fn however_many_ask_at_once_slurm_is_asked_once() {
        let answers = Answers::<(), i32>::new(30);
        let asked = Arc::new(AtomicUsize::new(0));
        let all = (0..100).map(|_| {
            let (answers, asked) = (Arc::clone(&answers), Arc::clone(&asked));
            tokio::spawn(async move {
                let look_up = || async move {
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                    Ok(1)
                };
                *answers.get((), 100, look_up).await.unwrap().1
            })
        });
        for one in all.collect::<Vec<_>>() {
            assert_eq!(one.await.unwrap(), 1);
        }
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
