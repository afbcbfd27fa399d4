//! `/hub/user-redirect/<path>`: a link that works for everybody leads to one's own server.

use leptos::prelude::*;
use shared::names::UserName;

use crate::built::Built;
use crate::components::waiting;
use crate::paths::{self, routes};
use crate::router::Go;
use crate::task::effect;
use crate::text::Words;

/// Goes on to the same path of one's own server.
#[component]
pub(crate) fn UserRedirect(user: UserName) -> Built {
    let (go, here) = (Go::get(), paths::here());
    let rest = here.strip_prefix(&routes().hub("user-redirect/")).unwrap_or_default();
    let target = routes().server(&user, rest);
    effect(move || go.instead(&target));
    waiting(Words::get())
}
