//! What a database of an earlier release becomes.

use std::sync::Arc;

use jiff::ToSpan as _;
use jiff::civil::{Date, date};
use jiff_sqlx::ToSqlx as _;
use reconcile_svc::store;
use reconciliation::Key;
use sqlx::{Connection as _, PgConnection};

use crate::bill::{MERCHANT, Payment};
use crate::programs::Postgres;

const DAY: Date = date(2026, 11, 21);

/// The last migration of a release that kept no day of the books beside a payment about midnight.
const WITHOUT_BOOK_DATE: i64 = 6;

/// The last one before those days were looked up.
const WITH_THE_BILLS_DAY: i64 = 11;

/// The last one before what was open of earlier releases was asked about again.
const NOT_ASKED_AGAIN: i64 = 14;

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_about_midnight_has_the_day_of_our_books_and_one_that_they_lost_keeps_the_bills() {
    let postgres: Arc<Postgres> = tokio::task::spawn_blocking(Postgres::shared).await.expect("Postgres starts");
    let mut conn = PgConnection::connect(&postgres.database().await).await.expect("Postgres answers");
    let migrations = store::migrations();
    migrations.run_to(WITHOUT_BOOK_DATE, &mut conn).await.expect("the tables of then");
    let [taken, told, lost] = [1, 2, 3].map(|fen| Payment::on(DAY, fen));
    for (booked, payment) in [
        (
            "INSERT INTO book_payments (merchant, out_trade_no, payment_id, order_id, app, taken_as, taken_amount_fen,
                 transaction_id, paid_time, paid_date)
             VALUES ($1, $2, gen_random_uuid(), gen_random_uuid(), 'shop', 'PAID', 1, $3, now(), $4)",
            &taken,
        ),
        (
            "INSERT INTO provider_payments (merchant, out_trade_no, provider, transaction_id, amount_fen, payer_amount_fen,
                 currency, mch_id, app_id, paid_time, paid_date, source)
             VALUES ($1, $2, 'wechat-v2', $3, 2, 2, 'CNY', '', '', now(), $4, 'NOTICE')",
            &told,
        ),
    ] {
        let booked = sqlx::query(booked).bind(MERCHANT).bind(&payment.out_trade_no).bind(&payment.transaction_id);
        booked.bind(DAY.to_sqlx()).execute(&mut conn).await.expect("booked");
    }
    let run =
        "INSERT INTO runs (run_id, merchant, bill_date, version, state, current, engine_version, start_time, end_time)
               VALUES (gen_random_uuid(), $1, $2::DATE, 1, 'BALANCED', TRUE, 1, now(), now())";
    let next = DAY.saturating_add(1.day());
    sqlx::query(run).bind(MERCHANT).bind(next.to_sqlx()).execute(&mut conn).await.expect("a run");
    for payment in [&taken, &told, &lost] {
        let found = "INSERT INTO run_boundary_matches (run_id, merchant, out_trade_no, transaction_id)
                     SELECT run_id, merchant, $1, $2 FROM runs";
        let found = sqlx::query(found).bind(&payment.out_trade_no).bind(&payment.transaction_id);
        found.execute(&mut conn).await.expect("a match");
    }
    for (version, of_known) in [(WITH_THE_BILLS_DAY, next), (i64::MAX, DAY)] {
        if version == i64::MAX {
            migrations.run(&mut conn).await.expect("the tables of now");
        } else {
            migrations.run_to(version, &mut conn).await.expect("the tables of a release in between");
        }
        for (payment, day) in [(&taken, of_known), (&told, of_known), (&lost, next)] {
            let found: jiff_sqlx::Date = sqlx::query_scalar("SELECT book_date FROM run_boundary WHERE number = $1")
                .bind(&payment.transaction_id)
                .fetch_one(&mut conn)
                .await
                .expect("a day");
            assert_eq!(found.to_jiff(), day, "{version} {}", payment.fen);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_open_before_this_release_is_asked_about_under_a_number_that_is_marked_as_ours_are() {
    let postgres: Arc<Postgres> = tokio::task::spawn_blocking(Postgres::shared).await.expect("Postgres starts");
    let mut conn = PgConnection::connect(&postgres.database().await).await.expect("Postgres answers");
    let migrations = store::migrations();
    migrations.run_to(WITHOUT_BOOK_DATE, &mut conn).await.expect("the tables of then");
    sqlx::query(
        "INSERT INTO runs (run_id, merchant, bill_date, version, state, current, engine_version, start_time, end_time)
         VALUES (gen_random_uuid(), $1, $2, 1, 'DIFFERENCES', TRUE, 1, now(), now())",
    )
    .bind(MERCHANT)
    .bind(DAY.to_sqlx())
    .execute(&mut conn)
    .await
    .expect("a run");
    for (code, number, ask_count) in [("P1", "a/1", 2), ("P3", "b|\\2", 0), ("P5", "c3", 0), ("P8", "d4", 0)] {
        sqlx::query(
            "WITH opened AS (
                 INSERT INTO discrepancies (discrepancy_id, merchant, bill_date, code, out_trade_no, transaction_id, app_id,
                     bill_amount_fen, book_amount_fen, explanation, state, open_time, opened_by, ask_count)
                 SELECT gen_random_uuid(), merchant, bill_date, $1, $2, '42', '', 1, 1, '', 'OPEN', now(), run_id, $3 FROM runs
                 RETURNING discrepancy_id, opened_by)
             INSERT INTO run_differences (run_id, discrepancy_id, bill_amount_fen, book_amount_fen, explanation)
             SELECT opened_by, discrepancy_id, 1, 1, '' FROM opened",
        )
        .bind(code)
        .bind(number)
        .bind(ask_count)
        .execute(&mut conn)
        .await
        .expect("a difference");
    }
    migrations.run_to(NOT_ASKED_AGAIN, &mut conn).await.expect("the tables of a release in between");
    migrations.run(&mut conn).await.expect("the tables of now");
    let found: Vec<(String, String, String, bool, i32)> = sqlx::query_as(
        "SELECT code, out_trade_no, fingerprint, repair = 'QUERY_PAYMENT' AND repair_at <= now() IS TRUE, repair_count
         FROM (SELECT code, out_trade_no, fingerprint, COALESCE(repair, '') AS repair, repair_at, repair_count
               FROM discrepancies) AS open ORDER BY code",
    )
    .fetch_all(&mut conn)
    .await
    .expect("the differences");
    for (code, number, fingerprint, ..) in &found {
        let key = Key { out_trade_no: number.clone(), transaction_id: "42".to_owned(), ..Key::default() };
        assert_eq!(*fingerprint, key.fingerprint(), "{code}");
    }
    let asked: Vec<_> = found.iter().map(|(code, _, _, is_asked, count)| (code.as_str(), *is_asked, *count)).collect();
    assert_eq!(asked, [("P1", true, 2), ("P3", false, 0), ("P5", true, 0), ("P8", true, 0)]);
}
