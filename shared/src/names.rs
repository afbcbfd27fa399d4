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
    /// Whether Slurm could read this name as a uid: see [`is_numeric`].
    pub fn is_numeric(&self) -> bool {
        is_numeric(&self.0)
    }

    /// The canonical name for what a person typed: surrounding space dropped, letters in lower case.
    pub fn from_typed(text: &str) -> Result<Self, NameError> {
        Self::new(text.trim().to_ascii_lowercase())
    }
}

/// Whether C's `strtol` reads the whole text as a number, in base 10 or in the base that a prefix (`0x`, `0b`) names.
///
/// Slurm looks a user up with `getpwnam` and, where there is none of that name, reads the text with `strtol` in base 10
/// (`_uid_from_string` in `src/common/uid.c`, 24.11 and 26.05): white space and a sign in front are skipped, and `2001`
/// is whoever has that uid. Other bases and numbers that no uid can have, which these releases refuse, count as well:
/// a name that must not be a number should not depend on that.
pub fn is_numeric(text: &str) -> bool {
    // `isspace` in the C locale.
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let in_base = |digits: &str, base: u32| !digits.is_empty() && digits.chars().all(|c| c.is_digit(base));
    let prefixed = |prefixes: [&str; 2], base: u32| {
        let digits = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix));
        digits.is_some_and(|digits| in_base(digits, base))
    };
    in_base(text, 10) || prefixed(["0x", "0X"], 16) || prefixed(["0b", "0B"], 2)
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

    #[test]
    fn a_name_that_strtol_reads_whole_is_numeric() {
        for numeric in [
            "2001",
            "0",
            "007",
            "08",
            "+1",
            "-1",
            " 1",
            "\t\n\x0b\x0c\r +2001",
            "0x7d1",
            "0X7D1",
            "0b101",
            "4294967296",
            "99999999999999999999",
        ] {
            assert!(is_numeric(numeric), "{numeric:?}");
        }
        for other in [
            "", " ", "+", "-", "0x", "0xg", "0b2", "1a", "a1", "1 ", "1.5", "1e3", "1_000", "- 1", "++1", "\u{a0}1",
            "\u{663}", "user2001",
        ] {
            assert!(!is_numeric(other), "{other:?}");
        }
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
