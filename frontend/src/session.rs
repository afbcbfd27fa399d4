//! Who is signed in. The sign-in itself is a cookie that the page never sees.

use leptos::prelude::*;
use shared::api::{ErrorCode, UserView};
use shared::names::UserName;

use crate::api::{self, Failure, Turn};
use crate::router::Go;
use crate::task::spawn;
use crate::{clock, document, paths, preferences};

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
pub(crate) struct Session {
    who: RwSignal<SignIn>,
    /// The sign-in has ended while the page was in use: it stays as it is, and asks to sign in again.
    pub(crate) lapsed: RwSignal<bool>,
    /// When the sign-in ends, by the browser's clock.
    pub(crate) ends_at: RwSignal<Option<i64>>,
    /// When their server's time is over, by the browser's clock, if one is ready.
    pub(crate) server_ends_at: RwSignal<Option<i64>>,
    /// The last sign-out ended the session in this browser, and the server could not store it.
    pub(crate) sign_out_failure: RwSignal<Option<Failure>>,
    /// Somebody has signed in here, since the document loaded.
    fresh: StoredValue<bool>,
}

impl Session {
    /// Made once; asks the server, unless the document says that nobody is. Other tabs tell of signing in and out.
    pub(crate) fn provide() {
        let session = Self {
            who: RwSignal::new(SignIn::Unknown),
            lapsed: RwSignal::new(false),
            ends_at: RwSignal::new(None),
            server_ends_at: RwSignal::new(None),
            sign_out_failure: RwSignal::new(None),
            fresh: StoredValue::new(false),
        };
        provide_context(session);
        if document::attribute("data-signed-in").is_some() {
            session.nobody();
        } else {
            session.ask();
        }
        preferences::hear(move |what| match what {
            preferences::SIGNED_OUT => session.nobody(),
            preferences::SIGNED_IN => session.ask(),
            _ => {}
        });
    }

    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Who is signed in; follows changes.
    pub(crate) fn who(self) -> SignIn {
        self.who.get()
    }

    /// The name of who is signed in; follows changes.
    pub(crate) fn name(self) -> Option<UserName> {
        match self.who.get() {
            SignIn::Somebody(name) => Some(name),
            SignIn::Unknown | SignIn::Nobody | SignIn::Trouble(_) => None,
        }
    }

    /// Whether somebody has signed in here, with this page.
    pub(crate) fn is_fresh(self) -> bool {
        self.fresh.get_value()
    }

    /// Asks the server who is signed in.
    pub(crate) fn ask(self) {
        spawn(async move {
            match api::user().await {
                Ok(user) => self.somebody(user),
                Err(failure) if failure.code() == Some(ErrorCode::NotSignedIn) => self.nobody(),
                Err(failure) => self.become_(SignIn::Trouble(failure)),
            }
        });
    }

    /// Learns anew what the server knows of who is signed in, if somebody is: without an answer all stays as it is.
    pub(crate) fn refresh(self) {
        if matches!(self.who.get_untracked(), SignIn::Somebody(_)) {
            spawn(async move {
                if let Ok(user) = api::user().await {
                    self.somebody(user);
                }
            });
        }
    }

    /// What a step of signing in came to.
    pub(crate) fn heard(self, turn: Turn) {
        if let Turn::SignedIn(user) = turn {
            preferences::tell(preferences::SIGNED_IN);
            self.fresh.set_value(true);
            self.somebody(*user);
        }
    }

    /// Signs out, and goes to the login page, which tells if the server could not store it. Without an answer the session
    /// is still there, and so is the person.
    pub(crate) async fn log_out(self, go: Go, stop_server: bool) -> Result<(), Failure> {
        let mut outcome = api::log_out(stop_server).await;
        if let Err(failure) = &outcome
            && failure.code() == Some(ErrorCode::SignOutNotStored)
        {
            self.sign_out_failure.set(Some(failure.clone()));
            outcome = Ok(());
        }
        if outcome.is_ok() {
            preferences::tell(preferences::SIGNED_OUT);
            go.to(&paths::login(None));
            self.nobody();
        } else {
            self.ask();
        }
        outcome
    }

    /// A failure that says nobody is signed in any more: what stands on the page stays.
    pub(crate) fn heed(self, failure: &Failure) {
        if failure.code() == Some(ErrorCode::NotSignedIn) {
            self.lapsed.set(true);
        }
    }

    fn somebody(self, user: UserView) {
        self.lapsed.set(false);
        self.sign_out_failure.set(None);
        let end = user.sign_in_seconds.map(|left| clock::now() + left);
        // Told in whole seconds, it seems to move by one.
        let moved = |before: i64| end.is_none_or(|end| (end - before).abs() > 1);
        if self.ends_at.get_untracked().is_none_or(moved) {
            self.ends_at.set(end);
        }
        let server = user.servers.into_values().find(|server| server.ready);
        let ends_at = server.and_then(|server| Some(server.state.ends_at? - server.state.now + clock::now()));
        self.server_ends_at.set(ends_at);
        self.become_(SignIn::Somebody(user.name));
    }

    fn nobody(self) {
        self.lapsed.set(false);
        self.ends_at.set(None);
        self.server_ends_at.set(None);
        self.become_(SignIn::Nobody);
    }

    fn become_(self, who: SignIn) {
        if self.who.with_untracked(|before| *before != who) {
            self.who.set(who);
        }
    }
}
