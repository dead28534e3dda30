//! Tables `payments` and `orders`: what a batch of facts has changed in both, in one statement.

pub mod at_once;

use sqlx::PgConnection;

use super::{column, orders::end, payments::money, some_sqlx};
use crate::domain::{order::Order, payment::Payment};

/// Writes attempts and their orders that were locked in this transaction. Each stands there once: the next version of an order needs
/// another statement. A final state needs no more asking.
pub async fn write(conn: &mut PgConnection, changed: &[(&Payment, &Order)]) -> sqlx::Result<()> {
    let payments = column(changed, |(payment, _)| *payment);
    let orders = column(changed, |(_, order)| *order);
    let (money, ends) = (column(&payments, |payment| money(payment)), column(&orders, |order| end(order)));
    sqlx::query!(
        // The statement itself writes first, then what is beside it: an attempt stands in the journal before its order.
        "WITH settled AS (
             UPDATE orders AS o
             SET state = new.state, paid_payment_id = new.paid_payment_id, paid_time = new.paid_time,
                 close_time = new.close_time, close_requested_at = new.close_requested_at, version = new.version
             FROM UNNEST($10::uuid[], $11::text[], $12::uuid[], $13::timestamptz[], $14::timestamptz[], $15::timestamptz[],
                         $16::bigint[])
                  AS new (order_id, state, paid_payment_id, paid_time, close_time, close_requested_at, version)
             WHERE o.order_id = new.order_id)
         UPDATE payments AS p
         SET state = new.state, transaction_id = new.transaction_id, paid_time = new.paid_time, surplus = new.surplus,
             provider_code = new.provider_code,
             next_ask_at = CASE WHEN new.is_open THEN p.next_ask_at END,
             refunded_fen = new.refunded_fen, refunding_fen = new.refunding_fen
         FROM UNNEST($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::boolean[], $6::text[], $7::boolean[],
                     $8::bigint[], $9::bigint[])
              AS new (payment_id, state, transaction_id, paid_time, surplus, provider_code, is_open, refunded_fen,
                      refunding_fen)
         WHERE p.payment_id = new.payment_id",
        &column(&payments, |payment| payment.id.0),
        &column(&payments, |payment| payment.state.word().to_owned()),
        &column(&money, |(transaction_id, ..)| *transaction_id) as _,
        &column(&money, |(_, at, _)| *at) as _,
        &column(&money, |(.., surplus)| *surplus),
        &column(&payments, |payment| payment.provider_code.as_deref()) as _,
        &column(&payments, |payment| payment.state.is_open()),
        &column(&payments, |payment| payment.refunded.get()),
        &column(&payments, |payment| payment.refunding.get()),
        &column(&orders, |order| order.id.0),
        &column(&orders, |order| order.state.word().to_owned()),
        &column(&ends, |(payment, ..)| *payment) as _,
        &column(&ends, |(_, paid, _)| *paid) as _,
        &column(&ends, |(.., closed)| *closed) as _,
        &column(&orders, |order| some_sqlx(order.close_requested_at)) as _,
        &column(&orders, |order| order.version),
    )
    .execute(conn)
    .await?;
    Ok(())
}
