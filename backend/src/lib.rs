//! Slipway's server: sign-in, options, spawner and proxy. The binary is `slipway`; this library exists so
//! that contract tests can speak to Slurm with the very client that it uses.

pub mod answers;
pub mod api;
pub mod app;
pub mod assets;
pub mod auth;
pub mod cause;
pub mod check;
pub mod cli;
pub mod client_network;
pub mod clock;
pub mod config;
pub mod edge;
pub mod english;
pub mod error;
pub mod hand_off;
pub mod keys;
pub mod listen;
pub mod log;
pub mod look;
pub mod next;
pub mod offer;
pub mod pages;
pub mod parse_error;
pub mod permissions;
pub mod proxy;
pub mod router;
pub mod serve;
pub mod service_user;
pub mod slurm;
pub mod spawner;
pub mod store;
pub mod support;
pub mod takeover;
pub mod transfer;
mod wrong_host;
