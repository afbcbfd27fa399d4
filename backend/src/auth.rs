//! Who is this: checking passwords, sign-in cookies, throttling.

mod cookies;
mod throttle;
mod users_file;

use std::pin::Pin;

use secrecy::SecretString;
use shared::names::UserName;

pub use cookies::{Audience, SignIn, SignIns, cookies};
pub use throttle::Throttle;
pub use users_file::{UsersFile, add_user};

/// Why somebody is not signed in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// Unknown name or wrong password: one answer, so that names cannot be found out.
    #[error("wrong name or password")]
    WrongPassword,
    /// The password is right, the account is not active.
    #[error("the account is not active")]
    Inactive {
        /// Since when, as the source says it.
        since: Option<String>,
    },
    /// The source of accounts does not answer.
    #[error("sign-in is not possible now: {0}")]
    Unavailable(String),
}

/// The answer of an [`Authenticator`], some time later.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<(), Denied>> + Send + 'a>>;

/// A source of accounts that can check a password.
pub trait Authenticator: Send + Sync {
    /// Checks a name and a password.
    fn authenticate<'a>(&'a self, user: &'a UserName, password: SecretString) -> Answer<'a>;
}
