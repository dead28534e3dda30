use jiff::Timestamp;
use jiff::civil::Date;
use jiff_sqlx::ToSqlx as _;
use money::Fen;
use reconciliation::books::{
    BookPayment, BookRefund, Fact, MovedElsewhere, OrderState, RefundCause, RefundState, Taken, TakenAs,
};
use reconciliation::{Answers, Issued, Questions};
use sqlx::PgConnection;

use super::RIPE_AFTER;

/// Numbers of one question to the database.
const BATCH: usize = 10_000;

/// What the books know about the numbers of a comparison of `day`: payments of other days, numbers that were given out, and
/// refunds that were not accepted on the day. A fact is ripe when it was noted five minutes before `now`.
///
/// # Errors
/// The database's.
pub async fn answer(
    conn: &mut PgConnection,
    merchant: &str,
    day: Date,
    now: Timestamp,
    questions: &Questions,
) -> sqlx::Result<Answers> {
    let mut answers = Answers::default();
    let ripe = now.checked_sub(RIPE_AFTER).unwrap_or(Timestamp::MIN);
    for numbers in questions.payments.chunks(BATCH) {
        answers.payments.extend(payments(conn, merchant, day, ripe, numbers, &[]).await?);
        answers.issued.extend(issued(conn, merchant, numbers).await?);
    }
    for numbers in questions.movements.chunks(BATCH) {
        answers.payments.extend(payments(conn, merchant, day, ripe, &[], numbers).await?);
        answers.refunds.extend(refunds(conn, merchant, day, numbers).await?);
    }
    for numbers in questions.refunds.chunks(BATCH) {
        answers.refunds.extend(refunds(conn, merchant, day, numbers).await?);
    }
    // One that was asked about by both of its numbers is one, and so is one that two connections to the provider tell.
    answers.payments.sort_by(|a, b| key(a).cmp(&key(b)).then(a.paid_date.cmp(&b.paid_date)));
    answers.payments.dedup_by(|a, b| key(a) == key(b));
    answers.refunds.sort_by_cached_key(|refund| refund.out_refund_no.clone());
    answers.refunds.dedup();
    Ok(answers)
}

fn key(payment: &BookPayment) -> (&str, &str) {
    (&payment.transaction_id, &payment.out_trade_no)
}

