//! Slipway's page: Leptos, rendered in the browser. `app.rs` has its routes, `text/` its words, and `api.rs`
//! alone speaks with the server.

#![expect(clippy::needless_pass_by_value, reason = "a component owns what it is given")]
#![expect(
    unreachable_pub,
    reason = "Leptos' component macro writes `pub` whatever the component says"
)]

mod a11y;
mod api;
mod app;
mod built;
mod clock;
mod components;
mod document;
mod element;
mod json;
mod notify;
mod offer;
mod pages;
mod paths;
mod preferences;
mod router;
mod session;
mod site;
mod start;
mod task;
mod text;
mod theme;
mod watch;
mod wire;

fn main() {
    app::mount();
}
