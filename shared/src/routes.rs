//! The URLs that the page and the server share, below the site's base path: JupyterHub's own scheme.

use crate::names::UserName;

/// Builds URLs for one base path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routes {
    base: String,
}

impl Routes {
    /// For a base path that starts and ends with `/`.
    pub fn new(base: impl Into<String>) -> Self {
        Self { base: base.into() }
    }

    /// The base path.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A page or file of the hub: `hub("home")`.
    pub fn hub(&self, path: &str) -> String {
        format!("{}hub/{path}", self.base)
    }

    /// An endpoint of the API: `api("options")`.
    pub fn api(&self, path: &str) -> String {
        format!("{}hub/api/{path}", self.base)
    }

    /// The page that follows a person's start.
    pub fn spawn_pending(&self, user: &UserName) -> String {
        self.hub(&format!("spawn-pending/{user}"))
    }

    /// A person's server: `server(user, "lab")`.
    pub fn server(&self, user: &UserName, path: &str) -> String {
        format!("{}user/{user}/{path}", self.base)
    }

    /// A person in the API.
    pub fn api_user(&self, user: &UserName) -> String {
        self.api(&format!("users/{user}"))
    }

    /// In the API, whether another server is started when a person's ends: PUT says yes, DELETE no.
    pub fn api_next(&self, user: &UserName) -> String {
        self.api(&format!("users/{user}/server/next"))
    }

    /// A person's server in the API: POST starts it, DELETE stops it.
    pub fn api_server(&self, user: &UserName) -> String {
        self.api(&format!("users/{user}/server"))
    }

    /// Keeps a start from being given up: POST.
    pub fn api_keep_waiting(&self, user: &UserName) -> String {
        self.api(&format!("users/{user}/server/keep-waiting"))
    }

    /// The events of a start.
    pub fn api_progress(&self, user: &UserName) -> String {
        self.api(&format!("users/{user}/server/progress"))
    }

    /// Where to go after signing in: `next`, if it is a path of this site ([`Routes::own_path`]) and a page that people
    /// are on the way to. Neither signing out nor signing in is one.
    pub fn destination<'a>(&self, next: &'a str) -> Option<&'a str> {
        let next = self.own_path(next)?;
        let path = next.split(['?', '#']).next()?.strip_prefix(self.base.as_str())?;
        let path = path.trim_end_matches('/');
        let is_below = |start: &str| {
            path.strip_prefix(start)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let is_of_a_server = path.strip_prefix("user/").and_then(|rest| rest.split_once('/'));
        let leads_nowhere = NO_DESTINATIONS.iter().any(|start| is_below(start))
            || is_of_a_server.is_some_and(|(_, rest)| ["login", "logout"].contains(&rest));
        (!leads_nowhere).then_some(next)
    }

    /// `next` if it is a path of this site, else nothing. Anything that a browser could take for another
    /// site (`//host`, `/\host`, a scheme, control characters) or that leaves the hub and people's servers (`..`) is
    /// not; nor is anything that becomes so when it is percent-decoded once or twice on the way.
    pub fn own_path<'a>(&self, next: &'a str) -> Option<&'a str> {
        let rest = next.strip_prefix(self.base.as_str())?;
        let own = ["hub/", "user/"].iter().any(|start| rest.starts_with(start)) || rest == "hub";
        let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        let path = next.split(['?', '#']).next().unwrap_or_default();
        // To a browser `%2e` is a dot itself: it decodes once more than whatever stands between.
        let mut decoded = path.as_bytes().to_vec();
        let straight = (0..4).all(|_| {
            // What decodes `%23` and then reads a URL sees an end of the path there.
            let straight = is_straight(&decoded) && is_straight(before_query(&decoded));
            decoded = percent_decoded(&decoded);
            straight
        });
        (own && plain && straight).then_some(next)
    }
}

/// Pages of the hub that nobody is on the way to: the way there ends a session, or leads back to signing in.
const NO_DESTINATIONS: [&str; 4] = ["hub/login", "hub/logout", "hub/hand-off", "hub/api"];

fn before_query(url: &[u8]) -> &[u8] {
    let end = url.iter().position(|byte| matches!(byte, b'?' | b'#'));
    &url[..end.unwrap_or(url.len())]
}

/// Whether each segment of a path leads down, and none could be taken for something else than a segment.
fn is_straight(path: &[u8]) -> bool {
    let (_, segments) = path.split_at_checked(1).unwrap_or_default();
    let inner = segments.strip_suffix(b"/").unwrap_or(segments);
    path.iter().all(|byte| *byte != b'\\' && !byte.is_ascii_control())
        && inner
            .split(|byte| *byte == b'/')
            .all(|segment| ![&b""[..], b".", b".."].contains(&segment))
}

