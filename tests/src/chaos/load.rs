//! The load: customers of two teams come at a steady rate, whatever is broken; finance compares bills; people at WeChat decide
//! what becomes of refunds.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use jiff::ToSpan as _;
use proto::reconcile::v1::{RunReconciliationRequest, reconcile_service_client::ReconcileServiceClient};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout},
};
use tonic::transport::Channel;
use uuid::Uuid;

use super::{customer::Customer, tally::Tally};
use crate::{
    World,
    sandbox_client::{RefundState, SandboxClient},
    selling::{MERCHANT, Team},
};

/// Customers a second.
const RATE: u32 = 15;
/// Customers at one time; when so many wait for answers, no more come.
const MOST: usize = 150;
/// Between two questions of finance.
const FINANCE: Duration = Duration::from_millis(500);
/// How long a person at WeChat waits for a refund to arrive that they want to decide about.
const DECIDING: Duration = Duration::from_secs(40);
/// How long customers may take to finish when no new ones come: their patience, and what they do after it.
const CLOSING_TIME: Duration = Duration::from_secs(100);

/// Where customers trade.
#[derive(Debug)]
pub(super) struct Trade {
    pub(super) teams: [Team; 2],
    pub(super) sandbox: SandboxClient,
    pub(super) tally: Tally,
    /// Whether no more customers come.
    closed: AtomicBool,
}

/// A load that goes on.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) trade: Arc<Trade>,
    customers: JoinHandle<()>,
    finance: JoinHandle<()>,
}

impl Load {
    /// Begins.
    pub(super) fn begin(world: &World, seed: u64) -> Self {
        let (teams, sandbox) = ([world.shop(), world.canteen()], world.sandbox.clone());
        let trade = Arc::new(Trade { teams, sandbox, tally: Tally::default(), closed: AtomicBool::new(false) });
        let customers = tokio::spawn(customers(Arc::clone(&trade), seed));
        let finance = tokio::spawn(finance(Arc::clone(&trade), world.reconcile()));
        Self { trade, customers, finance }
    }

    /// Lets no more customers come, and returns when those who are there have finished.
    pub(super) async fn end(self) -> Arc<Trade> {
        self.trade.closed.store(true, Ordering::Relaxed);
        for (who, task) in [("customers", self.customers), ("finance", self.finance)] {
            match timeout(CLOSING_TIME, task).await {
                Ok(Ok(())) => {}
                Ok(Err(died)) => self.trade.tally.wrong("no_mistakes", format!("{who}: {died}")),
                Err(_) => self.trade.tally.wrong("no_mistakes", format!("{who} did not finish")),
            }
        }
        self.trade
    }
}

impl Trade {
    fn is_open(&self) -> bool {
        !self.closed.load(Ordering::Relaxed)
    }

    /// A person at WeChat, or the payer's bank, decides about some refunds; the others arrive by themselves.
    pub(super) async fn decide(&self, out_refund_no: &str, rng: &mut fastrand::Rng) {
        let (state, what) = match rng.u8(..4) {
            0 => (RefundState::Change, RefundState::Change.as_str()),
            1 => (RefundState::RefundClose, RefundState::RefundClose.as_str()),
            _ => return,
        };
        let began = Instant::now();
        while began.elapsed() < DECIDING && self.is_open() {
            match self.sandbox.settle_as(out_refund_no, state).await {
                Ok(_) => return self.tally.count(what),
                // Unknown so far.
                Err(refused) if refused.status == 404 => sleep(Duration::from_millis(100)).await,
                // It has arrived already.
                Err(_) => return,
            }
        }
    }
}

/// Customers come one after the other, each with a number of their own.
async fn customers(trade: Arc<Trade>, seed: u64) {
    let mut present = JoinSet::new();
    let mut ticks = interval(Duration::from_secs(1) / RATE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut number: u64 = 0;
    while trade.is_open() {
        ticks.tick().await;
        while let Some(gone) = present.try_join_next() {
            note(&trade, gone);
        }
        if MOST <= present.len() {
            trade.tally.count("customers turned away");
            continue;
        }
        number += 1;
        let mut rng = fastrand::Rng::with_seed(seed.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
        let trade = Arc::clone(&trade);
        present.spawn(async move {
            let team = rng.usize(..2);
            Customer { trade: &trade, rng, team }.live().await;
        });
    }
    while let Some(gone) = present.join_next().await {
        note(&trade, gone);
    }
}

fn note(trade: &Trade, gone: Result<(), tokio::task::JoinError>) {
    if let Err(died) = gone {
        trade.tally.wrong("no_mistakes", format!("a customer: {died}"));
    }
}

/// Finance compares days on which nothing was sold: that keeps the way to the bills busy, and changes nothing.
async fn finance(trade: Arc<Trade>, reconcile: ReconcileServiceClient<Channel>) {
    while trade.is_open() {
        let day = trade.sandbox.clock().await.now.to_zoned(jiff::tz::TimeZone::UTC).date().saturating_sub(3.days());
        let request = RunReconciliationRequest {
            request_id: Uuid::new_v4().to_string(),
            merchant: MERCHANT.to_owned(),
            bill_date: day.to_string(),
        };
        let mut reconcile = reconcile.clone();
        match timeout(Duration::from_secs(5), reconcile.run_reconciliation(request)).await {
            Ok(Ok(_)) => trade.tally.count("bills compared"),
            Ok(Err(status)) if status.code() == tonic::Code::NotFound => trade.tally.count("empty bills asked for"),
            Ok(Err(_)) | Err(_) => trade.tally.count("bills not told"),
        }
        sleep(FINANCE).await;
    }
}
