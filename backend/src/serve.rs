//! From the configuration to a server, and ending well.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use sd_notify::NotifyState;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::auth::{recheck_accounts_until_drained, sync_until_drained};
use crate::cause::Cause;
use crate::clock::Clock;
use crate::config::Config;
use crate::listen::{self, Front};
use crate::log;
use crate::next::start_next_until_shutdown;
use crate::router::Site;
use crate::slurm::sign_for_others;
use crate::takeover;

/// How long requests may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT, or until another Slipway has taken over (SIGUSR2) and everybody who was here has
/// left. An error says what stopped the start.
pub async fn serve(config: Config) -> Result<(), String> {
    let handed_over = |e| format!("the socket that was handed over: {e}");
    let inherited = listen::inherited().map_err(handed_over)?;
    let mut signals = Signals::listen()?;
    let listen = config.server.listen;
    let drain = Duration::from_secs(config.server.drain_seconds);
    let shutdown = CancellationToken::new();
    let front = Front::new(&config.server, &Clock::system()).map_err(|e| e.to_string())?;
    let app = App::build(config, shutdown.clone()).await?;
    let listener = match inherited {
        Some(listener) => listener,
        None => listen::bind(listen)
            .await
            .map_err(|e| format!("server.listen: {listen}: {e}"))?,
    };
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let socket = listener.as_fd().try_clone_to_owned().map_err(|e| e.to_string())?;
    let poller = tokio::spawn(Arc::clone(&app.spawner).poll_until_shutdown());
    tokio::spawn(sync_until_drained(Arc::clone(&app)));
    tokio::spawn(recheck_accounts_until_drained(Arc::clone(&app)));
    tokio::spawn(Arc::clone(&app).share_rate_limits_until_drained());
    tokio::spawn(start_next_until_shutdown(Arc::clone(&app)));
    let reporting = CancellationToken::new();
    let minutes = tokio::spawn(end_minutes(Arc::clone(&app), reporting.clone()));
    let offers = Arc::clone(&app);
    tokio::spawn(Cause::task("offers").during(async move { offers.offers.prepare().await }));
    tracing::info!(%address, url = app.config.server.public_url, "serving");
    if !takeover::tell_predecessor() {
        tell_systemd(&[NotifyState::Ready]);
    }
    let page = Arc::clone(&app);
    tokio::task::spawn_blocking(move || page.assets.keep(&page.config));

    let ended = async {
        front
            .serve(
                listener,
                Site::new(Arc::clone(&app)),
                shutdown.clone(),
                app.drained.clone(),
            )
            .await;
        app.tunnels.close();
        app.tunnels.wait().await;
        app.spawner.drained().await;
        app.sessions.flush(&app.store).await;
        reporting.cancel();
        minutes.await.map_err(|e| e.to_string())?;
        app.throttle.synchronize(&app.store).await;
        poller.await.map_err(|e| e.to_string())
    };
    tokio::pin!(ended);
    let taken_over = tokio::select! {
        result = &mut ended => return result,
        taken_over = signals.end(socket) => taken_over,
    };
    shutdown.cancel();
    if taken_over {
        tokio::select! {
            result = &mut ended => return result,
            () = signals.stop() => {}
            () = tokio::time::sleep(drain) => {}
        }
    }
    app.drained.cancel();
    match tokio::time::timeout(GRACE, ended).await {
        Ok(result) => result,
        Err(_) => {
            tracing::warn!("some requests did not end in time");
            app.throttle.synchronize(&app.store).await;
            Ok(())
        }
    }
}

/// Once a minute: reports what the log left out, and forgets what rate limits do not need any more.
async fn end_minutes(app: Arc<App>, end: CancellationToken) {
    let forget = async {
        loop {
            tokio::time::sleep(Duration::from_mins(1)).await;
            app.limits.forget_idle();
        }
    };
    tokio::select! {
        () = log::report_until(end) => {}
        () = forget => {}
    }
}

/// Signs Slurm's tokens for another process that serves, until SIGTERM or SIGINT. An error says what stopped the
/// start.
pub async fn sign(config: Config) -> Result<(), String> {
    let mut signals = Signals::listen()?;
    let shutdown = CancellationToken::new();
    let ending = shutdown.clone();
    tokio::spawn(async move {
        signals.stop().await;
        ending.cancel();
    });
    let report = tokio::spawn(log::report_until(shutdown.clone()));
    let signed = sign_for_others(&config, shutdown.clone()).await;
    shutdown.cancel();
    report.await.map_err(|e| e.to_string())?;
    signed
}

/// What an administrator asks for.
struct Signals {
    term: Signal,
    int: Signal,
    renew: Signal,
    /// Whoever listens does not end by it: what is read again at SIGHUP is read where it is used (`server.tls`).
    _hangup: Signal,
}

impl Signals {
    fn listen() -> Result<Self, String> {
        let listen = |kind| signal(kind).map_err(|e| format!("signals cannot be listened to: {e}"));
        Ok(Self {
            term: listen(SignalKind::terminate())?,
            int: listen(SignalKind::interrupt())?,
            renew: listen(SignalKind::user_defined2())?,
            _hangup: listen(SignalKind::hangup())?,
        })
    }

    /// Waits for SIGTERM or SIGINT.
    async fn stop(&mut self) {
        let Self { term, int, .. } = self;
        tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
        tracing::info!("ending");
    }

    /// Waits until this Slipway is to take no more connections. Says whether another one takes them.
    async fn end(&mut self, socket: OwnedFd) -> bool {
        loop {
            let taken_over = tokio::select! {
                _ = self.term.recv() => break,
                _ = self.int.recv() => break,
                _ = self.renew.recv() => tokio::select! {
                    taken_over = takeover::hand_over(&socket) => taken_over,
                    _ = self.term.recv() => break,
                    _ = self.int.recv() => break,
                },
            };
            match taken_over {
                Ok(pid) => {
                    tracing::info!(pid, "another Slipway takes over; whoever is here may stay");
                    tell_systemd(&[NotifyState::MainPid(pid), NotifyState::Ready]);
                    return true;
                }
                Err(error) => tracing::error!(%error, "no other Slipway takes over, and this one goes on"),
            }
        }
        tracing::info!("ending");
        tell_systemd(&[NotifyState::Stopping]);
        false
    }
}

/// Tells it to systemd, if it started us and wants to know (`Type=notify`).
fn tell_systemd(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd could not be told");
    }
}
