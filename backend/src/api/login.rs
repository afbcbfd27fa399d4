//! `/hub/api/login`, `/hub/api/logout`, and the form of `/hub/login`

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, Form, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use axum_extra::extract::cookie::Cookie;
use http::{HeaderMap, StatusCode, header};
use secrecy::SecretString;
use serde::Deserialize;
use shared::api::LoginRequest;
use shared::names::UserName;

use super::{Json, Person, user};
use crate::app::{App, AppState};
use crate::assets::{LoginForm, LoginProblem, Look};
use crate::auth::{Audience, Denied, SignIn};
use crate::edge::is_same_site;
use crate::error::Error;

type SetCookies = AppendHeaders<Vec<(header::HeaderName, String)>>;

/// `POST /hub/api/login`
pub async fn sign_in(
    State(app): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Json(login): Json<LoginRequest>,
) -> Result<Response, Error> {
    refuse_other_sites(&app, &headers)?;
    let (sign_in, cookies) = check(&app, login, peer.ip(), &headers).await?;
    let view = user::view(&app, &sign_in, false).await;
    Ok((set(&cookies), axum::Json(view)).into_response())
}

/// The form of `/hub/login`, sent without scripts.
#[derive(Deserialize)]
pub struct LoginFields {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// `POST /hub/login`
pub async fn sign_in_by_form(
    State(app): State<AppState>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    Form(fields): Form<LoginFields>,
) -> Result<Response, Error> {
    refuse_other_sites(&app, &headers)?;
    let next = app.routes.own_path(&fields.next).map(str::to_owned);
    let login = LoginRequest {
        username: fields.username.clone(),
        password: fields.password,
    };
    match check(&app, login, peer.ip(), &headers).await {
        Ok((_, cookies)) => {
            let target = next.unwrap_or_else(|| app.routes.hub("home"));
            Ok((set(&cookies), Redirect::to(&target)).into_response())
        }
        Err(error) => {
            let problem = match error {
                Error::WrongPassword => LoginProblem::Wrong,
                Error::Throttled(_) => LoginProblem::Throttled,
                Error::Inactive(_) => LoginProblem::Inactive,
                _ => LoginProblem::Unavailable,
            };
            let username = fields.username.chars().take(64).collect();
            let form = LoginForm {
                username,
                next: next.unwrap_or_default(),
                error: Some(problem),
            };
            Ok(app.assets.document(error.status().0, Look::of(&headers), Some(&form)))
        }
    }
}

/// `POST /hub/api/logout`
pub async fn sign_out(State(app): State<AppState>, person: Result<Person, Error>) -> Result<Response, Error> {
    let sign_in = match person {
        Ok(Person(sign_in)) => sign_in,
        // Signed out already: what was asked for is so.
        Err(Error::NotSignedIn) => return Ok(StatusCode::NO_CONTENT.into_response()),
        Err(error) => return Err(error),
    };
    let cookies = app.sign_ins.end(&sign_in);
    if let Err(error) = app
        .store
        .end_sign_in(&sign_in.id, sign_in.ends_at, app.clock.now())
        .await
    {
        tracing::warn!(%error, "a restart will not remember that this sign-in was ended");
    }
    tracing::info!(user = %sign_in.user, "signed out");
    Ok((StatusCode::NO_CONTENT, set(&cookies)).into_response())
}

/// A form of another site must not sign anybody in as somebody else. Programs send neither header.
fn refuse_other_sites(app: &AppState, headers: &HeaderMap) -> Result<(), Error> {
    let from_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    if from_browser && !is_same_site(app, headers) {
        Err(Error::CrossSite)
    } else {
        Ok(())
    }
}

async fn check(
    app: &App,
    login: LoginRequest,
    address: IpAddr,
    headers: &HeaderMap,
) -> Result<(SignIn, Vec<Cookie<'static>>), Error> {
    // What is no name at all is answered like an unknown one.
    let user = UserName::from_typed(&login.username).map_err(|_| Error::WrongPassword)?;
    if let Some(seconds) = app.throttle.wait_seconds(&user, address) {
        return Err(Error::Throttled(seconds));
    }
    if login.password.is_empty() || app.config.sign_in.blocked.iter().any(|name| name == user.as_str()) {
        app.throttle.failed(&user, address);
        return Err(Error::WrongPassword);
    }
    match app
        .authenticator
        .authenticate(&user, SecretString::from(login.password))
        .await
    {
        Ok(()) => app.throttle.succeeded(&user),
        Err(denied) => {
            if denied == Denied::WrongPassword {
                app.throttle.failed(&user, address);
            }
            tracing::info!(%user, reason = %denied, "a sign-in was refused");
            return Err(denied.into());
        }
    }
    // Whoever signs in anew ends the sign-in that this browser had.
    if let Some(before) = app.sign_ins.read(Audience::Hub, headers) {
        app.sign_ins.end(&before);
    }
    let started = app.sign_ins.start(&user).map_err(Error::Internal)?;
    tracing::info!(%user, "signed in");
    Ok(started)
}

fn set(cookies: &[Cookie<'static>]) -> SetCookies {
    AppendHeaders(
        cookies
            .iter()
            .map(|cookie| (header::SET_COOKIE, cookie.to_string()))
            .collect(),
    )
}
