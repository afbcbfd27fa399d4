//! Bodies of answers: for as long as one is there its request is under way, and in HTTP/2 its progress is measured.
//!
//! In HTTP/2 each answer has a flow-control window of its own: a client can keep one waiting for ever on a connection
//! that otherwise works. An answer that is taken too slowly is reset, and the others on the connection go on.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use hyper::rt::Executor;

use super::connections::{Connection, UnderWay};
use crate::transfer::{MinRate, RateCheck};

/// The most that is handed to hyper at once, so that progress is seen: as much as a frame holds.
const PIECE: usize = 16 * 1024;

tokio::task_local! {
    /// The progress of the answer that this task sends.
    static PROGRESS: Arc<Progress>;
}

/// What is known of an answer's body.
#[derive(Default)]
struct Progress {
    /// hyper has a piece that the client has not taken.
    is_waiting: AtomicBool,
    /// Bytes of the pieces before it.
    taken: AtomicU64,
}

/// Runs the tasks of one connection, each of which serves one request.
#[derive(Clone)]
pub(super) struct StreamExecutor {
    pub(super) connection: Arc<Connection>,
    pub(super) rate: Option<MinRate>,
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for StreamExecutor {
    fn execute(&self, stream: F) {
        let Some(rate) = self.rate else {
            tokio::spawn(stream);
            return;
        };
        let progress = Arc::new(Progress::default());
        let watched = watch(stream, Arc::clone(&progress), rate, Arc::clone(&self.connection));
        tokio::spawn(PROGRESS.scope(progress, watched));
    }
}

/// Runs it to its end, or drops it, which resets the stream, once its answer is taken too slowly.
async fn watch(stream: impl Future<Output = ()>, progress: Arc<Progress>, rate: MinRate, connection: Arc<Connection>) {
    let mut stream = std::pin::pin!(stream);
    let mut check = RateCheck::new(Some(rate));
    let mut taken = 0;
    let mut blocked = connection.blocked();
    poll_fn(|cx| {
        if stream.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if !progress.is_waiting.load(Relaxed) {
            check.reset();
            return Poll::Pending;
        }
        let taken_before = std::mem::replace(&mut taken, progress.taken.load(Relaxed));
        if taken > taken_before {
            check.record(taken - taken_before);
        }
        ready!(check.poll_too_slow(cx));
        // All answers of a slow connection share its rate, which is measured where it is written to.
        let blocked_before = std::mem::replace(&mut blocked, connection.blocked());
        if blocked.1 || blocked != blocked_before {
            check.reset();
            return check.poll_too_slow(cx);
        }
        tracing::debug!("an answer was reset: the client takes it too slowly");
        Poll::Ready(())
    })
    .await;
}

/// An answer's body.
pub(super) struct AnswerBody {
    body: Body,
    /// What is left of a frame that is larger than a piece.
    rest: Bytes,
    /// Of the piece that hyper has.
    handed_over: usize,
    progress: Option<Arc<Progress>>,
    _under_way: UnderWay,
}

impl AnswerBody {
    /// To be called in the task that sends it. The request is under way until it is dropped.
    pub(super) fn new(body: Body, under_way: UnderWay) -> Self {
        Self {
            body,
            rest: Bytes::new(),
            handed_over: 0,
            progress: PROGRESS.try_with(Arc::clone).ok(),
            _under_way: under_way,
        }
    }

    fn next_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            let frame = match ready!(Pin::new(&mut self.body).poll_frame(cx)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            match frame.into_data() {
                Ok(data) => self.rest = data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            }
        }
        let most = if self.progress.is_some() { PIECE } else { usize::MAX };
        let piece = self.rest.split_to(self.rest.len().min(most));
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl HttpBody for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        let frame = this.next_frame(cx);
        if let Some(progress) = &this.progress {
            // hyper asks for more when the client has made room for what it had.
            progress
                .taken
                .fetch_add(std::mem::take(&mut this.handed_over) as u64, Relaxed);
            if let Poll::Ready(Some(Ok(frame))) = &frame {
                this.handed_over = frame.data_ref().map_or(0, Bytes::len);
            }
            progress.is_waiting.store(this.handed_over > 0, Relaxed);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (rest, mut hint) = (self.rest.len() as u64, self.body.size_hint());
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper + rest);
        }
        hint.set_lower(hint.lower() + rest);
        hint
    }
}
