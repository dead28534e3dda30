use serde_json::{Value, json};
use wechat_pay::v2::{Answer, Identity, Unknown, answer::judge, sign::SignError, xml};

use crate::harness::{ACME, Bench, outcome, rule};

const PATH: &str = "/pay/unifiedorder";

/// What one order meets under this fault: HTTP status and body, or nothing when the connection ended.
async fn struck(bench: &Bench, fault: Value) -> Option<(u16, Vec<u8>)> {
    let active = bench.fault(rule("unifiedorder", "A00000001", fault)).await;
    let body = xml::write("xml", &ACME.order("A00000001", &[])).into_bytes();
    let answer = match bench.send(PATH, body).await {
        Ok(response) => Some((response.status().as_u16(), response.bytes().await.unwrap().to_vec())),
        Err(error) => {
            assert!(!error.is_timeout() && !error.is_connect());
            None
        }
    };
    assert_eq!(bench.hits(&active).await, 1);
    // The fault is used up, and the retry with the same number succeeds.
    let orders = bench.ledger().await.orders.len();
    bench.place(&ACME, "A00000001", &[]).await;
    assert_eq!(bench.ledger().await.orders[0].prepays, u32::try_from(orders).unwrap() + 1);
    answer
}

async fn was_executed(bench: &Bench) -> bool {
    bench.ledger().await.orders[0].prepays == 2
}

#[tokio::test]
async fn a_lost_answer_comes_after_the_order_was_placed() {
    let bench = Bench::start().await;
    assert_eq!(struck(&bench, json!({ "do": "lost" })).await, None);
    assert!(was_executed(&bench).await);
}

#[tokio::test]
async fn a_call_that_is_not_executed_places_nothing() {
    let bench = Bench::start().await;
    assert_eq!(struck(&bench, json!({ "do": "not_executed" })).await, None);
    assert!(!was_executed(&bench).await);
}

#[tokio::test]
async fn an_http_error_comes_with_or_without_the_order() {
    for executed in [true, false] {
        let bench = Bench::start().await;
        let (status, _) = struck(&bench, json!({ "do": "status", "status": 503, "executed": executed })).await.unwrap();
        assert_eq!((status, was_executed(&bench).await), (503, executed));
    }
}

#[tokio::test]
async fn garbage_and_a_bad_signature_prove_nothing_although_the_order_was_placed() {
    let identity = Identity::direct(ACME.app_id, ACME.mch_id);
    let bench = Bench::start().await;
    let (status, body) = struck(&bench, json!({ "do": "garbage" })).await.unwrap();
    let answer = judge(status, &body, &identity, &ACME.api_key(), ACME.sign_type);
    assert!(matches!(answer, Answer::Unknown(Unknown::Unreadable(_))));
    assert!(was_executed(&bench).await);
    let bench = Bench::start().await;
    let (status, body) = struck(&bench, json!({ "do": "bad_signature" })).await.unwrap();
    let answer = judge(status, &body, &identity, &ACME.api_key(), ACME.sign_type);
    assert_eq!(answer, Answer::Unknown(Unknown::BadSign(SignError::Mismatch)));
    assert!(was_executed(&bench).await);
}

#[tokio::test]
async fn a_late_answer_is_the_right_one() {
    let bench = Bench::start().await;
    let (_, body) = struck(&bench, json!({ "do": "late", "delay_ms": 20 })).await.unwrap();
    assert_eq!(outcome(&xml::parse("xml", &body).unwrap()), "SUCCESS");
    assert!(was_executed(&bench).await);
}

#[tokio::test]
async fn an_error_code_is_signed_and_comes_with_or_without_the_order() {
    for executed in [true, false] {
        let bench = Bench::start().await;
        let fault = json!({ "do": "error_code", "code": "SYSTEMERROR", "executed": executed });
        let (status, body) = struck(&bench, fault).await.unwrap();
        let identity = Identity::direct(ACME.app_id, ACME.mch_id);
        let answer = judge(status, &body, &identity, &ACME.api_key(), ACME.sign_type);
        assert!(matches!(answer, Answer::Refused { err_code, .. } if err_code == "SYSTEMERROR"));
        assert_eq!(was_executed(&bench).await, executed);
    }
}

#[tokio::test]
async fn a_redirect_leads_to_the_same_call_and_executes_nothing() {
    let bench = Bench::start().await;
    let (status, body) = struck(&bench, json!({ "do": "redirect" })).await.unwrap();
    assert_eq!((status, body.len()), (307, 0));
    assert!(!was_executed(&bench).await);
}

#[tokio::test]
async fn a_query_by_transaction_id_meets_the_faults_of_its_order() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    let paid = bench.pay("A00000001", &sandbox::control::Pay::default()).await;
    let fault =
        bench.fault(rule("orderquery", "A00000001", json!({ "do": "error_code", "code": "FREQUENCY_LIMITED" }))).await;
    let answer = bench.post("/pay/orderquery", &ACME.signed(&[("transaction_id", &paid.transaction_id)])).await;
    assert_eq!(outcome(&answer), "FREQUENCY_LIMITED");
    assert_eq!(bench.hits(&fault).await, 1);
}

#[tokio::test]
async fn a_close_whose_answer_is_lost_closed_the_order() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    bench.advance(std::time::Duration::from_mins(5)).await;
    bench.fault(rule("closeorder", "A00000001", json!({ "do": "lost" }))).await;
    let close = xml::write("xml", &ACME.signed(&[("out_trade_no", "A00000001")])).into_bytes();
    assert!(bench.send("/pay/closeorder", close).await.is_err());
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "CLOSED");
}

#[tokio::test]
async fn a_request_that_is_not_authentic_meets_no_fault() {
    let bench = Bench::start().await;
    let fault = bench.fault(rule("unifiedorder", "A00000001", json!({ "do": "lost" }))).await;
    let mut order = ACME.order("A00000001", &[]);
    order.insert("total_fee", "1");
    assert_eq!(outcome(&bench.post(PATH, &order).await), "签名错误");
    assert_eq!(bench.hits(&fault).await, 0);
}
