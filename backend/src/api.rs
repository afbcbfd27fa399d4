//! Request handlers, one file per noun, mirroring the URL. JupyterHub's shapes wherever it has the thing.

pub mod events;
pub mod health;
pub mod login;
pub mod login_form;
pub mod options;
pub mod progress;
pub mod rate_limit;
pub mod server;
pub mod sessions;
pub mod site;
pub mod user;

mod extract;
mod signing_in;

pub use extract::{Json, Person, Visitor};
