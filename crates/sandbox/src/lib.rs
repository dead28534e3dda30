//! WeChat's side of the wire, for development and tests: nobody can run WeChat locally.
//!
//! One HTTP server plays WeChat Pay v2 and the login host for every merchant of a directory. It is as strict as the
//! published rules (every parameter, every signature), keeps a ledger of what was really paid and refunded, posts
//! callbacks on the official schedule, and writes the next day's bills. Time and faults are commands of its control
//! API. A second listener speaks TLS: refunds are served there alone, to whoever shows the merchant's certificate. The
//! page at `/` shows all of it, and `/phone` is the phone of one person who scans, pays and agrees.
//!
//! - [`app`] — settings, start and stop
//! - [`control`] — the messages of the control API under `/_sandbox/`, for whoever drives it
//!
//! Everything lives in memory and ends with the process. The ledger is the ground truth that tests compare with.

pub mod app;
pub mod control;

mod accept;
mod bill;
mod callbacks;
mod clock;
mod console;
mod faults;
mod fund_flow;
mod given_bills;
mod identity;
mod ids;
mod ledger;
mod login;
mod notice;
mod page;
mod people;
mod platform;
mod refund_notice;
mod scan;
mod spoiled;
mod tls;
mod wire;
