//! Middleware that counts every change that a signed-in person makes, so that no route can forget it.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::app::{App, AppState};
use crate::auth::Audience;
use crate::edge::is_same_site;
use crate::error::Error;

/// Answers 429 where a person has changed too much within the last minute (`limits.changes_per_minute`).
///
/// Counted are all methods but the safe ones (RFC 9110, section 9.2.1). Exempt are sign-in, which has limits of its
/// own, and sign-out, which has to work always. A forged request of another site is refused later and not counted:
/// otherwise such a site could lock a person out.
pub async fn limit_changes(State(app): State<AppState>, request: Request, next: Next) -> Response {
    match count_change(&app, &request) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn count_change(app: &App, request: &Request) -> Result<(), Error> {
    let headers = request.headers();
    if request.method().is_safe()
        || is_sign_in_or_out(app, request.uri().path())
        || !is_same_site(app, headers, Audience::Hub)
    {
        return Ok(());
    }
    match app.sessions.authenticate(Audience::Hub, headers) {
        Some(session) => Ok(app.limits.count_change(&session.user)?),
        None => Ok(()),
    }
}

/// Whether a path is one of `login`, `login/…` and `logout`, of the API or of the pages.
fn is_sign_in_or_out(app: &App, path: &str) -> bool {
    let Some(path) = path.strip_prefix(&app.routes.hub("")) else {
        return false;
    };
    let path = path.strip_prefix("api/").unwrap_or(path);
    ["login", "logout"].contains(&path) || path.starts_with("login/")
}
