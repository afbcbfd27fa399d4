//! Who uses a site.

use std::fmt::Write as _;
use std::sync::Arc;

use backend::auth::{Audience, Session, Sessions, SignInDetails};
use backend::clock::Clock;
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
        let sessions = self.sessions();
        let users_file = self.path("users.toml");
        let mut users = std::fs::read_to_string(&users_file).expect("the users file");
        let person = |name: String| {
            if !users.contains(&format!("[users.{name}]")) {
                let _ = write!(users, "\n[users.{name}]\npassword = \"none\"\n");
            }
            let cookies = sessions.cookies(&start(&sessions, &name)).expect("cookies");
            Person::with_cookies(&self.url, &name, cookies.iter().map(ToString::to_string))
        };
        let people = names.into_iter().map(person).collect();
        std::fs::write(users_file, users).expect("the users file");
        people
    }

    /// The cookies of a session that ends in so many seconds, whatever happens.
    ///
    /// # Panics
    /// When the configuration cannot be used.
    pub fn cookies_for(&self, name: &str, seconds: i64) -> Vec<String> {
        let sessions = self.sessions();
        let ends_at = Clock::system().now() + seconds;
        let session = Session {
            ends_at,
            idle_at: ends_at,
            ..start(&sessions, name)
        };
        both(&sessions, &session, &session)
    }

    /// The cookies of a session that began so many seconds ago, and was not used since.
    ///
    /// # Panics
    /// When the configuration cannot be used.
    pub fn cookies_made_before(&self, name: &str, seconds: i64) -> Vec<String> {
        let sessions = self.sessions();
        let session = before(start(&sessions, name), seconds);
        both(&sessions, &session, &session)
    }

    /// The cookies of a session whose hub has not been visited for so many seconds, while its server was used until now.
    ///
    /// # Panics
    /// When the configuration cannot be used.
    pub fn cookies_after_work(&self, name: &str, seconds: i64) -> Vec<String> {
        let sessions = self.sessions();
        let hub = before(start(&sessions, name), seconds);
        let idle_at = hub.idle_at + seconds;
        both(&sessions, &hub, &Session { idle_at, ..hub.clone() })
    }

    /// Sessions as Slipway makes them, with the site's own key.
    fn sessions(&self) -> Sessions {
        let config = backend::config::Config::load(&self.path("slipway.toml")).expect("the configuration");
        let key = backend::keys::Secret::read(&config.sign_in.key_file).expect("the key");
        Sessions::new(&[key], &Arc::new(config), Clock::system())
    }

    /// Somebody who has signed in at the Slipway of this address.
    pub async fn sign_in_at(&self, url: &str, name: &str) -> Person {
        let mut person = self.anonymous_at(url);
        let reply = person.sign_in(name, self.password(name)).await;
        assert_eq!(reply.status, 200, "{name} could not sign in: {}", reply.text);
        person
    }
}

fn start(sessions: &Sessions, name: &str) -> Session {
    let user = UserName::new(name).expect("a name");
    let started = sessions.start(&user, None, &SignInDetails::default());
    started.expect("a session")
}

/// The same session as if it had begun so many seconds earlier.
fn before(session: Session, seconds: i64) -> Session {
    Session {
        authenticated_at: session.authenticated_at - seconds,
        ends_at: session.ends_at - seconds,
        idle_at: session.idle_at - seconds,
        ..session
    }
}

fn both(sessions: &Sessions, hub: &Session, user: &Session) -> Vec<String> {
    let cookies = [(Audience::Hub, hub), (Audience::User, user)];
    let cookie = |(audience, session)| sessions.cookie_of(audience, session).expect("a cookie").to_string();
    cookies.map(cookie).into()
}
