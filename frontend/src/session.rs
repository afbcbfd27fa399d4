//! Who is signed in. The sign-in itself is a cookie that the page never sees.

use leptos::prelude::*;
use shared::api::{ErrorCode, UserView};
use shared::names::UserName;
use shared::sign_in::LoginRequest;

use crate::api::{self, Failure};
use crate::paths;
use crate::router::Go;
use crate::task::spawn;

/// What is known of who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SignIn {
    /// Nothing yet.
    Unknown,
    /// Nobody.
    Nobody,
    /// This person.
    Somebody(UserName),
    /// It could not be found out.
    Trouble(Failure),
}

/// Who is signed in, for every part of the page.
#[derive(Clone, Copy)]
pub(crate) struct Session(RwSignal<SignIn>);

impl Session {
    /// Made once; asks the server.
    pub(crate) fn provide() -> Self {
        let session = Self(RwSignal::new(SignIn::Unknown));
        provide_context(session);
        session.ask();
        session
    }

    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Who is signed in; follows changes.
    pub(crate) fn who(self) -> SignIn {
        self.0.get()
    }

    /// The name of who is signed in; follows changes.
    pub(crate) fn name(self) -> Option<UserName> {
        match self.0.get() {
            SignIn::Somebody(name) => Some(name),
            SignIn::Unknown | SignIn::Nobody | SignIn::Trouble(_) => None,
        }
    }

    /// Asks the server who is signed in.
    pub(crate) fn ask(self) {
        spawn(async move { self.learn(api::user().await) });
    }

    /// Signs in.
    pub(crate) async fn log_in(self, login: LoginRequest) -> Result<(), Failure> {
        let user = api::log_in(&login).await?;
        self.0.set(SignIn::Somebody(user.name));
        Ok(())
    }

    /// Signs out, and goes to the login page. Without an answer the sign-in is still there, and so is
    /// the person.
    pub(crate) async fn log_out(self, go: Go) {
        if api::log_out().await.is_ok() {
            go.to(&paths::login(None));
            self.0.set(SignIn::Nobody);
        } else {
            self.ask();
        }
    }

    /// A failure that says nobody is signed in any more ends the session here too.
    pub(crate) fn heed(self, failure: &Failure) {
        if failure.code() == Some(ErrorCode::NotSignedIn) {
            self.0.set(SignIn::Nobody);
        }
    }

    fn learn(self, answer: Result<UserView, Failure>) {
        let who = match answer {
            Ok(user) => SignIn::Somebody(user.name),
            Err(failure) if failure.code() == Some(ErrorCode::NotSignedIn) => SignIn::Nobody,
            Err(failure) => SignIn::Trouble(failure),
        };
        if self.0.with_untracked(|before| *before != who) {
            self.0.set(who);
        }
    }
}
