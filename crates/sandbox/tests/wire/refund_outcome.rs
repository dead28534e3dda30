use std::time::Duration;

use sandbox::control::{PlatformRefund, Problem, Refund, RefundSource, RefundState, Settle};
use serde_json::json;

use crate::harness::{ACME, Bench, TEA};

/// A bench with one order of ten yuan, of which three go back.
async fn refunding(delay: Option<Duration>) -> Bench {
    let bench = Bench::start().await;
    bench.settle_delay(delay).await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    bench.refunded("A00000001", "R1", 1_000, 300).await;
    bench
}

async fn state(bench: &Bench, out_refund_no: &str) -> RefundState {
    bench.known_refund(out_refund_no).await.unwrap().state
}

#[tokio::test]
async fn a_refund_succeeds_by_itself_when_its_time_has_come() {
    let bench = refunding(Some(Duration::from_hours(24))).await;
    let accepted = bench.known_refund("R1").await.unwrap();
    assert_eq!((accepted.state, accepted.settled_at), (RefundState::Processing, None));
    bench.advance(Duration::from_hours(25)).await;
    let arrived = bench.known_refund("R1").await.unwrap();
    assert_eq!(arrived.state, RefundState::Success);
    // It arrived when its time had come, not when somebody looked.
    let took: Duration = arrived.settled_at.unwrap().duration_since(arrived.created_at).try_into().unwrap();
    assert!((86_400..=86_401).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn a_refund_takes_three_seconds_unless_told_otherwise() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    bench.refunded("A00000001", "R1", 1_000, 300).await;
    bench.advance(Duration::from_secs(3)).await;
    assert_eq!(state(&bench, "R1").await, RefundState::Success);
}

#[tokio::test]
async fn without_a_delay_only_commands_settle_a_refund() {
    let bench = refunding(None).await;
    bench.advance(Duration::from_hours(24 * 300)).await;
    assert_eq!(state(&bench, "R1").await, RefundState::Processing);
    assert_eq!(bench.settle("R1", RefundState::Success).await.state, RefundState::Success);
}

#[tokio::test]
async fn a_refund_that_bounced_is_settled_again_by_a_person_and_not_by_time() {
    for end in [RefundState::Success, RefundState::RefundClose] {
        let bench = refunding(Some(Duration::from_hours(1))).await;
        bench.settle("R1", RefundState::Change).await;
        bench.advance(Duration::from_hours(2)).await;
        assert_eq!(state(&bench, "R1").await, RefundState::Change);
        assert_eq!(bench.try_settle("R1", RefundState::Change).await.status(), 409);
        let settled = bench.settle("R1", end).await;
        assert_eq!((settled.state, settled.settled_at.is_some()), (end, end == RefundState::Success));
    }
}

#[tokio::test]
async fn what_succeeded_or_was_closed_stays_so() {
    for end in [RefundState::Success, RefundState::RefundClose] {
        let bench = refunding(None).await;
        bench.settle("R1", end).await;
        for other in [RefundState::Success, RefundState::Change, RefundState::RefundClose] {
            let refused = bench.try_settle("R1", other).await;
            assert_eq!(refused.status(), 409);
            assert!(refused.json::<Problem>().await.unwrap().error.contains(end.as_str()));
        }
        assert_eq!(state(&bench, "R1").await, end);
    }
}

#[tokio::test]
async fn a_closed_refund_frees_its_amount() {
    let bench = refunding(None).await;
    bench.settle("R1", RefundState::RefundClose).await;
    bench.advance(Duration::from_mins(1)).await;
    bench.refunded("A00000001", "R2", 1_000, 1_000).await;
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "REFUND");
}

#[tokio::test]
async fn a_person_refunds_in_the_merchant_platform_under_a_number_of_wechats() {
    let bench = refunding(None).await;
    let url = format!("{}/_sandbox/payments/A00000001/refund", bench.url);
    let some = bench.refunded_at_platform("A00000001", 100).await;
    assert_eq!((some.amount_fen, some.source), (100, RefundSource::VendorPlatform));
    let rest: Refund = bench.http.post(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!((rest.amount_fen, rest.state), (600, RefundState::Processing));
    assert_ne!(some.out_refund_no, rest.out_refund_no);
    assert_eq!(bench.http.post(&url).send().await.unwrap().status(), 409);
    bench.settle(&rest.out_refund_no, RefundState::Success).await;
    assert_eq!(bench.ledger().await.orders[0].refunds.len(), 3);
}

#[tokio::test]
async fn a_command_about_an_unknown_or_ambiguous_refund_or_out_of_range_is_refused() {
    let bench = refunding(None).await;
    assert_eq!(bench.try_settle("R2", RefundState::Success).await.status(), 404);
    assert_eq!(bench.try_settle("R1", RefundState::Processing).await.status(), 409);
    bench.sell(&TEA, "B00000001", 1_000).await;
    let theirs = [("out_trade_no", "B00000001"), ("out_refund_no", "R1"), ("total_fee", "1000"), ("refund_fee", "1")];
    bench.refund(&TEA, &theirs).await;
    assert_eq!(bench.try_settle("R1", RefundState::Success).await.status(), 409);
    let theirs = Settle { state: RefundState::Success, merchant: Some(TEA.name.into()) };
    let url = format!("{}/_sandbox/refunds/R1/settle", bench.url);
    let settled: Refund = bench.http.post(url).json(&theirs).send().await.unwrap().json().await.unwrap();
    assert_eq!(settled.merchant, TEA.name);
    let none = serde_json::to_value(PlatformRefund { amount_fen: Some(0), ..PlatformRefund::default() }).unwrap();
    for (path, command, status) in [
        ("refunds/R1/settle", json!({ "state": "DONE" }), 400),
        ("payments/A00000001/refund", none, 400),
        ("payments/A00000009/refund", json!({}), 404),
        ("merchants/nobody/balance", json!({ "fen": 1 }), 404),
        ("merchants/acme-mini/balance", json!({ "fen": -1 }), 400),
        ("merchants/acme-mini/balance", json!({ "yuan": 1 }), 400),
        ("settle_delay", json!({ "delay_ms": -1 }), 400),
        ("settle_delay", json!({ "delay_ms": u64::MAX }), 400),
    ] {
        let response = bench.http.post(format!("{}/_sandbox/{path}", bench.url)).json(&command).send().await.unwrap();
        assert_eq!(response.status(), status, "{path} {command}");
        assert!(!response.json::<Problem>().await.unwrap().error.is_empty());
    }
}
