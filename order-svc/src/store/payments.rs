//! Table `payments`.

mod charges;
mod sending;
mod surplus;

pub use charges::{begin_reversing, is_charge_quiet, too_late_to_reverse};
pub use sending::{
    begin_sending, end_sending, is_quiet, is_sending, supersede, take_first_sending_back, take_sending_back,
};
pub use surplus::{hold_surplus, is_undecided_surplus, undecided_surplus};

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use sqlx::{PgConnection, postgres::types::PgInterval};
use uuid::Uuid;

use super::{column, from_json, impossible, orders::seconds, to_json};
use crate::domain::{
    OrderId, PaymentId,
    charge::Reversing,
    payment::{Method, Openid, Payment, State},
};

pub(super) struct Row {
    pub(super) payment_id: Uuid,
    pub(super) order_id: Uuid,
    pub(super) merchant: String,
    pub(super) provider: String,
    pub(super) mch_id: String,
    pub(super) app_id: String,
    pub(super) amount_fen: i64,
    pub(super) method: String,
    pub(super) openid: String,
    pub(super) payer_ip: String,
    pub(super) state: String,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) sends: i32,
    pub(super) asks: i32,
    pub(super) transaction_id: Option<String>,
    pub(super) paid_time: Option<jiff_sqlx::Timestamp>,
    pub(super) surplus: bool,
    pub(super) disputed_at: Option<jiff_sqlx::Timestamp>,
    pub(super) superseded: bool,
    pub(super) expire_time: jiff_sqlx::Timestamp,
    pub(super) refunded_fen: i64,
    pub(super) refunding_fen: i64,
    pub(super) sub_mch_id: String,
    pub(super) details: Option<String>,
    pub(super) reversing_at: Option<jiff_sqlx::Timestamp>,
    pub(super) reverses: i32,
    pub(super) reverse_sent_at: Option<jiff_sqlx::Timestamp>,
    pub(super) reverse_too_late: bool,
    pub(super) provider_code: Option<String>,
}

impl TryFrom<Row> for Payment {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let state = match (row.state.as_str(), row.transaction_id, row.paid_time) {
            ("CREATED", None, None) => State::Created,
            ("PENDING", None, None) => State::Pending,
            ("SUCCEEDED", Some(transaction_id), Some(at)) => {
                State::Succeeded { transaction_id, at: at.to_jiff(), surplus: row.surplus }
            }
            ("CLOSED", None, None) => State::Closed,
            ("FAILED", None, None) => State::Failed,
            (state, ..) => return Err(impossible("payments", format!("{} in state {state}", row.payment_id))),
        };
        let reversing = match (row.reversing_at, row.reverse_sent_at) {
            (None, None) => None,
            (Some(since), Some(sent_at)) => Some(Reversing {
                since: since.to_jiff(),
                sends: row.reverses,
                sent_at: sent_at.to_jiff(),
                too_late: row.reverse_too_late,
            }),
            _ => return Err(impossible("payments", format!("{} half reversed", row.payment_id))),
        };
        let method = Method::from_word(&row.method).ok_or_else(|| impossible("payments", row.method.clone()))?;
        Ok(Payment {
            id: PaymentId(row.payment_id),
            order_id: OrderId(row.order_id),
            merchant: row.merchant,
            provider: row.provider,
            mch_id: row.mch_id,
            sub_mch_id: row.sub_mch_id,
            app_id: row.app_id,
            amount: Fen::new(row.amount_fen),
            method,
            details: row.details.as_deref().map(from_json).transpose()?.unwrap_or_default(),
            openid: Openid(row.openid),
            payer_ip: row.payer_ip,
            state,
            create_time: row.create_time.to_jiff(),
            sends: row.sends,
            asks: row.asks,
            disputed: row.disputed_at.is_some(),
            superseded: row.superseded,
            expire_time: row.expire_time.to_jiff(),
            refunded: Fen::new(row.refunded_fen),
            refunding: Fen::new(row.refunding_fen),
            reversing,
            provider_code: row.provider_code,
        })
    }
}

