//! Slipway's page: Leptos, rendered in the browser, and on the server for what is shown until the browser runs it.
//! `app.rs` has its routes, `text/` its words, and `api.rs` alone speaks with the server. What touches a document is
//! in `browser/`; on the server, `server/` stands in for it under the same names.

#![expect(clippy::needless_pass_by_value, reason = "a component owns what it is given")]
#![cfg_attr(
    not(target_arch = "wasm32"),
    expect(
        clippy::large_types_passed_by_value,
        reason = "what is small for wasm has addresses of twice the size here"
    )
)]
#![expect(
    unreachable_pub,
    reason = "Leptos' component macro writes `pub` whatever the component says"
)]

mod a11y;
mod api;
mod app;
mod attempt;
#[cfg(target_arch = "wasm32")]
mod browser;
mod carried;
mod components;
mod json;
mod notify;
mod offer;
mod pages;
mod paths;
mod router;
#[cfg(not(target_arch = "wasm32"))]
mod server;
mod session;
mod site;
mod start;
mod task;
mod text;
mod theme;
mod watch;
mod wire;

#[cfg(target_arch = "wasm32")]
use self::browser::{built, clock, document, element, history, http, preferences, query, takeover};
#[cfg(not(target_arch = "wasm32"))]
use self::server::{built, clock, document, element, history, http, preferences, query, takeover};

#[cfg(target_arch = "wasm32")]
pub use self::browser::mount;
#[cfg(not(target_arch = "wasm32"))]
pub use self::server::{Draft, has_page};
