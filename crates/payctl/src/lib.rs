//! What engineers and SREs do with Tongbao, and with WeChat Pay's messages, from a terminal.
//!
//! [`verify`] is the checker: it proves, from the outside and without changing anything, that no fen is missing. `payctl
//! verify` runs it against a live system, and every story of the test suite ends with it.
//!
//! The other commands are one file each under `commands`. `diagnosis` says why a signature does not match (签名错误): pure
//! functions over a `message` that was read.

pub mod verify;

mod account;
mod cli;
mod commands;
mod diagnosis;
mod duration;
mod input;
mod message;
mod output;
mod refusal;
mod request_id;
mod token;

pub use cli::Cli;
