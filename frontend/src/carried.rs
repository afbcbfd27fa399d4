//! What a page takes over from the document that loaded it.

use leptos::prelude::*;

/// What the document said, and what a person did before the page ran: a page that is drawn in the browser replaces what
/// stands there.
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
    /// The path and the query of the page as the server drew it.
    #[cfg(target_arch = "wasm32")]
    pub(crate) page: (String, String),
    /// What was done to it, in its order.
    #[cfg(target_arch = "wasm32")]
    pub(crate) deeds: Vec<Deed>,
}

/// Something that was pressed or changed.
#[derive(Clone, Debug)]
#[cfg(target_arch = "wasm32")]
pub(crate) struct Deed {
    /// Its place among all that can be.
    pub(crate) place: u32,
    /// What it was done to, by what stands around it.
    pub(crate) whose: String,
    /// What is in it.
    pub(crate) value: String,
    /// It is checked.
    pub(crate) checked: bool,
}

impl Carried {
    /// What was carried over, for the first who asks.
    pub(crate) fn take() -> Self {
        expect_context::<StoredValue<Self>>()
            .try_update_value(std::mem::take)
            .unwrap_or_default()
    }
}
