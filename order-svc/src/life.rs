//! The life of an order between its calls: money comes, providers are asked, time runs out.

pub mod ask;
pub mod close;
pub mod decide;
pub mod settle;

use std::time::Duration;

use sqlx::PgPool;
use svc_kit::{clock::Clock, outbox::Waker, schedule::Schedule};

use crate::{gateway::Gateway, measures::Measured};

/// Everything that the life of an order needs. Clones share it.
#[derive(Clone, Debug)]
pub struct Life {
    /// The orders.
    pub pool: PgPool,
    /// The time of business.
    pub clock: Clock,
    /// The way to the providers.
    pub gateway: Gateway,
    /// When to ask about an attempt.
    pub asking: Schedule,
    /// The provider closes an attempt only this long after it was made.
    pub close_min_age: Duration,
    /// What happened, counted.
    pub measured: Measured,
    /// Tells the relay that a commit left events in the outbox.
    pub relay: Waker,
}

/// How long one replica may hold an attempt while it asks; longer than query, close and query together.
pub const CLAIM_S: u32 = 60;
