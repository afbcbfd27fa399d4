//! Starting a server: the same from every page that has a button for it.

use leptos::prelude::*;
use shared::api::ErrorCode;
use shared::names::UserName;
use shared::raw::RawOptions;
use shared::reason::Why;

use crate::api::{self, Failure};
use crate::attempt::Attempt;
use crate::paths;
use crate::router::Go;
use crate::task::callback;

/// A start, as an action of the page.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    /// The request, and why the last one failed.
    pub(crate) attempt: Attempt,
    options: StoredValue<(RawOptions, Option<&'static str>)>,
}

impl Start {
    /// Starts this person's server, then goes to the page that follows it and from there to `next`.
    pub(crate) fn new(user: UserName, next: Option<String>) -> Self {
        let (go, target) = (Go::get(), paths::starting(&user, next.as_deref()));
        Self::then(user, callback(move || go.to(&target)))
    }

    /// Starts this person's server, then does something else.
    pub(crate) fn then(user: UserName, done: Callback<()>) -> Self {
        let options = StoredValue::new((RawOptions::default(), None));
        let attempt = Attempt::new(move || {
            let ((options, once), user) = (options.get_value(), user.clone());
            async move {
                api::start(&user, &options, once).await?;
                done.try_run(());
                Ok(())
            }
        });
        Self { attempt, options }
    }

    /// Sends the request, unless one is on its way.
    pub(crate) fn send(self, options: RawOptions) {
        self.send_with(options, None);
    }

    /// The same, without the person's own settings of Jupyter, this once.
    pub(crate) fn send_fresh(self, options: RawOptions) {
        self.send_with(options, Some("fresh_settings"));
    }

    /// The same, however long it waits.
    pub(crate) fn send_patiently(self, options: RawOptions) {
        self.send_with(options, Some("keep_waiting"));
    }

    fn send_with(self, options: RawOptions, once: Option<&'static str>) {
        if !self.busy().get_untracked() {
            self.options.set_value((options, once));
            self.attempt.start();
        }
    }

    /// A request is on its way.
    pub(crate) fn busy(self) -> Signal<bool> {
        self.attempt.busy()
    }

    /// What a refusal of Slurm's means, and its own words.
    pub(crate) fn refusal(failure: &Failure) -> Option<(Option<Why>, String)> {
        match failure {
            Failure::Api(error) if error.code == ErrorCode::Refused => {
                Some((error.why.clone(), error.details.get("slurm")?.clone()))
            }
            _ => None,
        }
    }
}
