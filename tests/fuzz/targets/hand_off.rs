//! The hand-off of a session to the servers' host name: whatever its query and `Cookie` headers say, it goes on only with
//! the very secret that the browser was given, once, and with one code and one target.
//!
//! The first line of an input is the query, the second another state; the others are `Cookie` headers. `{secret}` and
//! `{name}` stand for the secret and its cookie's name.

#![no_main]

use std::sync::LazyLock;

use backend::hand_off::{Given, hash, holds_secret};
use http::{HeaderMap, HeaderValue, Uri, header};
use libfuzzer_sys::fuzz_target;
use url::form_urlencoded;

const SECRET: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";
static STATE: LazyLock<String> = LazyLock::new(|| hash(SECRET));
static NAME: LazyLock<String> = LazyLock::new(|| format!("slipway-hand-off-{}", &STATE[..8]));

fuzz_target!(|text: &str| {
    let filled = text.replace("{secret}", SECRET).replace("{name}", &NAME);
    let mut lines = filled.split('\n');
    let (query, other) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    parses_as_browsers_send_it(query);

    let headers: HeaderMap = lines
        .filter_map(|line| Some((header::COOKIE, HeaderValue::from_bytes(line.as_bytes()).ok()?)))
        .collect();
    let values: Vec<_> = headers
        .values()
        .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
        .filter_map(|pair| pair.trim_ascii().strip_prefix(NAME.as_bytes())?.strip_prefix(b"="))
        .collect();
    let has_secret = values == [SECRET.as_bytes()];
    assert_eq!(holds_secret(&headers, &STATE), has_secret, "{headers:?}");
    assert!(
        !holds_secret(&headers, other) || other == *STATE,
        "{other:?}: {headers:?}"
    );
});

/// One `next` and one `code`, as the URL standard reads them; with two of one name there is no telling which is meant.
fn parses_as_browsers_send_it(query: &str) {
    // What follows a `#`, no request has.
    let Ok(uri) = Uri::builder().path_and_query(format!("/?{query}")).build() else {
        return;
    };
    let Some(query) = uri.query() else { return };
    let Some(given) = Given::parse(query) else { return };
    for (name, value) in [("next", &given.next), ("code", &given.code)] {
        let sent: Vec<_> = form_urlencoded::parse(query.as_bytes())
            .filter_map(|(found, value)| (found == name).then_some(value))
            .collect();
        assert_eq!(sent, [value.as_str()], "{name} of {query:?}");
    }
}
