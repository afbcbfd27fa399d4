//! What only a browser remembers.

/// Somebody signed in in this tab.
pub(crate) const SIGNED_IN: &str = "in";
/// Somebody signed out in this tab.
pub(crate) const SIGNED_OUT: &str = "out";

/// Nothing. What the server has to know is in cookies, and comes as facts.
pub(crate) fn recall(_name: &str) -> Option<String> {
    None
}

pub(crate) fn remember(_name: &str, _value: &str) {}

pub(crate) fn keep(_name: &str, _value: &str) {}

pub(crate) fn tell(_what: &str) {}

pub(crate) fn hear(_heard: impl Fn(&str) + 'static) {}
