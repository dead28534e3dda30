//! A run: claim a day, fetch its bills, compare them with the books, write down what was found, all of it or nothing.
//!
//! ```text
//! claim ─► RUNNING ─► bills ─► books ─► compare ─► BALANCED | WAITING | DIFFERENCES   one transaction, with its events
//!             │          │                   └───► CONTROL_FAILED | BILL_INVALID      a bill is not to be trusted
//!             │          └─ not ready, no answer ─► claim released, nothing left behind but the bills that came
//!             └─ the process dies ─► the lease ends after 60 s, and whoever comes next takes the same row up
//! ```
//! The same inputs (bills, books, engine, rules) as the latest version are that version: the claim is released. So are other
//! days on which it is looked at, as long as what comes out is the same in every byte. What had ended and is found again is open
//! again all the same.

mod again;
mod compare;
mod comparing;
mod conclude;
mod hold;
mod run;
mod stages;
mod steps;
mod verdict;

pub use run::{CodeTally, Discrepancy, DiscrepancyState, Input, InputKind, Run, RunState, UnknownState};
pub use steps::Step;
pub use verdict::Verdict;

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;
use sqlx::PgPool;
use svc_kit::clock::Clock;
use svc_kit::crash;
use svc_kit::outbox::Waker;
use svc_kit::postgres::timely;
use tokio::sync::{Notify, Semaphore};
use tokio::time::Instant;
use uuid::Uuid;

use crate::gateway::{Gateway, GatewayError};
use crate::metrics::ReconcileMetrics;
use crate::store::claims::{self, Claim};

/// Days compared at once by one process: each has its files on the disk, and the numbers of its books in memory.
const MAX_RUNS_AT_ONCE: usize = 2;

/// How long a run may take, whatever the size of its day: one that waits for a word of the database that never comes must not hold
/// its day for ever. What it had done is undone, and the next run begins anew.
pub(crate) const RUN_TIME: Duration = Duration::from_hours(1);

/// How long a caller waits for another run of the same day, or for a place.
const WAIT_TIME: Duration = Duration::from_secs(30);

/// Between two looks at a day that somebody else works on.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// Why there is no run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The gateway gave no bill.
    #[error(transparent)]
    Gateway(#[from] GatewayError),
    /// The same day is being worked on for longer than we wait.
    #[error("the same day is being reconciled at this moment")]
    InProgress,
    /// It was given up after an hour.
    #[error("the day was not reconciled within an hour")]
    TooSlow,
    /// More than can be compared here; a person must look.
    #[error("the day is too large: {0}")]
    TooLarge(String),
    /// The disk that holds the bill while it is read.
    #[error("the bill cannot be kept for reading")]
    Disk(#[source] std::io::Error),
    /// The database did not answer.
    #[error("the run store failed")]
    Database(#[from] sqlx::Error),
    /// A mistake of ours.
    #[error("a mistake of ours: {0}")]
    Internal(String),
}

/// Makes runs. Clones share the limits.
#[derive(Clone, Debug)]
pub struct Reconciler {
    pub(crate) pool: PgPool,
    pub(crate) gateway: Gateway,
    pub(crate) clock: Clock,
    pub(crate) metrics: ReconcileMetrics,
    pub(crate) relay: Waker,
    /// Rung when a run opened something that can be asked about.
    pub(crate) to_ask: Arc<Notify>,
    places: Arc<Semaphore>,
}

impl Reconciler {
    /// Nothing under way yet.
    pub fn new(pool: PgPool, gateway: Gateway, clock: Clock, relay: Waker, metrics: ReconcileMetrics) -> Self {
        let places = Arc::new(Semaphore::new(MAX_RUNS_AT_ONCE));
        Self { pool, gateway, clock, metrics, relay, to_ask: Arc::new(Notify::new()), places }
    }

    /// Reconciles one day and answers its run: the current one when nothing has changed, else a new version.
    ///
    /// Safe to call twice: the second caller waits for the first, then looks again. The work goes on when the caller leaves.
    pub async fn reconcile(&self, merchant: &str, day: Date) -> Result<Run, RunError> {
        let (this, merchant) = (self.clone(), merchant.to_owned());
        let work = tokio::spawn(async move {
            let outcome = this.claim_and_work(&merchant, day).await;
            this.metrics.ran(&merchant, &outcome);
            outcome
        });
        work.await.map_err(|error| RunError::Internal(error.to_string()))?
    }

    async fn claim_and_work(&self, merchant: &str, day: Date) -> Result<Run, RunError> {
        // Asked before anything is claimed, so that an unknown name leaves no trace.
        let account = self.gateway.merchant(merchant).await?;
        let deadline = Instant::now() + WAIT_TIME;
        let waiting = tokio::time::timeout_at(deadline, Arc::clone(&self.places).acquire_owned());
        let _place = waiting.await.map_err(|_| RunError::InProgress)?.map_err(|_| RunError::InProgress)?;
        let claim = self.claim(merchant, day, deadline).await?;
        crash::point("reconcile.claimed");
        let result = hold::while_held(&self.pool, &claim, Box::pin(self.work(&claim, &account, day))).await;
        if result.is_err() {
            self.release(&claim).await;
        }
        result
    }

    async fn claim(&self, merchant: &str, day: Date, deadline: Instant) -> Result<Claim, RunError> {
        loop {
            let (new_run, holder) = (self.clock.uuid_v7(), Uuid::new_v4());
            let claim = async {
                let mut conn = self.pool.acquire().await?;
                claims::claim(&mut conn, merchant, day, new_run, holder, self.clock.now()).await
            };
            if let Some(claim) = timely(claim).await? {
                return Ok(claim);
            }
            if deadline <= Instant::now() {
                return Err(RunError::InProgress);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// Gives the claim up. When even that fails, the lease ends by itself.
    async fn release(&self, claim: &Claim) {
        let released = async { claims::release(&mut *self.pool.acquire().await?, claim).await };
        if let Err(error) = timely(released).await {
            tracing::warn!(run = %claim.run_id, "the claim is left to its lease: {error}");
        }
    }
}
