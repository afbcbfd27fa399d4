//! Response headers of a person's server: nothing in them instructs a front proxy, a shared cache, or the browser about
//! more than the person's own path. The host has other people on it, and may be the hub's.

mod header_class;
mod reference;
#[cfg(test)]
mod tests;

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

pub use self::header_class::{HeaderClass, classify};
use self::reference::{Narrowed, narrow_reference, narrow_refresh};
use super::headers::named_in_connection;

const REFRESH: HeaderName = HeaderName::from_static("refresh");
const SERVICE_WORKER_ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

/// Directives of `Cache-Control` that browsers heed, besides `private` and `no-store`.
const PLAIN_DIRECTIVES: [&[u8]; 5] = [
    b"no-cache",
    b"must-revalidate",
    b"no-transform",
    b"immutable",
    b"must-understand",
];
/// Those with seconds.
const TIMES: [&[u8]; 3] = [b"max-age", b"stale-while-revalidate", b"stale-if-error"];

/// Filters the answers of one person's server.
pub struct ResponseFilter<'a> {
    /// `/user/<name>`, below the site's base path.
    pub path: &'a str,
    /// As browsers send it in `Host`.
    pub host: &'a str,
    /// Browsers use https.
    pub is_https: bool,
}

impl ResponseFilter<'_> {
    /// Removes or narrows the headers of an answer, an upgrade's included.
    pub fn apply(&self, headers: &mut HeaderMap) {
        // One pass over the names; in most answers all of them pass, or all but `Cache-Control`.
        let classes = headers.keys().map(|name| (name, classify(name.as_str())));
        let concerned: Vec<(HeaderName, HeaderClass)> = classes
            .filter(|(_, class)| *class != HeaderClass::Passes)
            .map(|(name, class)| (name.clone(), class))
            .collect();
        if concerned.iter().any(|(name, _)| *name == header::CONNECTION) {
            for name in named_in_connection(headers) {
                headers.remove(name);
            }
        }
        let mut has_cache_control = false;
        for (name, class) in concerned {
            match class {
                HeaderClass::Passes => {}
                HeaderClass::HopByHop | HeaderClass::FrontProxy | HeaderClass::SharedCache | HeaderClass::WholeHost => {
                    tracing::trace!(header = %name, ?class, "removed a response header of a person's server");
                    headers.remove(name);
                }
                HeaderClass::CacheControl => {
                    has_cache_control = true;
                    set_private(headers);
                }
                HeaderClass::SetCookie => self.narrow_cookies(headers),
                HeaderClass::Location => self.narrow(headers, header::LOCATION, narrow_reference),
                HeaderClass::Refresh => self.narrow(headers, REFRESH, narrow_refresh),
                HeaderClass::ContentLocation => {
                    keep_values(headers, &header::CONTENT_LOCATION, |value| {
                        self.contains(value.as_bytes())
                    });
                }
                HeaderClass::ServiceWorkerAllowed => self.narrow_service_worker(headers),
                HeaderClass::Link => keep_values(headers, &header::LINK, |value| !is_fetched_early(value)),
                HeaderClass::WwwAuthenticate => {
                    keep_values(headers, &header::WWW_AUTHENTICATE, |value| !is_of_the_browser(value));
                }
            }
        }
        // A shared cache may store what says nothing (RFC 9111, section 3).
        if !has_cache_control {
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private"));
        }
    }

    /// Replaces the one value of a header; several would be read differently by different readers.
    fn narrow(&self, headers: &mut HeaderMap, name: HeaderName, narrow: fn(&[u8], &str) -> Narrowed) {
        let mut values = headers.get_all(&name).iter();
        let (Some(first), second) = (values.next(), values.next()) else {
            return;
        };
        match narrow(first.as_bytes(), self.host) {
            Narrowed::Unchanged if second.is_none() => {}
            Narrowed::Unchanged => {
                let first = first.clone();
                headers.insert(name, first);
            }
            Narrowed::Changed(value) => {
                headers.insert(name, value);
            }
            Narrowed::Removed => {
                headers.remove(name);
            }
        }
    }

    /// A worker's scope may be wider than the path of its script, up to all of the person's own.
    fn narrow_service_worker(&self, headers: &mut HeaderMap) {
        let mut values = headers.get_all(SERVICE_WORKER_ALLOWED).iter();
        let Some(first) = values.next() else { return };
        if values.next().is_none() && self.contains(first.as_bytes()) {
            return;
        }
        match HeaderValue::try_from(format!("{}/", self.path)) {
            Ok(own) => headers.insert(SERVICE_WORKER_ALLOWED, own),
            Err(_) => headers.remove(SERVICE_WORKER_ALLOWED),
        };
    }

    /// Whether a path starts with the person's own and stays inside, also when a browser has normalised it.
    fn contains(&self, path: &[u8]) -> bool {
        let rest = path.strip_prefix(self.path.as_bytes());
        rest.is_some_and(|rest| rest.starts_with(b"/"))
            && !path.iter().any(|byte| matches!(byte, b'\\' | b'\t'))
            && !path.windows(2).any(|two| two == b"..")
            // An encoded dot is a dot to browsers.
            && !path.windows(3).any(|three| three.eq_ignore_ascii_case(b"%2e"))
    }

    fn narrow_cookies(&self, headers: &mut HeaderMap) {
        let lines = headers.get_all(header::SET_COOKIE);
        if lines
            .iter()
            .all(|line| !sets_reserved_cookie(line) && self.narrow_cookie(line).is_none())
        {
            return;
        }
        let kept = lines.iter().filter(|line| !sets_reserved_cookie(line));
        let kept: Vec<_> = kept
            .map(|line| self.narrow_cookie(line).unwrap_or_else(|| line.clone()))
            .collect();
        headers.remove(header::SET_COOKIE);
        for line in kept {
            headers.append(header::SET_COOKIE, line);
        }
    }

    /// A cookie as it may be, if it may not be as it is: for this path and this host alone, and over https only where
    /// browsers use https.
    fn narrow_cookie(&self, line: &HeaderValue) -> Option<HeaderValue> {
        let mut attributes = line.as_bytes().split(|byte| *byte == b';');
        let mut kept = attributes.next()?.to_vec();
        let (mut is_secure, mut is_changed) = (false, false);
        for attribute in attributes {
            let equals = attribute.iter().position(|byte| *byte == b'=');
            let (name, value) = attribute.split_at(equals.unwrap_or(attribute.len()));
            let name = name.trim_ascii();
            let value = value.get(1..).unwrap_or_default().trim_ascii();
            if name.eq_ignore_ascii_case(b"domain") {
                is_changed = true;
                continue;
            }
            is_secure |= name.eq_ignore_ascii_case(b"secure");
            kept.push(b';');
            let is_path = name.eq_ignore_ascii_case(b"path");
            if is_path && value != self.path.as_bytes() && !self.contains(value) {
                kept.extend_from_slice(b" Path=");
                kept.extend_from_slice(self.path.as_bytes());
                kept.push(b'/');
                is_changed = true;
            } else {
                kept.extend_from_slice(attribute);
            }
        }
        if self.is_https && !is_secure {
            kept.extend_from_slice(b"; Secure");
            is_changed = true;
        }
        is_changed.then(|| HeaderValue::from_bytes(&kept).ok()).flatten()
    }
}

