//! One answer at one price for whatever is no sign-in.

use secrecy::SecretString;
use shared::names::UserName;

use super::Denied;

/// A name that no source of accounts has.
const NOBODY: &str = "_no-account-has-this-name";
/// The most bytes of a password. A longer one is not hashed, and neither signs in nor can be set.
pub(super) const LONGEST: usize = 1024;

/// Whom to ask the source of accounts about, and with which password. Without a name that may sign in, or with a
/// password that nobody has, it is asked about nobody, which is as much work: how long an answer takes, and whether
/// something more is asked, tells nobody which names there are, or are blocked.
pub(super) fn to_ask(user: Option<&UserName>, password: String) -> Result<(UserName, SecretString), Denied> {
    match user {
        Some(user) if (1..=LONGEST).contains(&password.len()) => Ok((user.clone(), password.into())),
        _ => Ok((nobody()?, "wrong".into())),
    }
}

/// Whether the source of accounts was asked about nobody, whom it cannot have found.
pub(super) fn is_nobody(asked: &UserName) -> bool {
    asked.as_str() == NOBODY
}

fn nobody() -> Result<UserName, Denied> {
    UserName::new(NOBODY).map_err(|e| Denied::Unavailable(e.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn what_cannot_be_right_is_asked_about_nobody_with_an_ordinary_password() {
        let ada = UserName::new("ada").unwrap();
        for (user, password) in [
            (None, "correct horse".to_owned()),
            (None, String::new()),
            (Some(&ada), String::new()),
            (Some(&ada), "x".repeat(LONGEST + 1)),
        ] {
            let (asked, password) = to_ask(user, password).unwrap();
            assert!(is_nobody(&asked), "{asked}");
            assert_eq!(password.expose_secret(), "wrong");
        }
    }

    #[test]
    fn a_password_of_any_length_that_people_have_is_asked_about_as_it_is() {
        let ada = UserName::new("ada").unwrap();
        for length in [1, LONGEST] {
            let (asked, password) = to_ask(Some(&ada), "x".repeat(length)).unwrap();
            assert_eq!((&asked, password.expose_secret().len()), (&ada, length));
        }
    }
}
