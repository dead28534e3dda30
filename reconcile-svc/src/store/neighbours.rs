//! Days that a new version of another day says something new about.

use jiff_sqlx::ToSqlx as _;
use sqlx::PgConnection;

use super::days::MerchantDay;
use super::discrepancies::FoundBy;

/// Wishes for another run of the day after, when it was compared with other closing balances than this version's: its accounts do not
/// open as this version closes, or did not open as the version before closed; of the days whose payments and refunds the version
/// before had in its files and this one has not, or has with another amount; and of those whose payments and refunds this version has
/// in its files although they missed none: there they are a second time, or not all of them.
///
/// Each has a version that counts already, or is being compared for the first time at this moment: that run may have read our books
/// before this one is written.
pub async fn look_again(conn: &mut PgConnection, by: &FoundBy<'_>) -> sqlx::Result<()> {
    sqlx::query!(
        "WITH before AS (
             SELECT run_id FROM runs WHERE merchant = $2 AND bill_date = $3 AND run_id <> $1
                 AND state IN ('BALANCED', 'WAITING', 'DIFFERENCES')
             ORDER BY version DESC LIMIT 1
         ), mine AS (
             SELECT leg, number, book_date, amount_fen, fee_fen FROM run_boundary WHERE run_id = $1
         ), theirs AS (
             SELECT leg, number, book_date, amount_fen, fee_fen FROM run_boundary JOIN before USING (run_id)
         )
         INSERT INTO days_to_look_at (merchant, bill_date, look_at)
         SELECT DISTINCT r.merchant, r.bill_date, now() + interval '10 s'
         FROM runs r
         WHERE r.merchant = $2 AND (r.current OR r.state = 'RUNNING') AND r.bill_date <> $3 AND (
             (r.bill_date = $3 + 1 AND r.state = 'RUNNING' AND EXISTS (
                 SELECT 1 FROM run_accounts WHERE run_id = $1 AND closing_fen IS NOT NULL))
             OR (r.bill_date = $3 + 1 AND EXISTS (
                 SELECT 1 FROM run_accounts mine JOIN run_accounts next ON next.account = mine.account
                 LEFT JOIN run_accounts was ON was.account = mine.account AND was.run_id = (SELECT run_id FROM before)
                 WHERE mine.run_id = $1 AND mine.closing_fen IS NOT NULL
                   -- An account on which nothing moved opens as it closed before, so it differs as well and hands it on.
                   AND next.run_id = r.run_id AND next.state <> 'NOT_FETCHED'
                   AND (mine.closing_fen IS DISTINCT FROM next.opening_fen OR was.closing_fen <> next.opening_fen)))
             OR r.bill_date IN (SELECT gone.book_date FROM (TABLE theirs EXCEPT TABLE mine) AS gone)
             OR r.bill_date IN (
                 SELECT new.book_date FROM (TABLE mine EXCEPT TABLE theirs) AS new
                 WHERE NOT EXISTS (SELECT 1 FROM discrepancies d WHERE d.merchant = $2 AND d.resolved_by = $1
                                     AND d.transaction_id = new.number AND d.transaction_id <> '' AND d.refund_id = '')
                   AND NOT EXISTS (SELECT 1 FROM discrepancies d WHERE d.merchant = $2 AND d.resolved_by = $1
                                     AND d.refund_id = new.number AND d.refund_id <> '')))
         ORDER BY r.merchant, r.bill_date
         ON CONFLICT (merchant, bill_date) DO UPDATE SET mark = EXCLUDED.mark, look_at = EXCLUDED.look_at",
        by.run_id,
        by.merchant,
        by.day.to_sqlx() as _,
    )
    .execute(conn)
    .await?;
    Ok(())
}

/// Days that have a version that counts, or are being compared at this moment, and are worth another run, because something about them
/// came into our books just now:
/// `out_trade_nos` were told as paid or taken, `out_refund_nos` had something happen to them.
pub async fn booked_late(
    conn: &mut PgConnection,
    merchants: &[String],
    out_trade_nos: &[String],
    out_refund_nos: &[String],
) -> sqlx::Result<Vec<MerchantDay>> {
    let rows = sqlx::query!(
        "SELECT DISTINCT r.merchant, r.bill_date
         FROM (
             SELECT p.merchant, p.paid_date AS day FROM book_payments p
             WHERE p.merchant = ANY($1) AND p.out_trade_no = ANY($2)
             UNION SELECT e.merchant, e.paid_date FROM provider_payments e
             WHERE e.merchant = ANY($1) AND e.out_trade_no = ANY($2)
             UNION SELECT b.merchant, b.accept_date FROM book_refunds b
             WHERE b.merchant = ANY($1) AND b.out_refund_no = ANY($3)
             UNION SELECT b.merchant, p.paid_date FROM book_refunds b JOIN book_payments p USING (merchant, out_trade_no)
             WHERE b.merchant = ANY($1) AND b.out_refund_no = ANY($3)
         ) AS touched JOIN runs r ON r.merchant = touched.merchant AND r.bill_date = touched.day
             AND (r.current OR r.state = 'RUNNING')",
        merchants,
        out_trade_nos,
        out_refund_nos,
    )
    .fetch_all(conn)
    .await?;
    Ok(rows.into_iter().map(|row| (row.merchant, row.bill_date.to_jiff())).collect())
}
