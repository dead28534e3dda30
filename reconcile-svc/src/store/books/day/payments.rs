use jiff::Timestamp;
use jiff::civil::Date;
use sqlx::PgConnection;

use super::copy::{Literals, Sink, copy};
use super::elsewhere::found_elsewhere;

/// Copies the payments that our books have on `day`: [`reconciliation::books::BookPayment`] by line, sorted by the provider's number.
/// A fact is ripe when it was noted five minutes before `now`.
///
/// Legs O and E of the day are read once each and joined by both numbers. What is missing on one of them is looked up by its
/// number, which is rare: nothing here looks up every row.
///
/// # Errors
/// The database's; [`sqlx::Error::Io`] is the sink's or the network's.
pub async fn copy_payments(
    conn: &mut PgConnection,
    merchant: &str,
    day: Date,
    now: Timestamp,
    sink: &mut (impl Sink + Send),
) -> sqlx::Result<()> {
    copy(conn, &query(&Literals::of(merchant, day, now)?), sink).await
}

fn query(Literals { merchant, day, ripe }: &Literals) -> String {
    // The fact of a taken payment when the provider told it with a time of another day.
    let told_elsewhere = |column| {
        format!(
            "(SELECT f.{column} FROM provider_payments f WHERE f.merchant = {merchant} AND f.out_trade_no = o.out_trade_no
                  AND f.transaction_id = o.transaction_id AND f.currency = 'CNY' ORDER BY f.provider LIMIT 1)"
        )
    };
    // What we know of the number of a fact that was not taken on the day.
    let issued = |column| {
        format!(
            "(SELECT i.{column} FROM book_payments i WHERE i.merchant = {merchant} AND i.out_trade_no = e.out_trade_no)"
        )
    };
    format!(
        r#"
        SELECT DISTINCT ON (d.transaction_id COLLATE "C", d.out_trade_no COLLATE "C")
            d.out_trade_no, d.transaction_id, d.issued_fen, d.taken_as, d.taken_fen, d.fact_fen, d.payer_fen,
            d.note_time <= {ripe}, {day}, b.billed_on, b.billed_fen, b.moved_on, b.moved_fen, b.moved_fee_fen,
            CASE WHEN d.taken_as = 'PAID' THEN 'PAID'
                 WHEN (SELECT TRUE FROM book_payments p WHERE p.order_id = d.order_id AND p.taken_as = 'PAID' LIMIT 1)
                 THEN 'PAID_BY_OTHER'
                 ELSE COALESCE((SELECT CASE WHEN w.close_time IS NULL THEN 'OPEN' ELSE 'CLOSED' END
                                FROM book_orders w WHERE w.order_id = d.order_id), 'UNKNOWN') END,
            CASE WHEN d.taken_as IS NULL THEN 0 ELSE COALESCE(g.fen, 0) END
        FROM (
            SELECT COALESCE(o.out_trade_no, e.out_trade_no) AS out_trade_no,
                COALESCE(o.transaction_id, e.transaction_id) AS transaction_id,
                CASE WHEN o.merchant IS NULL THEN {issued_order} ELSE o.order_id END AS order_id,
                CASE WHEN o.merchant IS NULL THEN {issued_fen} ELSE o.issued_amount_fen END AS issued_fen,
                o.taken_as, o.taken_amount_fen AS taken_fen,
                CASE WHEN e.merchant IS NULL THEN {fact_fen} ELSE e.amount_fen END AS fact_fen,
                CASE WHEN e.merchant IS NULL THEN {payer_fen} ELSE e.payer_amount_fen END AS payer_fen,
                CASE WHEN e.merchant IS NULL THEN {note_time} ELSE e.note_time END AS note_time,
                e.provider
            FROM (SELECT * FROM book_payments WHERE merchant = {merchant} AND paid_date = {day}) o
            FULL JOIN (SELECT * FROM provider_payments
                       WHERE merchant = {merchant} AND paid_date = {day} AND currency = 'CNY') e
                ON e.transaction_id COLLATE "C" = o.transaction_id COLLATE "C"
                AND e.out_trade_no COLLATE "C" = o.out_trade_no COLLATE "C"
            -- Taken on another day, it is in that day's books.
            WHERE CASE WHEN o.merchant IS NULL THEN {issued_transaction} IS DISTINCT FROM e.transaction_id ELSE TRUE END
        ) d
        LEFT JOIN ({elsewhere}) b ON b.number = d.transaction_id
        LEFT JOIN (
            SELECT r.out_trade_no, SUM(r.amount_fen)::BIGINT AS fen
            FROM book_refunds r JOIN book_payments p ON p.merchant = r.merchant AND p.out_trade_no = r.out_trade_no
            WHERE r.merchant = {merchant} AND r.state NOT IN ('REJECTED', 'CLOSED') AND p.paid_date = {day}
            GROUP BY r.out_trade_no
        ) g ON g.out_trade_no = d.out_trade_no
        ORDER BY d.transaction_id COLLATE "C", d.out_trade_no COLLATE "C", d.provider"#,
        issued_order = issued("order_id"),
        issued_fen = issued("issued_amount_fen"),
        issued_transaction = issued("transaction_id"),
        fact_fen = told_elsewhere("amount_fen"),
        payer_fen = told_elsewhere("payer_amount_fen"),
        note_time = told_elsewhere("note_time"),
        elsewhere = found_elsewhere(merchant, day),
    )
}
