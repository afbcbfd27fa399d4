//! What is asked of whoever has Slurm's key, and what is answered: the lines of the signer's socket too.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use shared::names::UserName;

use crate::cause::Cause;

/// A token is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) whom: Whom,
    /// What it is wanted for: a request, or a task.
    pub(super) cause: Cause,
}

/// For whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Whom {
    /// The service user, whom the signer knows: for questions that concern nobody in particular.
    Service,
    /// A person, for one request of theirs.
    Person {
        /// Who.
        user: UserName,
        /// What is requested.
        purpose: Purpose,
    },
}

/// What a token for a person is used for: the one request of [`AsPerson`](crate::slurm::AsPerson) that it is sent
/// with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Purpose {
    /// `DELETE jobs/` with a signal that ends nothing.
    FindJobs,
    /// `GET job/{id}`, or the same of the accounting database.
    ReadJob,
    /// `POST job/submit`.
    SubmitJob,
    /// `POST job/{id}`. Its name on the socket is the one that signers of earlier versions know.
    #[serde(rename = "comment_job")]
    UpdateJob,
    /// `DELETE job/{id}`, or `DELETE jobs/` for one that waits.
    CancelJob,
    /// `GET associations`.
    ReadAccounts,
    /// `GET reservations`.
    ReadReservations,
}

impl Purpose {
    /// In words, for the audit.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::FindJobs => "find jobs",
            Self::ReadJob => "read a job",
            Self::SubmitJob => "submit a job",
            Self::UpdateJob => "update a job",
            Self::CancelJob => "cancel a job",
            Self::ReadAccounts => "read compute accounts",
            Self::ReadReservations => "read reservations",
        }
    }
}

/// A token and when it ends, in seconds since 1970.
#[derive(Debug)]
pub(super) struct Token {
    pub(super) text: SecretString,
    pub(super) until: i64,
}

/// A line of the signer's.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Reply {
    /// The token.
    Signed {
        /// Its text.
        token: String,
        /// See [`Token::until`].
        until: i64,
    },
    /// For this name nothing is signed, and why.
    Refused(String),
    /// This is not somebody the signer serves, or not a line it knows, and why.
    NotServed(String),
}
