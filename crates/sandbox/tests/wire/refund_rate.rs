use std::time::Duration;

use sandbox::control::RefundRate;

use crate::harness::{ACME, Bench, TEA, outcome};

async fn limited(per_second: u32, failing_per_second: u32) -> Bench {
    let bench = Bench::start().await;
    let rate = RefundRate { per_second, failing_per_second };
    assert_eq!(bench.command("refund_rate", &rate).await.status(), 200);
    bench.sell(&ACME, "A00000001", 1_000).await;
    bench
}

async fn refund(bench: &Bench, refund_fee: &str) -> String {
    let fields =
        [("out_trade_no", "A00000001"), ("out_refund_no", "R1"), ("total_fee", "1000"), ("refund_fee", refund_fee)];
    outcome(&bench.refund(&ACME, &fields).await)
}

#[tokio::test]
async fn whoever_asks_too_often_is_not_accepted_and_may_ask_again() {
    let bench = limited(0, 6).await;
    assert_eq!(refund(&bench, "100").await, "FREQUENCY_LIMITED");
    assert_eq!(bench.known_refund("R1").await, None);
    bench.command("refund_rate", &RefundRate::default()).await;
    assert_eq!(refund(&bench, "100").await, "SUCCESS");
}

#[tokio::test]
async fn whoever_is_wrong_too_often_is_shut_out_for_a_minute() {
    let bench = limited(150, 0).await;
    assert_eq!(refund(&bench, "1001").await, "ERROR");
    assert_eq!(refund(&bench, "100").await, "INVALID_REQ_TOO_MUCH");
    bench.sell(&TEA, "T00000001", 100).await;
    let theirs = [("out_trade_no", "T00000001"), ("out_refund_no", "R1"), ("total_fee", "100"), ("refund_fee", "100")];
    assert_eq!(outcome(&bench.refund(&TEA, &theirs).await), "SUCCESS");
    bench.advance(Duration::from_mins(1)).await;
    assert_eq!(refund(&bench, "100").await, "SUCCESS");
}

#[tokio::test]
async fn a_short_balance_is_nobodys_mistake() {
    let bench = limited(150, 0).await;
    bench.set_balance(&ACME, Some(0)).await;
    assert_eq!(refund(&bench, "100").await, "NOTENOUGH");
    assert_eq!(refund(&bench, "100").await, "NOTENOUGH");
    bench.set_balance(&ACME, None).await;
    assert_eq!(refund(&bench, "100").await, "SUCCESS");
}