/// What `%` and two hexadecimal digits stand for; everything else as it is (URL Standard, "percent-decode").
fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let digit = |at: usize| {
        let digit = char::from(*text.get(at)?).to_digit(16)?;
        u8::try_from(digit).ok()
    };
    let (mut decoded, mut at) = (Vec::with_capacity(text.len()), 0);
    while let Some(byte) = text.get(at) {
        match (byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(high << 4 | low);
                at += 3;
            }
            _ => {
                decoded.push(*byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn signing_in_and_out_are_no_destinations() {
        for base in ["/", "/jupyter/"] {
            let routes = Routes::new(base);
            for path in [
                "hub/logout",
                "hub/logout?stop=1",
                "hub/login",
                "hub/login?next=/hub/home",
                "hub/api/user",
                "hub/hand-off?next=/user/ada/",
                "user/ada/logout",
                "user/ada/login",
            ] {
                assert_eq!(routes.destination(&format!("{base}{path}")), None, "{path}");
            }
            for path in [
                "hub/home",
                "hub/spawn?profile=x",
                "hub/loginx",
                "user/ada/lab",
                "user/ada/lab/tree/logout",
            ] {
                let next = format!("{base}{path}");
                assert_eq!(routes.destination(&next), Some(next.as_str()));
            }
            assert_eq!(routes.destination("//evil.example/hub/home"), None);
        }
    }

    #[test]
    fn own_paths_are_followed() {
        let routes = Routes::new("/");
        for good in [
            "/hub/home",
            "/hub/spawn?account=def-x&time=3h",
            "/user/ada/lab/tree/a%20b.ipynb",
            "/hub/user-redirect/git-pull?repo=https%3A%2F%2Fx.org",
            "/user/ada/lab/tree/100%25%20done%2Eipynb",
            "/user/ada/lab/tree/%C3%A9t%C3%A9/",
            "/user/ada/lab/tree/why%3F",
        ] {
            assert_eq!(routes.own_path(good), Some(good));
        }
        assert_eq!(
            Routes::new("/jupyter/").own_path("/jupyter/hub/home"),
            Some("/jupyter/hub/home")
        );
    }

    #[test]
    fn no_published_trick_leads_to_another_site() {
        let routes = Routes::new("/");
        for bad in [
            "",
            "/",
            "//evil.org",
            "///evil.org",
            "/\\evil.org",
            "\\\\evil.org",
            "https://evil.org",
            "javascript:alert(1)",
            "/hub//evil.org",
            "/hub/..//evil.org",
            "/hub/%2e%2e//evil.org",
            "/%2f/evil.org",
            "/hub/\t/evil.org",
            "/hub/\nx",
            " /hub/home",
            "/hub/home\u{a0}",
            "http:/hub/home",
            "/hub/../../evil",
            "/hub@evil.org",
            "/hub/%5cevil.org",
            "/hubs/x",
            "/hub/%252e%252e/%252e%252e/x",
            "/hub/%25252e%25252e/x",
            "/hub/%2%65%2%65/x",
            "/hub/%2e%2e%23x",
            "/hub/%252e%252e%253fx",
            "/hub/%252fevil.org",
            "/hub/.%2e",
            "/hub/x%0d%0alocation:%20//evil.org",
        ] {
            assert_eq!(routes.own_path(bad), None, "{bad:?}");
        }
        assert_eq!(Routes::new("/jupyter/").own_path("/hub/home"), None);
    }

    /// Where a browser that has just signed in goes from there.
    fn followed(base: &str, next: &str) -> url::Url {
        let page = url::Url::parse(&format!("https://jupyter.example.org{base}hub/login")).unwrap();
        page.join(next).unwrap()
    }

    fn stays(base: &str, next: &str) -> bool {
        let target = followed(base, next);
        let below = target.path().strip_prefix(base);
        target.origin().ascii_serialization() == "https://jupyter.example.org"
            && below.is_some_and(|rest| rest == "hub" || rest.starts_with("hub/") || rest.starts_with("user/"))
    }

    /// What open redirects were published with (JupyterHub's CVE-2019-10255 and CVE-2026-33709 among them), and what
    /// browsers and parsers read differently.
    const TRICKS: [&str; 47] = [
        "/",
        "//",
        "///",
        "\\",
        "/\\",
        "\\/",
        "/\t/",
        "/\n/",
        "\r\n",
        " ",
        "\u{0}",
        "\u{1f}",
        "\u{7f}",
        "%09",
        "%0d%0a",
        "%00",
        "%2f",
        "%2F%2f",
        "%5c",
        "%5C",
        "%2e",
        ".%2E",
        "%252e%252e",
        "%25252e",
        "%2%65",
        "%u002e",
        ".",
        "..",
        "/./",
        "/../",
        "/..;/",
        ";",
        "//;@",
        "@",
        "user:pass@",
        ":",
        "https:",
        "https:/",
        "javascript:",
        "\u{3002}",
        "\u{ff0f}",
        "\u{ff0e}",
        "?",
        "#",
        "%23",
        "%3f",
        "%2523",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn what_is_followed_stays_on_this_site_below_the_base_however_often_it_is_decoded(
            start in "|/|/hub|/hub/|/user/|/jupyter/hub/|/jupyter/user/ada/|hub/",
            parts in proptest::collection::vec(
                prop_oneof![proptest::sample::select(TRICKS.to_vec()).prop_map(str::to_owned), "evil\\.org|x|hub|user|jupyter|%[0-9a-f]{2}"],
                0..8,
            ),
        ) {
            let next = start + &parts.concat();
            for base in ["/", "/jupyter/"] {
                if Routes::new(base).own_path(&next).is_some() {
                    let once = percent_decoded(next.as_bytes());
                    let twice = percent_decoded(&once);
                    for form in [next.as_bytes(), &once, &twice] {
                        let form = String::from_utf8_lossy(form);
                        prop_assert!(stays(base, &form), "{next:?} leads to {}", followed(base, &form));
                    }
                }
            }
        }
    }

    #[test]
    fn each_trick_alone_is_refused_or_harmless() {
        for trick in TRICKS {
            for next in [
                format!("{trick}evil.org"),
                format!("/{trick}evil.org"),
                format!("/hub{trick}evil.org"),
                format!("/hub/{trick}evil.org"),
                format!("/hub/{trick}/{trick}/evil.org"),
                format!("/user/ada/{trick}"),
                format!("https:{trick}evil.org/hub/"),
            ] {
                let taken = Routes::new("/").own_path(&next).is_some();
                assert!(
                    !taken || stays("/", &next),
                    "{next:?} leads to {}",
                    followed("/", &next)
                );
            }
        }
    }
}
