use jiff::Timestamp;
use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use crate::books::{ProviderPayment, ProviderRefund};

/// Notes what the provider told. A fact is the same whoever reports it, so the first report stays.
pub async fn note_provider_payment(conn: &mut PgConnection, told: &ProviderPayment) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO provider_payments (merchant, provider, transaction_id, out_trade_no, amount_fen, payer_amount_fen,
             currency, mch_id, app_id, paid_time, paid_date, source, sub_mch_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
         ON CONFLICT (merchant, provider, transaction_id) DO NOTHING",
        told.merchant,
        told.provider,
        told.transaction_id,
        told.out_trade_no,
        told.amount.get(),
        told.payer_amount.get(),
        told.currency,
        told.mch_id,
        told.app_id,
        told.paid_time.to_sqlx() as _,
        told.paid_date().to_sqlx() as _,
        told.source,
        told.sub_mch_id,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes what the provider told of a refund. Each state is told once; the first report of it stays.
pub async fn note_provider_refund(conn: &mut PgConnection, told: &ProviderRefund) -> sqlx::Result<()> {
    sqlx::query!(
        "INSERT INTO provider_refunds (merchant, provider, refund_id, state, out_refund_no, transaction_id, out_trade_no,
             amount_fen, mch_id, success_time, source)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
         ON CONFLICT (merchant, provider, refund_id, state) DO NOTHING",
        told.merchant,
        told.provider,
        told.refund_id,
        told.state,
        told.out_refund_no,
        told.transaction_id,
        told.out_trade_no,
        told.amount.get(),
        told.mch_id,
        told.success_time.map(Timestamp::to_sqlx) as _,
        told.source,
    )
    .execute(conn)
    .await?;
    Ok(())
}
