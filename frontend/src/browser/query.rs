//! Queries of URLs.

use web_sys::UrlSearchParams;

/// A query of these; empty, or without its question mark.
pub(crate) fn write<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let Ok(query) = UrlSearchParams::new() else {
        return String::new();
    };
    for (name, value) in pairs {
        query.append(name, value);
    }
    String::from(query.to_string())
}

/// What a query has under this name.
pub(crate) fn read(query: &str, name: &str) -> Option<String> {
    UrlSearchParams::new_with_str(query).ok()?.get(name)
}
