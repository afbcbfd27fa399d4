//! The forms of `/hub/login`, which work without scripts.

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use shared::sign_in::{AnswerRequest, LoginRequest};

use super::Visitor;
use super::signing_in::{Outcome, begin, go_on};
use crate::answers::Answers;
use crate::app::AppState;
use crate::assets::{Content, LoginForm, LoginProblem};
use crate::error::Error;
use crate::look::Look;

/// The first form.
#[derive(Deserialize)]
pub struct LoginFields {
    #[serde(default)]
    username: String,
    #[serde(default)]
    password: String,
    #[serde(default)]
    next: String,
}

/// The form of each further step.
#[derive(Deserialize)]
pub struct AnswerFields {
    #[serde(default)]
    state: String,
    answer: Option<String>,
    #[serde(default)]
    next: String,
}

/// `POST /hub/login`
pub async fn sign_in_by_form(
    State(app): State<AppState>,
    visitor: Visitor,
    Form(fields): Form<LoginFields>,
) -> Result<Response, Error> {
    let login = LoginRequest {
        username: fields.username.clone(),
        password: fields.password,
    };
    let outcome = begin(&app, login, &visitor).await;
    Ok(answered(
        &app,
        &visitor.headers,
        outcome,
        &fields.username,
        &fields.next,
    ))
}

/// `POST /hub/login/answer`
pub async fn answer_by_form(
    State(app): State<AppState>,
    visitor: Visitor,
    Form(fields): Form<AnswerFields>,
) -> Result<Response, Error> {
    let request = AnswerRequest {
        state: fields.state,
        answer: fields.answer,
    };
    let flow = app.conversations.flow(&request.state);
    let name = flow.map_or_else(String::new, |flow| String::from(flow.user));
    let outcome = go_on(&app, request, &visitor).await;
    Ok(answered(&app, &visitor.headers, outcome, &name, &fields.next))
}

fn answered(
    app: &AppState,
    headers: &HeaderMap,
    outcome: Result<Outcome, Error>,
    username: &str,
    next: &str,
) -> Response {
    let next = app.routes.destination(next).unwrap_or_default();
    let error = match outcome {
        Ok(Outcome::SignedIn(_, cookies)) if next.is_empty() => {
            return (cookies, Redirect::to(&app.routes.hub("home"))).into_response();
        }
        Ok(Outcome::SignedIn(_, cookies)) => return (cookies, Redirect::to(next)).into_response(),
        Ok(Outcome::Asks(challenge)) => {
            let form = Content::Challenge(&challenge, next);
            // It has no scripts that could ask anything.
            let nothing = Answers::default();
            return app.assets.document(StatusCode::OK, &Look::of(headers), form, &nothing);
        }
        Err(error) => error,
    };
    let status = error.status().0;
    let problem = match error {
        Error::WrongPassword(said) => (LoginProblem::Wrong, said),
        Error::Throttled(seconds) | Error::SignInBusy(seconds) => (LoginProblem::Throttled(seconds), String::new()),
        Error::Inactive { said, .. } => (LoginProblem::Inactive, said),
        Error::PasswordExpired(said) => (LoginProblem::PasswordExpired, said),
        Error::NumericName => (LoginProblem::NumericName, String::new()),
        Error::SystemAccount(_) => (LoginProblem::SystemAccount, String::new()),
        Error::SignInOver => (LoginProblem::Over, String::new()),
        _ => (LoginProblem::Unavailable, String::new()),
    };
    let form = LoginForm {
        username: username.chars().take(64).collect(),
        next: next.to_owned(),
        error: Some(problem),
    };
    let form = Content::Login(&form);
    app.assets
        .document(status, &Look::of(headers), form, &Answers::of_site(app))
}
