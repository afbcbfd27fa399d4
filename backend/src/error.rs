//! The one place where an error becomes an HTTP answer and a log line.
//!
//! Each module has its own errors, without HTTP in them; handlers turn those into [`Error`]. The answer to
//! the person names no host, path or token; the cause is logged once, in [`crate::edge`], under the request
//! id that the person sees too.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use shared::api::{ErrorCode, ErrorView};
use shared::options::FieldError;

use crate::auth::Denied;
use crate::offer::OfferError;
use crate::slurm::SlurmError;
use crate::spawner::SpawnError;

/// Everything that can go wrong with a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Not a request of this API; the text is for whoever wrote the client.
    #[error("{1}")]
    BadRequest(StatusCode, String),
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// Wrong name or password.
    #[error("wrong name or password")]
    WrongPassword,
    /// Too many wrong passwords.
    #[error("too many failed sign-ins; try again in {0} seconds")]
    Throttled(i64),
    /// The account is not active; since when, if known.
    #[error("this account is not active")]
    Inactive(Option<String>),
    /// No association in Slurm.
    #[error("this account has no association in Slurm: there is no compute account to charge")]
    NoAssociation,
    /// Signed in, but this is somebody else's.
    #[error("this belongs to somebody else")]
    Forbidden,
    /// The request came from another site, or for another host name.
    #[error("this request came from another site")]
    CrossSite,
    /// There is no such thing.
    #[error("there is nothing here")]
    NotFound,
    /// Options that cannot be.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Options(Vec<FieldError>),
    /// Slurm refused.
    #[error("Slurm refused the job: {message}")]
    Refused {
        /// Slurm's own words.
        message: String,
        /// Slurm's error number.
        code: i64,
    },
    /// A server is already running, or being stopped, or nothing is starting.
    #[error("{0}")]
    Conflict(String),
    /// The server is not running.
    #[error("this server is not running")]
    NotRunning,
    /// The server's job runs, but Jupyter does not answer; the cause is for the log.
    #[error("the server runs, but does not answer")]
    NotAnswering(String),
    /// Slurm cannot be reached; the cause is for the log.
    #[error("Slurm cannot be reached now; running servers are not affected")]
    SlurmUnreachable(String),
    /// A defect or a wrong configuration; the cause is for the log.
    #[error("something went wrong here; the request id helps to find out what")]
    Internal(String),
}

impl Error {
    /// A request that is none.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::BadRequest(StatusCode::BAD_REQUEST, message.into())
    }

    /// The HTTP status and the code for programs.
    pub fn status(&self) -> (StatusCode, ErrorCode) {
        match self {
            Self::BadRequest(status, _) => (*status, ErrorCode::BadRequest),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, ErrorCode::NotSignedIn),
            Self::WrongPassword => (StatusCode::UNAUTHORIZED, ErrorCode::WrongPassword),
            Self::Throttled(_) => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::Throttled),
            Self::Inactive(_) => (StatusCode::FORBIDDEN, ErrorCode::Inactive),
            Self::NoAssociation => (StatusCode::FORBIDDEN, ErrorCode::NoAssociation),
            Self::Forbidden => (StatusCode::FORBIDDEN, ErrorCode::Forbidden),
            Self::CrossSite => (StatusCode::FORBIDDEN, ErrorCode::CrossSite),
            Self::NotFound => (StatusCode::NOT_FOUND, ErrorCode::NotFound),
            Self::Options(_) => (StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::Options),
            Self::Refused { .. } => (StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::Refused),
            Self::Conflict(_) => (StatusCode::BAD_REQUEST, ErrorCode::Conflict),
            // What JupyterHub answers, and what JupyterLab understands.
            Self::NotRunning => (StatusCode::FAILED_DEPENDENCY, ErrorCode::NotRunning),
            Self::NotAnswering(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::NotAnswering),
            Self::SlurmUnreachable(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::SlurmUnreachable),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal),
        }
    }

    /// What the person must not see and the log should have.
    pub fn private_cause(&self) -> Option<&str> {
        match self {
            Self::NotAnswering(cause) | Self::SlurmUnreachable(cause) | Self::Internal(cause) => Some(cause),
            _ => None,
        }
    }

    /// The JSON of the answer.
    pub fn view(&self, request_id: &str) -> ErrorView {
        let (status, code) = self.status();
        let detail = |name: &str, value: String| BTreeMap::from([(name.to_owned(), value)]);
        let details = match self {
            Self::Throttled(seconds) => detail("retry_after", seconds.to_string()),
            Self::Inactive(Some(since)) => detail("since", since.clone()),
            Self::Refused { message, code } => {
                let mut details = detail("slurm", message.clone());
                details.insert("slurm_code".into(), code.to_string());
                details
            }
            _ => BTreeMap::new(),
        };
        let fields = if let Self::Options(fields) = self {
            fields.clone()
        } else {
            Vec::new()
        };
        let message = self.to_string();
        ErrorView {
            status: status.as_u16(),
            message,
            code,
            fields,
            details,
            request_id: request_id.to_owned(),
        }
    }
}

impl IntoResponse for Error {
    /// Status only: the body is written by [`crate::edge`], which knows the request.
    fn into_response(self) -> Response {
        let mut response = self.status().0.into_response();
        if let Self::Throttled(seconds) = &self {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(*seconds));
        }
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

impl From<SlurmError> for Error {
    fn from(error: SlurmError) -> Self {
        match error {
            SlurmError::Refused { message, code } => Self::Refused { message, code },
            SlurmError::Unreachable { cause, .. } => Self::SlurmUnreachable(cause),
            error => Self::Internal(error.to_string()),
        }
    }
}

impl From<SpawnError> for Error {
    fn from(error: SpawnError) -> Self {
        match error {
            SpawnError::Slurm(error) => error.into(),
            SpawnError::Internal(cause) => Self::Internal(cause),
            error @ (SpawnError::AlreadyRunning | SpawnError::Stopping) => Self::Conflict(error.to_string()),
        }
    }
}

impl From<OfferError> for Error {
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::NoAssociation => Self::NoAssociation,
            error @ OfferError::NoNodes => Self::Internal(error.to_string()),
            OfferError::Slurm(error) => error.into(),
        }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::WrongPassword => Self::WrongPassword,
            Denied::Inactive { since } => Self::Inactive(since),
            Denied::Unavailable(cause) => Self::Internal(cause),
        }
    }
}
