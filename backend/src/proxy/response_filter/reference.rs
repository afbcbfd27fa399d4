//! URL references in response headers, read as browsers read them (WHATWG URL): `\` is `/`, and tabs are nothing.

use http::HeaderValue;

/// What becomes of a value.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Narrowed {
    Unchanged,
    Changed(HeaderValue),
    Removed,
}

impl Narrowed {
    fn changed(text: &[u8]) -> Self {
        HeaderValue::from_bytes(text).map_or(Self::Removed, Self::Changed)
    }
}

/// A reference that leads to another host only where it names scheme and host: one without a scheme is a path of this
/// host, never protocol-relative. A URL of this host becomes its path, since many servers take it to be reached by http,
/// or at another port. `host` is as browsers send it in `Host`.
pub(super) fn narrow_reference(value: &[u8], host: &str) -> Narrowed {
    let has_tab = value.contains(&b'\t');
    let without_tabs: Vec<u8>;
    let text = if has_tab {
        without_tabs = value.iter().copied().filter(|byte| *byte != b'\t').collect();
        &without_tabs
    } else {
        value
    }
    .trim_ascii();
    let unchanged = |text: &[u8]| {
        if has_tab {
            Narrowed::changed(text)
        } else {
            Narrowed::Unchanged
        }
    };
    if let [b'/' | b'\\', rest @ ..] = text {
        return match (text, rest) {
            ([b'\\', ..], _) | (_, [b'/' | b'\\', ..]) => path(rest),
            _ => unchanged(text),
        };
    }
    let Some(rest) = after_web_scheme(text) else {
        return unchanged(text);
    };
    // Browsers take `http:/x` and `http:///x` for a host or for a path, depending on the page.
    let Some(rest) = rest.strip_prefix(b"//").filter(|rest| !starts_with_slash(rest)) else {
        return Narrowed::Removed;
    };
    let end = rest.iter().position(|byte| b"/\\?#".contains(byte));
    let (authority, rest) = rest.split_at(end.unwrap_or(rest.len()));
    if is_host(authority, host) {
        path(rest)
    } else {
        unchanged(text)
    }
}

/// `Refresh: 5; url=…` (HTML, "shared declarative refresh steps"), with a reference as above.
pub(super) fn narrow_refresh(value: &[u8], host: &str) -> Narrowed {
    let value = value.trim_ascii();
    let end = value
        .iter()
        .position(|byte| !byte.is_ascii_digit() && *byte != b'.')
        .unwrap_or(value.len());
    let (time, rest) = value.split_at(end);
    let start = rest.iter().position(|byte| !b" \t;,".contains(byte));
    let rest = rest.get(start.unwrap_or(rest.len())..).unwrap_or_default();
    let assigned = rest.split_at_checked(3).and_then(|(name, rest)| {
        let rest = rest.trim_ascii_start().strip_prefix(b"=");
        rest.filter(|_| name.eq_ignore_ascii_case(b"url"))
    });
    let target = assigned.unwrap_or(rest).trim_ascii_start();
    let target = match target {
        [quote @ (b'"' | b'\''), quoted @ ..] => quoted.split(|byte| byte == quote).next().unwrap_or_default(),
        target => target,
    };
    match narrow_reference(target, host) {
        Narrowed::Changed(to) => Narrowed::changed(&[time, b";url=", to.as_bytes()].concat()),
        other => other,
    }
}

/// What follows `http:` or `https:`.
fn after_web_scheme(text: &[u8]) -> Option<&[u8]> {
    let colon = text.iter().position(|byte| *byte == b':')?;
    let (scheme, rest) = text.split_at(colon);
    let is_web = scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https");
    is_web.then(|| rest.get(1..).unwrap_or_default())
}

/// Whether an authority is this host, with user information or the usual port or without.
fn is_host(authority: &[u8], host: &str) -> bool {
    let at = authority.iter().rposition(|byte| *byte == b'@');
    let named = authority.get(at.map_or(0, |at| at + 1)..).unwrap_or_default();
    let usual = [&b":443"[..], b":80", b":"];
    named.eq_ignore_ascii_case(host.as_bytes())
        || usual.iter().any(|port| {
            let bare = named.strip_suffix(*port);
            bare.is_some_and(|bare| bare.eq_ignore_ascii_case(host.as_bytes()))
        })
}

