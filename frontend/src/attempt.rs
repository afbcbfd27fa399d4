//! What is asked of the server and may fail: nothing that somebody pressed stays without an answer.

use std::future::Future;
use std::pin::Pin;

use leptos::prelude::*;

use crate::api::Failure;
use crate::session::Session;
use crate::task::Task;

type Outcome = Result<(), Failure>;

/// A [`Task`] that says why it failed.
#[derive(Clone, Copy)]
pub(crate) struct Attempt {
    task: Task,
    /// Why the last one failed.
    pub(crate) failure: RwSignal<Option<Failure>>,
}

impl Attempt {
    /// From what it does.
    pub(crate) fn new<F: Future<Output = Outcome> + 'static>(run: impl Fn() -> F + Send + Sync + 'static) -> Self {
        Self::boxed(Box::new(move || Box::pin(run())))
    }

    fn boxed(run: Box<dyn Fn() -> Pin<Box<dyn Future<Output = Outcome>>> + Send + Sync>) -> Self {
        let (session, failure) = (Session::get(), RwSignal::new(None));
        let task = Task::new(move || {
            let outcome = run();
            async move {
                if let Err(error) = outcome.await {
                    session.heed(&error);
                    failure.try_set(Some(error));
                }
            }
        });
        Self { task, failure }
    }

    /// Begins, unless it is under way.
    pub(crate) fn start(self) {
        if !self.task.busy().get_untracked() {
            self.failure.set(None);
            self.task.start();
        }
    }

    /// It is under way.
    pub(crate) fn busy(self) -> Signal<bool> {
        self.task.busy()
    }
}
