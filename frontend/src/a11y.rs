//! What a browser does when a document loads, and a page within one document has to do itself: the title,
//! the focus, and what is said aloud.

use leptos::prelude::*;

use crate::built::{Built, IntoBuilt};
use crate::element::el;
use crate::site::Site;
use crate::task::effect;
use crate::{document, takeover};

const HEADING: &str = "heading";

/// Says things to screen readers, politely: changes of state, nothing else.
#[derive(Clone, Copy)]
pub(crate) struct Announcer {
    message: RwSignal<String>,
    /// Whether a heading has been shown since the document loaded: the first one leaves the focus alone.
    arrived: RwSignal<bool>,
}

impl Announcer {
    /// Made once.
    pub(crate) fn provide() {
        provide_context(Self {
            message: RwSignal::default(),
            arrived: RwSignal::default(),
        });
    }

    /// The one of this page.
    pub(crate) fn get() -> Self {
        expect_context()
    }

    /// Says this, once what is being read now is over.
    pub(crate) fn say(self, message: &str) {
        let message = message.to_owned();
        takeover::once_placed(Box::new(move || self.message.set(message)));
    }
}

/// Takes the focus to the heading, if what had it has just gone away: a keyboard would start all over.
pub(crate) fn keep_focus() {
    request_animation_frame(|| {
        let lost = document()
            .active_element()
            .is_none_or(|element| element.tag_name() == "BODY");
        if lost {
            document::focus(HEADING);
        }
    });
}

/// The place where it is said. It has to be there before anything is said, and stay.
#[component]
pub(crate) fn LiveRegion() -> Built {
    el("p")
        .class("hidden")
        .attr("role", "status")
        .says(Announcer::get().message.into())
        .built()
}

/// The heading of a page. Shown after a navigation it takes the focus, so that a keyboard goes on from there
/// and a screen reader says where one has arrived; it also gives the document its title.
#[component]
pub(crate) fn Heading(
    text: Signal<String>,
    /// The document's title, where it says more than the heading.
    #[prop(optional, into)]
    title: Option<Signal<String>>,
) -> Built {
    let (site, arrived) = (Site::get(), Announcer::get().arrived);
    effect(move || {
        let name = site.with(|site| site.name.clone());
        let title = title.unwrap_or(text).get();
        document::set_title(&if name.is_empty() {
            title
        } else {
            format!("{title} – {name}")
        });
    });
    effect(move || {
        if arrived.get_untracked() {
            document::focus(HEADING);
        }
        arrived.set(true);
    });
    el("h1").attr("id", HEADING).attr("tabindex", "-1").says(text).built()
}
