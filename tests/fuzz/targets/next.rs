//! `?next=`: what is followed after signing in stays on this site, below `hub/` or `user/`, in the eyes of a browser,
//! and of whatever decodes it once or twice more on the way.

#![no_main]
#![expect(clippy::unwrap_used, reason = "what cannot be prepared ends the run")]

use libfuzzer_sys::fuzz_target;
use percent_encoding::percent_decode_str;
use shared::routes::Routes;
use url::Url;

const ORIGIN: &str = "https://jupyter.example.org";

fuzz_target!(|next: &str| {
    for base in ["/", "/jupyter/"] {
        let Some(followed) = Routes::new(base).own_path(next) else {
            continue;
        };
        assert_eq!(followed, next);
        let once = percent_decode_str(next).decode_utf8_lossy();
        let twice = percent_decode_str(&once).decode_utf8_lossy();
        for form in [next, &once, &twice] {
            for page in ["hub/login", "hub/login/", "user/ada/lab"] {
                let page = Url::parse(&format!("{ORIGIN}{base}{page}")).unwrap();
                let target = page.join(form).unwrap();
                assert!(stays(&target, base), "{next:?} leads to {target}");
            }
        }
    }
});

fn stays(target: &Url, base: &str) -> bool {
    let inside = target
        .path()
        .strip_prefix(base)
        .is_some_and(|rest| rest == "hub" || rest.starts_with("hub/") || rest.starts_with("user/"));
    inside && target.origin().ascii_serialization() == ORIGIN && target.username().is_empty()
}
