//! `slipway check FILE --live --as USER`: every hop between here and a person's Jupyter, tried once and named.
//!
//! It is Slipway itself that tries them: its client, its spawner, its router. Only the job's name and the store
//! are others, so that the person's real server, and the Slipway that serves meanwhile, see nothing of it.

mod advice;
mod cluster;
mod job;
mod node;
mod report;

use std::path::Path;
use std::sync::Arc;

use shared::names::UserName;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::report::hop;
use crate::app::{App, AppState};
use crate::cause::Cause;
use crate::config::Config;

/// One check.
struct Check<'a> {
    app: AppState,
    /// For whom the job is.
    user: &'a UserName,
    /// The spawner's poller, once there may be a job.
    poller: TaskTracker,
}

/// Tries every hop with a one-minute job for this person, and says on standard output how each went. The job is
/// cancelled whatever happens, and by a signal too. An error names the hop that failed.
pub async fn check_live(config: Config, user: &UserName) -> Result<(), String> {
    let interrupted = interruption()?;
    let folder = tempfile::Builder::new().prefix("slipway-check-").tempdir();
    let folder = folder.map_err(|e| format!("no temporary folder: {e}"))?;
    let shutdown = CancellationToken::new();
    let app = App::build(apart(config, folder.path()), shutdown.clone()).await?;
    let check = Check {
        app,
        user,
        poller: TaskTracker::new(),
    };
    let tried = tokio::select! {
        tried = Cause::task("check").during(check.try_hops()) => tried,
        () = interrupted => Err("the check was interrupted".to_owned()),
    };
    let ended = Cause::task("check").during(check.end()).await;
    shutdown.cancel();
    check.poller.close();
    check.poller.wait().await;
    check.app.spawner.drained().await;
    tried.and(ended)
}

impl Check<'_> {
    async fn try_hops(&self) -> Result<(), String> {
        self.signer().await?;
        let refused = hop("slurmrestd", self.reach()).await?;
        hop("token", async { self.token(refused) }).await?;
        self.compare_clocks();
        hop("partition", self.partition()).await?;
        let options = hop("compute accounts", Box::pin(self.options())).await?;
        self.poller.spawn(Arc::clone(&self.app.spawner).poll_until_shutdown());
        let server = hop("job", self.submit(options)).await?;
        hop("queue", self.wait_in_the_queue(&server)).await?;
        let address = hop("port", self.address(&server)).await?;
        hop("Jupyter", self.ask_jupyter(&server, address)).await
    }
}

/// The site's configuration with a job's name and a store of the check's own. Keys that the first start of
/// Slipway will make are not made in its place: they would belong to whoever runs the check.
fn apart(mut config: Config, folder: &Path) -> Config {
    config.job.name.push_str("-check");
    config.server.state = folder.join("slipway.db");
    for (file, name) in [
        (&mut config.sign_in.key_file, "sign-in.key"),
        (&mut config.job.key_file, "job.key"),
    ] {
        if !file.exists() {
            *file = folder.join(name);
        }
    }
    config
}

/// Ends with the first signal that would have ended the command.
fn interruption() -> Result<impl Future<Output = ()>, String> {
    let listen = |kind| signal(kind).map_err(|e| format!("signals cannot be listened to: {e}"));
    let mut int = listen(SignalKind::interrupt())?;
    let mut term = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! { _ = int.recv() => {}, _ = term.recv() => {}, _ = hangup.recv() => {} }
    })
}