/// A path of this host, however many slashes it starts with.
fn path(rest: &[u8]) -> Narrowed {
    let start = rest.iter().position(|byte| !b"/\\".contains(byte));
    let rest = rest.get(start.unwrap_or(rest.len())..).unwrap_or_default();
    Narrowed::changed(&[b"/", rest].concat())
}

fn starts_with_slash(text: &[u8]) -> bool {
    matches!(text, [b'/' | b'\\', ..])
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOST: &str = "jupyter.example.org";

    #[test]
    fn a_location_is_a_path_of_this_host_or_names_scheme_and_host() {
        for (location, becomes) in [
            ("http://jupyter.example.org/user/ada/lab?x", "/user/ada/lab?x"),
            ("https://Jupyter.example.org?x", "/?x"),
            ("https://jupyter.example.org", "/"),
            ("http://jupyter.example.org:443/x", "/x"),
            ("http://ada:x@jupyter.example.org/x", "/x"),
            ("http://jupyter.example.org//evil.example/", "/evil.example/"),
            (r"http://jupyter.example.org/\evil.example/", "/evil.example/"),
            (r"http://jupyter.example.org\evil.example/", "/evil.example/"),
            ("http://jupyter.example.org\t//evil.example/", "/evil.example/"),
            ("//evil.example/", "/evil.example/"),
            ("///evil.example/", "/evil.example/"),
            (r"/\evil.example/", "/evil.example/"),
            (r"\\evil.example/", "/evil.example/"),
            (r"\evil.example/", "/evil.example/"),
            ("/\t/evil.example/", "/evil.example/"),
            ("\t//evil.example/", "/evil.example/"),
            ("//é/", "/é/"),
            ("/user/ada/tree", "/user/ada/tree"),
            ("/user//ada", "/user//ada"),
            ("/us\ter", "/user"),
            ("tree", "tree"),
            ("?x=//y", "?x=//y"),
            ("", ""),
            ("https://example.org//user/ada/", "https://example.org//user/ada/"),
            (
                "https://jupyter.example.org@evil.example/",
                "https://jupyter.example.org@evil.example/",
            ),
            ("https://jupyter.example.org:8443/", "https://jupyter.example.org:8443/"),
            ("mailto://jupyter.example.org/", "mailto://jupyter.example.org/"),
            ("vscode://settings", "vscode://settings"),
            ("a/b:c", "a/b:c"),
        ] {
            let narrowed = narrow_reference(location.as_bytes(), HOST);
            let expected = if location == becomes {
                Narrowed::Unchanged
            } else {
                Narrowed::Changed(HeaderValue::from_bytes(becomes.as_bytes()).unwrap())
            };
            assert_eq!(narrowed, expected, "{location:?}");
        }
        for location in [
            "http:/evil.example/",
            "https:evil.example",
            "http:///evil.example/",
            r"http:\\evil.example/",
            "http:",
            "ht\ttp:/evil.example/",
            r"http://\evil.example/",
        ] {
            assert_eq!(
                narrow_reference(location.as_bytes(), HOST),
                Narrowed::Removed,
                "{location:?}"
            );
        }
    }

    #[test]
    fn a_refresh_leads_where_a_location_may() {
        for (refresh, becomes) in [
            ("0; url=//evil.example/", Some("0;url=/evil.example/")),
            ("0 //evil.example/", Some("0;url=/evil.example/")),
            ("1.5 , URL = '//evil.example/' x", Some("1.5;url=/evil.example/")),
            ("0;//evil.example/", Some("0;url=/evil.example/")),
            (";url=\"http://jupyter.example.org/x\"", Some(";url=/x")),
            ("0;url=https:/evil.example/", None),
        ] {
            let expected = becomes.map_or(Narrowed::Removed, |text| Narrowed::changed(text.as_bytes()));
            assert_eq!(narrow_refresh(refresh.as_bytes(), HOST), expected, "{refresh:?}");
        }
        for refresh in ["5", "5; url=lab", "5; url=https://example.org/", "5; url", ""] {
            assert_eq!(
                narrow_refresh(refresh.as_bytes(), HOST),
                Narrowed::Unchanged,
                "{refresh:?}"
            );
        }
    }
}
