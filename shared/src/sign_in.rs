//! Signing in, which is a conversation: name and password, and then whatever else the site asks.

use std::fmt;

use serde::{Deserialize, Serialize};

/// `POST /hub/api/login`. Answered by a `UserView` (200), a [`ChallengeView`] (202), or an error.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// As typed.
    pub username: String,
    /// As typed.
    pub password: String,
}

impl fmt::Debug for LoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRequest")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChallengeKind {
    /// A text that may be seen while it is typed, such as a one-time code.
    #[default]
    Code,
    /// A text that is hidden while it is typed.
    Secret,
    /// One of several texts.
    Choice,
    /// Nothing to type: something happens elsewhere, such as an approval on a phone. Asking again without an
    /// answer waits for it.
    Wait,
}

/// One thing more that signing in asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChallengeView {
    /// What for.
    pub kind: ChallengeKind,
    /// The site's own words, in its own language; may be empty.
    pub message: String,
    /// What there is to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub choices: Vec<String>,
    /// Goes back with the answer. Whoever has it can go on with this sign-in, on any replica.
    pub state: String,
}

/// `POST /hub/api/login/answer`, answered like [`LoginRequest`]; and `POST /hub/api/login/cancel`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnswerRequest {
    /// From the [`ChallengeView`].
    pub state: String,
    /// What was typed or chosen; nothing while it waits.
    #[serde(default)]
    pub answer: Option<String>,
}

impl fmt::Debug for AnswerRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerRequest").finish_non_exhaustive()
    }
}
