//! Connections that have not come to their first request: in a PROXY header or a TLS handshake, with nothing
//! known about them. A limit of their time and of their number, where the oldest makes room: whoever means it
//! is through in a round trip or two, and somebody who opens connections and says nothing keeps nobody out.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

/// Connections that are being opened.
#[derive(Debug)]
pub(super) struct Openings {
    most: usize,
    time: Duration,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    /// Each in the order of its arrival; it goes when its sender is dropped.
    waiting: BTreeMap<u64, oneshot::Sender<()>>,
}

impl Openings {
    /// At most so many at once, each for at most this time.
    pub(super) fn new(most: usize, time: Duration) -> Self {
        Self {
            most,
            time,
            open: Mutex::default(),
        }
    }

    /// Opens one. Nothing if its time was over or if it had to make room.
    pub(super) async fn within_limits<T>(&self, opening: impl Future<Output = T>) -> Option<T> {
        let (_here, gone) = self.enter();
        tokio::select! {
            opened = tokio::time::timeout(self.time, opening) => opened.ok(),
            _ = gone => None,
        }
    }

    fn enter(&self) -> (Here<'_>, oneshot::Receiver<()>) {
        let (sender, gone) = oneshot::channel();
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let number = open.next;
        open.next += 1;
        open.waiting.insert(number, sender);
        if open.waiting.len() > self.most {
            open.waiting.pop_first();
        }
        let here = Here { openings: self, number };
        (here, gone)
    }
}

/// Somebody among those that are being opened.
struct Here<'a> {
    openings: &'a Openings,
    number: u64,
}

impl Drop for Here<'_> {
    fn drop(&mut self) {
        let mut open = self.openings.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.waiting.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    #[tokio::test]
    async fn the_oldest_makes_room_and_the_others_go_on() {
        let openings = Openings::new(2, Duration::from_mins(1));
        let (sender, answer) = oneshot::channel::<()>();
        let all = async {
            tokio::join!(
                async { assert_eq!(openings.within_limits(pending::<()>()).await, None) },
                async { assert_eq!(openings.within_limits(answer).await, Some(Ok(()))) },
                async {
                    assert_eq!(openings.within_limits(ready(1)).await, Some(1));
                    sender.send(()).unwrap();
                },
            )
        };
        let in_time = tokio::time::timeout(Duration::from_secs(10), all).await;
        assert!(in_time.is_ok(), "the oldest is still waited for");
        assert!(openings.open.lock().unwrap().waiting.is_empty());
    }

    #[tokio::test]
    async fn nobody_opens_a_connection_for_ever() {
        let openings = Openings::new(2, Duration::from_millis(20));
        let opened = openings.within_limits(pending::<()>());
        let in_time = tokio::time::timeout(Duration::from_secs(10), opened).await;
        assert_eq!(in_time, Ok(None));
        assert!(openings.open.lock().unwrap().waiting.is_empty());
    }
}
