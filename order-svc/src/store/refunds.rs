//! Table `refunds`.

use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use sqlx::{PgConnection, postgres::types::PgInterval};
use uuid::Uuid;

use super::{from_json, impossible, some_sqlx, to_json};
use crate::domain::{
    OrderId, PaymentId, RefundId,
    refund::{Cause, Refund, State, Waiting},
};

pub(super) struct Row {
    pub(super) refund_id: Uuid,
    pub(super) order_id: Uuid,
    pub(super) payment_id: Uuid,
    pub(super) merchant: String,
    pub(super) provider: String,
    pub(super) mch_id: String,
    pub(super) app_id: String,
    pub(super) transaction_id: String,
    pub(super) total_fen: i64,
    pub(super) amount_fen: i64,
    pub(super) cause: String,
    pub(super) reason: String,
    pub(super) state: String,
    pub(super) waiting: Option<String>,
    pub(super) provider_refund_id: Option<String>,
    pub(super) provider_code: Option<String>,
    pub(super) create_time: jiff_sqlx::Timestamp,
    pub(super) success_time: Option<jiff_sqlx::Timestamp>,
    pub(super) sends: i32,
    pub(super) refused_sends: Option<i32>,
    pub(super) sent_at: Option<jiff_sqlx::Timestamp>,
    pub(super) asks: i32,
    pub(super) sub_mch_id: String,
    pub(super) goods: Option<String>,
    pub(super) external_no: Option<String>,
}

impl TryFrom<Row> for Refund {
    type Error = sqlx::Error;

    fn try_from(row: Row) -> sqlx::Result<Self> {
        let wrong = |what: &str| impossible("refunds", format!("{} with {what}", row.refund_id));
        let waiting =
            row.waiting.as_deref().map(|word| Waiting::from_word(word).ok_or_else(|| wrong(word))).transpose()?;
        let state = match (row.state.as_str(), row.success_time) {
            ("CREATED", None) => State::Created { waiting },
            ("PROCESSING", None) => State::Processing,
            ("SUCCEEDED", Some(at)) => State::Succeeded { at: at.to_jiff() },
            ("ABNORMAL", None) => State::Abnormal,
            ("CLOSED", None) => State::Closed,
            ("REJECTED", None) => State::Rejected,
            (state, _) => return Err(wrong(state)),
        };
        let cause = Cause::from_word(&row.cause).ok_or_else(|| wrong(&row.cause))?;
        Ok(Refund {
            id: RefundId(row.refund_id),
            order_id: OrderId(row.order_id),
            payment_id: PaymentId(row.payment_id),
            merchant: row.merchant,
            provider: row.provider,
            mch_id: row.mch_id,
            sub_mch_id: row.sub_mch_id,
            app_id: row.app_id,
            transaction_id: row.transaction_id,
            total: Fen::new(row.total_fen),
            amount: Fen::new(row.amount_fen),
            cause,
            external_no: row.external_no,
            reason: row.reason,
            goods: row.goods.as_deref().map(from_json).transpose()?.unwrap_or_default(),
            state,
            provider_refund_id: row.provider_refund_id,
            provider_code: row.provider_code,
            create_time: row.create_time.to_jiff(),
            sends: row.sends,
            refused_sends: row.refused_sends,
            sent_at: row.sent_at.map(jiff_sqlx::Timestamp::to_jiff),
            asks: row.asks,
        })
    }
}

