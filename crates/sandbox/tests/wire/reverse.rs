use std::time::Duration;

use sandbox::control::{Pay, PayBehaviour};
use wechat_pay::v2::{Fields, sign::verify_pinned};

use crate::harness::{ACME, Bench, TEA, outcome};

const PATH: &str = "/secapi/pay/reverse";

/// What a call was answered, and whether it asks to be called again.
fn told(answer: &Fields) -> (String, Option<&str>) {
    (outcome(answer), answer.text("recall"))
}

fn is(word: &str, recall: &'static str) -> (String, Option<&'static str>) {
    (word.to_owned(), Some(recall))
}

/// A bench with one charge that came to this, 15 s ago.
async fn charged(behaviour: PayBehaviour) -> Bench {
    let bench = Bench::start().await;
    bench.charged("A00000001", behaviour).await;
    bench.advance(Duration::from_secs(15)).await;
    bench
}

#[tokio::test]
async fn a_paid_charge_goes_back_in_full_and_the_ledger_tells_it_as_such() {
    let bench = charged(PayBehaviour::Pays).await;
    bench.set_balance(&ACME, Some(150)).await;
    let answer = bench.reverse("A00000001").await;
    assert_eq!(told(&answer), is("SUCCESS", "N"));
    assert!(verify_pinned(&answer, &ACME.api_key(), &[ACME.sign_type]).is_ok());
    assert_eq!(bench.balance(&ACME).await, Some(50));
    let order = bench.known_order("A00000001").await.unwrap();
    assert_eq!(order.trade_state, "REVOKED");
    assert!(order.reversed_at.is_some() && order.payment.is_some());
    let answer = bench.post("/pay/orderquery", &ACME.signed(&[("out_trade_no", "A00000001")])).await;
    assert_eq!((answer.text("trade_state"), answer.text("transaction_id")), (Some("REVOKED"), None));
}

#[tokio::test]
async fn a_charge_without_money_is_closed_and_never_paid() {
    let bench = Bench::start().await;
    for (number, behaviour) in [
        ("A00000001", PayBehaviour::Password),
        ("A00000002", PayBehaviour::NoMoney),
        ("A00000003", PayBehaviour::SystemErrorUnpaid),
        ("A00000004", PayBehaviour::BankError),
    ] {
        bench.charged(number, behaviour).await;
        bench.advance(Duration::from_secs(15)).await;
        assert_eq!(told(&bench.reverse(number).await), is("SUCCESS", "N"), "{behaviour:?}");
        assert_eq!(bench.trade_state(&ACME, number).await, "REVOKED");
        assert_eq!(bench.try_pay(number, &Pay::default()).await.status(), 409);
        assert_eq!(bench.known_order(number).await.unwrap().payment, None);
    }
}

#[tokio::test]
async fn who_would_have_paid_later_does_not_after_the_reversal() {
    let bench = Bench::start().await;
    let wanted = sandbox::control::NewPayCode { behaviour: PayBehaviour::PaysLate, after_s: 60, openid: None };
    let code: sandbox::control::PayCode = bench.command("pay-codes", &wanted).await.json().await.unwrap();
    bench.micropay("A00000001", &code.auth_code).await;
    bench.advance(Duration::from_secs(20)).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("SUCCESS", "N"));
    bench.advance(Duration::from_hours(1)).await;
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "REVOKED");
    assert_eq!(bench.known_order("A00000001").await.unwrap().payment, None);
}

#[tokio::test]
async fn repeating_it_changes_nothing() {
    let bench = charged(PayBehaviour::Pays).await;
    bench.set_balance(&ACME, Some(100)).await;
    for _ in 0..3 {
        assert_eq!(told(&bench.reverse("A00000001").await), is("SUCCESS", "N"));
    }
    assert_eq!(bench.balance(&ACME).await, Some(0));
    bench.advance(Duration::from_hours(8 * 24)).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("SUCCESS", "N"));
}

