//! What the document is told of, in place of a document.

use std::sync::Arc;

use leptos::prelude::*;

/// What the server knows when it draws a page.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    pub(super) base: String,
    pub(super) path: String,
    pub(super) search: String,
    pub(super) theme: String,
    pub(super) dismissed: String,
    pub(super) logo: String,
    pub(super) now: i64,
    pub(super) behind_utc: Option<i32>,
    pub(super) answers: Vec<(&'static str, String)>,
}

pub(super) fn facts() -> Arc<Facts> {
    use_context().unwrap_or_default()
}

/// The base path.
pub(crate) fn base() -> String {
    facts().base.clone()
}

/// The path and the query.
pub(crate) fn location() -> (String, String) {
    let facts = facts();
    (facts.path.clone(), facts.search.clone())
}

/// An attribute of `<html>`.
pub(crate) fn attribute(name: &str) -> Option<String> {
    let facts = facts();
    let value = match name {
        "data-theme" => &facts.theme,
        "data-logo" => &facts.logo,
        _ => return None,
    };
    (!value.is_empty()).then(|| value.clone())
}

// What is done to a document is not done here.

pub(crate) fn set_attribute(_name: &str, _value: &str) {}

pub(crate) fn set_title(_title: &str) {}

pub(crate) fn focus(_id: &str) {}

pub(crate) fn ask(_id: &str) {}

pub(crate) fn close(_id: &str) {}

pub(crate) fn is_checked(_id: &str) -> bool {
    false
}

pub(crate) fn value(_id: &str) -> String {
    String::new()
}

pub(crate) fn copy(_id: &str) -> bool {
    false
}