/// Writes a new refund, due at once. Its amount must be reserved in its payment in the same transaction.
pub async fn insert(conn: &mut PgConnection, refund: &Refund) -> sqlx::Result<()> {
    let goods = if refund.goods.is_empty() { None } else { Some(to_json(&refund.goods)?) };
    sqlx::query!(
        "INSERT INTO refunds (refund_id, order_id, payment_id, merchant, provider, mch_id, app_id, transaction_id, total_fen,
                              amount_fen, cause, reason, state, create_time, next_ask_at, sub_mch_id, goods, external_no,
                              provider_refund_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'CREATED', $13, $13, $14, $15::text::jsonb, $16, $17)",
        refund.id.0,
        refund.order_id.0,
        refund.payment_id.0,
        refund.merchant,
        refund.provider,
        refund.mch_id,
        refund.app_id,
        refund.transaction_id,
        refund.total.get(),
        refund.amount.get(),
        refund.cause.word(),
        refund.reason,
        refund.create_time.to_sqlx() as _,
        refund.sub_mch_id,
        goods,
        refund.external_no,
        refund.provider_refund_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// One refund.
pub async fn get(conn: &mut PgConnection, id: RefundId) -> sqlx::Result<Option<Refund>> {
    sqlx::query_as!(
        Row,
        "SELECT refund_id, order_id, payment_id, merchant, provider, mch_id, app_id, transaction_id, total_fen, amount_fen,
                cause, reason, state, waiting, provider_refund_id, provider_code, create_time, success_time, sends,
                refused_sends, sent_at, asks, sub_mch_id, goods::text AS goods, external_no
         FROM refunds WHERE refund_id = $1",
        id.0,
    )
    .fetch_optional(conn)
    .await?
    .map(Refund::try_from)
    .transpose()
}

/// The refund of a merchant that somebody else has sent under that number.
pub async fn external(conn: &mut PgConnection, merchant: &str, number: &str) -> sqlx::Result<Option<Refund>> {
    sqlx::query_as!(
        Row,
        "SELECT refund_id, order_id, payment_id, merchant, provider, mch_id, app_id, transaction_id, total_fen, amount_fen,
                cause, reason, state, waiting, provider_refund_id, provider_code, create_time, success_time, sends,
                refused_sends, sent_at, asks, sub_mch_id, goods::text AS goods, external_no
         FROM refunds WHERE merchant = $1 AND external_no = $2 ORDER BY refund_id DESC LIMIT 1",
        merchant,
        number,
    )
    .fetch_optional(conn)
    .await?
    .map(Refund::try_from)
    .transpose()
}

/// The refund of a payment that the provider knows by that number of its own.
pub async fn of_provider(
    conn: &mut PgConnection,
    payment: PaymentId,
    provider_refund_id: &str,
) -> sqlx::Result<Option<Refund>> {
    sqlx::query_as!(
        Row,
        "SELECT refund_id, order_id, payment_id, merchant, provider, mch_id, app_id, transaction_id, total_fen, amount_fen,
                cause, reason, state, waiting, provider_refund_id, provider_code, create_time, success_time, sends,
                refused_sends, sent_at, asks, sub_mch_id, goods::text AS goods, external_no
         FROM refunds WHERE payment_id = $1 AND provider_refund_id = $2",
        payment.0,
        provider_refund_id,
    )
    .fetch_optional(conn)
    .await?
    .map(Refund::try_from)
    .transpose()
}

/// A page of an order's refunds, oldest first, after the one where the page before ended.
pub async fn list(
    conn: &mut PgConnection,
    order: OrderId,
    after: Option<RefundId>,
    limit: i64,
) -> sqlx::Result<Vec<Refund>> {
    sqlx::query_as!(
        Row,
        "SELECT refund_id, order_id, payment_id, merchant, provider, mch_id, app_id, transaction_id, total_fen, amount_fen,
                cause, reason, state, waiting, provider_refund_id, provider_code, create_time, success_time, sends,
                refused_sends, sent_at, asks, sub_mch_id, goods::text AS goods, external_no
         FROM refunds WHERE order_id = $1 AND ($2::uuid IS NULL OR $2 < refund_id) ORDER BY refund_id LIMIT $3",
        order.0,
        after.map(|id| id.0),
        limit,
    )
    .fetch_all(conn)
    .await?
    .into_iter()
    .map(Refund::try_from)
    .collect()
}

/// The states and causes of a payment's refunds.
pub async fn states_of_payment(
    conn: &mut PgConnection,
    payment: PaymentId,
) -> sqlx::Result<Vec<(Option<Cause>, String)>> {
    let rows =
        sqlx::query!("SELECT cause, state FROM refunds WHERE payment_id = $1", payment.0).fetch_all(conn).await?;
    Ok(rows.into_iter().map(|row| (Cause::from_word(&row.cause), row.state)).collect())
}

/// Writes what the provider's word may change, while the order is locked. A final state needs no more asking. The schedule begins
/// when the provider has `accepted`.
pub async fn update(conn: &mut PgConnection, refund: &Refund, accepted: bool) -> sqlx::Result<()> {
    let (waiting, success_time) = match &refund.state {
        State::Created { waiting } => (waiting.map(Waiting::word), None),
        State::Succeeded { at } => (None, Some(*at)),
        State::Processing | State::Abnormal | State::Closed | State::Rejected => (None, None),
    };
    sqlx::query!(
        "UPDATE refunds SET state = $2, waiting = $3, success_time = $4, provider_refund_id = $5, provider_code = $6,
                            refused_sends = $7, next_ask_at = CASE WHEN $8 THEN next_ask_at END,
                            asks = CASE WHEN $9 THEN 0 ELSE asks END,
                            unknown_since = CASE WHEN $10 THEN unknown_since END
         WHERE refund_id = $1",
        refund.id.0,
        refund.state.word(),
        waiting,
        some_sqlx(success_time) as _,
        refund.provider_refund_id,
        refund.provider_code,
        refund.refused_sends,
        refund.state.is_open(),
        accepted,
        matches!(refund.state, State::Created { waiting: None | Some(Waiting::Answer) }),
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// When another refund of this payment was last sent: the provider wants a minute between two.
pub async fn sibling_sent_at(conn: &mut PgConnection, refund: &Refund) -> sqlx::Result<Option<Timestamp>> {
    let row = sqlx::query!(
        r#"SELECT max(sent_at) AS "at: jiff_sqlx::Timestamp" FROM refunds WHERE payment_id = $1 AND refund_id <> $2"#,
        refund.payment_id.0,
        refund.id.0,
    )
    .fetch_one(conn)
    .await?;
    Ok(row.at.map(jiff_sqlx::Timestamp::to_jiff))
}

/// Counts a sending, before it leaves. `None` when the refund is no longer CREATED; otherwise how many there are now. `ahead` is
/// how far the clock of development is ahead of the machine's.
pub async fn begin_sending(
    conn: &mut PgConnection,
    id: RefundId,
    now: Timestamp,
    ahead: PgInterval,
) -> sqlx::Result<Option<i32>> {
    let row = sqlx::query!(
        "UPDATE refunds SET sends = sends + 1, sent_at = $2, sent_on_db = clock_timestamp() + $3,
                            unknown_since = coalesce(unknown_since, $2)
         WHERE refund_id = $1 AND state = 'CREATED' RETURNING sends",
        id.0,
        now.to_sqlx() as _,
        ahead,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| row.sends))
}

/// The sending of that count certainly did nothing, so it does not count. A later one does.
pub async fn take_sending_back(conn: &mut PgConnection, id: RefundId, sends: i32) -> sqlx::Result<()> {
    sqlx::query!(
        "UPDATE refunds SET sends = sends - 1, unknown_since = CASE WHEN 1 < sends THEN unknown_since END
         WHERE refund_id = $1 AND sends = $2 AND 0 < sends",
        id.0,
        sends
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether nothing was sent since the sending of that count, and that was at least `quiet` ago by the database's clock.
pub async fn is_quiet(
    conn: &mut PgConnection,
    id: RefundId,
    sends: i32,
    ahead: PgInterval,
    quiet: PgInterval,
) -> sqlx::Result<bool> {
    let row = sqlx::query!(
        r#"SELECT sends = $2 AND coalesce(sent_on_db <= clock_timestamp() + $3 - $4::interval, true) AS "quiet!"
           FROM refunds WHERE refund_id = $1"#,
        id.0,
        sends,
        ahead,
        quiet,
    )
    .fetch_optional(conn)
    .await?;
    Ok(row.is_some_and(|row| row.quiet))
}
