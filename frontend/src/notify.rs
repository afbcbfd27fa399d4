//! The browser's notifications, for somebody who has another tab before them and wants to be told.

use js_sys::Reflect;
use leptos::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Notification, NotificationPermission};

/// Whether the person has allowed them. Browsers have none where the page came without https.
fn permission() -> Option<NotificationPermission> {
    let exists = Reflect::has(&window(), &"Notification".into());
    (exists == Ok(true)).then(Notification::permission)
}

/// The person has neither allowed nor refused them, and the browser has any: on Android they need a service worker.
pub(crate) fn is_undecided() -> bool {
    let agent = window().navigator().user_agent();
    !agent.is_ok_and(|agent| agent.contains("Android")) && permission() == Some(NotificationPermission::Default)
}

/// Asks for them; whether they are allowed then.
pub(crate) async fn ask() -> bool {
    if let Ok(answer) = Notification::request_permission() {
        drop(JsFuture::from(answer).await);
    }
    permission() == Some(NotificationPermission::Granted)
}

/// Says this, if that is allowed and the person does not look at the page.
pub(crate) fn tell(message: &str) {
    if document().hidden() && permission() == Some(NotificationPermission::Granted) {
        drop(Notification::new(message));
    }
}
