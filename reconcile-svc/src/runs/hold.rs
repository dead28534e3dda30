use std::time::Duration;

use sqlx::PgPool;

use super::RunError;
use crate::store::claims::{self, Claim, LEASE_SECONDS};

/// A third of the lease, so that two renewals may be lost.
const RENEW_EVERY: Duration = Duration::from_secs(LEASE_SECONDS / 3);

/// Does the work while the claim is held, renewing it; stops when the claim is lost.
pub(super) async fn while_held<T>(
    pool: &PgPool,
    claim: &Claim,
    work: impl Future<Output = Result<T, RunError>>,
) -> Result<T, RunError> {
    tokio::select! {
        done = work => done,
        () = until_lost(pool, claim) => Err(RunError::InProgress),
    }
}

async fn until_lost(pool: &PgPool, claim: &Claim) {
    loop {
        tokio::time::sleep(RENEW_EVERY).await;
        let renewed = async { claims::renew(&mut *pool.acquire().await?, claim).await };
        match renewed.await {
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