/// The same as `copy_payments` says of the days of these payments, for few of them.
async fn payments(
    conn: &mut PgConnection,
    merchant: &str,
    day: Date,
    ripe: Timestamp,
    ours: &[String],
    theirs: &[String],
) -> sqlx::Result<Vec<BookPayment>> {
    let rows = sqlx::query!(
        r#"WITH known AS (
               SELECT o.out_trade_no, o.transaction_id, o.order_id, o.issued_amount_fen, o.taken_as, o.taken_amount_fen,
                   o.paid_date, f.amount_fen AS fact_fen, f.payer_amount_fen AS payer_fen, f.note_time
               FROM book_payments o LEFT JOIN LATERAL (
                   SELECT * FROM provider_payments e WHERE e.merchant = o.merchant AND e.out_trade_no = o.out_trade_no
                       AND e.transaction_id = o.transaction_id AND e.currency = 'CNY'
                   ORDER BY e.paid_date <> o.paid_date, e.provider LIMIT 1) f ON TRUE
               WHERE o.merchant = $1 AND o.paid_date <> $2 AND (o.out_trade_no = ANY($4) OR o.transaction_id = ANY($5))
               UNION ALL
               SELECT e.out_trade_no, e.transaction_id, i.order_id, i.issued_amount_fen, NULL, NULL, e.paid_date,
                   e.amount_fen, e.payer_amount_fen, e.note_time
               FROM provider_payments e
               LEFT JOIN book_payments i ON i.merchant = e.merchant AND i.out_trade_no = e.out_trade_no
               WHERE e.merchant = $1 AND e.currency = 'CNY' AND e.paid_date <> $2
                   AND (e.out_trade_no = ANY($4) OR e.transaction_id = ANY($5))
                   AND i.transaction_id IS DISTINCT FROM e.transaction_id)
           SELECT k.out_trade_no AS "out_trade_no!", k.transaction_id AS "transaction_id!", k.issued_amount_fen,
               k.taken_as, k.taken_amount_fen, k.fact_fen, k.payer_fen, k.note_time <= $3 AS fact_ripe,
               k.paid_date AS "paid_date!",
               b.billed_on, b.billed_fen, b.moved_on, b.moved_fen, b.moved_fee_fen,
               CASE WHEN k.taken_as = 'PAID' THEN 'PAID'
                    WHEN EXISTS (SELECT FROM book_payments p WHERE p.order_id = k.order_id AND p.taken_as = 'PAID')
                    THEN 'PAID_BY_OTHER'
                    ELSE COALESCE((SELECT CASE WHEN w.close_time IS NULL THEN 'OPEN' ELSE 'CLOSED' END
                                   FROM book_orders w WHERE w.order_id = k.order_id), 'UNKNOWN') END AS "order_state!",
               CASE WHEN k.taken_as IS NULL THEN 0 ELSE
                   (SELECT COALESCE(SUM(g.amount_fen), 0)::BIGINT FROM book_refunds g WHERE g.merchant = $1
                        AND g.out_trade_no = k.out_trade_no AND g.state NOT IN ('REJECTED', 'CLOSED')) END
                   AS "given_back_fen!"
           FROM known k
           CROSS JOIN LATERAL (
               SELECT COALESCE(MIN(r.bill_date) FILTER (WHERE m.leg = 'TRADE' AND m.amount_fen IS NOT NULL),
                               MIN(r.bill_date) FILTER (WHERE m.leg = 'TRADE')) AS billed_on,
                   MAX(m.amount_fen) FILTER (WHERE m.leg = 'TRADE') AS billed_fen,
                   MIN(r.bill_date) FILTER (WHERE m.leg = 'FUND') AS moved_on,
                   CASE WHEN BOOL_AND(m.amount_fen IS NOT NULL) FILTER (WHERE m.leg = 'FUND')
                        THEN SUM(m.amount_fen) FILTER (WHERE m.leg = 'FUND') END::BIGINT AS moved_fen,
                   CASE WHEN BOOL_AND(m.amount_fen IS NOT NULL) FILTER (WHERE m.leg = 'FUND')
                        THEN SUM(m.fee_fen) FILTER (WHERE m.leg = 'FUND') END::BIGINT AS moved_fee_fen
               FROM run_boundary m JOIN runs r USING (run_id)
               WHERE m.merchant = $1 AND m.number = k.transaction_id AND r.current AND r.bill_date <> $2) b"#,
        merchant,
        day.to_sqlx() as _,
        ripe.to_sqlx() as _,
        ours,
        theirs,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let taken_as = row.taken_as.map(|taken_as| word("taken_as", TakenAs::parse(&taken_as))).transpose()?;
            let taken = taken_as.zip(row.taken_amount_fen);
            Ok(BookPayment {
                out_trade_no: row.out_trade_no,
                transaction_id: row.transaction_id,
                issued: row.issued_amount_fen.map(Fen::new),
                taken: taken.map(|(taken_as, fen)| Taken { amount: Fen::new(fen), taken_as }),
                fact: row.fact_fen.zip(row.payer_fen).map(|(fen, payer_fen)| Fact {
                    amount: Fen::new(fen),
                    payer: Fen::new(payer_fen),
                    ripe: row.fact_ripe.unwrap_or(false),
                }),
                paid_date: row.paid_date.to_jiff(),
                billed_on: row.billed_on.map(jiff_sqlx::Date::to_jiff),
                billed: row.billed_fen.map(Fen::new),
                moved_on: row.moved_on.map(jiff_sqlx::Date::to_jiff),
                moved: moved(row.moved_fen, row.moved_fee_fen),
                order: word("order_state", OrderState::parse(&row.order_state))?,
                given_back: Fen::new(row.given_back_fen),
            })
        })
        .collect()
}

