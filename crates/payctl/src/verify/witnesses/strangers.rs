//! Numbers that nothing of the window has: either their orders are outside it, or nobody here ever gave them out.

use std::collections::HashSet;

use anyhow::Context as _;
use sqlx::PgPool;
use uuid::Uuid;

use super::IDS_AT_ONCE;

/// What a number names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::verify) enum Kind {
    Payment,
    Refund,
}

/// Which of these ids order-svc gave out; the caller asks about those that are not of its window.
pub(in crate::verify) async fn given_out(pool: &PgPool, kind: Kind, ids: &[Uuid]) -> anyhow::Result<HashSet<Uuid>> {
    let sql = match kind {
        Kind::Payment => "SELECT payment_id FROM payments WHERE payment_id = ANY($1)",
        Kind::Refund => "SELECT refund_id FROM refunds WHERE refund_id = ANY($1)",
    };
    let mut known: HashSet<Uuid> = HashSet::new();
    for ids in ids.chunks(IDS_AT_ONCE) {
        let found = sqlx::query_scalar(sql).bind(ids).fetch_all(pool).await;
        let found: Vec<Uuid> = found.context("order-svc's numbers cannot be looked up")?;
        known.extend(found);
    }
    Ok(known)
}
