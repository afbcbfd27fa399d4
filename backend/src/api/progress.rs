//! `/hub/api/users/{name}/server/progress`

use std::convert::Infallible;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::Stream;
use futures_util::{StreamExt, stream};
use http::HeaderMap;
use shared::server::{Phase, ProgressEvent, StateView};
use tokio_stream::wrappers::WatchStream;

use super::Person;
use crate::app::{App, AppState};
use crate::auth::OpenStream;
use crate::english;
use crate::error::Error;
use crate::spawner::Server;

/// Proxies close streams that are silent for a minute; some for less.
const KEEP_ALIVE: Duration = Duration::from_secs(12);

/// `GET /hub/api/users/{name}/server/progress`: the state now, each change, and at last how it came out. A
/// browser that was cut off says which event it heard last, and is told what is the case now, unless it is that.
pub async fn follow_start(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Error> {
    let user = person.named(&name)?;
    let open = app.limits.open_stream(&person.0.id)?;
    let nothing = || Error::Conflict(format!("nothing is starting for {user}"));
    let server = app.spawner.find(user).await.ok_or_else(nothing)?;
    let (ends, session) = (Arc::clone(&app), person.0.clone());
    let over = async move {
        tokio::select! { () = ends.shutdown.cancelled() => {}, () = ends.sessions.wait_until_ended(&session) => {} }
    };
    let states = WatchStream::new(server.watch()).map(move |_| event(&app, &server));
    let heard = headers
        .get("last-event-id")
        .and_then(|id| id.to_str().ok())
        .map(str::to_owned);
    // Told are changes that a person could see; the one that says how it came out is the last.
    let events = stream::unfold(
        (states, heard, false, open),
        async |(mut states, told, last, open): (_, Option<String>, bool, OpenStream)| {
            if last {
                return None;
            }
            loop {
                let event: ProgressEvent = states.next().await?;
                let id = id(&event);
                if told.as_ref() != Some(&id) || is_last(&event) {
                    let line = Event::default().id(&id).json_data(&event).unwrap_or_default();
                    return Some((Ok(line), (states, Some(id), is_last(&event), open)));
                }
            }
        },
    );
    let events = events.take_until(Box::pin(over));
    Ok(Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

fn is_last(event: &ProgressEvent) -> bool {
    event.ready.is_some() || event.failed.is_some()
}

/// The same for events that say the same, but for the time at which they were told.
fn id(event: &ProgressEvent) -> String {
    let mut hasher = DefaultHasher::new();
    let timeless = ProgressEvent {
        state: StateView {
            now: 0,
            ..event.state.clone()
        },
        ..event.clone()
    };
    serde_json::to_string(&timeless).unwrap_or_default().hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn event(app: &Arc<App>, server: &Server) -> ProgressEvent {
    let state = app.spawner.state(server);
    let phase = state.phase;
    let ready = (phase == Phase::Ready).then_some(true);
    ProgressEvent {
        progress: match phase {
            Phase::Submitting => 5,
            Phase::Queued => 20,
            Phase::Starting => 60,
            Phase::Stopping => 90,
            Phase::Ready | Phase::Ended => 100,
        },
        message: english::sentence(&state),
        ready,
        failed: (phase == Phase::Ended).then_some(true),
        url: ready.map(|_| app.opening_url(server)),
        state,
    }
}
