//! Starts the next server of whoever asked for one when theirs is over.

use std::sync::Arc;

use crate::api::server::{StartedBy, start};
use crate::app::App;
use crate::cause::Cause;
use crate::spawner::{Next, Once};

/// Until Slipway ends. What the person may no longer choose is not started, as when they press Start themselves.
pub async fn start_next_until_shutdown(app: Arc<App>) {
    loop {
        let next = tokio::select! {
            next = app.spawner.next_wanted() => next,
            () = app.shutdown.cancelled() => None,
        };
        let Some(Next {
            user,
            options,
            language,
        }) = next
        else {
            return;
        };
        let raw = options.to_raw();
        let once = Once {
            keep_waiting: true,
            language,
            ..Once::default()
        };
        let start = start(&app, &user, &raw, once, StartedBy::Renewal);
        let cause = Cause::request();
        let id = cause.to_string();
        match cause.during(start).await {
            Ok(_) => tracing::info!(%user, "started the next server"),
            Err(error) => {
                tracing::warn!(request.id = id, %user, %error, "the next server was not started");
                app.spawner.next_failed(&user, error.view(&id));
            }
        }
    }
}
