//! WeChat Pay as pure functions: bytes in, values out. No clock, no runtime, no network; nonces and instants are
//! handed in by the caller, so every function gives the same answer for the same arguments.
//!
//! - [`v2`] — the XML generation of the merchant API: signing, requests, answers, notices, client invocations
//! - [`bill`] — the trade bill, streamed and checked against its own summary
//! - [`fund_flow`] — what moved on an account, streamed and checked against its own summary and balances
//! - [`time`] — WeChat's Beijing time texts
//!
//! Source of every rule: WeChat Pay's merchant documentation for API v2, read 2026-08.

pub mod bill;
pub mod fund_flow;
pub mod time;
pub mod v2;
