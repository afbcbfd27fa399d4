//! `/hub/api/users/{name}/server`

use std::net::IpAddr;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{ConnectInfo, Path, State};
use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use shared::names::UserName;
use shared::options::UserOptions;
use shared::raw::RawOptions;
use shared::server::PastServer;

use super::{Person, extract, options};
use crate::app::{App, AppState};
use crate::error::Error;
use crate::listen::ClientAddress;
use crate::look::Language;
use crate::spawner::Once;
use crate::store::Kind;
use crate::support;

/// The body of a start: bare options, or JupyterHub's `{"user_options": {…}}`, with what is wanted of this start alone.
#[derive(Deserialize)]
#[serde(untagged)]
enum StartBody {
    Wrapped(Wrapped),
    Bare(RawOptions),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wrapped {
    user_options: RawOptions,
    /// Slipway's own, as [`Once`] has it.
    #[serde(default)]
    fresh_settings: bool,
    #[serde(default)]
    keep_waiting: bool,
}

/// `POST /hub/api/users/{name}/server`: 202 while it starts. No body, or no options in it, takes the last
/// choices.
pub async fn start_server(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
    ConnectInfo(client): ConnectInfo<ClientAddress>,
    headers: HeaderMap,
    body: Result<Bytes, axum::extract::rejection::BytesRejection>,
) -> Result<StatusCode, Error> {
    let user = person.named(&name)?;
    let body = body.map_err(|rejection| extract::too_large(&rejection))?;
    let (raw, once) = read(&headers, &body)?;
    let once = Once {
        language: Language::wanted(&headers),
        ..once
    };
    let by = StartedBy::Person(client.0);
    let chosen = start(&app, user, &raw, once, by).await?;
    if let Err(error) = app.store.keep(user, Kind::Choice, &chosen).await {
        tracing::warn!(%user, %error, "these choices will not be proposed the next time");
    }
    Ok(StatusCode::ACCEPTED)
}

/// Who starts a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StartedBy {
    /// A request of the person's from this address, which counts for `limits.starts_per_minute`.
    Person(IpAddr),
    /// Slipway itself: the user has requested a renewal (`PUT …/server/next`).
    Renewal,
}

/// Starts a server with these options, as far as this person may choose them now; answers what was chosen.
pub(crate) async fn start(
    app: &App,
    user: &UserName,
    raw: &RawOptions,
    once: Once,
    by: StartedBy,
) -> Result<UserOptions, Error> {
    let address = match by {
        StartedBy::Person(address) => Some(address),
        StartedBy::Renewal => None,
    };
    refuse_closed(app, user, address).await?;
    let offer = options::offer(app, user).await?;
    let request = shared::options::parse(raw, &offer, app.slurm.now()).map_err(Error::Options)?;
    let chosen = request.options.clone();
    // While a server starts or runs, a repeated start sends nothing to Slurm.
    let reaches_slurm = app.spawner.server(user).is_none_or(|server| !server.is_live());
    if by != StartedBy::Renewal && reaches_slurm {
        app.limits.count_start(user)?;
    }
    app.spawner.start(user, request, once).await?;
    Ok(chosen)
}

/// An account that was closed or blocked since its user signed in starts nothing, from that moment on.
async fn refuse_closed(app: &App, user: &UserName, address: Option<IpAddr>) -> Result<(), Error> {
    if !app.config.may_sign_in(user) {
        return Err(Error::Inactive {
            since: None,
            said: String::new(),
        });
    }
    Ok(app.conversations.is_active(user, address).await?)
}

fn read(headers: &HeaderMap, body: &Bytes) -> Result<(RawOptions, Once), Error> {
    if body.is_empty() {
        return Ok((RawOptions::default(), Once::default()));
    }
    extract::require_json(headers)?;
    match serde_json::from_slice(body) {
        Ok(StartBody::Wrapped(body)) => {
            let once = Once {
                fresh_settings: body.fresh_settings,
                keep_waiting: body.keep_waiting,
                ..Once::default()
            };
            Ok((body.user_options, once))
        }
        Ok(StartBody::Bare(raw)) => Ok((raw, Once::default())),
        Err(_) => Err(Error::bad_request("the body has to be a JSON object of options")),
    }
}

/// `POST /hub/api/users/{name}/server/keep-waiting`: 204, and the start that waits is not given up.
pub async fn keep_waiting(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
    ConnectInfo(client): ConnectInfo<ClientAddress>,
) -> Result<StatusCode, Error> {
    let user = person.named(&name)?;
    refuse_closed(&app, user, Some(client.0)).await?;
    if app.spawner.keep_waiting(user).await {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::Conflict(format!("nothing waits for {user}")))
    }
}

/// `PUT /hub/api/users/{name}/server/next`: 204, and when the server's time is over another one like it is started.
/// `DELETE`: 204, and none is.
pub async fn set_next(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
    ConnectInfo(client): ConnectInfo<ClientAddress>,
    method: Method,
) -> Result<StatusCode, Error> {
    let user = person.named(&name)?;
    let is_wanted = method == Method::PUT;
    if is_wanted {
        refuse_closed(&app, user, Some(client.0)).await?;
    }
    if app.spawner.set_next(user, is_wanted).await {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Error::Conflict(format!("no server runs for {user}")))
    }
}

/// `GET /hub/api/users/{name}/history`: the last servers, the latest first.
pub async fn show_history(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
) -> Result<Json<Vec<PastServer>>, Error> {
    let user = person.named(&name)?;
    Ok(Json(app.spawner.history(user).await))
}

/// `GET /hub/api/users/{name}/server/support`: all that support needs to know of the server, as text.
pub async fn show_support(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
) -> Result<String, Error> {
    let user = person.named(&name)?;
    let server = app.spawner.find(user).await.ok_or(Error::NotFound)?;
    Ok(support::of_server(&app, &server))
}

/// `DELETE /hub/api/users/{name}/jobs/{id}`: 204, and another job of the person's is cancelled; 404 for one that is
/// unknown or somebody else's. The server itself is ended by [`stop_server`].
pub async fn cancel_job(
    State(app): State<AppState>,
    person: Person,
    Path((name, id)): Path<(String, u64)>,
) -> Result<StatusCode, Error> {
    let user = person.named(&name)?;
    let server = app.spawner.server(user).filter(|server| server.is_live());
    if server.is_some_and(|server| server.job_id() == Some(id)) {
        return Err(Error::Conflict(format!("job {id} is the server: stop that")));
    }
    app.slurm.person(user).cancel(id).await?;
    app.offers.forget_jobs(user);
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /hub/api/users/{name}/server`: 202 while it stops, 204 if there is none.
pub async fn stop_server(
    State(app): State<AppState>,
    person: Person,
    Path(name): Path<String>,
) -> Result<StatusCode, Error> {
    let user = person.named(&name)?;
    app.spawner.stop(user).await?;
    let live = app.spawner.server(user).is_some_and(|server| server.phase().is_live());
    Ok(if live {
        StatusCode::ACCEPTED
    } else {
        StatusCode::NO_CONTENT
    })
}