#[tokio::test]
async fn it_is_named_by_either_number_and_is_not_another_merchants() {
    let bench = charged(PayBehaviour::Pays).await;
    let number = bench.known_order("A00000001").await.unwrap().payment.unwrap().transaction_id;
    let theirs = bench.post_certified(&TEA, PATH, &[("transaction_id", &number)]).await;
    assert_eq!(told(&theirs), is("ORDERNOTEXIST", "N"));
    let answer = bench.post_certified(&ACME, PATH, &[("transaction_id", &number)]).await;
    assert_eq!(told(&answer), is("SUCCESS", "N"));
    assert_eq!(told(&bench.reverse("A00000009").await), is("ORDERNOTEXIST", "N"));
    assert_eq!(told(&bench.post_certified(&ACME, PATH, &[]).await), is("LACK_PARAMS", "N"));
}

#[tokio::test]
async fn sooner_than_15_seconds_after_the_charge_it_asks_to_be_called_again() {
    let bench = Bench::start().await;
    bench.charged("A00000001", PayBehaviour::Pays).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("INVALID_REQUEST", "Y"));
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SUCCESS");
    bench.advance(Duration::from_secs(15)).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("SUCCESS", "N"));
}

#[tokio::test]
async fn after_seven_days_only_a_refund_is_left() {
    let bench = Bench::start().await;
    bench.charged("A00000001", PayBehaviour::Pays).await;
    bench.charged("A00000002", PayBehaviour::Pays).await;
    bench.advance(Duration::from_hours(7 * 24 - 1)).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("SUCCESS", "N"));
    bench.advance(Duration::from_hours(1)).await;
    assert_eq!(told(&bench.reverse("A00000002").await), is("REVERSE_EXPIRE", "N"));
    bench.refunded("A00000002", "R1", 100, 100).await;
}

#[tokio::test]
async fn other_orders_are_closed_or_refunded_instead() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    bench.sell(&ACME, "A00000002", 100).await;
    bench.advance(Duration::from_secs(15)).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("INVALID_REQUEST", "N"));
    assert_eq!(told(&bench.reverse("A00000002").await), is("TRADE_ERROR", "N"));
    assert_eq!(bench.trade_state(&ACME, "A00000002").await, "SUCCESS");
}

#[tokio::test]
async fn what_was_refunded_is_not_reversed_and_what_was_reversed_is_not_refunded() {
    let bench = charged(PayBehaviour::Pays).await;
    bench.charged("A00000002", PayBehaviour::Pays).await;
    bench.refunded("A00000001", "R1", 100, 40).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("TRADE_ERROR", "N"));
    bench.advance(Duration::from_secs(15)).await;
    bench.reverse("A00000002").await;
    let fields = [("out_trade_no", "A00000002"), ("out_refund_no", "R2"), ("total_fee", "100"), ("refund_fee", "100")];
    assert_eq!(outcome(&bench.refund(&ACME, &fields).await), "ERROR");
    assert_eq!(bench.refunded_at_platform_status("A00000002").await, 409);
}

#[tokio::test]
async fn a_merchant_without_money_cannot_reverse_what_was_paid() {
    let bench = charged(PayBehaviour::Pays).await;
    bench.set_balance(&ACME, Some(99)).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("TRADE_ERROR", "N"));
    assert_eq!((bench.balance(&ACME).await, bench.trade_state(&ACME, "A00000001").await), (Some(99), "SUCCESS".into()));
    bench.set_balance(&ACME, None).await;
    assert_eq!(told(&bench.reverse("A00000001").await), is("SUCCESS", "N"));
}

#[tokio::test]
async fn it_needs_the_certificate_of_whoever_signs() {
    let bench = charged(PayBehaviour::Pays).await;
    let fields = ACME.signed(&[("out_trade_no", "A00000001")]);
    let without = wechat_pay::v2::xml::write("xml", &fields).into_bytes();
    assert_eq!(bench.send(PATH, without).await.unwrap().status(), 400);
    let response = bench.send_certified(&TEA, PATH, &fields).await;
    let answer = wechat_pay::v2::xml::parse("xml", &response.bytes().await.unwrap()).unwrap();
    assert_eq!(outcome(&answer), "证书验证失败");
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SUCCESS");
}
