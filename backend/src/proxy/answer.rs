//! The body of a Jupyter server's answer, with the connection that it comes on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use axum::body::HttpBody;
use bytes::Bytes;
use hyper::body::{Frame, Incoming, SizeHint};

use super::Target;
use super::response_filter::filter_trailers;
use super::wire::Wire;

/// What is still to come. Dropped before its end it closes its connection, so that the server notices.
pub struct Answer {
    body: Incoming,
    /// Nothing once it is over.
    wire: Option<Wire>,
    target: Arc<Target>,
}

impl Answer {
    pub(super) fn new(body: Incoming, wire: Wire, target: Arc<Target>) -> Self {
        Self {
            body,
            wire: Some(wire),
            target,
        }
    }

    /// The connection alone, of an answer that agreed to an upgrade.
    pub(super) fn into_wire(mut self) -> Option<Wire> {
        self.wire.take()
    }

    /// Keeps the connection for another request, if it can take one: a server may have answered before it has read
    /// all of this one.
    fn is_over(&mut self, cx: &mut Context<'_>) {
        if let Some(mut wire) = self.wire.take()
            && wire.is_good(cx)
        {
            self.target.give_back(wire);
        }
    }
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let this = &mut *self;
        let mut frame = Pin::new(&mut this.body).poll_frame(cx);
        if frame.is_pending()
            && let Some(wire) = &mut this.wire
        {
            wire.drive(cx);
            frame = Pin::new(&mut this.body).poll_frame(cx);
        }
        match &mut frame {
            Poll::Ready(None) => this.is_over(cx),
            Poll::Ready(Some(Err(_))) => this.wire = None,
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(trailers) = frame.trailers_mut() {
                    filter_trailers(trailers);
                }
            }
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

impl Drop for Answer {
    fn drop(&mut self) {
        // One whose length was told is not asked for its end.
        if self.body.is_end_stream() {
            self.is_over(&mut Context::from_waker(Waker::noop()));
        }
    }
}
