//! When the faults have stopped: time passes as far as schedules need, the system becomes quiet, and everything is looked at.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use futures::{StreamExt as _, stream};
use payctl::verify::{Allowed, Evidence, LedgerSource, Limits, Progress, Sources, Violation, Window, judge, look};
use proto::order::v1::order::State;
use tokio::time::{Instant, sleep};
use tonic::{Request, Response};

use super::{
    load::Trade,
    tally::{Answered, Said},
    timeline::Timeline,
};
use crate::{World, sandbox_client::RefundState, world::client};

/// What a quiet system needs at most, in real time: promise G10.
pub(super) const QUIET_WITHIN: Duration = Duration::from_mins(1);
/// Everything that can expire does, and every schedule has had its turn.
const AT_FIRST: [Duration; 3] = [Duration::from_mins(12); 3];
/// Then, from look to look: refunds of one payment are a minute apart.
const FROM_LOOK_TO_LOOK: Duration = Duration::from_secs(65);
/// What a step of time sets off takes a moment.
const A_MOMENT: Duration = Duration::from_millis(800);
/// Requests that are made once more in the end.
const MADE_AGAIN: usize = 300;
const MADE_AGAIN_AT_ONCE: usize = 16;

/// What was there in the end.
pub(super) struct Aftermath {
    pub(super) evidence: Evidence,
    pub(super) violations: Vec<Violation>,
    /// How long it took to become quiet; `None` when it did not.
    pub(super) quiet_after: Option<Duration>,
}

/// Waits for quiet and looks.
pub(super) async fn settle(world: &World, trade: &Trade, timeline: &Timeline) -> anyhow::Result<Aftermath> {
    let began = Instant::now();
    for step in AT_FIRST {
        world.pass(step).await;
    }
    let mut looks = 0_u32;
    loop {
        sleep(A_MOMENT).await;
        let decided = decide_about_bounced(world).await;
        trade.tally.add("bounced refunds decided by a person", decided);
        let (evidence, violations) = see(world).await?;
        let quiet = violations.is_empty();
        timeline.tell(format_args!("looked: {} things are still under way or wrong", violations.len()));
        if quiet || QUIET_WITHIN < began.elapsed() {
            return Ok(Aftermath { evidence, violations, quiet_after: quiet.then(|| began.elapsed()) });
        }
        looks += 1;
        if looks.is_multiple_of(2) {
            world.pass(FROM_LOOK_TO_LOOK).await;
        }
    }
}

/// One look at everything. Dead letters are as many as there must be when each is one that a payment of another amount leaves.
pub(super) async fn see(world: &World) -> anyhow::Result<(Evidence, Vec<Violation>)> {
    let (orders, reconcile) = (world.postgres.pool("orders"), world.postgres.pool("reconcile"));
    let sources = Sources {
        orders: orders.clone(),
        reconcile: Some(reconcile.clone()),
        jetstream: world.streams().await.jetstream().clone(),
        ledger: Some(LedgerSource { http: client(), url: world.sandbox.url().to_owned() }),
        order_svc_runs: true,
        reconcile_svc_runs: true,
    };
    let evidence = look(&sources, &Window::EVERYTHING, &Limits::default(), &Progress::silent()).await;
    orders.close().await;
    reconcile.close().await;
    let evidence = evidence?;
    let expected = expected_letters(&evidence);
    let dead_letters = evidence.dead.iter().filter(|letter| expected.contains(&letter.id)).count();
    let violations = judge(&evidence, &Allowed { dead_letters, unsettled: false, unknown: false });
    Ok((evidence, violations))
}

/// The facts that nobody can apply: payments of another amount than was asked for.
fn expected_letters(evidence: &Evidence) -> BTreeSet<String> {
    let orders = evidence.ledger.iter().flat_map(|ledger| &ledger.orders);
    orders
        .filter_map(|order| {
            let paid = order.payment.as_ref().filter(|paid| paid.amount_fen != order.amount_fen)?;
            Some(format!("paid:wechat-v2:{}:{}", order.mch_id, paid.transaction_id))
        })
        .collect()
}

/// Somebody acts in the merchant platform: the money of every other refund that bounced arrives after all.
async fn decide_about_bounced(world: &World) -> u64 {
    let refunds = world.sandbox.ledger().await.orders.into_iter().flat_map(|order| order.refunds);
    let mut decided: u64 = 0;
    for refund in refunds.filter(|refund| refund.state == RefundState::Change) {
        let state = if decided.is_multiple_of(2) { RefundState::Success } else { RefundState::RefundClose };
        decided += u64::from(world.sandbox.settle_as(&refund.out_refund_no, state).await.is_ok());
    }
    decided
}

/// Makes answered requests once more, and compares. Returns how many, and what differs.
pub(super) async fn ask_again(trade: &Trade, rng: &mut fastrand::Rng) -> (usize, Vec<String>) {
    let mut answers = trade.tally.answers();
    rng.shuffle(&mut answers);
    answers.truncate(MADE_AGAIN);
    let asked = answers.len();
    let differences = stream::iter(answers).map(|answered| again(trade, answered)).buffer_unordered(MADE_AGAIN_AT_ONCE);
    (asked, differences.filter_map(async |difference| difference).collect().await)
}

