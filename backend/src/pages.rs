//! The document of the page, for every URL under `/hub/` that is nothing else, and the page's files.

use axum::extract::{OriginalUri, Query, Request, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use frontend::Draft;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Deserialize;

use crate::answers::{Answers, Beginning};
use crate::app::{App, AppState};
use crate::assets::{Content, LoginForm};
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
    let next = app.routes.destination(&query.next).unwrap_or_default().to_owned();
    if let Some(session) = app.sessions.authenticate(Audience::Hub, &headers) {
        let own = app.routes.server(&session.user, "");
        if next.starts_with(&format!("{}user/", app.routes.base())) && !next.starts_with(&own) {
            // The page says whose it is.
            let answers = Answers::of_person(&app, &session, Beginning::Other).await;
            return app
                .assets
                .document(StatusCode::FORBIDDEN, &Look::of(&headers), Content::Nothing, &answers);
        }
        // A browser that has lost the other cookie would be sent here again and again.
        if let Ok(cookies) = app.sessions.cookies(&session) {
            let next = if next.is_empty() { app.routes.hub("home") } else { next };
            let cookies = cookies.iter().map(|cookie| (header::SET_COOKIE, cookie.to_string()));
            return (AppendHeaders(cookies.collect::<Vec<_>>()), Redirect::to(&next)).into_response();
        }
    }
    let form = LoginForm {
        next,
        ..LoginForm::default()
    };
    let (look, answers) = (Look::of(&headers), Answers::of_site(&app));
    app.assets
        .document(StatusCode::OK, &look, Content::Login(&form), &answers)
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
        None if !frontend::has_page(&format!("hub/{path}")) => {
            let look = Look::of(request.headers());
            let answers = match app.sessions.authenticate(Audience::Hub, request.headers()) {
                Some(session) => Answers::of_person(&app, &session, Beginning::Other).await,
                None => Answers::of_nobody(&app),
            };
            app.assets
                .document(StatusCode::NOT_FOUND, &look, Content::Nothing, &answers)
        }
        None => {
            let look = Look::of(request.headers());
            let Some(session) = app.sessions.authenticate(Audience::Hub, request.headers()) else {
                let answers = Answers::of_nobody(&app);
                return app.assets.document(StatusCode::OK, &look, Content::Nothing, &answers);
            };
            let beginning = match path {
                "spawn" => Beginning::Options,
                "" | "home" => Beginning::Server,
                _ => Beginning::Other,
            };
            let answers = Answers::of_person(&app, &session, beginning).await;
            drawn(&app, &request, &look, beginning, &answers)
        }
    }
}

/// The document of somebody who is signed in, with the page in it as it will be drawn where that is known.
fn drawn(app: &App, request: &Request, look: &Look, beginning: Beginning, answers: &Answers) -> Response {
    let uri = request.extensions().get().map_or(request.uri(), |OriginalUri(uri)| uri);
    let search = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    let page = Draft {
        path: uri.path(),
        search: &search,
        now: answers.now(),
        answers: answers.list(),
        ..Draft::default()
    };
    let draft = answers
        .are_enough_to_draw()
        .then(|| app.assets.draft(page, look).html());
    let content = draft.as_deref().map_or(Content::Nothing, Content::Draft);
    let mut document = app.assets.document(StatusCode::OK, look, content, answers);
    let link = asked_first(app, beginning, answers);
    document.headers_mut().extend(link.map(|link| (header::LINK, link)));
    document
}

/// The options where they are not known at once, for the browser to fetch beside the page's own files: a form that has its
/// data by the time the page runs is there some round trips earlier.
fn asked_first(app: &App, beginning: Beginning, answers: &Answers) -> Option<HeaderValue> {
    let url = app.routes.api("options");
    // Home asks where there is no server, and for the last ones then, too.
    let asks = beginning == Beginning::Options || answers.has("history");
    let unknown = asks && !answers.has("options");
    let link = unknown.then(|| format!("<{url}>; rel=preload; as=fetch; crossorigin"))?;
    HeaderValue::try_from(link).ok()
}
