//! The options: what a person may choose now, what they chose, and the one function between the two.

mod chosen;
mod document;
mod fit;
mod parse;
mod problem;

pub use chosen::{Gpus, NONE, UserOptions};
pub use document::{
    AccountView, Ages, Charge, EventView, Free, GpuView, Lock, NodeClass, OptionsView, OtherJob, ProfileView, Range,
    Reach, ReservationView, Route, Source,
};
pub use fit::{Fit, Room, Wish, room};
pub use parse::{NAMES, SpawnRequest, parse};
pub use problem::{FieldError, Problem};

#[cfg(test)]
mod tests;
