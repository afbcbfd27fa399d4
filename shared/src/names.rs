//! Names that go into paths, tokens and Slurm requests: each a type that can only hold a valid one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// Nothing there.
    Empty,
    /// Longer than the kind of name allows.
    TooLong,
    /// A character that the kind of name does not allow.
    Character(char),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong => f.write_str("is too long"),
            Self::Character(c) => write!(f, "contains {c:?}"),
        }
    }
}

impl std::error::Error for NameError {}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $check:path) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(with = "String"))]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// The name, checked.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                $check(&text).map(|()| Self(text))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;
            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// The name a person has on the cluster, in its one canonical form: lower-case letters, digits,
    /// `_`, `-` and `.`, not starting with `-` or `.`, at most 32 characters (`useradd(8)`, with dots
    /// as many directories have them). It stands in URLs, cookie paths and Slurm tokens unchanged.
    UserName, check_user
}

name! {
    /// A compute account, the account of a Slurm association (`def-prof`, `rrg-prof_gpu`). Slurm keeps
    /// these in lower case.
    AccountName, check_account
}

name! {
    /// An interface, as the site's configuration calls it (`lab`, `rstudio`): lower-case letters, digits and `-`.
    InterfaceName, check_word
}

name! {
    /// A choice of values that the site's configuration has a name for: a profile.
    ProfileName, check_word
}

name! {
    /// Slurm's name of a partition, a reservation or a feature of nodes. None has a character that means something
    /// between such names (`,`, `&`, `|`, brackets).
    SlurmName, check_slurm
}

impl UserName {
    /// The canonical name for what a person typed: surrounding space dropped, letters in lower case.
    pub fn from_typed(text: &str) -> Result<Self, NameError> {
        Self::new(text.trim().to_ascii_lowercase())
    }
}

fn check_user(text: &str) -> Result<(), NameError> {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    let first = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    check(text, 32, first, inner)
}

fn check_account(text: &str) -> Result<(), NameError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '@' | '+');
    check(text, 128, plain, plain)
}

fn check_word(text: &str) -> Result<(), NameError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    check(text, 32, plain, |c| plain(c) || c == '-')
}

fn check_slurm(text: &str) -> Result<(), NameError> {
    let first = |c: char| c.is_ascii_alphanumeric() || c == '_';
    check(text, 128, first, |c| {
        first(c) || matches!(c, '-' | '.' | ':' | '/' | '+' | '@')
    })
}

fn check(
    text: &str,
    longest: usize,
    first: impl Fn(char) -> bool,
    inner: impl Fn(char) -> bool,
) -> Result<(), NameError> {
    let start = text.chars().next().ok_or(NameError::Empty)?;
    if text.len() > longest {
        return Err(NameError::TooLong);
    }
    if !first(start) {
        return Err(NameError::Character(start));
    }
    text.chars()
        .find(|c| !inner(*c))
        .map_or(Ok(()), |c| Err(NameError::Character(c)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_user_name_is_what_a_person_typed_in_lower_case_without_space() {
        assert_eq!(UserName::from_typed(" Alice ").unwrap().as_str(), "alice");
    }

    #[test]
    fn a_user_name_cannot_leave_its_place_in_a_path_or_a_header() {
        for bad in [
            "", ".", "..", "-rf", "a/b", "a b", "a%2fb", "a\nb", "é", "a@b", "a;b", "a\\b",
        ] {
            assert!(UserName::new(bad).is_err(), "{bad:?} was taken");
        }
        assert_eq!(UserName::new("x".repeat(33)), Err(NameError::TooLong));
    }

    proptest! {
        #[test]
        fn every_user_name_is_one_plain_path_segment(text in "\\PC{0,40}") {
            if let Ok(name) = UserName::from_typed(&text) {
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_graphic() && !b"/\\?#%;&=\"'<>".contains(&b)));
                prop_assert_ne!(name.as_str(), "..");
            }
        }
    }
}
