//! What a page takes over from the document that loaded it.

use leptos::prelude::*;

/// What the document says, and what is in its form to log in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Carried {
    /// The site's name.
    pub(crate) site: String,
    /// The cluster's name.
    pub(crate) cluster: String,
    /// The login form's name as far as it was typed.
    pub(crate) username: String,
    /// The login form's password as far as it was typed.
    pub(crate) password: String,
    /// The id of the field that had the focus.
    pub(crate) focus: Option<String>,
    /// Why a login without a script failed.
    pub(crate) error: Option<String>,
}

impl Carried {
    /// What was carried over, for the first who asks.
    pub(crate) fn take() -> Self {
        expect_context::<StoredValue<Self>>()
            .try_update_value(std::mem::take)
            .unwrap_or_default()
    }
}
