//! Slipway's API over real sockets, in front of a local cluster with real processes.

#![expect(clippy::unwrap_used, reason = "a test that finds nothing fails")]

mod addresses;
mod check_live;
mod command_line;
mod documents;
mod exactly_one;
mod files;
mod form_of_today;
mod front;
mod keys;
mod limits;
mod log;
mod numeric_names;
mod offer;
mod options;
mod outage;
mod pages;
mod pam;
mod requests;
mod security_headers;
mod servers;
mod sessions;
mod sign_in;
#[cfg(target_os = "linux")] // macOS has only one address for itself until it is given more.
mod sign_in_load;
mod sign_ins;
mod signatures;
mod signer;
mod trouble;
mod two_hosts;
mod why;
