//! Answers of Slurm that are kept: while one is new it is given as it is; once it is old it is still given, and
//! renewed in the background for whoever asks next. Nobody waits for Slurm but the first.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use crate::cause::Cause;
use crate::slurm::SlurmError;

/// Seconds for which an answer counts as new.
const NEW_SECONDS: i64 = 30;
/// Answers that are kept of one kind.
const MOST: usize = 5_000;

/// An answer and when it was given.
pub(super) type Aged<T> = (i64, Arc<T>);

struct Kept<T> {
    answer: Aged<T>,
    renewing: bool,
}

/// Answers by what was asked.
pub(super) struct Answers<K, T>(RwLock<HashMap<K, Kept<T>>>);

impl<K, T> Default for Answers<K, T> {
    fn default() -> Self {
        Self(RwLock::default())
    }
}

impl<K, T> Answers<K, T>
where
    K: Hash + Eq + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    /// The answer that is kept, or the one that `look_up` finds.
    pub(super) async fn get(
        self: &Arc<Self>,
        key: K,
        now: i64,
        look_up: impl Future<Output = Result<T, SlurmError>> + Send + 'static,
    ) -> Result<Aged<T>, SlurmError> {
        let Some((answer, renew)) = self.kept(&key, now) else {
            let found = look_up.await?;
            return Ok(self.keep(key, now, found));
        };
        if renew {
            let this = Arc::clone(self);
            tokio::spawn(Cause::carried(async move {
                match look_up.await {
                    Ok(found) => drop(this.keep(key, now, found)),
                    Err(error) => {
                        tracing::debug!(%error, "an answer of Slurm could not be renewed");
                        this.renewed(&key);
                    }
                }
            }));
        }
        Ok(answer)
    }

    /// The answer that is kept, and whether whoever asks has to renew it: one does at a time.
    fn kept(&self, key: &K, now: i64) -> Option<(Aged<T>, bool)> {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get_mut(key)?;
        let renew = now - kept.answer.0 >= NEW_SECONDS && !kept.renewing;
        kept.renewing |= renew;
        Some((kept.answer.clone(), renew))
    }

    fn keep(&self, key: K, now: i64, found: T) -> Aged<T> {
        let answer = (now, Arc::new(found));
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        let kept = Kept {
            answer: answer.clone(),
            renewing: false,
        };
        all.insert(key, kept);
        answer
    }

    fn renewed(&self, key: &K) {
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = all.get_mut(key) {
            kept.renewing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn away() -> SlurmError {
        SlurmError::Unreachable {
            cause: "away".into(),
            sent: false,
        }
    }

    #[tokio::test]
    async fn an_old_answer_is_given_at_once_and_renewed_for_the_next() {
        let answers = Arc::new(Answers::<(), i32>::default());
        let get = |now, found: Result<i32, SlurmError>| {
            let answers = Arc::clone(&answers);
            async move {
                answers
                    .get((), now, async { found })
                    .await
                    .map(|(at, found)| (at, *found))
            }
        };
        assert_eq!(get(100, Err(away())).await, Err(away()), "nothing is known yet");
        assert_eq!(get(100, Ok(1)).await, Ok((100, 1)));
        assert_eq!(get(129, Ok(2)).await, Ok((100, 1)), "still new");
        assert_eq!(get(130, Ok(3)).await, Ok((100, 1)), "old, and given at once");
        tokio::task::yield_now().await;
        assert_eq!(get(131, Ok(4)).await, Ok((130, 3)), "renewed meanwhile");
        assert_eq!(get(200, Err(away())).await, Ok((130, 3)));
        tokio::task::yield_now().await;
        assert_eq!(
            get(201, Err(away())).await,
            Ok((130, 3)),
            "a failed look-up changes nothing"
        );
    }
}
