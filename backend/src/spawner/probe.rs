//! Asking Jupyter whether it answers.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::Request;
use shared::server::Phase;

use super::{Server, Spawner};

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
                if this.answers(&server).await {
                    tracing::info!(user = %server.user, job.id = server.job_id(), "a server is ready");
                    server.known.send_modify(|known| known.ready = true);
                    this.keep(&server).await;
                }
            }
        });
    }

    async fn answers(&self, server: &Server) -> bool {
        let target = server
            .target
            .read()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone();
        let Some(target) = target else { return false };
        let path = format!("{}user/{}/api/status", self.config.server.base(), server.user);
        let Ok(request) = Request::get(path)
            .header(http::header::HOST, self.config.server.host())
            .body(Body::empty())
        else {
            return false;
        };
        match tokio::time::timeout(TIMEOUT, target.send(request)).await {
            Ok(Ok(response)) => response.status().is_success(),
            Ok(Err(error)) => {
                tracing::trace!(user = %server.user, %error, "not yet");
                false
            }
            Err(_) => false,
        }
    }
}
