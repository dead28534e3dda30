//! The program from outside: files in; text, JSON and exit code out. One file for each command.

#![expect(clippy::unwrap_used, reason = "a helper that cannot do its part fails the test, loudly and there")]

mod bill;
mod decrypt;
mod harness;
mod help;
mod merchants;
mod order;
mod recon;
mod sign;
mod trigger;
mod verify;
