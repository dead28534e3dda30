//! reconcile-svc's database.

use anyhow::Context as _;
use futures::TryStreamExt as _;
use sqlx::{FromRow, PgConnection, PgPool, postgres::PgRow};

use super::{ONE_MOMENT, orders::outbox};
use crate::verify::{Books, Limits, Waiting, Window, limits::push};

const TAKEN: &str = "SELECT out_trade_no, transaction_id, taken_amount_fen AS amount_fen, taken_as AS kept_as
    FROM book_payments WHERE taken_as IS NOT NULL AND $1 < order_id AND order_id <= $2";

/// What the provider told about payments of the window, and about numbers that were never given out.
const TOLD: &str = "SELECT e.transaction_id, e.out_trade_no, e.amount_fen FROM provider_payments e
    LEFT JOIN book_payments o ON o.merchant = e.merchant AND o.out_trade_no = e.out_trade_no
    WHERE o.order_id IS NULL OR ($1 < o.order_id AND o.order_id <= $2)";

/// Reads the books of the window.
pub(in crate::verify) async fn read(
    pool: &PgPool,
    window: &Window,
    limits: &Limits,
) -> anyhow::Result<(Books, Vec<Waiting>)> {
    let mut tx = pool.begin_with(ONE_MOMENT).await.context("reconcile-svc's database cannot be read")?;
    let taken = rows(&mut tx, TAKEN, window, limits).await?;
    let told = rows(&mut tx, TOLD, window, limits).await?;
    let outbox = outbox(&mut tx, "reconcile-svc").await?;
    tx.commit().await?;
    Ok((Books { taken, told }, outbox))
}

async fn rows<R>(conn: &mut PgConnection, sql: &'static str, window: &Window, limits: &Limits) -> anyhow::Result<Vec<R>>
where
    R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
{
    let mut list = Vec::new();
    let mut rows = sqlx::query_as(sql).bind(window.after).bind(window.up_to).fetch(conn);
    while let Some(row) = rows.try_next().await.context("the books of reconcile-svc cannot be read")? {
        push(&mut list, row, "book entries", limits)?;
    }
    Ok(list)
}
