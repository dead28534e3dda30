//! Asks about every attempt whose turn has come. Replicas share the work; none leads.

use std::{collections::HashMap, time::Duration};

use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::Merchants,
    life::Life,
    store::{
        asking::{self, Claim},
        timely,
    },
};

/// Attempts that one process attends to at once.
const PLACES: usize = 64;
/// Of these, for one merchant: a slow account must not take all of them.
const PLACES_PER_MERCHANT: usize = 16;
/// The longest sleep: another replica may have left work, or a call may have brought a turn forward.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);
/// After the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// Works until told to stop, then finishes what it holds.
pub async fn run(life: Life, merchants: Merchants, stop: CancellationToken) -> anyhow::Result<()> {
    let mut work = Work { life, merchants, stop: stop.clone(), attending: JoinSet::new(), held: HashMap::new() };
    while !stop.is_cancelled() {
        let claimed = match work.claim().await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot claim attempts to ask about");
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
        };
        let busy = !claimed.is_empty();
        for claim in claimed {
            work.attend(claim);
        }
        if !busy {
            work.sleep().await;
        }
        work.collect().await;
    }
    while let Some(ended) = work.attending.join_next().await {
        ended?;
    }
    Ok(())
}

struct Work {
    life: Life,
    merchants: Merchants,
    stop: CancellationToken,
    attending: JoinSet<String>,
    held: HashMap<String, usize>,
}

impl Work {
    async fn claim(&self) -> sqlx::Result<Vec<Claim>> {
        let free = i64::try_from(PLACES.saturating_sub(self.attending.len())).unwrap_or(0);
        let (mut merchants, mut rooms) = (Vec::new(), Vec::new());
        for name in self.merchants.names() {
            let held = self.held.get(&name).copied().unwrap_or(0);
            rooms.push(i64::try_from(PLACES_PER_MERCHANT.saturating_sub(held)).unwrap_or(0));
            merchants.push(name);
        }
        if free == 0 || merchants.is_empty() {
            return Ok(Vec::new());
        }
        timely(async {
            let mut conn = self.life.pool.acquire().await?;
            asking::claim_due(&mut conn, self.life.clock.now(), &merchants, &rooms, free).await
        })
        .await
    }

    fn attend(&mut self, claim: Claim) {
        let life = self.life.clone();
        *self.held.entry(claim.payment.merchant.clone()).or_default() += 1;
        self.attending.spawn(async move {
            let merchant = claim.payment.merchant.clone();
            let number = claim.payment.id.out_trade_no();
            if let Err(error) = life.attend(claim).await {
                // The claim ends by itself, and then somebody asks again.
                tracing::warn!(out_trade_no = number, error = &error as &dyn std::error::Error, "asking failed");
            }
            merchant
        });
    }

    /// Takes note of everything that has ended; waits for one when every place is taken.
    async fn collect(&mut self) {
        while self.attending.len() == PLACES {
            let ended = self.attending.join_next().await;
            self.free(ended);
        }
        while let Some(ended) = self.attending.try_join_next() {
            self.free(Some(ended));
        }
    }

    fn free(&mut self, ended: Option<Result<String, tokio::task::JoinError>>) {
        match ended {
            Some(Ok(merchant)) => {
                if let Some(held) = self.held.get_mut(&merchant) {
                    *held = held.saturating_sub(1);
                }
            }
            Some(Err(error)) => {
                // A panic while attending: its claim ends by itself. Nobody knows whose place it was, so count anew.
                tracing::error!(error = &error as &dyn std::error::Error, "attending to an attempt panicked");
                self.held.clear();
            }
            None => {}
        }
    }

    async fn sleep(&self) {
        let turn = timely(async {
            let mut conn = self.life.pool.acquire().await?;
            asking::next_turn(&mut conn).await
        });
        let now = self.life.clock.now();
        let longest = now.checked_add(SignedDuration::try_from(LONGEST_SLEEP).unwrap_or_default()).unwrap_or(now);
        let until = match turn.await {
            Ok(Some(turn)) if now < turn => turn.min(longest),
            // Due, but held back for want of a place, or nothing to do at all.
            _ => longest,
        };
        tokio::select! {
            () = self.life.clock.sleep_until(until) => {}
            // A clock that was set back must not stop us.
            () = tokio::time::sleep(LONGEST_SLEEP) => {}
            () = self.stop.cancelled() => {}
        }
    }
}
