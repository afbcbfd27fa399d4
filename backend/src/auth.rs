//! Authentication: multi-step sign-in, sessions, rate limiting.

mod conversation;
mod conversations;
mod cookies;
mod decoy;
mod fair_queue;
#[cfg(feature = "pam")]
mod pam;
#[cfg(feature = "pam")]
mod pam_threads;
mod password_checks;
mod pending;
mod rate_limit;
mod seal;
mod sessions;
mod throttle;
mod users_file;

use std::net::IpAddr;

use secrecy::SecretString;
use shared::names::UserName;

pub use conversation::{Asker, Conversation, LoginAttempt, Question, Step};
pub use conversations::{Challenge, Conversations, Flow, Turn};
pub use cookies::{cookie_pairs, cookies};
#[cfg(feature = "pam")]
pub use pam::Pam;
pub use pending::{Pending, PendingSignIns};
pub use rate_limit::{LimitError, OpenStream, RateLimits};
pub use sessions::{
    Audience, SESSION_AUDIT, Seen, Session, Sessions, SignInDetails, recheck_accounts_until_drained,
    sync_until_drained, user_agent,
};
pub use throttle::{Attempt, Throttle, Wait};
pub use users_file::{UsersFile, add_user};

/// Why somebody is not signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Unknown name, or a wrong password or code: one answer, so that names cannot be found out.
    #[error("wrong name or password")]
    Wrong {
        /// What the source said for the person to read, in its own language; may be empty.
        said: String,
    },
    /// Everything is right, and the password has to be changed elsewhere first.
    #[error("the password has expired")]
    PasswordExpired {
        /// What the source said for the person to read.
        said: String,
    },
    /// Everything is right, and the account is not active.
    #[error("the account is not active")]
    Inactive {
        /// Since when, as the source says it.
        since: Option<String>,
        /// What the source said for the person to read.
        said: String,
    },
    /// Everything is right, and the account has a uid below `identity.min_uid`; for the log.
    #[error("an account of the system: {0}")]
    SystemAccount(String),
    /// The person gave up.
    #[error("it was cancelled")]
    Cancelled,
    /// Too many attempts are being checked, of this address or altogether; this one was not.
    #[error("too many sign-ins are waiting to be checked")]
    Busy {
        /// When to try again, in seconds from now.
        seconds: i64,
    },
    /// The source of accounts does not answer, or has no room.
    #[error("sign-in is not possible now: {0}")]
    Unavailable(String),
}

impl Denied {
    /// Wrong, without another word.
    pub fn wrong() -> Self {
        Self::Wrong { said: String::new() }
    }
}

/// A source of accounts that can find out who somebody is.
pub trait Authenticator: Send + Sync {
    /// Begins with a name and a password. Whatever it takes happens in a task or thread of its own, for as long as
    /// the conversation is held.
    fn begin(&self, attempt: LoginAttempt) -> Conversation;

    /// Whether the account of somebody who signed in before is still there and active. Nothing is asked. The address
    /// is that of the client on whose behalf this is checked, if there is one: some PAM rules decide by it.
    fn is_active(&self, user: &UserName, address: Option<IpAddr>) -> Conversation;

    /// A secret that changes when the user's password changes, such as the password's hash. Nothing where the provider
    /// does not tell.
    fn credential(&self, _user: &UserName) -> Option<SecretString> {
        None
    }
}
