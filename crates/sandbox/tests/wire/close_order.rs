use std::time::Duration;

use sandbox::control::Pay;

use crate::harness::{ACME, Bench, TEA};

#[tokio::test]
async fn an_order_can_be_closed_five_minutes_after_it_was_created() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "TRADE_STATE_ERROR");
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "NOTPAY");
    bench.advance(Duration::from_mins(5)).await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "SUCCESS");
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "CLOSED");
    assert_eq!(bench.close(&ACME, "A00000001").await, "ORDERCLOSED");
}

#[tokio::test]
async fn a_paid_order_cannot_be_closed() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    bench.pay("A00000001", &Pay::default()).await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "ORDERPAID");
}

#[tokio::test]
async fn closing_a_number_that_was_never_used_succeeds_and_closes_nothing() {
    let bench = Bench::start().await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "SUCCESS");
    bench.place(&ACME, "A00000001", &[]).await;
    bench.advance(Duration::from_mins(5)).await;
    assert_eq!(bench.close(&TEA, "A00000001").await, "SUCCESS");
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "NOTPAY");
}

#[tokio::test]
async fn a_malformed_or_missing_number_is_refused() {
    let bench = Bench::start().await;
    assert_eq!(bench.close(&ACME, "short").await, "PARAM_ERROR");
    assert_eq!(bench.close(&ACME, "").await, "LACK_PARAMS");
}

#[tokio::test]
async fn a_user_already_in_the_cashier_wins_against_the_close() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    bench.advance(Duration::from_mins(5)).await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "SUCCESS");
    assert_eq!(bench.try_pay("A00000001", &Pay::default()).await.status(), 409);
    bench.pay("A00000001", &Pay { in_cashier: true, ..Pay::default() }).await;
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SUCCESS");
    assert_eq!(bench.try_pay("A00000001", &Pay { in_cashier: true, ..Pay::default() }).await.status(), 409);
}
