//! New orders, several at a time: their requests with the answers, and the orders themselves. Every caller sorts what it writes,
//! requests before orders, so that two of them cannot deadlock.

use std::collections::HashSet;

use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use uuid::Uuid;

use super::to_json;
use crate::domain::{OrderId, order::Order};

/// A request whose answer is known before anything is written.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'r> {
    /// Whose.
    pub app: &'r str,
    /// Its name.
    pub request_id: Uuid,
    /// SHA-256 of its content, without the id.
    pub content_sha256: &'r [u8],
    /// The encoded answer.
    pub response: &'r [u8],
}

/// Takes the ids that nobody has used and keeps their answers, in one statement. Gives app and id of those that were taken; a
/// concurrent first use is waited for. Ids must differ.
pub async fn take(conn: &mut PgConnection, rpc: &str, requests: &[Answered<'_>]) -> sqlx::Result<Vec<(String, Uuid)>> {
    let apps: Vec<_> = requests.iter().map(|request| request.app).collect();
    let ids: Vec<_> = requests.iter().map(|request| request.request_id).collect();
    let contents: Vec<_> = requests.iter().map(|request| request.content_sha256).collect();
    let responses: Vec<_> = requests.iter().map(|request| request.response).collect();
    let rows = sqlx::query!(
        "INSERT INTO requests (app, request_id, rpc, content_sha256, response)
         SELECT app, request_id, $1, content_sha256, response
         FROM UNNEST($2::text[], $3::uuid[], $4::bytea[], $5::bytea[]) WITH ORDINALITY
              AS request (app, request_id, content_sha256, response, position)
         ORDER BY position
         ON CONFLICT DO NOTHING
         RETURNING app, request_id",
        rpc,
        &apps as &[&str],
        &ids,
        &contents as &[&[u8]],
        &responses as &[&[u8]],
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.app, row.request_id)).collect())
}

/// Gives back ids that [`take`] took in this very transaction, so that they can be used again.
pub async fn give_back(conn: &mut PgConnection, requests: &[(&str, Uuid)]) -> sqlx::Result<()> {
    let (apps, ids): (Vec<&str>, Vec<Uuid>) = requests.iter().copied().unzip();
    sqlx::query!(
        "DELETE FROM requests WHERE (app, request_id) IN (SELECT * FROM UNNEST($1::text[], $2::uuid[]))",
        &apps as &[&str],
        &ids,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes new orders, each with the SHA-256 of what was asked for, in one statement. Gives the ids of those that were written:
/// of the others the app has used the `order_no` before.
pub async fn insert(conn: &mut PgConnection, orders: &[(&Order, &[u8])]) -> sqlx::Result<HashSet<OrderId>> {
    let column = Columns::of(orders)?;
    let ids = sqlx::query_scalar!(
        "INSERT INTO orders (order_id, app, order_no, merchant, amount_fen, description, content_sha256, state,
                             create_time, expire_time, version, particulars, product_code_id)
         SELECT order_id, app, order_no, merchant, amount_fen, description, content_sha256, 'PENDING',
                create_time, expire_time, version, particulars::jsonb, product_code_id
         FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::bytea[],
                     $8::timestamptz[], $9::timestamptz[], $10::bigint[], $11::text[], $12::uuid[]) WITH ORDINALITY
              AS wanted (order_id, app, order_no, merchant, amount_fen, description, content_sha256,
                         create_time, expire_time, version, particulars, product_code_id, position)
         ORDER BY position
         ON CONFLICT (app, order_no) DO NOTHING
         RETURNING order_id",
        &column.order_id,
        &column.app as &[&str],
        &column.order_no as &[&str],
        &column.merchant as &[&str],
        &column.amount_fen,
        &column.description as &[&str],
        &column.content_sha256 as &[&[u8]],
        &column.create_time as &[jiff_sqlx::Timestamp],
        &column.expire_time as &[jiff_sqlx::Timestamp],
        &column.version,
        &column.particulars as &[Option<String>],
        &column.product_code_id as &[Option<Uuid>],
    )
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(OrderId).collect())
}

#[derive(Default)]
struct Columns<'o> {
    order_id: Vec<Uuid>,
    app: Vec<&'o str>,
    order_no: Vec<&'o str>,
    merchant: Vec<&'o str>,
    amount_fen: Vec<i64>,
    description: Vec<&'o str>,
    content_sha256: Vec<&'o [u8]>,
    create_time: Vec<jiff_sqlx::Timestamp>,
    expire_time: Vec<jiff_sqlx::Timestamp>,
    version: Vec<i64>,
    particulars: Vec<Option<String>>,
    product_code_id: Vec<Option<Uuid>>,
}

impl<'o> Columns<'o> {
    fn of(orders: &[(&'o Order, &'o [u8])]) -> sqlx::Result<Self> {
        let mut columns = Self::default();
        for (order, content_sha256) in orders.iter().copied() {
            columns.order_id.push(order.id.0);
            columns.app.push(&order.app);
            columns.order_no.push(&order.order_no);
            columns.merchant.push(&order.merchant);
            columns.amount_fen.push(order.amount.get());
            columns.description.push(&order.description);
            columns.content_sha256.push(content_sha256);
            columns.create_time.push(order.create_time.to_sqlx());
            columns.expire_time.push(order.expire_time.to_sqlx());
            columns.version.push(order.version);
            columns.particulars.push(order.particulars.as_ref().map(to_json).transpose()?);
            columns.product_code_id.push(order.product_code.map(|id| id.0));
        }
        Ok(columns)
    }
}
