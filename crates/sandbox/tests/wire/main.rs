//! The sandbox from outside: real HTTP on a free port, one file for each call of the wire and each command.

#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test, loudly and there")]

mod call_faults;
mod callback_faults;
mod callbacks;
mod clock;
mod close_order;
mod control;
mod download_bill;
mod harness;
mod js_code_2_session;
mod order_query;
mod page;
mod unified_order;
