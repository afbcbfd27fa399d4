//! Sign-in cookies: whatever `Cookie` headers say, nobody is signed in but by the very cookie that was signed.

#![no_main]
#![expect(clippy::unwrap_used, reason = "what cannot be prepared ends the run")]

use backend::auth::Audience;
use http::{HeaderMap, HeaderValue, header};
use libfuzzer_sys::fuzz_target;
use slipway_fuzz::{ADA, SESSIONS, cookie, with_cookies};

fuzz_target!(|data: &[u8]| {
    let filled = with_cookies(data);
    let lines: Vec<&[u8]> = filled.split(|byte| *byte == b'\n').collect();
    let headers: HeaderMap = lines
        .iter()
        .filter_map(|line| Some((header::COOKIE, HeaderValue::from_bytes(line).ok()?)))
        .collect();
    for audience in [Audience::Hub, Audience::User] {
        let (name, token) = cookie(audience);
        let start = format!("{name}=");
        let values: Vec<_> = headers
            .values()
            .flat_map(|line| line.as_bytes().split(|byte| *byte == b';'))
            .filter_map(|pair| pair.trim_ascii().strip_prefix(start.as_bytes()))
            .collect();
        let signed_in = (values == [token.as_bytes()]).then(|| ADA.clone());
        assert_eq!(SESSIONS.authenticate(audience, &headers), signed_in, "{headers:?}");
        if let Some(changed) = change(data, token) {
            let header = HeaderValue::try_from(format!("{name}={changed}")).unwrap();
            let headers = HeaderMap::from_iter([(header::COOKIE, header)]);
            assert_eq!(SESSIONS.authenticate(audience, &headers), None, "{changed}");
        }
    }
});

/// The cookie's value with one character changed, put in or taken out, as the input says.
fn change(data: &[u8], token: &str) -> Option<String> {
    let [high, low, byte, how, ..] = data else { return None };
    let at = usize::from(u16::from_be_bytes([*high, *low])) % token.len();
    let (before, after) = token.split_at(at);
    let new = char::from(b'!' + byte % 94);
    let changed = match how % 3 {
        0 => format!("{before}{new}{}", &after[1..]),
        1 => format!("{before}{new}{after}"),
        _ => format!("{before}{}", &after[1..]),
    };
    // What follows a semicolon is another cookie, and would leave this one as it was.
    (changed != token && new != ';').then_some(changed)
}
