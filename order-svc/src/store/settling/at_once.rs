//! Paid facts without a lock: one statement reads what they are about, and one writes all that they change, if it is still as it
//! was read.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;
use svc_kit::{
    bus::Delivery,
    outbox::{Columns, Sealed},
};
use uuid::Uuid;

use crate::{
    domain::{OrderId, PaymentId, order::Order, payment::Payment},
    store::{column, is_changed, orders, payments},
};

/// An attempt and its order as they were read.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The attempt.
    pub payment: Payment,
    /// Its order.
    pub order: Order,
    /// How many attempts the order has, this one included.
    pub attempts: i64,
}

/// Reads these attempts; numbers that no attempt has are left out.
pub async fn see(conn: &mut PgConnection, ids: &[Uuid]) -> sqlx::Result<Vec<Seen>> {
    let rows = sqlx::query!(
        r#"SELECT p.payment_id, p.order_id, p.merchant, p.provider, p.mch_id, p.app_id, p.amount_fen, p.method, p.openid,
                  p.payer_ip, p.state, p.create_time, p.sends, p.asks, p.transaction_id, p.paid_time, p.surplus,
                  p.disputed_at, p.superseded, p.expire_time, p.refunded_fen, p.refunding_fen, p.sub_mch_id,
                  p.details::text AS details, p.reversing_at, p.reverses, p.reverse_sent_at, p.reverse_too_late,
                  p.provider_code,
                  o.app, o.order_no, o.merchant AS order_merchant, o.amount_fen AS order_amount_fen, o.description,
                  o.state AS order_state, o.create_time AS order_create_time, o.expire_time AS order_expire_time,
                  o.close_requested_at, o.paid_time AS order_paid_time, o.paid_payment_id, o.close_time, o.version,
                  o.particulars::text AS particulars, o.product_code_id,
                  (SELECT count(*) FROM payments AS every WHERE every.order_id = p.order_id) AS "attempts!"
           FROM payments AS p JOIN orders AS o USING (order_id) WHERE p.payment_id = ANY($1)"#,
        ids,
    )
    .fetch_all(conn)
    .await?;
    let seen = rows.into_iter().map(|row| {
        let order = orders::Row {
            order_id: row.order_id,
            app: row.app,
            order_no: row.order_no,
            merchant: row.order_merchant,
            amount_fen: row.order_amount_fen,
            description: row.description,
            state: row.order_state,
            create_time: row.order_create_time,
            expire_time: row.order_expire_time,
            close_requested_at: row.close_requested_at,
            paid_time: row.order_paid_time,
            paid_payment_id: row.paid_payment_id,
            close_time: row.close_time,
            version: row.version,
            particulars: row.particulars,
            product_code_id: row.product_code_id,
        };
        let payment = payments::Row {
            payment_id: row.payment_id,
            order_id: row.order_id,
            merchant: row.merchant,
            provider: row.provider,
            mch_id: row.mch_id,
            app_id: row.app_id,
            amount_fen: row.amount_fen,
            method: row.method,
            openid: row.openid,
            payer_ip: row.payer_ip,
            state: row.state,
            create_time: row.create_time,
            sends: row.sends,
            asks: row.asks,
            transaction_id: row.transaction_id,
            paid_time: row.paid_time,
            surplus: row.surplus,
            disputed_at: row.disputed_at,
            superseded: row.superseded,
            expire_time: row.expire_time,
            refunded_fen: row.refunded_fen,
            refunding_fen: row.refunding_fen,
            sub_mch_id: row.sub_mch_id,
            details: row.details,
            reversing_at: row.reversing_at,
            reverses: row.reverses,
            reverse_sent_at: row.reverse_sent_at,
            reverse_too_late: row.reverse_too_late,
            provider_code: row.provider_code,
        };
        Ok(Seen { payment: payment.try_into()?, order: order.try_into()?, attempts: row.attempts })
    });
    seen.collect()
}

/// An order that its attempt pays, both as they were read.
#[derive(Clone, Debug)]
pub struct Paying {
    /// The attempt.
    pub payment: PaymentId,
    /// Its state as it was read.
    pub was: &'static str,
    /// WeChat's number.
    pub transaction_id: String,
    /// WeChat's time.
    pub paid_time: Timestamp,
    /// The order.
    pub order: OrderId,
    /// Its version as it was read. It guards what was read of the order's other attempts, too: whatever writes one, or ends one,
    /// changes it.
    pub version: i64,
    /// `order.paid`.
    pub told: Sealed,
}

/// What came of writing.
#[derive(Debug)]
pub enum Written {
    /// All of it, committed. These are the events' places in the outbox.
    All(Vec<(i64, String)>),
    /// Nothing: something is not as it was read any more or is there already, or somebody holds what we wanted and wants what we hold.
    Nothing,
}

