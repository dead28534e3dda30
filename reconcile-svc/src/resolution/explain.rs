//! Why is a difference open? What each of the four legs says about it, side by side.
//!
//! O and E come from our tables; T and F are read again from the files that the run which saw the difference was made of.

mod books;
mod files;
mod leg;
mod pieces;
mod whole;

pub use leg::{Field, Leg};

use reconciliation::Code;
use uuid::Uuid;

use super::audit::Row;
use super::step::{Standing, possible};
use crate::runs::{Discrepancy, Reconciler};
use crate::store::audit;
use crate::store::legs::{self, OrderBehind};
use crate::store::listing::{self, DiscrepancyFilter};

/// Rows of the history, the newest.
const MAX_HISTORY: i64 = 500;

/// Everything that is known about a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The difference.
    pub discrepancy: Discrepancy,
    /// O, E, T, F.
    pub legs: [Leg; 4],
    /// What can be done, in the words of `ResolveDiscrepancyRequest.Step`.
    pub next_steps: Vec<&'static str>,
    /// What happened, oldest first.
    pub history: Vec<Row>,
    /// The order behind it, where we know one.
    pub order: Option<OrderBehind>,
}

/// What a difference is about, as the legs are searched for it.
#[derive(Clone, Copy, Debug)]
struct Wanted<'a> {
    code: Code,
    merchant: &'a str,
    out_trade_no: &'a str,
    transaction_id: &'a str,
    out_refund_no: &'a str,
    refund_id: &'a str,
    account: &'a str,
    movement: &'a str,
}

/// Explains one difference; `None` when there is none of that id.
pub async fn explain(reconciler: &Reconciler, id: Uuid) -> sqlx::Result<Option<Explanation>> {
    let mut conn = reconciler.pool.acquire().await?;
    let filter = DiscrepancyFilter { discrepancy_id: Some(id), ..DiscrepancyFilter::default() };
    let Some(found) = listing::discrepancies(&mut conn, &filter, 1).await?.pop() else { return Ok(None) };
    let wanted = Wanted {
        code: found.code,
        merchant: &found.merchant,
        out_trade_no: &found.out_trade_no,
        transaction_id: &found.transaction_id,
        out_refund_no: &found.out_refund_no,
        refund_id: &found.refund_id,
        account: &found.account,
        movement: &found.movement,
    };
    let orders = books::orders(&mut conn, &wanted).await?;
    let provider = books::provider(&mut conn, &wanted).await?;
    let seen = legs::seen_by(&mut conn, id).await?;
    let order = legs::order_behind(&mut conn, wanted.merchant, wanted.out_trade_no, wanted.out_refund_no).await?;
    let history = audit::history(&mut conn, id, MAX_HISTORY).await?;
    // The files take their time; nobody needs to wait for this connection meanwhile.
    drop(conn);
    let trade = files::trade(reconciler, &wanted, seen.as_ref()).await?;
    let funds = files::funds(reconciler, &wanted, seen.as_ref()).await?;

    let mut legs = [orders, provider, trade, funds];
    leg::mark(wanted.code, &mut legs);
    let next_steps = possible(&Standing {
        state: found.state,
        code: found.code,
        has_repair: found.repair.is_some(),
        proposed: found.proposed.as_deref().and_then(|word| word.parse().ok()),
        proposed_by: found.proposed_by.as_deref(),
        proposal_sequence: found.proposal_sequence,
        risk: found.risk,
    });
    Ok(Some(Explanation { legs, next_steps, history, order, discrepancy: found }))
}
