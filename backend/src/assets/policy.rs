//! What a document may load and run (Content-Security-Policy).

use std::fs;
use std::path::Path;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

/// The document with what its links to styles lead to in their place.
pub(super) fn with_styles(html: &str, base: &str, folder: &Path) -> String {
    let start = format!("<link rel=\"stylesheet\" href=\"{base}hub/");
    let mut html = html.to_owned();
    while let Some((before, link)) = html.split_once(&start) {
        let file = link.split_once('"').map(|(name, _)| folder.join(name));
        let (Some(style), Some((_, after))) = (
            file.and_then(|file| fs::read_to_string(file).ok()),
            link.split_once('>'),
        ) else {
            break;
        };
        html = format!("{before}<style>{style}</style>{after}");
    }
    html
}

/// Nothing from elsewhere, and of inline scripts and styles only those of the page's own build, by their hashes.
pub(super) fn policy(html: &str) -> HeaderValue {
    let policy = format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'{}; style-src 'self'{}; img-src 'self' data:; \
         font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        hashes(html, "script"),
        hashes(html, "style"),
    );
    HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// Those of the elements of this name that stand in the document itself.
fn hashes(html: &str, name: &str) -> String {
    let (start, end) = (format!("<{name}"), format!("</{name}>"));
    let mut hashes = String::new();
    let mut rest = html;
    while let Some((_, after)) = rest.split_once(&start) {
        let Some((attributes, body)) = after.split_once('>') else {
            break;
        };
        let Some((body, after)) = body.split_once(&end) else {
            break;
        };
        if !attributes.contains("src=") {
            let hash = digest::digest(&digest::SHA256, body.as_bytes());
            hashes.extend([" 'sha256-", &STANDARD.encode(hash), "'"]);
        }
        rest = after;
    }
    hashes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_scripts_and_styles_are_named_by_their_hash() {
        let policy = policy(
            "<script type=module>let a = 1;</script><script src=\"/hub/x.js\"></script><style>p { margin: 0 }</style>",
        );
        let policy = policy.to_str().unwrap();
        assert_eq!(policy.matches("'sha256-").count(), 2);
        assert!(!policy.contains("unsafe-inline"));
    }
}
