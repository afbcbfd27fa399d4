//! Where the browser is. It gets nowhere from here.

/// The path and the query.
pub(crate) fn here() -> (String, String) {
    super::document::location()
}

pub(crate) fn origin() -> String {
    String::new()
}

pub(crate) fn go(_path: &str, _instead: bool) {}

pub(crate) fn load(_path: &str, _instead: bool) {}

pub(crate) fn scroll_up() {}

pub(crate) fn listen(_follow: impl Fn(&str) -> bool + 'static, _back: impl Fn() + 'static) {}
