//! New orders, several at a time: their requests with the answers, and the orders themselves. Every caller sorts what it writes,
//! requests before orders, so that two of them cannot deadlock.

use std::collections::HashSet;

use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use svc_kit::outbox::{self, Sealed};
use uuid::Uuid;

use super::{column, is_changed, to_json};
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

/// What of a new order stands in a statement.
#[derive(Clone, Copy, Debug)]
pub struct New<'r> {
    /// Its request, with the answer.
    pub request: Answered<'r>,
    /// The order.
    pub order: &'r Order,
    /// `order.created`.
    pub told: &'r Sealed,
}

/// Writes new orders with their requests and events by one statement, all of them or none: `None` when somebody has used a request
/// id or an `order_no` before. Gives the events' places in the outbox, where they are held for so many seconds, if at all. Neither request ids nor
/// numbers may repeat. A transaction of its own; a concurrent first use is waited for.
pub async fn all(
    conn: &mut PgConnection,
    rpc: &str,
    new: &[New<'_>],
    hold: Option<i64>,
) -> sqlx::Result<Option<Vec<(i64, String)>>> {
    let mut requests: Vec<_> = new.iter().map(|new| new.request).collect();
    requests.sort_unstable_by_key(|request| (request.app, request.request_id));
    let mut orders: Vec<_> = new.iter().map(|new| (new.order, new.request.content_sha256)).collect();
    orders.sort_unstable_by_key(|(order, _)| (&order.app, &order.order_no));
    let order = Columns::of(&orders)?;
    let told = outbox::Columns::of(new.iter().map(|new| new.told));
    let rows = sqlx::query!(
        r#"WITH taken AS (
               INSERT INTO requests (app, request_id, rpc, content_sha256, response)
               SELECT app, request_id, $1, content_sha256, response
               FROM UNNEST($2::text[], $3::uuid[], $4::bytea[], $5::bytea[])
                    AS request (app, request_id, content_sha256, response)
               RETURNING 1),
           made AS (
               INSERT INTO orders (order_id, app, order_no, merchant, amount_fen, description, content_sha256, state,
                                   create_time, expire_time, version, particulars, product_code_id)
               SELECT order_id, app, order_no, merchant, amount_fen, description, content_sha256, 'PENDING',
                      create_time, expire_time, version, particulars::jsonb, product_code_id
               FROM UNNEST($6::uuid[], $7::text[], $8::text[], $9::text[], $10::bigint[], $11::text[], $12::bytea[],
                           $13::timestamptz[], $14::timestamptz[], $15::bigint[], $16::text[], $17::uuid[])
                    AS wanted (order_id, app, order_no, merchant, amount_fen, description, content_sha256,
                               create_time, expire_time, version, particulars, product_code_id)
               RETURNING 1),
           whole AS MATERIALIZED (
               SELECT expect_rows((SELECT count(*) FROM taken), cardinality($6::uuid[]))
                      AND expect_rows((SELECT count(*) FROM made), cardinality($6::uuid[])) AS holds),
           told AS (
               INSERT INTO outbox (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, held_until)
               SELECT event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload,
                      clock_timestamp() + $18::bigint * interval '1 second'
               FROM UNNEST($19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[],
                           $26::bytea[])
                    AS event (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload)
               WHERE (SELECT holds FROM whole)
               RETURNING seq, event_id)
           SELECT seq AS "seq!", event_id AS "event_id!" FROM told WHERE (SELECT holds FROM whole)"#,
        rpc,
        &column(&requests, |request| request.app) as &[&str],
        &column(&requests, |request| request.request_id),
        &column(&requests, |request| request.content_sha256) as &[&[u8]],
        &column(&requests, |request| request.response) as &[&[u8]],
        &order.order_id,
        &order.app as &[&str],
        &order.order_no as &[&str],
        &order.merchant as &[&str],
        &order.amount_fen,
        &order.description as &[&str],
        &order.content_sha256 as &[&[u8]],
        &order.create_time as &[jiff_sqlx::Timestamp],
        &order.expire_time as &[jiff_sqlx::Timestamp],
        &order.version,
        &order.particulars as &[Option<String>],
        &order.product_code_id as &[Option<Uuid>],
        hold,
        &told.event_id as &[&str],
        &told.subject as &[&str],
        &told.ce_type as &[&str],
        &told.ce_source as &[&str],
        &told.ce_subject as &[&str],
        &told.ce_time as &[&str],
        &told.traceparent as &[Option<&str>],
        &told.payload as &[&[u8]],
    )
    .fetch_all(conn)
    .await;
    match rows {
        Ok(rows) => Ok(Some(rows.into_iter().map(|row| (row.seq, row.event_id)).collect())),
        Err(sqlx::Error::Database(error)) if is_changed(&*error) => Ok(None),
        Err(error) => Err(error),
    }
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
