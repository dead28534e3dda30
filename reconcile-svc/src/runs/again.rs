use jiff::civil::Date;
use svc_kit::postgres::timely;

use super::{Reconciler, Run, RunError};
use crate::resolution;
use crate::store::claims::{self, Claim};
use crate::store::discrepancies::{self, FoundBy};
use crate::store::locks;

impl Reconciler {
    /// The day came to what its latest version says already. What has ended since and is still found is open again: another day's
    /// file had it for a while, and has it no more.
    pub(super) async fn find_again(&self, claim: &Claim, latest: &Run, as_of: Date) -> Result<(), RunError> {
        let now = self.clock.now();
        let by = FoundBy { run_id: latest.id, merchant: &latest.merchant, day: latest.bill_date, as_of, now };
        // Nearly always nothing has, and nobody needs to wait for that.
        let ended = async { discrepancies::ended(&mut *self.pool.acquire().await?, latest.id).await };
        if timely(ended).await?.is_empty() {
            return Ok(());
        }
        let mut tx = self.pool.begin().await?;
        locks::one_run(&mut tx, by.merchant).await?;
        if !claims::renew(&mut tx, claim).await? {
            return Err(RunError::InProgress);
        }
        let count = resolution::found_again(&mut tx, &by).await?;
        tx.commit().await?;
        self.relay.wake();
        self.to_ask.notify_one();
        let (merchant, day) = (by.merchant, by.day);
        tracing::warn!(run = %by.run_id, merchant, %day, count, "{merchant} {day}: {count} differences are found again");
        Ok(())
    }
}
