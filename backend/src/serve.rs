//! From the configuration to a server, and ending well.

use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::cause::Cause;
use crate::clock::Clock;
use crate::config::Config;
use crate::listen::{self, Front};
use crate::next::start_next_until_shutdown;
use crate::router::Site;
use crate::slurm::sign_for_others;

/// How long requests and tunnels may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT. An error says what stopped the start.
pub async fn serve(config: Config) -> Result<(), String> {
    let listen = config.server.listen;
    let shutdown = CancellationToken::new();
    let front = Front::new(&config.server, &Clock::system()).map_err(|e| e.to_string())?;
    let app = App::build(config, shutdown.clone()).await?;
    let listener = listen::bind(listen)
        .await
        .map_err(|e| format!("server.listen: {listen}: {e}"))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let poller = tokio::spawn(Arc::clone(&app.spawner).poll_until_shutdown());
    tokio::spawn(Arc::clone(&app).listen_until_shutdown());
    tokio::spawn(start_next_until_shutdown(Arc::clone(&app)));
    tokio::spawn(end_by_signal(shutdown.clone()));
    let (log, ending) = (Arc::clone(&app), shutdown.clone());
    let minutes = tokio::spawn(async move { log.log.end_minutes(ending).await });
    let offers = Arc::clone(&app);
    tokio::spawn(Cause::task("offers").during(async move { offers.offers.prepare().await }));
    tracing::info!(%address, url = app.config.server.public_url, "serving");

    let ended = async {
        front
            .serve(listener, Site::new(Arc::clone(&app)), shutdown.clone())
            .await;
        app.tunnels.close();
        app.tunnels.wait().await;
        app.spawner.drained().await;
        minutes.await.map_err(|e| e.to_string())?;
        poller.await.map_err(|e| e.to_string())
    };
    tokio::pin!(ended);
    tokio::select! {
        result = &mut ended => return result,
        () = shutdown.cancelled() => {}
    }
    match tokio::time::timeout(GRACE, ended).await {
        Ok(result) => result,
        Err(_) => {
            tracing::warn!("some requests did not end in time");
            Ok(())
        }
    }
}

/// Signs Slurm's tokens for another process that serves, until SIGTERM or SIGINT. An error says what stopped the
/// start.
pub async fn sign(config: Config) -> Result<(), String> {
    let shutdown = CancellationToken::new();
    tokio::spawn(end_by_signal(shutdown.clone()));
    sign_for_others(&config, shutdown).await
}

/// Cancels at SIGTERM or SIGINT.
async fn end_by_signal(shutdown: CancellationToken) {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return tracing::error!("signals cannot be listened to");
    };
    // Whoever listens does not end by it: what is read again at SIGHUP is read where it is used (`server.tls`).
    let _hangup = signal(SignalKind::hangup());
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    tracing::info!("ending");
    shutdown.cancel();
}
