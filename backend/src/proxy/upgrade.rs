//! After both sides have changed protocol: bytes, both ways, until one side, the sign-in or the job ends.

use std::sync::Arc;

use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use shared::server::Phase;

use crate::app::AppState;
use crate::auth::SignIn;
use crate::spawner::Server;

/// Joins the two ends, once both have agreed.
pub(super) fn join(app: AppState, sign_in: SignIn, server: Arc<Server>, client: OnUpgrade, upstream: OnUpgrade) {
    let tasks = app.tunnels.clone();
    tasks.spawn(async move {
        let (client, upstream) = match tokio::try_join!(client, upstream) {
            Ok(ends) => ends,
            Err(error) => return tracing::debug!(%error, "an upgrade was agreed on and did not happen"),
        };
        let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
        tokio::select! {
            copied = tokio::io::copy_bidirectional(&mut client, &mut upstream) => {
                if let Err(error) = copied {
                    tracing::trace!(%error, "a tunnel ended");
                }
            }
            () = app.sign_ins.over(&sign_in) => tracing::debug!(user = %sign_in.user, "a tunnel ended with its sign-in"),
            () = job_over(&server) => {}
            () = app.shutdown.cancelled() => {}
        }
    });
}

async fn job_over(server: &Server) {
    // An error means that the server was replaced by a newer one: over as well.
    let _ = server.watch().wait_for(|known| known.phase() == Phase::Ended).await;
}
