//! The body of a response that has no length, such as a stream of events: it is cut off when its session ends.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, HttpBody};
use axum::response::Response;
use bytes::Bytes;
use hyper::body::Frame;

use super::Answer;
use crate::app::AppState;
use crate::auth::Session;

struct SessionBody {
    body: Answer,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Ties a response to its session, unless its length was told: that ends by itself.
pub(super) fn end_with_session(app: &AppState, session: Arc<Session>, response: Response<Answer>) -> Response {
    if response.body().size_hint().exact().is_some() {
        return response.map(Body::new);
    }
    let app = Arc::clone(app);
    let ended = Box::pin(async move { app.sessions.wait_until_ended(&session).await });
    response.map(|body| Body::new(SessionBody { body, ended }))
}

impl HttpBody for SessionBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        if self.ended.as_mut().poll(cx).is_ready() {
            // An error, so that a download is not taken for complete.
            return Poll::Ready(Some(Err("the session has ended".into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }
}
