//! reconcile-svc proves every morning, bill against books, that no fen is missing.
//!
//! It keeps its own books from the facts on the bus, fetches yesterday's bills through pay-gateway, compares, stores each
//! result as a version, opens and resolves differences, and shows all of it to finance. It changes no order: what it finds
//! out about a payment goes down the normal road, as a fact on the bus.
//!
//! In reading order: [`config`] and [`app`] start it; [`books`] reads our side, [`bills`] fetches the provider's; [`runs`] puts
//! both through the engine, which is a crate of its own (`reconciliation`); [`resolution`] is what becomes of a difference;
//! [`store`] is SQL; [`consume`] is what arrives and [`jobs`] what the clock starts; [`api`] and [`report`] answer programs and
//! people, [`export`] gives both files, and `sentence` tells a difference in Chinese to both.

pub mod app;
pub mod config;

pub mod bills;
pub mod books;
pub mod gateway;
pub mod resolution;
pub mod runs;
pub mod store;

pub mod consume;
pub mod jobs;

pub mod api;
pub mod export;
pub mod report;
mod sentence;

pub mod metrics;

/// The name of this process on the bus, in the table of streams and in Postgres.
pub const PROCESS: &str = "reconcile-svc";
