//! The life of an order between its calls: money comes, providers are asked, time runs out.

pub mod ask;
pub mod budget;
pub mod close;
pub mod decide;
pub mod earlier;
pub mod refund;
mod refund_word;
pub mod settle;
pub mod surplus;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use svc_kit::{clock::Clock, outbox::Waker, schedule::Schedule};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{gateway::Gateway, measures::Measured};
use budget::Budgets;

/// Everything that the life of an order needs. Clones share it.
#[derive(Clone, Debug)]
pub struct Life {
    /// The orders.
    pub pool: PgPool,
    /// The time of business.
    pub clock: Clock,
    /// The way to the providers.
    pub gateway: Gateway,
    /// How many calls each account may make.
    pub budgets: Budgets,
    /// When to ask about an attempt.
    pub asking: Schedule,
    /// When to ask about a refund that the provider has accepted.
    pub refund_asking: Schedule,
    /// The provider closes an attempt only this long after it was made.
    pub close_min_age: Duration,
    /// What happened, counted.
    pub measured: Measured,
    /// Tells the relay that a commit left events in the outbox.
    pub relay: Waker,
    /// Tells this process that a refund has its turn now.
    pub refund_due: Arc<Notify>,
    /// Fired when the process is to stop: nothing new is asked then.
    pub stop: CancellationToken,
    /// Work that goes on when its caller has left.
    pub running: TaskTracker,
}

impl Life {
    /// Finishes `work` even when its caller leaves: what was claimed is given back, and a provider's answer is not thrown away.
    ///
    /// # Errors
    /// When `work` panicked.
    pub async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, tokio::task::JoinError> {
        self.running.spawn(work.in_current_span()).await
    }
}
