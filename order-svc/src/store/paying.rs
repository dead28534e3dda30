//! What a `PayOrder` writes by one statement, if its order is still as it was read, which it nearly always is. Each is a transaction of
//! its own, all or nothing.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::{PgConnection, postgres::types::PgInterval};
use svc_kit::outbox::Sealed;
use uuid::Uuid;

use super::{is_changed, orders::seconds, payments::details};
use crate::domain::{order::Order, payment::Payment};

/// A request id, and whose it is.
pub type RequestId<'r> = (&'r str, Uuid);

/// The first attempt of an order, which nobody pays yet.
#[derive(Clone, Copy, Debug)]
pub struct First<'p> {
    /// The order as it was read.
    pub order: &'p Order,
    /// The attempt.
    pub payment: &'p Payment,
    /// The request that writes it.
    pub request: RequestId<'p>,
    /// Which call it is.
    pub rpc: &'static str,
    /// SHA-256 of its content, without the id.
    pub content_sha256: &'p [u8],
    /// How long it may work until it is answered.
    pub lease_s: u32,
    /// When the provider is asked about the attempt, should nobody hear of it.
    pub first_ask: Timestamp,
    /// How long its sending may take.
    pub sending_s: u32,
    /// How far the clock of development is ahead of the machine's.
    pub ahead: PgInterval,
    /// `payment.created`.
    pub told: &'p Sealed,
    /// For how many seconds its row belongs to this process, if at all.
    pub hold: Option<i64>,
}

/// Takes the request id and writes the attempt with the order's next version and the event. Gives the event's place in the outbox;
/// nothing when the id was used before, or the order is not as it was read.
pub async fn begin(conn: &mut PgConnection, first: &First<'_>) -> sqlx::Result<Option<Vec<(i64, String)>>> {
    let First { order, payment, request: (app, request_id), told, .. } = *first;
    let told = told.values();
    let rows = sqlx::query!(
        // The request is taken before the order is locked, so nobody who holds the order waits for it. An attempt stands in the journal
        // before its order, as everywhere.
        r#"WITH taken AS (
               INSERT INTO requests (app, request_id, rpc, content_sha256, payment_id, claimed_until)
               VALUES ($1, $2, $3, $4, $5, now() + $6)
               RETURNING 1),
           locked AS (
               SELECT order_id FROM orders
               WHERE 0 < (SELECT count(*) FROM taken) AND order_id = $7 AND version = $8 AND state = 'PENDING' FOR UPDATE),
           same AS MATERIALIZED (SELECT expect_rows((SELECT count(*) FROM locked), 1) AS holds),
           begun AS (
               INSERT INTO payments (payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid, payer_ip,
                                     state, create_time, expire_time, sends, sent_at, sending_until, next_ask_at, sub_mch_id,
                                     details, sent_on_db)
               SELECT $5, $7, $9, $10, $11, $12, $13::bigint, $14, $15, $16, 'CREATED', $17, $18::timestamptz, 1, $17, now() + $19,
                      $20::timestamptz, $21, $22::text::jsonb, clock_timestamp() + $23
               WHERE (SELECT holds FROM same)
               RETURNING 1),
           changed AS (
               UPDATE orders SET version = version + 1 WHERE order_id = $7 AND 0 < (SELECT count(*) FROM begun)
               RETURNING 1),
           told AS (
               INSERT INTO outbox (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, held_until)
               SELECT $24, $25, $26, $27, $28, $29, $30, $31::bytea, clock_timestamp() + $32::bigint * interval '1 second'
               WHERE expect_rows((SELECT count(*) FROM changed), 1)
               RETURNING seq, event_id)
           SELECT seq AS "seq!", event_id AS "event_id!" FROM told"#,
        app,
        request_id,
        first.rpc,
        first.content_sha256,
        payment.id.0,
        seconds(first.lease_s),
        order.id.0,
        order.version,
        payment.merchant,
        payment.provider,
        payment.mch_id,
        payment.app_id,
        payment.amount.get(),
        payment.method.word(),
        payment.openid.0,
        payment.payer_ip,
        payment.create_time.to_sqlx() as _,
        payment.expire_time.to_sqlx() as _,
        seconds(first.sending_s),
        first.first_ask.to_sqlx() as _,
        payment.sub_mch_id,
        details(payment)?,
        first.ahead,
        told.event_id,
        told.subject,
        told.ce_type,
        told.ce_source,
        told.ce_subject,
        told.ce_time,
        told.traceparent,
        told.payload,
        first.hold,
    )
    .fetch_all(conn)
    .await;
    match rows {
        Ok(rows) => Ok(Some(rows.into_iter().map(|row| (row.seq, row.event_id)).collect())),
        Err(sqlx::Error::Database(error)) if is_changed(&*error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Keeps the answer of a request whose attempt the provider has accepted. False when the order or the attempt is not as it was
/// read, or the request was answered before.
pub async fn accept(
    conn: &mut PgConnection,
    order: &Order,
    payment: &Payment,
    (app, request_id): RequestId<'_>,
    response: &[u8],
) -> sqlx::Result<bool> {
    let kept = sqlx::query!(
        "WITH locked AS (
             SELECT order_id FROM orders WHERE order_id = $1 AND version = $2 AND state = 'PENDING' FOR UPDATE),
         same AS MATERIALIZED (SELECT expect_rows((SELECT count(*) FROM locked), 1) AS holds),
         accepted AS (
             UPDATE payments SET state = 'PENDING', sending_until = NULL
             WHERE (SELECT holds FROM same) AND payment_id = $3 AND state = 'CREATED' AND sends = $4 AND reversing_at IS NULL
             RETURNING 1),
         changed AS (
             UPDATE orders SET version = version + 1 WHERE order_id = $1 AND 0 < (SELECT count(*) FROM accepted)
             RETURNING 1),
         kept AS (
             UPDATE requests SET response = $5, claimed_until = NULL
             WHERE 0 < (SELECT count(*) FROM changed) AND app = $6 AND request_id = $7 AND payment_id = $3
                   AND response IS NULL AND refusal IS NULL
             RETURNING 1)
         SELECT expect_rows((SELECT count(*) FROM kept), 1)",
        order.id.0,
        order.version,
        payment.id.0,
        payment.sends,
        response,
        app,
        request_id,
    )
    .fetch_all(conn)
    .await;
    match kept {
        Ok(_) => Ok(true),
        Err(sqlx::Error::Database(error)) if is_changed(&*error) => Ok(false),
        Err(error) => Err(error),
    }
}
