//! Attends to everything whose turn has come: attempts to ask about or to close, refunds to send or to ask about, repairs to do.
//! Replicas share the work; none leads.

use std::{collections::HashMap, time::Duration};

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    gateway::Merchants,
    life::Life,
    store::{asking, refund_turns, repairs, timely},
};

/// Things of one kind that one process attends to at once.
const PLACES: usize = 64;
/// Of these, for one merchant: a slow account must not take all of them.
const PLACES_PER_MERCHANT: usize = 16;
/// The longest sleep: another replica may have left work, or a call may have brought a turn forward.
const LONGEST_SLEEP: Duration = Duration::from_millis(500);
/// After the database failed.
const PAUSE: Duration = Duration::from_secs(1);

/// What has turns.
pub trait Kind: Send + 'static {
    /// One that this process holds.
    type Claim: Send + 'static;
    /// For log lines.
    const WORD: &'static str;

    /// Takes what is due. See [`asking::claim_due`].
    fn claim(
        conn: &mut PgConnection,
        now: Timestamp,
        merchants: &[String],
        rooms: &[i64],
        limit: i64,
    ) -> impl Future<Output = sqlx::Result<Vec<Self::Claim>>> + Send;

    /// The earliest turn of any.
    fn next_turn(conn: &mut PgConnection) -> impl Future<Output = sqlx::Result<Option<Timestamp>>> + Send;

    /// Whose it is.
    fn merchant(claim: &Self::Claim) -> &str;

    /// The number by which the provider knows it.
    fn number(claim: &Self::Claim) -> String;

    /// Does what is to be done and gives the claim back.
    fn attend(life: Life, claim: Self::Claim) -> impl Future<Output = sqlx::Result<()>> + Send;

    /// Ends when somebody of this process knows of a new turn; never, when nobody tells.
    fn nudged(life: &Life) -> impl Future<Output = ()> + Send;
}

/// Attempts to pay.
#[derive(Debug)]
pub struct Attempts;

impl Kind for Attempts {
    type Claim = asking::Claim;
    const WORD: &'static str = "attempts";

    async fn claim(
        conn: &mut PgConnection,
        now: Timestamp,
        merchants: &[String],
        rooms: &[i64],
        limit: i64,
    ) -> sqlx::Result<Vec<Self::Claim>> {
        asking::claim_due(conn, now, merchants, rooms, limit).await
    }

    async fn next_turn(conn: &mut PgConnection) -> sqlx::Result<Option<Timestamp>> {
        asking::next_turn(conn).await
    }

    fn merchant(claim: &Self::Claim) -> &str {
        &claim.payment.merchant
    }

    fn number(claim: &Self::Claim) -> String {
        claim.payment.id.out_trade_no()
    }

    async fn attend(life: Life, claim: Self::Claim) -> sqlx::Result<()> {
        life.attend(claim).await
    }

    async fn nudged(_life: &Life) {
        std::future::pending::<()>().await;
    }
}

/// Refunds.
#[derive(Debug)]
pub struct Refunds;

impl Kind for Refunds {
    type Claim = refund_turns::Claim;
    const WORD: &'static str = "refunds";

    async fn claim(
        conn: &mut PgConnection,
        now: Timestamp,
        merchants: &[String],
        rooms: &[i64],
        limit: i64,
    ) -> sqlx::Result<Vec<Self::Claim>> {
        refund_turns::claim_due(conn, now, merchants, rooms, limit).await
    }

    async fn next_turn(conn: &mut PgConnection) -> sqlx::Result<Option<Timestamp>> {
        refund_turns::next_turn(conn).await
    }

    fn merchant(claim: &Self::Claim) -> &str {
        &claim.refund.merchant
    }

    fn number(claim: &Self::Claim) -> String {
        claim.refund.out_refund_no()
    }

    async fn attend(life: Life, claim: Self::Claim) -> sqlx::Result<()> {
        life.attend_refund(claim).await
    }

    async fn nudged(life: &Life) {
        life.refund_due.notified().await;
    }
}

/// Repairs.
#[derive(Debug)]
pub struct Repairs;

impl Kind for Repairs {
    type Claim = repairs::Claim;
    const WORD: &'static str = "repairs";

