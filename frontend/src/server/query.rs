//! Queries of URLs.

use form_urlencoded::{Serializer, parse};

/// A query of these; empty, or without its question mark.
pub(crate) fn write<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    Serializer::new(String::new()).extend_pairs(pairs).finish()
}

/// What a query has under this name.
pub(crate) fn read(query: &str, name: &str) -> Option<String> {
    let query = query.strip_prefix('?').unwrap_or(query);
    let (_, value) = parse(query.as_bytes()).find(|(found, _)| found == name)?;
    Some(value.into_owned())
}
