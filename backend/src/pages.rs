//! The document of the page, for every URL under `/hub/` that is nothing else, and the page's files.

use axum::extract::{Query, Request, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;
use shared::names::UserName;

use crate::answers::Answers;
use crate::app::{App, AppState};
use crate::assets::{Form, LoginForm};
use crate::auth::Audience;
use crate::error::Error;
use crate::look::Look;

/// Query of `/hub/login`.
#[derive(Deserialize)]
pub struct Next {
    #[serde(default)]
    next: String,
}

/// `GET /hub/login`: the document with a real form in it, which works before and without any script.
pub async fn show_login(State(app): State<AppState>, Query(query): Query<Next>, headers: HeaderMap) -> Response {
    let next = app.routes.own_path(&query.next).unwrap_or_default().to_owned();
    if let Some(sign_in) = app.sign_ins.read(Audience::Hub, &headers) {
        let own = app.routes.server(&sign_in.user, "");
        if next.starts_with(&format!("{}user/", app.routes.base())) && !next.starts_with(&own) {
            // The page says whose it is.
            let answers = Answers::of_person(&app, &sign_in, false).await;
            return app
                .assets
                .document(StatusCode::FORBIDDEN, Look::of(&headers), None, &answers);
        }
        // A browser that has lost the other cookie would be sent here again and again.
        if let Ok(cookies) = app.sign_ins.cookies(Audience::Hub, &sign_in) {
            let next = if next.is_empty() { app.routes.hub("home") } else { next };
            let cookies = cookies.iter().map(|cookie| (header::SET_COOKIE, cookie.to_string()));
            return (AppendHeaders(cookies.collect::<Vec<_>>()), Redirect::to(&next)).into_response();
        }
    }
    let form = LoginForm {
        next,
        ..LoginForm::default()
    };
    let form = Some(Form::Login(&form));
    app.assets
        .document(StatusCode::OK, Look::of(&headers), form, &Answers::of_site(&app))
}

/// Any other URL under `/hub/`: a file of the page, or the document.
pub async fn show_page(State(app): State<AppState>, request: Request) -> Response {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Error::NotFound.into_response();
    }
    let path = request.uri().path().trim_start_matches('/');
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    match app.assets.file(path, request.headers()) {
        Some(file) => file,
        // A file of another release, or none: a document in its place would only confuse.
        None if is_file && !path.contains('/') => Error::NotFound.into_response(),
        None => {
            let look = Look::of(request.headers());
            let Some(sign_in) = app.sign_ins.read(Audience::Hub, request.headers()) else {
                return app.assets.document(StatusCode::OK, look, None, &Answers::of_site(&app));
            };
            let answers = Answers::of_person(&app, &sign_in, matches!(path, "" | "home")).await;
            let mut document = app.assets.document(StatusCode::OK, look, None, &answers);
            let links = asked_first(&app, path, &sign_in.user, &answers);
            document.headers_mut().extend(links.map(|link| (header::LINK, link)));
            document
        }
    }
}

/// What else the page at this path asks first, and may take longer than a document should, for the browser to fetch beside
/// the page's own files: a form that has its data by the time the page runs is there some round trips earlier.
fn asked_first(app: &App, path: &str, user: &UserName, answers: &Answers) -> Option<HeaderValue> {
    let options = app.routes.api("options");
    let urls = match path {
        "spawn" => vec![options],
        "" | "home" if answers.says_no_server() => vec![options, format!("{}/history", app.routes.api_user(user))],
        _ => return None,
    };
    let links = urls
        .iter()
        .map(|url| format!("<{url}>; rel=preload; as=fetch; crossorigin"));
    HeaderValue::try_from(links.collect::<Vec<_>>().join(", ")).ok()
}
