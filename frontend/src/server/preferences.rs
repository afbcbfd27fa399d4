//! What a browser remembers, as far as its cookies tell.

use crate::components::DISMISSED;
use crate::document::facts;

/// Somebody signed in in this tab.
pub(crate) const SIGNED_IN: &str = "in";
/// Somebody signed out in this tab.
pub(crate) const SIGNED_OUT: &str = "out";

/// What was remembered under this name, if it is needed here: language and colours come as facts.
pub(crate) fn recall(name: &str) -> Option<String> {
    (name == DISMISSED).then(|| facts().dismissed.clone())
}

pub(crate) fn remember(_name: &str, _value: &str) {}

pub(crate) fn keep(_name: &str, _value: Option<&str>) {}

pub(crate) fn tell(_what: &str) {}

pub(crate) fn hear(_heard: impl Fn(&str) + 'static) {}
