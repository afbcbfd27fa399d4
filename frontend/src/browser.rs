//! What touches the browser: its document and elements, its clock, its history, its memory, its network.

pub(crate) mod built;
pub(crate) mod clock;
pub(crate) mod document;
pub(crate) mod element;
pub(crate) mod history;
pub(crate) mod http;
pub(crate) mod preferences;
pub(crate) mod query;
pub(crate) mod takeover;

use std::time::Duration;

use leptos::mount::mount_to_renderer;
use leptos::prelude::*;
use leptos::tachys::renderer::Rndr;
use leptos::tachys::renderer::types::Element;
use leptos::tachys::view::Mountable;

use crate::app;
use crate::task::spawn;
use crate::text;

/// After how long the words are asked for again.
const AGAIN: Duration = Duration::from_secs(3);

/// Takes over the document.
pub fn mount() {
    // The words first: without them the document is the better page, and they are asked for again.
    spawn(async {
        let Some(locale) = text::load().await else {
            document::tell_not_loaded();
            return set_timeout(mount, AGAIN);
        };
        takeover::pause().await;
        preferences::tell_zone();
        let carried = takeover::carried();
        let body = Rndr::create_element("body", None);
        let place = body.clone();
        let begin = move || {
            app::provide(carried, locale);
            spawn(build(Owner::current().unwrap_or_default(), place));
        };
        mount_to_renderer(&body, begin).forget();
    });
}

/// Builds what `root` has been given all for, and shows it.
async fn build(root: Owner, body: Element) {
    for part in app::PARTS {
        takeover::pause().await;
        let mut part = root.with(part);
        part.mount(&body, None);
        std::mem::forget(part); // It stays as long as the document.
    }
    takeover::take_place(body).await;
}