    async fn claim(
        conn: &mut PgConnection,
        now: Timestamp,
        merchants: &[String],
        rooms: &[i64],
        limit: i64,
    ) -> sqlx::Result<Vec<Self::Claim>> {
        repairs::claim_due(conn, now, merchants, rooms, limit).await
    }

    async fn next_turn(conn: &mut PgConnection) -> sqlx::Result<Option<Timestamp>> {
        repairs::next_turn(conn).await
    }

    fn merchant(claim: &Self::Claim) -> &str {
        &claim.repair.merchant
    }

    fn number(claim: &Self::Claim) -> String {
        format!("repairs/{}", claim.repair.id)
    }

    async fn attend(life: Life, claim: Self::Claim) -> sqlx::Result<()> {
        life.attend_repair(&claim.repair).await
    }

    async fn nudged(life: &Life) {
        life.repair_due.notified().await;
    }
}

/// Works until told to stop, then finishes what it holds.
pub async fn run<K: Kind>(life: Life, merchants: Merchants, stop: CancellationToken) -> anyhow::Result<()> {
    let mut work = Work { life, merchants, stop: stop.clone(), attending: JoinSet::new(), held: HashMap::new() };
    while !stop.is_cancelled() {
        let claimed = match work.claim::<K>().await {
            Ok(claimed) => claimed,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "cannot claim {} that are due", K::WORD);
                tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    () = stop.cancelled() => {}
                }
                continue;
            }
        };
        let busy = !claimed.is_empty();
        for claim in claimed {
            work.attend::<K>(claim);
        }
        if !busy {
            work.sleep::<K>().await;
        }
        work.collect::<K>().await;
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
    async fn claim<K: Kind>(&self) -> sqlx::Result<Vec<K::Claim>> {
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
            K::claim(&mut conn, self.life.clock.now(), &merchants, &rooms, free).await
        })
        .await
    }

    fn attend<K: Kind>(&mut self, claim: K::Claim) {
        let life = self.life.clone();
        let merchant = K::merchant(&claim).to_owned();
        *self.held.entry(merchant.clone()).or_default() += 1;
        self.attending.spawn(async move {
            let number = K::number(&claim);
            if let Err(error) = K::attend(life, claim).await {
                // The claim ends by itself, and then somebody attends to it again.
                let error = &error as &dyn std::error::Error;
                tracing::warn!(number, error, "attending to one of the {} failed", K::WORD);
            }
            merchant
        });
    }

    /// Takes note of everything that has ended; waits for one when every place is taken.
    async fn collect<K: Kind>(&mut self) {
        while self.attending.len() == PLACES {
            let ended = self.attending.join_next().await;
            self.free::<K>(ended);
        }
        while let Some(ended) = self.attending.try_join_next() {
            self.free::<K>(Some(ended));
        }
    }

    fn free<K: Kind>(&mut self, ended: Option<Result<String, tokio::task::JoinError>>) {
        match ended {
            Some(Ok(merchant)) => {
                if let Some(held) = self.held.get_mut(&merchant) {
                    *held = held.saturating_sub(1);
                }
            }
            Some(Err(error)) => {
                // A panic while attending: its claim ends by itself. Nobody knows whose place it was, so count anew.
                let error = &error as &dyn std::error::Error;
                tracing::error!(error, "attending to one of the {} panicked", K::WORD);
                self.held.clear();
            }
            None => {}
        }
    }

    async fn sleep<K: Kind>(&mut self) {
        let turn = timely(async {
            let mut conn = self.life.pool.acquire().await?;
            K::next_turn(&mut conn).await
        });
        let now = self.life.clock.now();
        let longest = now.checked_add(SignedDuration::try_from(LONGEST_SLEEP).unwrap_or_default()).unwrap_or(now);
        let until = match turn.await {
            Ok(Some(turn)) if now < turn => turn.min(longest),
            // Due, but held back for want of a place, or nothing to do at all.
            _ => longest,
        };
        let ended = tokio::select! {
            // A place is free: more may be due than there was room for.
            ended = self.attending.join_next(), if !self.attending.is_empty() => ended,
            () = self.life.clock.sleep_until(until) => None,
            // A clock that was set back must not stop us.
            () = tokio::time::sleep(LONGEST_SLEEP) => None,
            () = K::nudged(&self.life) => None,
            () = self.stop.cancelled() => None,
        };
        self.free::<K>(ended);
    }
}
