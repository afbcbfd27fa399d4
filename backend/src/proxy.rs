//! From a request under `/user/<name>/` to the Jupyter server on its node: a wire that knows who you are.

mod answer;
mod copy;
mod forward;
pub mod headers;
mod target;
mod upgrade;
mod wire;

pub use answer::Answer;
pub use forward::forward;
pub use target::{Target, TargetError};
