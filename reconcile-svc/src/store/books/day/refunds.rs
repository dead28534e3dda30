use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;

use super::copy::{Literals, Sink, copy};
use super::elsewhere::found_elsewhere;

/// Copies the refunds that were accepted on `day`: [`reconciliation::books::BookRefund`] by line, sorted by the provider's number.
///
/// # Errors
/// The database's; [`sqlx::Error::Io`] is the sink's or the network's.
pub async fn copy_refunds(
    conn: &mut PgConnection,
    merchant: &str,
    day: Date,
    now: Timestamp,
    sink: &mut (impl Sink + Send),
) -> sqlx::Result<()> {
    copy(conn, &query(&Literals::of(merchant, day, now)?), sink).await
}

fn query(Literals { merchant, day, .. }: &Literals) -> String {
    format!(
        r#"
        SELECT r.out_refund_no, r.refund_id, r.out_trade_no, r.transaction_id, r.amount_fen, r.state, r.cause,
            (SELECT e.amount_fen FROM provider_refunds e
             WHERE e.merchant = {merchant} AND e.out_refund_no = r.out_refund_no AND e.refund_id = r.refund_id
             ORDER BY e.state DESC, e.provider LIMIT 1),
            r.accept_date, b.billed_on, b.moved_on, b.moved_fen, b.moved_fee_fen
        FROM book_refunds r
        LEFT JOIN ({elsewhere}) b ON b.number = r.refund_id
        WHERE r.merchant = {merchant} AND r.accept_date = {day}
        ORDER BY r.refund_id COLLATE "C", r.out_refund_no COLLATE "C""#,
        elsewhere = found_elsewhere(merchant, day),
    )
}
