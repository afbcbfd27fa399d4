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
use shared::reason::Refusal;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::auth::{Denied, LimitError};
use crate::offer::OfferError;
use crate::slurm::SlurmError;
use crate::spawner::SpawnError;
use crate::transfer::TooSlow;

/// When a client that has too many event streams may ask for one again.
const STREAM_RETRY_SECONDS: i64 = 15;

/// Everything that can go wrong with a request.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    /// Not a request of this API; the text is for whoever wrote the client.
    #[error("{1}")]
    BadRequest(StatusCode, String),
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    NotSignedIn,
    /// The same, to a request for one kernel. JupyterLab takes every status but 424 and 503 for the death of the kernel
    /// (`kernel/default.ts`); with these it tries again, and finds the kernel once its user has signed in.
    #[error("nobody is signed in")]
    KernelNotShown,
    /// Wrong name, password or code; what the source of accounts said.
    #[error("wrong name or password")]
    WrongPassword(String),
    /// The sign-in took too long, or was cancelled.
    #[error("this sign-in is over; begin anew")]
    SignInOver,
    /// The password has to be changed elsewhere first; what the source of accounts said.
    #[error("the password has expired; change it first")]
    PasswordExpired(String),
    /// Too many wrong passwords.
    #[error("too many failed sign-ins; try again in {0} seconds")]
    Throttled(i64),
    /// Too many sign-ins are being checked; this one was not.
    #[error("too many sign-ins are waiting to be checked; try again in {0} seconds")]
    SignInBusy(i64),
    /// The account is not active.
    #[error("this account is not active")]
    Inactive {
        /// Since when, if known.
        since: Option<String>,
        /// What the source of accounts said.
        said: String,
    },
    /// The name reads as a number (`identity.numeric_names`).
    #[error(
        "this name reads as a number, which Slurm could take for the uid of another user; ask support for another name"
    )]
    NumericName,
    /// The account has a uid below `identity.min_uid`; which one is for the log.
    #[error("this is an account of the system, not of a person; sign in with your own")]
    SystemAccount(String),
    /// The source of accounts does not answer, or has no room; the cause is for the log.
    #[error("signing in is not possible now; try again in a moment")]
    SignInUnavailable(String),
    /// A session was ended here, and the store did not take it.
    #[error(
        "signed out in this browser, but this could not be stored: copies of the session may be accepted elsewhere until \
         it is, at the latest until {}", time_of_day(*until)
    )]
    SignOutNotStored {
        /// When the session's cookies expire, in seconds since 1970.
        until: i64,
        /// For the log.
        cause: String,
    },
    /// No association in Slurm.
    #[error("this account has no association in Slurm: there is no compute account to charge")]
    NoAssociation,
    /// Signed in, but this is somebody else's.
    #[error("this belongs to somebody else")]
    Forbidden,
    /// The request came from another site, or for another host name.
    #[error("this request came from another site")]
    CrossSite,
    /// The request was for a host name that is not this site's; both are named for the log.
    #[error("this service has another address")]
    WrongHost {
        /// Where the site is: its scheme, host and port.
        origin: String,
        /// What was sent, and what would be right.
        cause: String,
    },
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
    /// Jupyter answers what cannot be passed on: why, for the person, and the cause, for the log.
    #[error("the server's answer cannot be passed on: {0}")]
    InvalidAnswer(&'static str, String),
    /// As many requests and tunnels of this person's are open as may be.
    #[error("too many requests and tunnels to this server are open; close some tabs, or wait for transfers to end")]
    TooManyConnections,
    /// More starts than `limits.starts_per_minute`.
    #[error("you have started servers too often; try again in {0} seconds")]
    TooManyStarts(i64),
    /// More changes than `limits.changes_per_minute`.
    #[error("too many requests in a short time; try again in {0} seconds")]
    TooManyChanges(i64),
    /// More event streams than `limits.event_streams_per_session`.
    #[error("too many event streams of this session are open; ask without waiting, or close some tabs")]
    TooManyStreams,
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

    /// Sessions were ended here, and the store did not take it; their cookies expire at this time.
    pub fn sign_out_not_stored(until: i64, cause: &impl ToString) -> Self {
        Self::SignOutNotStored {
            until,
            cause: cause.to_string(),
        }
    }

    /// A request whose body did not arrive in time; its connection is closed.
    pub fn body_timeout() -> Self {
        let message = format!("{TooSlow}; send it again, over a faster connection");
        Self::BadRequest(StatusCode::REQUEST_TIMEOUT, message)
    }

    /// The HTTP status and the code for programs.
    pub fn status(&self) -> (StatusCode, ErrorCode) {
        match self {
            Self::BadRequest(status, _) => (*status, ErrorCode::BadRequest),
            Self::NotSignedIn => (StatusCode::UNAUTHORIZED, ErrorCode::NotSignedIn),
            Self::KernelNotShown => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::NotSignedIn),
            Self::WrongPassword(_) => (StatusCode::UNAUTHORIZED, ErrorCode::WrongPassword),
            Self::SignInOver => (StatusCode::UNAUTHORIZED, ErrorCode::SignInOver),
            Self::PasswordExpired(_) => (StatusCode::FORBIDDEN, ErrorCode::PasswordExpired),
            Self::Throttled(_) | Self::SignInBusy(_) => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::Throttled),
            Self::Inactive { .. } => (StatusCode::FORBIDDEN, ErrorCode::Inactive),
            Self::NumericName => (StatusCode::FORBIDDEN, ErrorCode::NumericName),
            Self::SystemAccount(_) => (StatusCode::FORBIDDEN, ErrorCode::SystemAccount),
            Self::SignInUnavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::SignInUnavailable),
            Self::SignOutNotStored { .. } => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::SignOutNotStored),
            Self::NoAssociation => (StatusCode::FORBIDDEN, ErrorCode::NoAssociation),
            Self::Forbidden => (StatusCode::FORBIDDEN, ErrorCode::Forbidden),
            Self::CrossSite => (StatusCode::FORBIDDEN, ErrorCode::CrossSite),
            Self::WrongHost { .. } => (StatusCode::MISDIRECTED_REQUEST, ErrorCode::WrongHost),
            Self::NotFound => (StatusCode::NOT_FOUND, ErrorCode::NotFound),
            Self::Options(_) => (StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::Options),
            Self::Refused { .. } => (StatusCode::UNPROCESSABLE_ENTITY, ErrorCode::Refused),
            Self::Conflict(_) => (StatusCode::BAD_REQUEST, ErrorCode::Conflict),
            // What JupyterHub answers, and what JupyterLab understands.
            Self::NotRunning => (StatusCode::FAILED_DEPENDENCY, ErrorCode::NotRunning),
            Self::TooManyConnections => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyConnections),
            Self::TooManyStarts(_) => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyStarts),
            Self::TooManyChanges(_) => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyChanges),
            Self::TooManyStreams => (StatusCode::TOO_MANY_REQUESTS, ErrorCode::TooManyStreams),
            Self::NotAnswering(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::NotAnswering),
            Self::InvalidAnswer(..) => (StatusCode::BAD_GATEWAY, ErrorCode::InvalidAnswer),
            Self::SlurmUnreachable(_) => (StatusCode::SERVICE_UNAVAILABLE, ErrorCode::SlurmUnreachable),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, ErrorCode::Internal),
        }
    }

    /// What the person must not see and the log should have.
    pub fn private_cause(&self) -> Option<&str> {
        match self {
            Self::SystemAccount(cause)
            | Self::SignInUnavailable(cause)
            | Self::NotAnswering(cause)
            | Self::InvalidAnswer(_, cause)
            | Self::SlurmUnreachable(cause)
            | Self::SignOutNotStored { cause, .. }
            | Self::WrongHost { cause, .. }
            | Self::Internal(cause) => Some(cause),
            _ => None,
        }
    }

    /// The JSON of the answer.
    pub fn view(&self, request_id: &str) -> ErrorView {
        let (status, code) = self.status();
        let mut details = BTreeMap::new();
        let mut tell = |name: &str, value: String| {
            if !value.is_empty() {
                details.insert(name.to_owned(), value);
            }
        };
        match self {
            Self::WrongHost { origin, .. } => tell("address", origin.clone()),
            Self::SignOutNotStored { until, .. } => tell("until", until.to_string()),
            Self::Throttled(seconds)
            | Self::SignInBusy(seconds)
            | Self::TooManyStarts(seconds)
            | Self::TooManyChanges(seconds) => tell("retry_after", seconds.to_string()),
            Self::WrongPassword(said) | Self::PasswordExpired(said) => tell("said", said.clone()),
            Self::Inactive { since, said } => {
                tell("since", since.clone().unwrap_or_default());
                tell("said", said.clone());
            }
            Self::Refused { message, code } => {
                tell("slurm", message.clone());
                tell("slurm_code", code.to_string());
            }
            _ => {}
        }
        let fields = if let Self::Options(fields) = self {
            fields.clone()
        } else {
            Vec::new()
        };
        let message = self.to_string();
        let why = match self {
            Self::Refused { message, code } => Some(Refusal::from_code(*code).saying(message).into()),
            _ => None,
        };
        ErrorView {
            why,
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
        let retry_after = match &self {
            Self::Throttled(seconds)
            | Self::SignInBusy(seconds)
            | Self::TooManyStarts(seconds)
            | Self::TooManyChanges(seconds) => Some(*seconds),
            Self::TooManyConnections => Some(1),
            Self::TooManyStreams => Some(STREAM_RETRY_SECONDS),
            _ => None,
        };
        if response.status() == StatusCode::REQUEST_TIMEOUT {
            response
                .headers_mut()
                .insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if let Some(seconds) = retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
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
            SlurmError::NotFound => Self::NotFound,
            error @ SlurmError::SignerAway(_) => Self::SlurmUnreachable(error.to_string()),
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

impl From<LimitError> for Error {
    fn from(error: LimitError) -> Self {
        match error {
            LimitError::Starts(seconds) => Self::TooManyStarts(seconds),
            LimitError::Changes(seconds) => Self::TooManyChanges(seconds),
            LimitError::Streams => Self::TooManyStreams,
        }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Wrong { said } => Self::WrongPassword(said),
            Denied::PasswordExpired { said } => Self::PasswordExpired(said),
            Denied::Cancelled => Self::SignInOver,
            Denied::Busy { seconds } => Self::SignInBusy(seconds),
            Denied::Inactive { since, said } => Self::Inactive { since, said },
            Denied::SystemAccount(cause) => Self::SystemAccount(cause),
            Denied::Unavailable(cause) => Self::SignInUnavailable(cause),
        }
    }
}

fn time_of_day(seconds: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok();
    time.and_then(|time| time.format(&Rfc3339).ok()).unwrap_or_default()
}
