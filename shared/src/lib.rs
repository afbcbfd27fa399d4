//! What the page and the server have in common: names, units, the options and their one parser,
//! the requests and answers of the API, and the URLs.
//!
//! No input or output, no clock and no async here, and no dependency but `serde`: every byte of this
//! crate travels to the browser.

pub mod api;
pub mod names;
pub mod options;
pub mod raw;
pub mod reason;
pub mod routes;
pub mod server;
pub mod sign_in;
pub mod template;
pub mod units;
