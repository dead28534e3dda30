use std::time::Duration;

use sqlx::PgPool;
use svc_kit::postgres::timely;
use tokio::time::interval;

use super::{RUN_TIME, RunError};
use crate::store::claims::{self, Claim, LEASE_SECONDS};

/// A quarter of the lease, so that two renewals may be lost, to silence, too.
const RENEW_EVERY: Duration = Duration::from_secs(LEASE_SECONDS / 4);

/// Does the work while the claim is held, renewing it; stops when the claim is lost, or after [`RUN_TIME`].
pub(super) async fn while_held<T>(
    pool: &PgPool,
    claim: &Claim,
    work: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    tokio::select! {
        // What is done counts, whatever else has come.
        biased;
        done = work => done,
        () = until_lost(pool, claim) => Err(RunError::InProgress),
        () = tokio::time::sleep(RUN_TIME) => Err(RunError::TooSlow),
    }
}

async fn until_lost(pool: &PgPool, claim: &Claim) {
    let mut turns = interval(RENEW_EVERY);
    // The first one is now, when it was just claimed.
    turns.tick().await;
    loop {
        turns.tick().await;
        let renewed = async { claims::renew(&mut *pool.acquire().await?, claim).await };
        match timely(renewed).await {
            Ok(true) => {}
            Ok(false) => {
                tracing::warn!(run = %claim.run_id, "the claim was lost; somebody else works on this day");
                return;
            }
            // The lease may still hold; whether it does is asked again when the result is written.
            Err(error) => tracing::warn!(run = %claim.run_id, "the claim could not be renewed: {error}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn work_that_hears_nothing_more_is_given_up_also_while_the_claim_cannot_be_renewed() {
        let nowhere = PgPool::connect_lazy("postgres://127.0.0.1:1/reconcile").expect("a well-formed URL");
        let claim = Claim { run_id: Uuid::nil(), version: 1, holder: Uuid::nil() };
        let began = tokio::time::Instant::now();
        let given_up = while_held::<()>(&nowhere, &claim, std::future::pending()).await;
        assert!(matches!(given_up, Err(RunError::TooSlow)), "{given_up:?}");
        assert_eq!(began.elapsed(), RUN_TIME);
    }
}
