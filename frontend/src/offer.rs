//! What a person may choose now, asked for when a page needs it.

use std::sync::Arc;
use std::time::Duration;

use leptos::prelude::*;
use shared::options::OptionsView;

use crate::api::{self, Failure};
use crate::session::Session;
use crate::task::spawn;

/// From which age on, in seconds, what is free is asked for again …
const FRESH: i64 = 3;
/// … after this, in which the server has asked Slurm.
const RENEWED: Duration = Duration::from_millis(500);

/// The options, once they are here.
#[derive(Clone, Copy)]
pub(crate) struct Offer {
    /// The answer.
    pub(crate) answer: RwSignal<Option<Result<Arc<OptionsView>, Failure>>>,
    /// The answer is as new as it gets.
    pub(crate) is_fresh: RwSignal<bool>,
    session: Session,
}

impl Offer {
    /// Not asked for yet.
    pub(crate) fn new() -> Self {
        Self {
            answer: RwSignal::new(None),
            is_fresh: RwSignal::new(false),
            session: Session::get(),
        }
    }

    /// Asked for now, as new as it gets.
    pub(crate) fn asked() -> Self {
        let offer = Self::new();
        offer.ask_for_fresh();
        offer
    }

    /// Asks for them.
    pub(crate) fn ask(self) {
        spawn(self.answered());
    }

    /// The same for whoever is told what is free, which changes with every job: an answer that was kept is asked for
    /// anew, once the new one is there.
    pub(crate) fn ask_for_fresh(self) {
        let again = move || {
            spawn(async move {
                self.answered().await;
                self.is_fresh.try_set(true);
            });
        };
        spawn(async move {
            self.answered().await;
            let is_old = |answer: &Option<_>| matches!(answer, Some(Ok(offer)) if age(offer) > FRESH);
            if self.answer.try_with_untracked(is_old) == Some(true) {
                set_timeout(again, RENEWED);
            } else {
                self.is_fresh.try_set(true);
            }
        });
    }

    async fn answered(self) {
        let answer = api::options().await.map(Arc::new);
        if let Err(failure) = &answer {
            self.session.heed(failure);
        }
        drop(self.answer.try_set(Some(answer)));
    }
}

/// How old what is known of the cluster is, in seconds.
fn age(offer: &Arc<OptionsView>) -> i64 {
    offer.ages.cluster
}
