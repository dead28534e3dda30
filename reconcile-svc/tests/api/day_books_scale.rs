use std::time::Instant;

use jiff::Timestamp;
use jiff::civil::date;
use sqlx::Executor as _;

use crate::books::Books;

/// A million payments of one day, two days more around it, and a refund of every twentieth.
const FILL: &str = "
CREATE TEMP TABLE story AS SELECT g, md5('o' || g) AS number, '42000029' || md5('t' || g) AS transaction,
    TIMESTAMPTZ '2026-11-20 00:00:00+08' + g * INTERVAL '1 day' / 1000000 AS paid_time FROM generate_series(0, 2999999) g;
INSERT INTO book_payments (merchant, out_trade_no, payment_id, order_id, app, issued_amount_fen, mch_id, issue_time, taken_as,
    taken_amount_fen, transaction_id, paid_time, paid_date)
SELECT 'acme-mini', number, number::UUID, number::UUID, 'shop', 100, '1900000001', paid_time, 'PAID', 100, transaction, paid_time,
    (paid_time AT TIME ZONE 'Asia/Shanghai')::DATE FROM story WHERE g % 1000 <> 7;
INSERT INTO provider_payments (merchant, provider, transaction_id, out_trade_no, amount_fen, payer_amount_fen, currency, mch_id,
    app_id, paid_time, paid_date, source)
SELECT 'acme-mini', 'wechat-v2', transaction, number, 100, 100, 'CNY', '1900000001', 'wx1', paid_time,
    (paid_time AT TIME ZONE 'Asia/Shanghai')::DATE, 'SOURCE_NOTICE' FROM story WHERE g % 1000 <> 13;
INSERT INTO book_refunds (merchant, out_refund_no, refund, order_id, app, out_trade_no, transaction_id, amount_fen, cause, refund_id,
    accept_time, accept_date)
SELECT 'acme-mini', md5('r' || g), number::UUID, number::UUID, 'shop', number, transaction, 40, 'REQUESTED', '50' || g, paid_time,
    (paid_time AT TIME ZONE 'Asia/Shanghai')::DATE FROM story WHERE g % 20 = 0;
ANALYZE";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes three million payments; run it by name to measure"]
async fn a_million_payments_of_a_day_are_copied() {
    let mut books = Books::open().await;
    books.conn.execute(FILL).await.expect("the books are filled");
    for _ in 0..3 {
        let begun = Instant::now();
        let (text, payments) = books.payments(date(2026, 11, 21), Timestamp::MAX).await;
        println!("read {} bytes, {} payments, parsed: {:?}", text.len(), payments.len(), begun.elapsed());
        let begun = Instant::now();
        let mut file = Vec::new();
        let day = date(2026, 11, 21);
        reconcile_svc::store::books::day::copy_payments(&mut books.conn, "acme-mini", day, Timestamp::MAX, &mut file)
            .await
            .expect("copied");
        println!("copied {} bytes: {:?}", file.len(), begun.elapsed());
        assert_eq!(payments.len(), 1_000_000);
        assert_eq!(payments.iter().filter(|payment| 0 < payment.given_back.get()).count(), 50_000);
    }
    let begun = Instant::now();
    let (_, refunds) = books.refunds(date(2026, 11, 21), Timestamp::MAX).await;
    println!("{} refunds: {:?}", refunds.len(), begun.elapsed());
    assert_eq!(refunds.len(), 50_000);
}
