//! Who uses a site.

use std::collections::HashMap;
use std::fmt::Write as _;

use backend::auth::Audience;
use shared::names::UserName;

use super::Site;
use crate::Person;

impl Site {
    /// Somebody who is not signed in.
    pub fn anonymous(&self) -> Person {
        self.anonymous_at(&self.url)
    }

    fn anonymous_at(&self, url: &str) -> Person {
        Person::trusting(url, self.authority.as_deref())
    }

    /// The password of an account.
    pub fn password(&self, name: &str) -> &str {
        let found = self.passwords.iter().find(|(user, _)| user == name);
        &found.expect("an account of this site").1
    }

    /// Somebody who has signed in.
    pub async fn sign_in(&self, name: &str) -> Person {
        self.sign_in_at(&self.url, name).await
    }

    /// Closes an account, as its administrator does.
    ///
    /// # Panics
    /// When there is none of this name.
    pub fn close_account(&self, name: &str) {
        let (file, header) = (self.path("users.toml"), format!("[users.{name}]"));
        let users = std::fs::read_to_string(&file).expect("the users file");
        assert!(users.contains(&header), "no account of this name");
        let closed = users.replace(&header, &format!("{header}\ninactive = \"2026-11-24\""));
        std::fs::write(&file, closed).expect("the users file");
    }

    /// People who have signed in before, without the cost of their passwords: their cookies are made with the
    /// site's own key, and their accounts have no password that anybody could give.
    ///
    /// # Panics
    /// When the configuration cannot be used.
    pub fn signed_in(&self, names: impl IntoIterator<Item = String>) -> Vec<Person> {
        let sign_ins = self.sign_ins();
        let users_file = self.path("users.toml");
        let mut users = std::fs::read_to_string(&users_file).expect("the users file");
        let person = |name: String| {
            if !users.contains(&format!("[users.{name}]")) {
                let _ = write!(users, "\n[users.{name}]\npassword = \"none\"\n");
            }
            let user = UserName::new(&name).expect("a name");
            let sign_in = sign_ins.start(&user, None).expect("a sign-in");
            let cookies = sign_ins.cookies(Audience::Hub, &sign_in).expect("cookies");
            Person::with_cookies(&self.url, &name, cookies.iter().map(ToString::to_string))
        };
        let people = names.into_iter().map(person).collect();
        std::fs::write(users_file, users).expect("the users file");
        people
    }

    /// The cookies of a sign-in that ends in so many seconds, whatever happens.
    ///
    /// # Panics
    /// When the configuration cannot be used.
    pub fn cookies_for(&self, name: &str, seconds: i64) -> Vec<String> {
        let sign_ins = self.sign_ins();
        let user = UserName::new(name).expect("a name");
        let mut sign_in = sign_ins.start(&user, None).expect("a sign-in");
        sign_in.ends_at = backend::clock::Clock::system().now() + seconds;
        sign_in.idle_at = sign_in.ends_at;
        let cookies = sign_ins.cookies(Audience::Hub, &sign_in).expect("cookies");
        cookies.iter().map(ToString::to_string).collect()
    }

    /// The cookies of a sign-in that was begun so many seconds ago, and not used since.
    ///
    /// # Panics
    /// When the configuration cannot be used.
    pub fn cookies_made_before(&self, name: &str, seconds: i64) -> Vec<String> {
        let sign_ins = self.sign_ins();
        let user = UserName::new(name).expect("a name");
        let mut sign_in = sign_ins.start(&user, None).expect("a sign-in");
        sign_in.ends_at -= seconds;
        sign_in.idle_at -= seconds;
        let cookies = sign_ins.cookies(Audience::Hub, &sign_in).expect("cookies");
        cookies.iter().map(ToString::to_string).collect()
    }

    /// Sign-ins as Slipway makes them, with the site's own key.
    fn sign_ins(&self) -> backend::auth::SignIns {
        let config = backend::config::Config::load(&self.path("slipway.toml")).expect("the configuration");
        let key = backend::keys::Secret::read(&config.sign_in.key_file).expect("the key");
        let clock = backend::clock::Clock::system();
        backend::auth::SignIns::new(&[key], &config, HashMap::new(), clock)
    }

    /// Somebody who has signed in at the Slipway of this address.
    pub async fn sign_in_at(&self, url: &str, name: &str) -> Person {
        let mut person = self.anonymous_at(url);
        let reply = person.sign_in(name, self.password(name)).await;
        assert_eq!(reply.status, 200, "{name} could not sign in: {}", reply.text);
        person
    }
}
