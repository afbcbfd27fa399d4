//! What a person may choose now, asked for when a page needs it.

use std::sync::Arc;

use leptos::prelude::*;
use shared::options::OptionsView;

use crate::api::{self, Failure};
use crate::session::Session;
use crate::task::spawn;

/// The options, once they are here.
#[derive(Clone, Copy)]
pub(crate) struct Offer {
    /// The answer.
    pub(crate) answer: RwSignal<Option<Result<Arc<OptionsView>, Failure>>>,
    session: Session,
}

impl Offer {
    /// Not asked for yet.
    pub(crate) fn new() -> Self {
        Self {
            answer: RwSignal::new(None),
            session: Session::get(),
        }
    }

    /// Asked for now.
    pub(crate) fn asked() -> Self {
        let offer = Self::new();
        offer.ask();
        offer
    }

    /// Asks for them.
    pub(crate) fn ask(self) {
        spawn(async move {
            let answer = api::options().await.map(Arc::new);
            if let Err(failure) = &answer {
                self.session.heed(failure);
            }
            drop(self.answer.try_set(Some(answer)));
        });
    }
}
