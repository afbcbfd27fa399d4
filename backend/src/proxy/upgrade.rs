//! After both sides have changed protocol: bytes, both ways, until one side, the session or the job ends.

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use shared::server::Phase;

use super::copy::copy;
use super::target::Target;
use super::wire::Wire;
use crate::app::AppState;
use crate::auth::Session;
use crate::spawner::Server;

/// The two ends that have agreed.
pub(super) struct Ends {
    pub(super) client: OnUpgrade,
    pub(super) upstream: OnUpgrade,
    /// What the upstream's end comes from.
    pub(super) wire: Wire,
    /// Where it leads.
    pub(super) target: Arc<Target>,
}

/// Joins the two ends.
pub(super) fn join(app: AppState, session: Arc<Session>, server: Arc<Server>, ends: Ends) {
    let tasks = app.tunnels.clone();
    tasks.spawn(async move {
        let Ends {
            client,
            upstream,
            wire,
            target,
        } = ends;
        let (client, upstream, _place) = tokio::join!(client, upstream, wire.finish());
        let (client, upstream) = match (client, upstream) {
            (Ok(client), Ok(upstream)) => (client, upstream),
            (Err(error), _) | (_, Err(error)) => {
                return tracing::debug!(%error, "an upgrade was agreed on and did not happen");
            }
        };
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        tokio::select! {
            copied = copy(&mut client, &mut upstream, || target.used(app.clock.now())) => {
                if let Err(error) = copied {
                    tracing::trace!(%error, "a tunnel ended");
                }
            }
            () = app.sessions.wait_until_ended(&session) => {
                tracing::debug!(user = %session.user, "a tunnel ended with its session");
            }
            () = job_over(&server) => {}
            () = app.drained.cancelled() => {}
        }
    });
}

async fn job_over(server: &Server) {
    // An error means that the server was replaced by a newer one: over as well.
    let _ = server.watch().wait_for(|known| known.phase() == Phase::Ended).await;
}
