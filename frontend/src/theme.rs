//! Light or dark: as the system has it, or as the person chose.

use leptos::prelude::*;

use crate::task::effect;
use crate::{document, preferences};

const REMEMBERED: &str = "slipway-theme";

/// As the system has it.
pub(crate) const SYSTEM: &str = "system";
/// Always light.
pub(crate) const LIGHT: &str = "light";
/// Always dark.
pub(crate) const DARK: &str = "dark";

/// The chosen theme by its name. Setting it shows and remembers it.
#[derive(Clone, Copy)]
pub(crate) struct Theme(pub(crate) RwSignal<String>);

/// Made once: what was chosen here before, else what the server wrote into the document.
pub(crate) fn provide() {
    let chosen = preferences::recall(REMEMBERED)
        .or_else(|| document::attribute("data-theme"))
        .filter(|name| [SYSTEM, LIGHT, DARK].contains(&name.as_str()));
    let theme = RwSignal::new(chosen.unwrap_or_else(|| SYSTEM.to_owned()));
    provide_context(Theme(theme));
    let mut shown = None;
    effect(move || {
        let now = theme.get();
        document::set_attribute("data-theme", &now);
        if shown.replace(now.clone()).is_some_and(|before| before != now) {
            preferences::remember(REMEMBERED, &now);
        }
    });
}
