//! What comes with a request: who asks, the query, the body.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query as Pairs, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::App;
use super::errors::{BAD_BODY, BAD_QUERY};
use crate::auth::Caller;
use crate::cluster::Inner;
use crate::submission::schema::{Warning, unknown_field};

impl FromRequestParts<Arc<Inner>> for Caller {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        Ok(match app.keys.caller(&parts.headers) {
            Self::Known(user) => Self::Known(app.config.resolve(&user)),
            nobody => nobody,
        })
    }
}

/// The pairs of a query, in order. A literal comma is not taken.
pub(super) struct Query(Vec<(String, String)>);

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let refused = || (StatusCode::BAD_REQUEST, BAD_QUERY).into_response();
        if parts.uri.query().is_some_and(|query| query.contains(',')) {
            return Err(refused());
        }
        let pairs = Pairs::from_request_parts(parts, state).await.map_err(|_| refused())?;
        Ok(Self(pairs.0))
    }
}

impl Query {
    /// Every value of this name; a value may be several, with (encoded) commas between.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        let values = self.0.iter().filter(|(key, _)| key == name);
        values
            .flat_map(|(_, value)| value.split(','))
            .filter(|value| !value.is_empty())
            .collect()
    }

    pub(super) fn first(&self, name: &str) -> Option<&str> {
        self.all(name).into_iter().next()
    }

    /// A warning for each name that the API does not have here.
    pub(super) fn unknown(&self, known: &[&str], parser: &str) -> Vec<Warning> {
        let strange = self.0.iter().filter(|(name, _)| !known.contains(&name.as_str()));
        strange
            .map(|(name, value)| unknown_field(name, &Value::String(value.clone()), parser, "#/"))
            .collect()
    }
}

/// A JSON body, of any kind.
pub(super) struct Body(pub(super) Value);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Response;

    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        if !content_type.is_some_and(|content_type| content_type.starts_with("application/json")) {
            return Err((
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "Content-Type must be application/json",
            )
                .into_response());
        }
        let bytes = Bytes::from_request(request, state)
            .await
            .map_err(IntoResponse::into_response)?;
        let refused = |_| (StatusCode::BAD_REQUEST, BAD_BODY).into_response();
        serde_json::from_slice(&bytes).map(Self).map_err(refused)
    }
}
