//! When a person's server was last used, by what Jupyter says: kernels work on when nobody looks.

use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt, Limited};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Server, Spawner};

/// Jupyter is asked when somebody wants to know, at most once in so many seconds …
const EVERY: i64 = 60;
/// … and that somebody waits so long for it …
const PATIENCE: Duration = Duration::from_secs(1);
/// … while a Jupyter that is busy may take longer: its connection is not given up, and its answer counts.
const TIMEOUT: Duration = Duration::from_secs(20);
/// No such answer is longer.
const MOST_BYTES: usize = 1024 * 1024;

/// Of `api/status`: requests, kernels and terminals taken together.
#[derive(Deserialize)]
struct Status {
    last_activity: String,
    kernels: u32,
}

/// Of `api/kernels`.
#[derive(Deserialize)]
struct Kernel {
    execution_state: String,
}

impl Spawner {
    /// Asks Jupyter when it was last used, unless it has been asked a moment ago.
    pub async fn learn_activity(self: &Arc<Self>, server: &Arc<Server>) {
        let now = self.slurm.now();
        if !server.asks_activity(now, EVERY) {
            return;
        }
        let (this, server) = (Arc::clone(self), Arc::clone(server));
        let learned = self.tasks.spawn(async move {
            let answer = tokio::select! {
                answer = tokio::time::timeout(TIMEOUT, this.last_activity(&server, now)) => answer,
                () = this.shutdown.cancelled() => return,
            };
            match answer {
                // The node's clock may be ahead.
                Ok(Some(at)) => server.was_active(at.min(now)),
                _ => tracing::debug!(user = %server.user, "Jupyter does not say when it was last used"),
            }
        });
        let _ = tokio::time::timeout(PATIENCE, learned).await;
    }

    /// In seconds since 1970. A kernel that computes and says nothing is at work all the same.
    async fn last_activity(&self, server: &Server, now: i64) -> Option<i64> {
        let status: Status = self.told(server, "api/status").await?;
        if status.kernels > 0 {
            // Asking is no activity.
            let kernels: Vec<Kernel> = self.told(server, "api/kernels?no_track_activity=1").await?;
            if kernels.iter().any(|kernel| kernel.execution_state == "busy") {
                return Some(now);
            }
        }
        let last = OffsetDateTime::parse(&status.last_activity, &Rfc3339).ok()?;
        Some(last.unix_timestamp())
    }

    async fn told<T: DeserializeOwned>(&self, server: &Server, path: &str) -> Option<T> {
        let answer = self.ask(server, &server.target()?, path).await.ok()?;
        let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await.ok()?;
        serde_json::from_slice(&body.to_bytes()).ok()
    }
}
