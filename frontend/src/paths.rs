//! Every URL of the page as a function. The base path is what the server wrote into the document.

use std::sync::OnceLock;

use shared::names::UserName;
use shared::options::{NAMES, UserOptions};
use shared::raw::{RawOptions, RawValue};
use shared::routes::Routes;

use crate::document;
use crate::query;
use crate::router::Go;
use crate::text::format::{link_memory, link_time};

/// The URLs below the site's base path.
pub(crate) fn routes() -> &'static Routes {
    static ROUTES: OnceLock<Routes> = OnceLock::new();
    ROUTES.get_or_init(|| Routes::new(document::base()))
}

/// Where a person's server is shown.
pub(crate) fn home() -> String {
    routes().hub("home")
}

/// Where to log in, and then on to `next`.
pub(crate) fn login(next: Option<&str>) -> String {
    with_query(routes().hub("login"), [("next", next)])
}

/// The options, empty.
pub(crate) fn spawn() -> String {
    routes().hub("spawn")
}

/// The options, filled in, and then on to `next`.
pub(crate) fn spawn_with(options: &UserOptions, next: Option<&str>) -> String {
    let (time, memory) = (link_time(options.time.get()), link_memory(options.memory.get()));
    spawn_link(&options.to_raw().with("time", time).with("memory", memory), next)
}

/// The options, filled in like this, and then on to `next`.
pub(crate) fn spawn_link(raw: &RawOptions, next: Option<&str>) -> String {
    let texts = NAMES.iter().map(|name| match raw.get(name) {
        Some(RawValue::Text(text)) => (*name, Some(text.as_str())),
        _ => (*name, None),
    });
    with_query(spawn(), texts.chain([("next", next)]))
}

/// How the people of an event are doing.
pub(crate) fn board(event: &str) -> String {
    routes().hub(&format!("events/{event}"))
}

/// The page that follows a person's start, and then on to `next`.
pub(crate) fn starting(user: &UserName, next: Option<&str>) -> String {
    with_query(routes().spawn_pending(user), [("next", next)])
}

fn with_query<'a>(path: String, pairs: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> String {
    let pairs = pairs.into_iter().filter_map(|(name, value)| Some((name, value?)));
    match query::write(pairs) {
        query if query.is_empty() => path,
        query => format!("{path}?{query}"),
    }
}

/// The path and query of this page, to come back to it.
pub(crate) fn here() -> String {
    let url = Go::get().here();
    url.path + &url.search
}

/// The path of a server that this page stands in for: where servers have another host name, below `hub/`.
pub(crate) fn asked_for() -> String {
    let here = here();
    match here.strip_prefix(&routes().hub("")) {
        Some(rest) => format!("{}{rest}", routes().base()),
        None => here,
    }
}

/// A value from this page's query.
fn asked(name: &str) -> Option<String> {
    query::read(&Go::get().here().search, name)
}

/// Where to go after signing in, if the query names a page of this site that people can be on the way to.
pub(crate) fn next() -> Option<String> {
    asked("next").filter(|next| routes().destination(next).is_some())
}

/// Whose server a path leads to, if it leads to one.
pub(crate) fn owner(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(routes().base())?.strip_prefix("user/")?;
    rest.split(['/', '?', '#']).next()
}

/// The options in this page's query.
pub(crate) fn linked_options() -> RawOptions {
    NAMES
        .iter()
        .filter_map(|name| asked(name).map(|value| (*name, value)))
        .fold(RawOptions::default(), |raw, (name, value)| raw.with(name, value))
}
