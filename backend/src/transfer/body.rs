//! Request bodies that end with an error when they come too slowly.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{MinRate, RateCheck};

/// A request body did not arrive in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the body of the request did not arrive in time")]
pub struct TooSlow;

impl TooSlow {
    /// Whether this is the first cause of an error.
    pub fn caused(error: &(dyn std::error::Error + 'static)) -> bool {
        let mut cause = Some(error);
        while let Some(error) = cause {
            if error.is::<Self>() {
                return true;
            }
            cause = error.source();
        }
        false
    }
}

/// A request body that needs a minimum rate: one that goes through to a Jupyter server, of any length.
#[derive(Debug)]
pub struct PacedBody {
    body: Body,
    check: RateCheck,
}

impl PacedBody {
    /// Needs this rate.
    pub fn new(body: Body, rate: Option<MinRate>) -> Self {
        Self {
            body,
            check: RateCheck::new(rate),
        }
    }
}

impl HttpBody for PacedBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        match &frame {
            Poll::Pending if this.check.poll_too_slow(cx).is_ready() => {
                return Poll::Ready(Some(Err(axum::Error::new(TooSlow))));
            }
            Poll::Ready(Some(Ok(frame))) => this.check.record(frame.data_ref().map_or(0, |data| data.len() as u64)),
            _ => {}
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A request body that has to arrive whole within a time: one for Slipway itself, which is small.
#[derive(Debug)]
pub struct DeadlineBody {
    body: Body,
    deadline: Instant,
    /// Only once the client keeps Slipway waiting.
    timer: Option<Pin<Box<Sleep>>>,
    missed: Arc<AtomicBool>,
}

impl DeadlineBody {
    /// Has to arrive within this time from now.
    pub fn new(body: Body, time: Duration) -> Self {
        Self {
            body,
            deadline: Instant::now() + time,
            timer: None,
            missed: Arc::default(),
        }
    }

    /// Becomes true when the body is too late.
    pub fn missed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.missed)
    }
}

impl HttpBody for DeadlineBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_pending() {
            let deadline = this.deadline;
            let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
            if timer.as_mut().poll(cx).is_ready() {
                this.missed.store(true, Ordering::Relaxed);
                return Poll::Ready(Some(Err(axum::Error::new(TooSlow))));
            }
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{StreamExt, stream};
    use http_body_util::BodyExt;

    use super::*;

    const TICK: Duration = Duration::from_millis(50);
    const RATE: MinRate = MinRate {
        bytes: 1000,
        window: Duration::from_millis(500),
    };

    /// A body of which a piece of this size comes each twentieth of a second.
    fn trickle(pieces: usize, size: usize) -> Body {
        let pieces = stream::iter(0..pieces).then(move |_| async move {
            tokio::time::sleep(TICK).await;
            Ok::<_, axum::Error>(Bytes::from(vec![b'x'; size]))
        });
        Body::from_stream(Box::pin(pieces))
    }

    #[tokio::test]
    async fn a_body_for_slipway_arrives_within_its_time_however_often_a_byte_comes() {
        let started = Instant::now();
        let body = DeadlineBody::new(trickle(1000, 1), 10 * TICK);
        let missed = body.missed();
        let error = body.collect().await.unwrap_err();
        assert!(TooSlow::caused(&error), "{error:?}");
        assert!(missed.load(Ordering::Relaxed));
        assert!(started.elapsed() >= 10 * TICK, "{:?}", started.elapsed());

        let body = DeadlineBody::new(trickle(10, 1), 1000 * TICK);
        let missed = body.missed();
        assert_eq!(body.collect().await.unwrap().to_bytes().len(), 10);
        assert!(!missed.load(Ordering::Relaxed));
    }

    #[tokio::test]
    async fn a_body_for_a_jupyter_server_needs_the_minimum_rate_and_no_more() {
        let started = Instant::now();
        let slow = PacedBody::new(trickle(1000, 1), Some(RATE));
        let error = slow.collect().await.unwrap_err();
        assert!(TooSlow::caused(&error), "{error:?}");
        assert!(started.elapsed() >= RATE.window, "{:?}", started.elapsed());

        let fair = PacedBody::new(trickle(30, 1000), Some(RATE));
        assert_eq!(fair.collect().await.unwrap().to_bytes().len(), 30_000);

        let free = PacedBody::new(trickle(30, 1), None);
        assert_eq!(free.collect().await.unwrap().to_bytes().len(), 30);
    }

    #[tokio::test]
    async fn a_jupyter_server_that_reads_slowly_is_not_the_clients_fault() {
        let pieces = stream::iter(0..30).map(|_| Ok::<_, axum::Error>(Bytes::from_static(b"x")));
        let mut body = PacedBody::new(Body::from_stream(pieces), Some(RATE));
        for _ in 0..30 {
            body.frame().await.unwrap().unwrap();
            tokio::time::sleep(TICK).await;
        }
    }
}