async fn again(trade: &Trade, answered: Answered) -> Option<String> {
    let mut orders = trade.teams[answered.team].orders();
    match answered.said {
        Said::Created(said) => differs(&said.1, orders.create_order(Request::new(said.0)).await),
        Said::Paying(said) => differs(&said.1, orders.pay_order(Request::new(said.0)).await),
        Said::Closed(said) => differs(&said.1, orders.close_order(Request::new(said.0)).await),
        Said::Refunding(said) => differs(&said.1, orders.create_refund(Request::new(said.0)).await),
    }
}

fn differs<T: PartialEq + std::fmt::Debug>(first: &T, now: Result<Response<T>, tonic::Status>) -> Option<String> {
    match now {
        Ok(now) if now.get_ref() == first => None,
        Ok(now) => Some(format!("first {first:?}, and now {:?}", now.get_ref())),
        Err(status) => Some(format!("first {first:?}, and now {status:?}")),
    }
}

/// Where answers and the end contradict each other.
pub(super) fn contradictions(trade: &Trade, evidence: &Evidence) -> Vec<String> {
    let mut found = trade.tally.wrongs("answers_and_end");
    let orders: BTreeMap<String, _> =
        evidence.orders.iter().map(|order| (format!("orders/{}", order.order_id), order)).collect();
    for (name, seen) in trade.tally.seen() {
        let Some(order) = orders.get(&name) else {
            found.push(format!("{name} was answered, and is not there"));
            continue;
        };
        let paid = order.paid_payment_id.map(|id| format!("{name}/payments/{id}")).unwrap_or_default();
        let follows = match seen.state {
            State::Pending | State::Unspecified => true,
            State::Closed => order.state == "CLOSED",
            State::Paid => ["PAID", "PARTIALLY_REFUNDED", "REFUNDED"].contains(&order.state.as_str()),
            State::PartiallyRefunded => ["PARTIALLY_REFUNDED", "REFUNDED"].contains(&order.state.as_str()),
            State::Refunded => order.state == "REFUNDED",
        };
        let same_payment = seen.paid_payment.is_empty() || seen.paid_payment == paid;
        if order.version < seen.version || !follows || !same_payment {
            found.push(format!("{name} was seen as {seen:?}, and is {order:?}"));
        }
    }
    let payments: BTreeMap<String, _> =
        evidence.payments.iter().map(|payment| (payment.out_trade_no(), payment.order_id)).collect();
    let refunds: BTreeMap<String, _> =
        evidence.refunds.iter().flatten().map(|refund| (refund.out_refund_no(), refund)).collect();
    let mut wanted = trade.tally.refunds_unanswered();
    for Answered { said, .. } in trade.tally.answers() {
        match said {
            Said::Created(said) => {
                let (asked, order) = *said;
                let is_so = orders
                    .get(&order.name)
                    .is_some_and(|row| row.amount_fen == asked.amount_fen && row.merchant == asked.merchant);
                if !is_so {
                    found.push(format!("{} was created otherwise than it was asked for", order.name));
                }
            }
            Said::Paying(said) => {
                let (asked, opened) = *said;
                let number = opened.payment.map(|payment| payment.out_trade_no).unwrap_or_default();
                if payments.get(&number).map(|order| format!("orders/{order}")) != Some(asked.name) {
                    found.push(format!("cashier {number} is of no attempt of its order"));
                }
            }
            Said::Closed(_) => {}
            Said::Refunding(said) => {
                let (asked, refund) = *said;
                *wanted.entry(asked.order.clone()).or_default() += 1;
                let is_so = refunds.get(&refund.out_refund_no).is_some_and(|row| {
                    row.amount_fen == asked.amount_fen && format!("orders/{}", row.order_id) == asked.order
                });
                if !is_so {
                    found.push(format!("refund {} is otherwise than it was asked for", refund.name));
                }
            }
        }
    }
    let mut written: BTreeMap<String, u64> = BTreeMap::new();
    for refund in refunds.values().filter(|refund| refund.cause == "REQUESTED") {
        *written.entry(format!("orders/{}", refund.order_id)).or_default() += 1;
    }
    for (order, written) in written {
        let wanted = wanted.get(&order).copied().unwrap_or(0);
        if wanted < written {
            found.push(format!("{order} has {written} refunds, and {wanted} were asked for"));
        }
    }
    found
}

/// Changes the books behind everybody's back, for controls that must fail.
pub(super) async fn tamper(world: &World, statements: &[&'static str]) -> anyhow::Result<()> {
    let orders = world.postgres.pool("orders");
    let mut conn = orders.acquire().await?;
    // No trigger notices.
    sqlx::query("SET session_replication_role = replica").execute(&mut *conn).await?;
    for statement in statements {
        let changed = sqlx::query(*statement).execute(&mut *conn).await?.rows_affected();
        anyhow::ensure!(changed == 1, "{statement} changed {changed} rows instead of one");
    }
    drop(conn);
    orders.close().await;
    Ok(())
}
