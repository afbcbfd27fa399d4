//! Asking Jupyter whether it answers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use shared::server::Phase;

use super::record::Record;
use super::{Server, Spawner};
use crate::proxy::{Answer, Target, TargetError};

/// Between two questions: short, as somebody is looking at a page that waits for the answer.
const EVERY: Duration = Duration::from_millis(150);
const TIMEOUT: Duration = Duration::from_secs(5);

impl Spawner {
    /// Asks until Jupyter answers its status URL over the pinned connection, or the start is over.
    pub(super) fn watch_start(self: &Arc<Self>, server: Arc<Server>) {
        let this = Arc::clone(self);
        self.tasks.spawn(async move {
            let mut every = tokio::time::interval(EVERY);
            every.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            while server.phase() == Phase::Starting {
                tokio::select! { _ = every.tick() => {}, () = this.shutdown.cancelled() => return }
                if let Some(answered) = this.answering(&server).await {
                    tracing::info!(user = %server.user, job.id = server.job_id(), "a server is ready");
                    // Kept before it is told: who has seen it ready finds it so after a crash.
                    this.keep_record(&server, &Record::of(&server).ready()).await;
                    // A job that was started anew meanwhile has another way.
                    if server.way().is_some_and(|way| Arc::ptr_eq(&way, &answered)) {
                        server.known.send_modify(|known| known.ready = true);
                    }
                }
            }
        });
    }

    /// The way on which Jupyter has just answered.
    async fn answering(&self, server: &Server) -> Option<Arc<Target>> {
        let target = server.way()?;
        match tokio::time::timeout(TIMEOUT, self.ask(server, &target, "api/status")).await {
            Ok(Ok(response)) if response.status().is_success() => Some(target),
            Ok(Err(error)) => {
                tracing::trace!(user = %server.user, %error, "not yet");
                None
            }
            _ => None,
        }
    }

    /// What Jupyter answers for one of its own URLs.
    pub(super) async fn ask(
        &self,
        server: &Server,
        target: &Arc<Target>,
        path: &str,
    ) -> Result<Response<Answer>, TargetError> {
        let uri = format!("{}user/{}/{path}", self.config.server.base(), server.user);
        let mut request = Request::new(Body::empty());
        *request.uri_mut() = uri.parse().map_err(std::io::Error::other)?;
        let host = HeaderValue::from_str(self.config.server.user_host()).map_err(std::io::Error::other)?;
        request.headers_mut().insert(HOST, host);
        target.send(request).await
    }
}
