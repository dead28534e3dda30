//! How every process of Tongbao runs: starting, stopping, listening, logging, measuring, telling the time, and talking
//! to Postgres and NATS. Nothing here knows what a payment is.
//!
//! In reading order:
//! - [`process`] starts a process, keeps its long-lived tasks and drains them on SIGTERM;
//! - [`telemetry`], [`metrics`], [`admin`], [`log_limit`] show what it does;
//! - [`clock`] and [`schedule`] say when;
//! - [`grpc`], [`callers`], [`refusal`], [`trace`] are the API side;
//! - [`bus`], [`outbox`], [`inbox`] carry events, recorded once and applied once;
//! - [`postgres`] is the database;
//! - [`crash`] lets a test end a process between two durable steps.

pub mod process;

pub mod admin;
pub mod listen;
pub mod log_limit;
pub mod metrics;
pub mod telemetry;

pub mod clock;
pub mod schedule;

pub mod callers;
pub mod grpc;
pub mod refusal;
pub mod trace;

pub mod bus;
pub mod inbox;
pub mod outbox;
pub mod postgres;

pub mod crash;
