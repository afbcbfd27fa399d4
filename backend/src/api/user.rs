//! `/hub/api/user` and `/hub/api/users/{name}`

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use shared::api::UserView;
use shared::server::{Phase, ServerView};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Person;
use crate::app::App;
use crate::app::AppState;
use crate::auth::Session;
use crate::error::Error;
use crate::spawner::Server;

/// The longest wait for news.
const LONGEST_WAIT: u64 = 20;

/// Query of `users/{name}`.
#[derive(Deserialize)]
pub struct Include {
    /// JupyterHub takes any value of it for yes.
    include_stopped_servers: Option<String>,
    /// Slipway's own: a server that runs is answered when it does not any more, or after so many seconds. Whoever
    /// looks at it hears of its end at once, and asks seldom.
    wait_seconds: Option<u64>,
}

/// `GET /hub/api/user`
pub async fn show_self(State(app): State<AppState>, Person(session): Person) -> Json<UserView> {
    learn_activity(&app, &session).await;
    Json(view(&app, &session, false).await)
}

/// `GET /hub/api/users/{name}`
pub async fn show_user(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
    Query(include): Query<Include>,
) -> Result<Json<UserView>, Error> {
    person.named(&name)?;
    let stopped = include
        .include_stopped_servers
        .is_some_and(|value| value != "0" && value != "false");
    if let Some(seconds) = include.wait_seconds.filter(|seconds| *seconds > 0) {
        let _open = app.limits.open_stream(&person.0.id)?;
        wait_for_news(&app, &person.0, Duration::from_secs(seconds.min(LONGEST_WAIT))).await;
    }
    learn_activity(&app, &person.0).await;
    Ok(Json(view(&app, &person.0, stopped).await))
}

/// Somebody wants to know all that is known of a person's server.
async fn learn_activity(app: &App, session: &Session) {
    if let Some(server) = app.spawner.server(&session.user)
        && server.phase() == Phase::Ready
    {
        app.spawner.learn_activity(&server).await;
    }
}

/// Waits while this person's server runs, Slipway does, and they are signed in.
async fn wait_for_news(app: &App, session: &Session, most: Duration) {
    let Some(server) = app.spawner.find(&session.user).await else {
        return;
    };
    app.spawner.state(&server);
    let mut known = server.watch();
    // An error means that a newer server is there: news as well.
    let news = known.wait_for(|known| known.phase() != Phase::Ready);
    tokio::select! {
        _ = tokio::time::timeout(most, news) => {}
        () = app.sessions.wait_until_ended(session) => {}
        () = app.shutdown.cancelled() => {}
    }
}

pub(crate) async fn view(app: &App, session: &Session, include_stopped: bool) -> UserView {
    let server = app
        .spawner
        .find(&session.user)
        .await
        .map(|server| server_view(app, &server));
    let server = server.filter(|server| include_stopped || !server.stopped);
    UserView {
        kind: "user".into(),
        name: session.user.clone(),
        admin: false,
        groups: Vec::new(),
        server: server
            .as_ref()
            .filter(|server| server.ready)
            .map(|server| server.url.clone()),
        pending: server.as_ref().and_then(|server| server.pending.clone()),
        servers: server
            .map(|server| (String::new(), server))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        servers_unknown: app.spawner.is_unknown(&session.user),
        sign_in_seconds: Some(session.ends_at - app.clock.now()),
    }
}

fn server_view(app: &App, server: &Server) -> ServerView {
    let state = app.spawner.state(server);
    let time = |seconds: i64| OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(&Rfc3339).ok();
    ServerView {
        name: String::new(),
        ready: state.phase == Phase::Ready,
        stopped: !state.phase.is_live(),
        pending: match state.phase {
            phase if phase.is_pending() => Some("spawn".into()),
            Phase::Stopping => Some("stop".into()),
            _ => None,
        },
        url: app.server_url(&server.user, ""),
        progress_url: app.routes.api_progress(&server.user),
        started: state.started_at.and_then(time),
        last_activity: server.used_at().max(state.started_at).and_then(time),
        user_options: Some(server.options.clone()),
        state,
    }
}