/// Writes orders that are paid, their events, and that `durable` has applied the facts of those ids; `heard` are those that others
/// told, which are archived. Events are held for so many seconds, if at all. Each order and each attempt stands there once. A
/// transaction of its own.
pub async fn write(
    conn: &mut PgConnection,
    paying: &[Paying],
    durable: &str,
    applied: &[&str],
    heard: &[&Delivery],
    hold: Option<i64>,
) -> sqlx::Result<Written> {
    let told = Columns::of(paying.iter().map(|paying| &paying.told));
    // What others may write too goes in the order of its ids, so that two of these cannot deadlock.
    let mut paying: Vec<_> = paying.iter().collect();
    paying.sort_unstable_by_key(|paying| paying.order);
    let mut applied = applied.to_vec();
    applied.sort_unstable();
    applied.dedup();
    let heard = Columns::heard(heard);
    let rows = sqlx::query!(
        // Orders are locked before their attempts, as everybody does. An attempt stands in the journal before its order, so it is
        // written first. What is applied is recorded before it is archived, as the locked way does.
        r#"WITH locked AS (
               SELECT o.order_id FROM orders AS o, UNNEST($5::uuid[], $6::bigint[]) AS new (order_id, version)
               WHERE o.order_id = new.order_id AND o.version = new.version AND o.state = 'PENDING'
               ORDER BY o.order_id FOR UPDATE OF o),
           same AS MATERIALIZED (
               SELECT expect_rows((SELECT count(*) FROM locked), cardinality($1::uuid[])) AS holds),
           succeeded AS (
               UPDATE payments AS p
               SET state = 'SUCCEEDED', transaction_id = new.transaction_id, paid_time = new.paid_time, next_ask_at = NULL
               FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::timestamptz[])
                    AS new (payment_id, was, transaction_id, paid_time)
               WHERE (SELECT holds FROM same)
                     AND p.payment_id = new.payment_id AND p.state = new.was AND p.reversing_at IS NULL
               RETURNING 1),
           paid AS (
               UPDATE orders AS o
               SET state = 'PAID', paid_payment_id = new.payment_id, paid_time = new.paid_time, version = o.version + 1
               FROM UNNEST($5::uuid[], $1::uuid[], $4::timestamptz[]) AS new (order_id, payment_id, paid_time)
               WHERE o.order_id = new.order_id
               RETURNING 1),
           whole AS MATERIALIZED (
               SELECT expect_rows((SELECT count(*) FROM succeeded), cardinality($1::uuid[]))
                      AND expect_rows((SELECT count(*) FROM paid), cardinality($1::uuid[])) AS holds),
           told AS (
               INSERT INTO outbox (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, held_until)
               SELECT event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload,
                      clock_timestamp() + $7::bigint * interval '1 second'
               FROM UNNEST($8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::bytea[])
                    AS event (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload)
               WHERE (SELECT holds FROM whole)
               RETURNING seq, event_id),
           applied AS (
               INSERT INTO applied_events (durable, event_id)
               SELECT $16, event_id FROM UNNEST($17::text[]) AS event (event_id)
               WHERE (SELECT holds FROM whole)
               RETURNING 1),
           heard AS (
               INSERT INTO outbox_archive
                   (event_id, seq, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload, created_at)
               SELECT event_id, nextval((SELECT pg_get_serial_sequence('outbox', 'seq')::regclass)), subject, ce_type,
                      ce_source, ce_subject, ce_time, traceparent, payload, now()
               FROM UNNEST($18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[],
                           $25::bytea[])
                    AS event (event_id, subject, ce_type, ce_source, ce_subject, ce_time, traceparent, payload)
               WHERE (SELECT holds FROM whole) AND 0 <= (SELECT count(*) FROM applied))
           SELECT seq AS "seq!", event_id AS "event_id!" FROM told WHERE (SELECT holds FROM whole)"#,
        &column(&paying, |paying| paying.payment.0),
        &column(&paying, |paying| paying.was) as &[&str],
        &column(&paying, |paying| paying.transaction_id.as_str()) as &[&str],
        &column(&paying, |paying| paying.paid_time.to_sqlx()) as &[jiff_sqlx::Timestamp],
        &column(&paying, |paying| paying.order.0),
        &column(&paying, |paying| paying.version),
        hold,
        &told.event_id as &[&str],
        &told.subject as &[&str],
        &told.ce_type as &[&str],
        &told.ce_source as &[&str],
        &told.ce_subject as &[&str],
        &told.ce_time as &[&str],
        &told.traceparent as &[Option<&str>],
        &told.payload as &[&[u8]],
        durable,
        &applied as &[&str],
        &heard.event_id as &[&str],
        &heard.subject as &[&str],
        &heard.ce_type as &[&str],
        &heard.ce_source as &[&str],
        &heard.ce_subject as &[&str],
        &heard.ce_time as &[&str],
        &heard.traceparent as &[Option<&str>],
        &heard.payload as &[&[u8]],
    )
    .fetch_all(conn)
    .await;
    match rows {
        Ok(rows) => Ok(Written::All(rows.into_iter().map(|row| (row.seq, row.event_id)).collect())),
        Err(sqlx::Error::Database(error)) if is_changed(&*error) => Ok(Written::Nothing),
        Err(error) => Err(error),
    }
}
