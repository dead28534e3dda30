use std::time::Duration;

use jiff::civil::Date;
use proto::event::ReconcileDay;
use svc_kit::bus::{Delivery, Failure, Handler, Options, Verdict, Verdicts};

use crate::gateway::GatewayError;
use crate::runs::{RUN_TIME, Reconciler, RunError};

/// How long one day may be waited for: its run, and a minute for each of a place, its claim, and what they ask the gateway before.
const DAY_TIME: Duration = RUN_TIME.saturating_add(Duration::from_mins(3));

/// Reconciles the days that the schedule hands out, one at a time; the message is acked after the run's commit. A day that cannot
/// be reconciled now is acked as well: half an hour later the schedule hands it out again.
#[derive(Clone, Debug)]
pub struct Worker {
    reconciler: Reconciler,
}

impl Worker {
    /// Works with `reconciler`.
    pub fn new(reconciler: Reconciler) -> Self {
        Self { reconciler }
    }

    /// One day at a time in each process, so that replicas share them.
    pub fn options() -> Options {
        Options { max_messages: 1, handler_time: DAY_TIME, ..Options::default() }
    }

    async fn work(&self, delivery: &Delivery) -> Verdict {
        let (merchant, day) = match read(delivery) {
            Ok(read) => read,
            Err(problem) => return Verdict::Dead(problem),
        };
        match self.reconciler.reconcile(&merchant, day).await {
            Ok(_) => {}
            Err(RunError::Gateway(GatewayError::BillNotReady)) => {
                tracing::info!(merchant, %day, "a bill is not ready; trying again in half an hour");
            }
            Err(error) => tracing::warn!(merchant, %day, "not reconciled, trying again in half an hour: {error}"),
        }
        Verdict::Applied
    }
}

impl Handler for Worker {
    async fn handle(&self, batch: &[Delivery]) -> Result<Verdicts, Failure> {
        let mut verdicts = Vec::with_capacity(batch.len());
        for delivery in batch {
            verdicts.push(self.work(delivery).await);
        }
        Ok(Verdicts::Each(verdicts))
    }
}

fn read(delivery: &Delivery) -> Result<(String, Date), String> {
    let work: ReconcileDay = delivery.decode().map_err(|error| error.to_string())?;
    let day = work.bill_date.parse().map_err(|_| "bill_date is no date".to_owned())?;
    Ok((work.merchant, day))
}