/// Which of these numbers we gave out.
async fn issued(conn: &mut PgConnection, merchant: &str, numbers: &[String]) -> sqlx::Result<Vec<Issued>> {
    let rows = sqlx::query!(
        r#"SELECT i.out_trade_no, COALESCE(i.issued_amount_fen, i.taken_amount_fen) AS "amount_fen!",
               CASE WHEN i.taken_as = 'PAID' THEN 'PAID'
                    WHEN EXISTS (SELECT FROM book_payments p WHERE p.order_id = i.order_id AND p.taken_as = 'PAID')
                    THEN 'PAID_BY_OTHER'
                    ELSE COALESCE((SELECT CASE WHEN w.close_time IS NULL THEN 'OPEN' ELSE 'CLOSED' END
                                   FROM book_orders w WHERE w.order_id = i.order_id), 'UNKNOWN') END AS "order_state!"
           FROM book_payments i WHERE i.merchant = $1 AND i.out_trade_no = ANY($2)"#,
        merchant,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let order = word("order_state", OrderState::parse(&row.order_state))?;
            Ok(Issued { out_trade_no: row.out_trade_no, amount: Fen::new(row.amount_fen), order })
        })
        .collect()
}

/// Refunds with one of these numbers, ours or the provider's, that were not accepted on `day`.
async fn refunds(
    conn: &mut PgConnection,
    merchant: &str,
    day: Date,
    numbers: &[String],
) -> sqlx::Result<Vec<BookRefund>> {
    let rows = sqlx::query!(
        r#"SELECT r.out_refund_no, r.refund_id, r.out_trade_no, r.transaction_id, r.amount_fen, r.state, r.cause,
               r.accept_date,
               (SELECT e.amount_fen FROM provider_refunds e WHERE e.merchant = $1 AND e.out_refund_no = r.out_refund_no
                    AND e.refund_id = COALESCE(r.refund_id, e.refund_id)
                ORDER BY e.state DESC, e.provider LIMIT 1) AS fact_fen,
               b.billed_on, b.moved_on, b.moved_fen, b.moved_fee_fen
           FROM book_refunds r
           CROSS JOIN LATERAL (
               SELECT MIN(v.bill_date) FILTER (WHERE m.leg = 'TRADE') AS billed_on,
                   MIN(v.bill_date) FILTER (WHERE m.leg = 'FUND') AS moved_on,
                   CASE WHEN BOOL_AND(m.amount_fen IS NOT NULL) FILTER (WHERE m.leg = 'FUND')
                        THEN SUM(m.amount_fen) FILTER (WHERE m.leg = 'FUND') END::BIGINT AS moved_fen,
                   CASE WHEN BOOL_AND(m.amount_fen IS NOT NULL) FILTER (WHERE m.leg = 'FUND')
                        THEN SUM(m.fee_fen) FILTER (WHERE m.leg = 'FUND') END::BIGINT AS moved_fee_fen
               FROM run_boundary m JOIN runs v USING (run_id)
               WHERE m.merchant = $1 AND m.number = r.refund_id AND v.current AND v.bill_date <> $2) b
           WHERE r.merchant = $1 AND r.accept_date IS DISTINCT FROM $2
               AND (r.out_refund_no = ANY($3) OR r.refund_id = ANY($3))"#,
        merchant,
        day.to_sqlx() as _,
        numbers,
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            Ok(BookRefund {
                out_refund_no: row.out_refund_no,
                refund_id: row.refund_id,
                out_trade_no: row.out_trade_no,
                transaction_id: row.transaction_id,
                amount: Fen::new(row.amount_fen),
                state: word("state", RefundState::parse(&row.state))?,
                cause: word("cause", RefundCause::parse(&row.cause))?,
                fact: row.fact_fen.map(Fen::new),
                accept_date: row.accept_date.map(jiff_sqlx::Date::to_jiff),
                billed_on: row.billed_on.map(jiff_sqlx::Date::to_jiff),
                moved_on: row.moved_on.map(jiff_sqlx::Date::to_jiff),
                moved: moved(row.moved_fen, row.moved_fee_fen),
            })
        })
        .collect()
}

fn moved(principal_fen: Option<i64>, fee_fen: Option<i64>) -> Option<MovedElsewhere> {
    let moved = |(principal, fee)| MovedElsewhere { principal: Fen::new(principal), fee: Fen::new(fee) };
    principal_fen.zip(fee_fen).map(moved)
}

/// The table's constraints know the same words; another one is a newer release's.
fn word<T>(column: &'static str, word: Option<T>) -> sqlx::Result<T> {
    word.ok_or_else(|| {
        sqlx::Error::Decode(format!("column {column} has a word that this release does not know").into())
    })
}