/// Removes from trailers all but what concerns the application: whoever merges them into the headers gets no more than
/// from the headers.
pub fn filter_trailers(trailers: &mut HeaderMap) {
    let names = trailers.keys();
    let removed: Vec<HeaderName> = names
        .filter(|name| classify(name.as_str()) != HeaderClass::Passes)
        .cloned()
        .collect();
    for name in removed {
        trailers.remove(name);
    }
}

/// Makes `Cache-Control` say that only the browser may store the answer: each answer is for one person. Directives for
/// shared caches, and those that are not known, are left out.
fn set_private(headers: &mut HeaderMap) {
    let (mut is_private, mut is_changed) = (false, false);
    let mut kept: Vec<&[u8]> = Vec::new();
    for (n, line) in headers.get_all(header::CACHE_CONTROL).iter().enumerate() {
        is_changed |= n > 0;
        for directive in line.as_bytes().split(|byte| *byte == b',') {
            let directive = directive.trim_ascii();
            let end = directive.iter().position(|byte| *byte == b'=');
            let (name, argument) = directive.split_at(end.unwrap_or(directive.len()));
            let is_number = argument
                .split_first()
                .is_some_and(|(_, digits)| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit));
            let is_one_of = |names: &[&[u8]]| names.iter().any(|other| name.eq_ignore_ascii_case(other));
            if argument.is_empty() && is_one_of(&[b"private", b"no-store"]) {
                is_private = true;
                kept.push(directive);
            } else if argument.is_empty() && is_one_of(&PLAIN_DIRECTIVES) || is_number && is_one_of(&TIMES) {
                kept.push(directive);
            } else {
                is_changed = true;
                // `no-cache="x"` is about the field x only; without that it is stricter.
                if is_one_of(&[b"no-cache"]) {
                    kept.push(name);
                }
            }
        }
    }
    if !is_private {
        kept.insert(0, b"private");
    } else if !is_changed {
        return;
    }
    let value = HeaderValue::from_bytes(&kept.join(&b", "[..]));
    let value = value.unwrap_or_else(|_| HeaderValue::from_static("no-store"));
    headers.insert(header::CACHE_CONTROL, value);
}