/// Writes a new attempt, before anything leaves the process. `sending_s` is how long its first sending may take, `ahead` how far
/// the clock of development is ahead of the machine's.
pub async fn insert(
    conn: &mut PgConnection,
    payment: &Payment,
    next_ask_at: Timestamp,
    sending_s: u32,
    ahead: PgInterval,
) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO payments (payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid, payer_ip,
                               state, create_time, expire_time, sends, sent_at, sending_until, next_ask_at, sub_mch_id, details,
                               sent_on_db)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'CREATED', $11, $14, 1, $11, now() + $12, $13, $15, $16::text::jsonb,
                 clock_timestamp() + $17)",
        payment.id.0,
        payment.order_id.0,
        payment.merchant,
        payment.provider,
        payment.mch_id,
        payment.app_id,
        payment.amount.get(),
        payment.method.word(),
        payment.openid.0,
        payment.payer_ip,
        payment.create_time.to_sqlx() as _,
        seconds(sending_s),
        next_ask_at.to_sqlx() as _,
        payment.expire_time.to_sqlx() as _,
        payment.sub_mch_id,
        details(payment)?,
        ahead,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// The column `details`.
pub(super) fn details(payment: &Payment) -> sqlx::Result<Option<String>> {
    if payment.details.is_empty() { Ok(None) } else { to_json(&payment.details).map(Some) }
}

/// Every attempt of these orders, oldest first.
pub async fn of_orders(conn: &mut PgConnection, orders: &[OrderId]) -> sqlx::Result<Vec<Payment>> {
    let orders: Vec<Uuid> = orders.iter().map(|id| id.0).collect();
    sqlx::query_as!(
        Row,
        "SELECT payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid, payer_ip, state,
                create_time, sends, asks, transaction_id, paid_time, surplus, disputed_at, superseded, expire_time,
                   refunded_fen, refunding_fen, sub_mch_id, details::text AS details, reversing_at,
                   reverses, reverse_sent_at, reverse_too_late, provider_code
         FROM payments WHERE order_id = ANY($1) ORDER BY payment_id",
        &orders,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Payment::try_from)
    .collect()
}

/// One attempt.
pub async fn get(conn: &mut PgConnection, id: PaymentId) -> sqlx::Result<Option<Payment>> {
    sqlx::query_as!(
        Row,
        "SELECT payment_id, order_id, merchant, provider, mch_id, app_id, amount_fen, method, openid, payer_ip, state,
                create_time, sends, asks, transaction_id, paid_time, surplus, disputed_at, superseded, expire_time,
                   refunded_fen, refunding_fen, sub_mch_id, details::text AS details, reversing_at,
                   reverses, reverse_sent_at, reverse_too_late, provider_code
         FROM payments WHERE payment_id = $1",
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .map(Payment::try_from)
    .transpose()
}

/// Writes what may change in an attempt whose order was locked in this transaction. A final state needs no more asking.
pub async fn update(conn: &mut PgConnection, payment: &Payment) -> sqlx::Result<()> {
    let (transaction_id, paid_time, surplus) = money(payment);
    sqlx::query!(
        "UPDATE payments SET state = $2, transaction_id = $3, paid_time = $4, surplus = $5, provider_code = $6,
                             next_ask_at = CASE WHEN $7 THEN next_ask_at END, refunded_fen = $8, refunding_fen = $9
         WHERE payment_id = $1",
        payment.id.0,
        payment.state.word(),
        transaction_id,
        paid_time as _,
        surplus,
        payment.provider_code,
        payment.state.is_open(),
        payment.refunded.get(),
        payment.refunding.get(),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// What a payment's state says about money: WeChat's number, when, and whether the order could not keep it.
pub(super) fn money(payment: &Payment) -> (Option<&str>, Option<jiff_sqlx::Timestamp>, bool) {
    match &payment.state {
        State::Succeeded { transaction_id, at, surplus } => (Some(transaction_id), Some(at.to_sqlx()), *surplus),
        State::Created | State::Pending | State::Closed | State::Failed => (None, None, false),
    }
}

/// The provider says that they were paid, but not what we asked for: a person must look, nobody asks again.
pub async fn dispute(conn: &mut PgConnection, ids: &[PaymentId], now: Timestamp) -> sqlx::Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    sqlx::query!(
        "UPDATE payments SET disputed_at = coalesce(disputed_at, $2), next_ask_at = NULL WHERE payment_id = ANY($1)",
        &column(ids, |id| id.0),
        now.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}
