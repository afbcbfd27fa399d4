//! Components, one in each file; its block of CSS has the same name.

mod amount;
mod announcements;
mod button;
mod check;
mod choice;
mod error_summary;
mod facts;
mod field;
mod footer;
mod header;
mod history;
mod meanwhile;
mod next_failed;
mod notice;
mod other_jobs;
mod paragraph;
mod select;
mod server_card;
mod sign_in_again;
mod sign_in_form;
mod signed_in;
mod start_failure;
mod steps;
mod support;
mod time_warning;

pub(crate) use amount::Amount;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use announcements::DISMISSED;
pub(crate) use button::{Button, ButtonLink, Buttons, FIRST, QUIET, SECOND};
pub(crate) use check::check;
pub(crate) use choice::{Choice, Item, group};
pub(crate) use error_summary::ErrorSummary;
#[cfg(debug_assertions)]
pub(crate) use facts::facts;
pub(crate) use field::{Field, Wrong, describe, input};
pub(crate) use footer::Footer;
#[cfg(target_arch = "wasm32")]
pub(crate) use header::{CLUSTER_NAME, SITE_NAME};
pub(crate) use header::{Header, SkipLink};
pub(crate) use history::History;
pub(crate) use meanwhile::{meanwhile, whole};
pub(crate) use next_failed::NextFailed;
pub(crate) use notice::{Alert, Failed, Meaning, Notice, Trouble, TroublePage, failure_words};
pub(crate) use other_jobs::other_jobs;
pub(crate) use paragraph::{Literally, Paragraph, Quoting, SlurmWords, quoting};
pub(crate) use select::Select;
pub(crate) use server_card::ServerCard;
pub(crate) use sign_in_again::SignInAgain;
pub(crate) use sign_in_form::SignInForm;
pub(crate) use signed_in::{signed_in, waiting};
pub(crate) use start_failure::StartFailure;
pub(crate) use steps::{Step, Steps};
pub(crate) use support::Support;
pub(crate) use time_warning::TimeWarning;
