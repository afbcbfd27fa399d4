//! What handlers are given: who is signed in, and a JSON body.

use std::net::IpAddr;

use axum::extract::{FromRequest, FromRequestParts, Request};
use http::request::Parts;
use http::{HeaderMap, Method, StatusCode, header};
use serde::de::DeserializeOwned;
use shared::names::UserName;

use crate::app::AppState;
use crate::auth::{Audience, Session};
use crate::edge::is_same_site;
use crate::error::Error;
use crate::listen::ClientAddress;
use crate::parse_error;

/// Somebody who is signed in to the hub. What changes something has to come from our own pages.
#[derive(Clone, Debug)]
pub struct Person(pub Session);

impl Person {
    /// The person's name, if `name` is theirs: nobody acts for anybody else.
    pub fn named(&self, name: &str) -> Result<&UserName, Error> {
        if self.0.user.as_str() == name {
            Ok(&self.0.user)
        } else {
            Err(Error::Forbidden)
        }
    }
}

impl FromRequestParts<AppState> for Person {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Error> {
        let session = app
            .sessions
            .authenticate(Audience::Hub, &parts.headers)
            .ok_or(Error::NotSignedIn)?;
        let asks_only = [Method::GET, Method::HEAD, Method::OPTIONS].contains(&parts.method);
        if !asks_only && !is_same_site(app, &parts.headers, Audience::Hub) {
            return Err(Error::CrossSite);
        }
        Ok(Self(session))
    }
}

/// Somebody who is about to sign in: where from, and with which headers. A form of another site must not sign anybody
/// in as somebody else; programs send neither of the headers that tell.
#[derive(Clone)]
pub struct Visitor {
    /// Where from.
    pub address: IpAddr,
    /// All headers.
    pub headers: HeaderMap,
}

impl FromRequestParts<AppState> for Visitor {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Error> {
        let headers = &parts.headers;
        let from_browser = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
        if from_browser && !is_same_site(app, headers, Audience::Hub) {
            return Err(Error::CrossSite);
        }
        let address = ClientAddress::of(&parts.extensions);
        Ok(Self {
            address: address.ok_or_else(|| Error::Internal("a request has no address".into()))?,
            headers: headers.clone(),
        })
    }
}

/// A JSON body. Another content type is refused: a form of another site cannot send this one.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for Json<T> {
    type Rejection = Error;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Error> {
        require_json(request.headers())?;
        let body = axum::body::Bytes::from_request(request, app)
            .await
            .map_err(|rejection| too_large(&rejection))?;
        parse_json(&body).map(Self)
    }
}

/// Parses a body. It may hold a password: what is said of a wrong one has no value from it.
pub(super) fn parse_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body)
        .map_err(|error| Error::bad_request(format!("the body: {}", parse_error::json_of::<T>(&error))))
}

pub(super) fn too_large(rejection: &axum::extract::rejection::BytesRejection) -> Error {
    Error::BadRequest(rejection.status(), "the body is too large or was cut off".into())
}

pub(super) fn require_json(headers: &HeaderMap) -> Result<(), Error> {
    if is_json(headers) {
        return Ok(());
    }
    let message = "the body has to be JSON (content-type: application/json)";
    Err(Error::BadRequest(StatusCode::UNSUPPORTED_MEDIA_TYPE, message.into()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    value
        .split(';')
        .next()
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
}
