use serde_json::{Value, json};
use wechat_pay::v2::{Answer, Identity, Unknown, answer::judge, sign::SignError, xml};

use crate::harness::{ACME, Bench, outcome, rule};

const FIELDS: [(&str, &str); 4] =
    [("out_trade_no", "A00000001"), ("out_refund_no", "R1"), ("total_fee", "1000"), ("refund_fee", "300")];

/// What a refund meets under this fault: HTTP status and body, or nothing when the connection ended; and whether WeChat
/// accepted it all the same.
async fn struck(fault: Value) -> (Option<(u16, Vec<u8>)>, bool) {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    let active = bench.fault(rule("refund", "A00000001", fault)).await;
    let answer = match bench.send_refund(bench.https(&ACME), &ACME.signed(&FIELDS)).await {
        Ok(response) => Some((response.status().as_u16(), response.bytes().await.unwrap().to_vec())),
        Err(error) => {
            assert!(!error.is_timeout() && !error.is_connect(), "{error:?}");
            None
        }
    };
    assert_eq!(bench.hits(&active).await, 1);
    let known = bench.known_refund("R1").await;
    // The fault is used up, and the retry with the same number is the same refund.
    assert_eq!(outcome(&bench.refund(&ACME, &FIELDS).await), "SUCCESS");
    let after = bench.known_refund("R1").await.unwrap();
    assert_eq!(after.requests, if known.is_some() { 2 } else { 1 });
    assert!(known.as_ref().is_none_or(|known| known.refund_id == after.refund_id));
    (answer, known.is_some())
}

fn judged((status, body): &(u16, Vec<u8>)) -> Answer {
    judge(*status, body, &Identity::direct(ACME.app_id, ACME.mch_id), &ACME.api_key(), ACME.sign_type)
}

#[tokio::test]
async fn a_lost_answer_comes_after_the_refund_was_accepted() {
    assert_eq!(struck(json!({ "do": "lost" })).await, (None, true));
}

#[tokio::test]
async fn a_call_that_is_not_executed_refunds_nothing() {
    assert_eq!(struck(json!({ "do": "not_executed" })).await, (None, false));
}

#[tokio::test]
async fn an_error_comes_with_or_without_the_refund() {
    for executed in [true, false] {
        let (answer, known) = struck(json!({ "do": "status", "status": 502, "executed": executed })).await;
        assert_eq!((answer.unwrap().0, known), (502, executed));
        let (answer, known) = struck(json!({ "do": "error_code", "code": "SYSTEMERROR", "executed": executed })).await;
        assert!(matches!(judged(&answer.unwrap()), Answer::Refused { err_code, .. } if err_code == "SYSTEMERROR"));
        assert_eq!(known, executed);
    }
}

#[tokio::test]
async fn garbage_and_a_bad_signature_prove_nothing_although_the_refund_was_accepted() {
    let (answer, known) = struck(json!({ "do": "garbage" })).await;
    assert!(known && matches!(judged(&answer.unwrap()), Answer::Unknown(Unknown::Unreadable(_))));
    let (answer, known) = struck(json!({ "do": "bad_signature" })).await;
    assert!(known);
    assert_eq!(judged(&answer.unwrap()), Answer::Unknown(Unknown::BadSign(SignError::Mismatch)));
}

#[tokio::test]
async fn a_late_answer_is_the_right_one_and_a_redirect_refunds_nothing() {
    let (answer, known) = struck(json!({ "do": "late", "delay_ms": 20 })).await;
    assert!(known && matches!(judged(&answer.unwrap()), Answer::Success(_)));
    let (answer, known) = struck(json!({ "do": "redirect" })).await;
    assert_eq!((answer.unwrap().0, known), (307, false));
}

#[tokio::test]
async fn a_query_meets_the_faults_of_its_order_whichever_number_it_names() {
    let bench = Bench::start().await;
    let paid = bench.sell(&ACME, "A00000001", 1_000).await;
    let refund_id = bench.refunded("A00000001", "R1", 1_000, 300).await.text("refund_id").unwrap().to_owned();
    let fault = rule("refundquery", "A00000001", json!({ "do": "error_code", "code": "SYSTEMERROR", "times": 4 }));
    let active = bench.fault(fault).await;
    for field in [
        ("refund_id", &*refund_id),
        ("out_refund_no", "R1"),
        ("transaction_id", &*paid.transaction_id),
        ("out_trade_no", "A00000001"),
    ] {
        let answer = bench.post("/pay/refundquery", &ACME.signed(&[field])).await;
        assert_eq!(outcome(&answer), "SYSTEMERROR", "{field:?}");
    }
    assert_eq!(bench.hits(&active).await, 4);
    bench.fault(rule("refundquery", "A00000001", json!({ "do": "bad_signature" }))).await;
    let query = xml::write("xml", &ACME.signed(&[("out_refund_no", "R1")])).into_bytes();
    let body = bench.send("/pay/refundquery", query).await.unwrap().bytes().await.unwrap().to_vec();
    assert_eq!(judged(&(200, body)), Answer::Unknown(Unknown::BadSign(SignError::Mismatch)));
}

#[tokio::test]
async fn a_call_without_a_certificate_meets_no_fault() {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    let fault = bench.fault(rule("refund", "A00000001", json!({ "do": "lost" }))).await;
    let response = bench.send_refund(&bench.http, &ACME.signed(&FIELDS)).await.unwrap();
    assert_eq!((response.status().as_u16(), bench.hits(&fault).await), (400, 0));
}
