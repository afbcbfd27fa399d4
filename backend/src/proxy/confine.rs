//! What a person's server says about its whole host stays inside its own path: that host has others on it, and may be the
//! hub's.

use http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Each is about all paths of a host: forget its data, find it elsewhere, report its failures to somebody.
const OF_THE_HOST: [HeaderName; 4] = [
    HeaderName::from_static("clear-site-data"),
    HeaderName::from_static("alt-svc"),
    HeaderName::from_static("nel"),
    HeaderName::from_static("report-to"),
];
const SERVICE_WORKER_ALLOWED: HeaderName = HeaderName::from_static("service-worker-allowed");

/// Where a person's server is, and nothing that it says reaches beyond.
pub struct Bounds<'a> {
    /// `/user/<name>`, below the site's base path.
    pub path: &'a str,
    /// As browsers send it in `Host`.
    pub host: &'a str,
    /// People reach it by https.
    pub is_https: bool,
}

impl Bounds<'_> {
    /// Changes an answer's headers so that nothing in them is about anything outside.
    pub fn confine(&self, headers: &mut HeaderMap) {
        for name in OF_THE_HOST {
            headers.remove(name);
        }
        // Without it a service worker has the path of its own script, and that is inside.
        let is_wider = |scope: &HeaderValue| !scope.to_str().is_ok_and(|scope| self.contains(scope));
        if headers.get(SERVICE_WORKER_ALLOWED).is_some_and(is_wider) {
            headers.remove(SERVICE_WORKER_ALLOWED);
        }
        if let Some(path) = headers.get(header::LOCATION).and_then(|to| self.path_of(to)) {
            headers.insert(header::LOCATION, path);
        }
        if headers
            .get_all(header::SET_COOKIE)
            .iter()
            .any(|line| self.cookie(line).is_some())
        {
            let lines: Vec<_> = headers.get_all(header::SET_COOKIE).iter().cloned().collect();
            headers.remove(header::SET_COOKIE);
            for line in lines {
                headers.append(header::SET_COOKIE, self.cookie(&line).unwrap_or(line));
            }
        }
    }

    fn contains(&self, path: &str) -> bool {
        let rest = path.strip_prefix(self.path);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/')) && !path.contains("..")
    }

    /// The path alone where a server names our host as well: many take it to speak http on whatever port they see, and
    /// would lead people to where nobody answers.
    fn path_of(&self, location: &HeaderValue) -> Option<HeaderValue> {
        let text = location.to_str().ok()?;
        let (scheme, rest) = text.split_once("://")?;
        let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let is_web = scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https");
        if !is_web || !authority.eq_ignore_ascii_case(self.host) {
            return None;
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        HeaderValue::try_from(format!("{slash}{path}")).ok()
    }

    /// A cookie as it may be, if it may not be as it is: for this path, for this host alone, and over https only
    /// where people come by https.
    fn cookie(&self, line: &HeaderValue) -> Option<HeaderValue> {
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
            if is_path && !std::str::from_utf8(value).is_ok_and(|path| self.contains(path)) {
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

#[cfg(test)]
mod tests {
    use super::*;

    const BOUNDS: Bounds<'static> = Bounds {
        path: "/user/ada",
        host: "jupyter.example.org",
        is_https: true,
    };

    fn confined(name: &'static str, value: &str) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        BOUNDS.confine(&mut headers);
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.values().map(text).collect()
    }

    #[test]
    fn cookies_are_for_the_own_path_and_host_and_for_https() {
        for (set, becomes) in [
            ("a=1; Path=/user/ada/; Secure", "a=1; Path=/user/ada/; Secure"),
            ("a=1; Path=/user/ada; secure", "a=1; Path=/user/ada; secure"),
            ("a=1; HttpOnly", "a=1; HttpOnly; Secure"),
            ("a=1; Path=/; Secure", "a=1; Path=/user/ada/; Secure"),
            ("a=1; path = /hub/ ;Secure", "a=1; Path=/user/ada/;Secure"),
            ("a=1; Path=/user/adam/; Secure", "a=1; Path=/user/ada/; Secure"),
            ("a=1; Path=/user/ada/../bob; Secure", "a=1; Path=/user/ada/; Secure"),
            ("a=1; Path; Secure", "a=1; Path=/user/ada/; Secure"),
            ("a=1; Domain=example.org; Secure", "a=1; Secure"),
            ("a=é=; Secure;", "a=é=; Secure;"),
        ] {
            assert_eq!(confined("set-cookie", set), [becomes], "{set}");
        }
    }

    #[test]
    fn nothing_is_said_about_the_whole_host() {
        for (name, value) in [
            ("clear-site-data", "\"*\""),
            ("alt-svc", "h2=\":8443\""),
            ("nel", "{}"),
            ("report-to", "{}"),
            ("service-worker-allowed", "/"),
            ("service-worker-allowed", "/user/adam/"),
        ] {
            assert!(confined(name, value).is_empty(), "{name}: {value}");
        }
        assert_eq!(confined("service-worker-allowed", "/user/ada/"), ["/user/ada/"]);
    }

    #[test]
    fn a_server_that_names_our_host_leads_to_a_path() {
        for (location, becomes) in [
            ("http://jupyter.example.org/user/ada/lab?x", "/user/ada/lab?x"),
            ("https://Jupyter.example.org?x", "/?x"),
            ("/user/ada/tree", "/user/ada/tree"),
            ("tree", "tree"),
            ("https://example.org/user/ada/", "https://example.org/user/ada/"),
            ("//example.org/", "//example.org/"),
            ("mailto://jupyter.example.org/", "mailto://jupyter.example.org/"),
        ] {
            assert_eq!(confined("location", location), [becomes]);
        }
    }
}
