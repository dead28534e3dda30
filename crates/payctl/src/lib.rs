//! What engineers and SREs do with Tongbao from a terminal.
//!
//! [`verify`] is the checker: it proves, from the outside and without changing anything, that no fen is missing. `payctl
//! verify` runs it against a live system, and every story of the test suite ends with it.

pub mod verify;
