//! From a request under `/user/<name>/` to the Jupyter server on its node: a wire that knows who you are.
//!
//! Everything that a person does for hours goes through here, so each thing on the way of a request is there for a
//! reason. Slipway's own router and its layers are not: nothing that they do is for these paths, but for what
//! [`crate::edge::around`] does for both. A panic ends the browser's connection, and no other.

mod answer;
mod copy;
mod forward;
pub mod headers;
pub mod response_filter;
mod session_body;
mod target;
mod upgrade;
mod wire;

pub use answer::Answer;
pub use forward::forward;
pub use target::{Target, TargetError};
