//! The only process that talks to payment providers.
//!
//! Stateless: what a call did is told by the provider, and every answer is verified before it is believed. A call ends in
//! one of three ways: done, a definite no, or unknown, which is a state and not an error.
//!
//! In reading order: [`config`], [`app`], `api` (one RPC per file), `calls` (limits, deadlines, the log line of each
//! call), `leave` (until when a call may leave), `providers` (which provider a merchant has, and one module for each), `outcome`, `metrics`.

pub mod app;
pub mod config;

mod api;
mod calls;
mod leave;
mod metrics;
mod outcome;
mod providers;

pub use app::App;
pub use config::Config;
