//! Waiting for a condition, with a deadline that names it.

use std::time::{Duration, Instant};

/// How long anything may take here before a test gives up on it.
const DEADLINE: Duration = Duration::from_secs(45);

/// Asks again and again until there is an answer.
///
/// # Panics
/// When there is none in time, naming what was waited for.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut ask: impl FnMut() -> F) -> T {
    let started = Instant::now();
    let mut every = tokio::time::interval(Duration::from_millis(50));
    while started.elapsed() < DEADLINE {
        every.tick().await;
        if let Some(answer) = ask().await {
            return answer;
        }
    }
    panic!("waited {} s in vain for {what}", DEADLINE.as_secs());
}
