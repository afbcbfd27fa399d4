//! From a request under `/user/<name>/` to the Jupyter server on its node: a wire that knows who you are.

mod forward;
pub mod headers;
mod target;
mod upgrade;

pub use forward::forward;
pub use target::{Target, TargetError};
