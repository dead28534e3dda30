//! Numbers that no payment of the window has: either their orders are outside it, or nobody here ever gave them out.

use std::collections::HashSet;

use anyhow::Context as _;
use sqlx::PgPool;
use uuid::Uuid;

use super::IDS_AT_ONCE;
use crate::verify::fact::number_id;

/// Which of these numbers order-svc gave out; the caller asks about those that are not of its window.
pub(in crate::verify) async fn given_out(pool: &PgPool, numbers: &[&str]) -> anyhow::Result<HashSet<Uuid>> {
    let ids: Vec<Uuid> = numbers.iter().filter_map(|number| number_id(number)).collect();
    let mut known = HashSet::new();
    for ids in ids.chunks(IDS_AT_ONCE) {
        let found = sqlx::query_scalar("SELECT payment_id FROM payments WHERE payment_id = ANY($1)").bind(ids);
        known.extend(found.fetch_all(pool).await.context("order-svc's payments cannot be looked up")? as Vec<Uuid>);
    }
    Ok(known)
}
