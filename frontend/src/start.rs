//! Starting a server: the same from every page that has a button for it.

use leptos::prelude::*;
use shared::api::ErrorCode;
use shared::names::UserName;
use shared::raw::RawOptions;
use shared::reason::Why;

use crate::api::{self, Failure};
use crate::paths;
use crate::router::Go;
use crate::session::Session;
use crate::task::{Task, callback};

/// A start, as an action of the page.
#[derive(Clone, Copy)]
pub(crate) struct Start {
    task: Task,
    options: StoredValue<(RawOptions, Option<&'static str>)>,
    /// Why the last one failed.
    pub(crate) failure: RwSignal<Option<Failure>>,
}

impl Start {
    /// Starts this person's server, then goes to the page that follows it and from there to `next`.
    pub(crate) fn new(user: UserName, next: Option<String>) -> Self {
        let (go, target) = (Go::get(), paths::starting(&user, next.as_deref()));
        Self::then(user, callback(move || go.to(&target)))
    }

    /// Starts this person's server, then does something else.
    pub(crate) fn then(user: UserName, done: Callback<()>) -> Self {
        let session = Session::get();
        let failure = RwSignal::new(None);
        let options = StoredValue::new((RawOptions::default(), None));
        let task = Task::new(move || {
            let ((options, once), user) = (options.get_value(), user.clone());
            async move {
                match api::start(&user, &options, once).await {
                    Ok(()) => done.run(()),
                    Err(error) => {
                        session.heed(&error);
                        failure.set(Some(error));
                    }
                }
            }
        });
        Self { task, options, failure }
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
        if !self.task.busy().get_untracked() {
            self.failure.set(None);
            self.options.set_value((options, once));
            self.task.start();
        }
    }

    /// A request is on its way.
    pub(crate) fn busy(self) -> Signal<bool> {
        self.task.busy()
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