/// Removes those values of a header that may not pass.
fn keep_values(headers: &mut HeaderMap, name: &HeaderName, passes: impl Fn(&HeaderValue) -> bool) {
    if headers.get_all(name).iter().all(&passes) {
        return;
    }
    let kept: Vec<_> = headers
        .get_all(name)
        .iter()
        .filter(|value| passes(value))
        .cloned()
        .collect();
    headers.remove(name);
    for value in kept {
        headers.append(name, value);
    }
}

/// Whether a `Link` makes front proxies push or hint at what it names: Apache httpd requests it as the person.
fn is_fetched_early(link: &HeaderValue) -> bool {
    let text = link.as_bytes().to_ascii_lowercase();
    let has = |relation: &[u8]| text.windows(relation.len()).any(|part| part == relation);
    [&b"preload"[..], b"preconnect", b"prefetch", b"prerender"]
        .into_iter()
        .any(has)
}

/// Whether a challenge is for a scheme that browsers answer: by a password dialog in the name of the host, or with
/// the person's Kerberos ticket for it.
fn is_of_the_browser(challenge: &HeaderValue) -> bool {
    let mut words = challenge.as_bytes().split(|byte| b", \t".contains(byte));
    words.any(|word| {
        [&b"basic"[..], b"digest", b"negotiate", b"ntlm"]
            .iter()
            .any(|scheme| word.eq_ignore_ascii_case(scheme))
    })
}

/// Whether a `Set-Cookie` has the name of one of Slipway's own cookies: they all start with `slipway-`, some of them
/// behind a prefix that browsers check (`__Host-`, `__Secure-`).
fn sets_reserved_cookie(line: &HeaderValue) -> bool {
    let pair = line.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    // A cookie without a name is sent as its bare value, which may look like another cookie.
    let pair = pair.trim_ascii();
    let pair = pair.strip_prefix(b"=").map_or(pair, <[u8]>::trim_ascii);
    let Some(equals) = pair.iter().position(|byte| *byte == b'=') else {
        return false;
    };
    let name = pair.get(..equals).unwrap_or_default().trim_ascii();
    let starts = |text: &[u8], start: &[u8]| {
        let own = text.get(..start.len());
        own.is_some_and(|own| own.eq_ignore_ascii_case(start))
    };
    let mut parts = name.split(|byte| *byte == b'-');
    starts(name, b"slipway-") || starts(name, b"__") && parts.any(|part| part.eq_ignore_ascii_case(b"slipway"))
}
