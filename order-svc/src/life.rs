//! The life of an order between its calls: money comes, providers are asked, time runs out.

pub mod ask;
pub mod budget;
pub mod charge;
pub mod close;
pub mod decide;
pub mod earlier;
pub mod refund;
mod refund_word;
mod repair;
mod reverse;
pub mod settle;
pub mod surplus;

use std::{sync::Arc, time::Duration};

use sqlx::PgPool;
use svc_kit::{clock::Clock, outbox::Waker, schedule::Schedule};
use tokio::sync::Notify;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

use crate::{
    gateway::{Gateway, Merchants},
    measures::Measured,
};
pub(crate) use ask::soon;
use budget::Budgets;

/// Everything that the life of an order needs. Clones share it.
#[derive(Clone, Debug)]
pub struct Life {
    /// The orders.
    pub pool: PgPool,
    /// The same, for statements that take lists, and keep their plans.
    pub lists: PgPool,
    /// The time of business.
    pub clock: Clock,
    /// The way to the providers.
    pub gateway: Gateway,
    /// Whom we take money for, as the gateway lists it.
    pub merchants: Merchants,
    /// How many calls each account may make.
    pub budgets: Budgets,
    /// When to ask about an attempt.
    pub asking: Schedule,
    /// When to ask about a refund that the provider has accepted.
    pub refund_asking: Schedule,
    /// The provider closes an attempt only this long after it was made.
    pub close_min_age: Duration,
    /// How often to ask about a charge whose payer is entering a password.
    pub pay_code_ask: Duration,
    /// How long a payer has to finish a charge before it is taken back.
    pub pay_code_time: Duration,
    /// What happened, counted.
    pub measured: Measured,
    /// Tells the relay that a commit left events in the outbox.
    pub relay: Waker,
    /// Tells this process that a refund has its turn now.
    pub refund_due: Arc<Notify>,
    /// Tells this process that a repair has its turn now.
    pub repair_due: Arc<Notify>,
    /// Fired when the process is to stop: nothing new is asked then.
    pub stop: CancellationToken,
    /// Work that goes on when its caller has left.
    pub running: TaskTracker,
}

impl Life {
    /// Finishes `work` even when its caller leaves: what was claimed is given back, and a provider's answer is not thrown away.
    ///
    /// # Errors
    /// [`Unfinished`]; claims then end by themselves.
    pub async fn finish<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Unfinished> {
        // The limit goes with the work, because nobody may be there to wait for it.
        let work = tokio::time::timeout(FINISH_TIME, work.in_current_span());
        self.running.spawn(work).await?.map_err(|_| Unfinished::Silent)
    }
}

/// How long work goes on after its caller has left: as long as the longest claim. A database that went silent without a word
/// would hold it for ever otherwise, and with it the end of the process.
const FINISH_TIME: Duration = Duration::from_mins(1);

/// Why work did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Unfinished {
    /// It panicked, or the process ends.
    #[error("work broke off")]
    Broken(#[from] tokio::task::JoinError),
    /// Somebody did not answer for too long.
    #[error("work took longer than a minute")]
    Silent,
}
