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

    /// `next` if it is a path of this site, else nothing. Anything that a browser could take for another
    /// site (`//host`, `/\host`, a scheme, control characters, percent-encoded forms of these) is not.
    pub fn own_path<'a>(&self, next: &'a str) -> Option<&'a str> {
        let rest = next.strip_prefix(self.base.as_str())?;
        let own = ["hub/", "user/"].iter().any(|start| rest.starts_with(start)) || rest == "hub";
        let plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        let path = next.split(['?', '#']).next().unwrap_or_default();
        let lower = path.to_ascii_lowercase();
        let tricky = ["//", "/./", "/../", "%2f", "%5c", "%2e", "%00", "%0a", "%0d", "%09"];
        let straight =
            !tricky.iter().any(|bad| lower.contains(bad)) && !lower.ends_with("/..") && !lower.ends_with("/.");
        (own && plain && straight).then_some(next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn own_paths_are_followed() {
        let routes = Routes::new("/");
        for good in [
            "/hub/home",
            "/hub/spawn?account=def-x&time=3h",
            "/user/ada/lab/tree/a%20b.ipynb",
            "/hub/user-redirect/git-pull?repo=https%3A%2F%2Fx.org",
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
        ] {
            assert_eq!(routes.own_path(bad), None, "{bad:?}");
        }
        assert_eq!(Routes::new("/jupyter/").own_path("/hub/home"), None);
    }

    proptest! {
        #[test]
        fn whatever_is_followed_stays_below_the_base(text in "[/\\\\.%a-z0-9:@?#hub]{0,24}") {
            if let Some(next) = Routes::new("/").own_path(&text) {
                prop_assert!(next.starts_with("/hub") || next.starts_with("/user/"));
                prop_assert!(!next.starts_with("//"));
            }
        }
    }
}
