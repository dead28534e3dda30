use sandbox::control::{Faults, Ledger, Paid, Pay, Problem};
use serde_json::json;

use crate::harness::{ACME, Bench, TEA, rule};

#[tokio::test]
async fn a_payment_needs_no_body() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    let url = format!("{}/_sandbox/payments/A00000001/pay", bench.url);
    let paid: Paid = bench.http.post(url).send().await.unwrap().json().await.unwrap();
    assert_eq!((paid.merchant.as_str(), paid.amount_fen), (ACME.name, 100));
    let payment = bench.ledger().await.orders[0].payment.clone().unwrap();
    assert_eq!((payment.transaction_id, payment.paid_at), (paid.transaction_id, paid.paid_at));
}

#[tokio::test]
async fn an_unknown_ambiguous_or_paid_number_cannot_be_paid() {
    let bench = Bench::start().await;
    assert_eq!(bench.try_pay("A00000001", &Pay::default()).await.status(), 404);
    bench.place(&ACME, "A00000001", &[]).await;
    bench.place(&TEA, "A00000001", &[]).await;
    assert_eq!(bench.try_pay("A00000001", &Pay::default()).await.status(), 409);
    let of_tea = Pay { merchant: Some(TEA.name.into()), ..Pay::default() };
    assert_eq!(bench.pay("A00000001", &of_tea).await.merchant, TEA.name);
    let twice = bench.try_pay("A00000001", &of_tea).await;
    assert_eq!(twice.status(), 409);
    assert_eq!(twice.json::<Problem>().await.unwrap().error, "the order is paid");
}

#[tokio::test]
async fn two_payments_cannot_have_one_transaction_id() {
    let bench = Bench::start().await;
    let wanted = Pay { transaction_id: Some("4200000000202611210000000001".into()), ..Pay::default() };
    for number in ["A00000001", "A00000002"] {
        bench.place(&ACME, number, &[]).await;
    }
    bench.pay("A00000001", &wanted).await;
    assert_eq!(bench.try_pay("A00000002", &wanted).await.status(), 409);
    assert_eq!(bench.trade_state(&ACME, "A00000002").await, "NOTPAY");
}

#[tokio::test]
async fn a_payment_out_of_range_is_refused() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    for wanted in [
        Pay { amount_fen: Some(0), ..Pay::default() },
        Pay { amount_fen: Some(i64::MAX), ..Pay::default() },
        Pay { transaction_id: Some("x".into()), ..Pay::default() },
    ] {
        assert_eq!(bench.try_pay("A00000001", &wanted).await.status(), 400, "{wanted:?}");
    }
    assert_eq!(bench.ledger().await.orders[0].payment, None);
}

#[tokio::test]
async fn the_ledger_can_be_asked_for_one_order() {
    let bench = Bench::start().await;
    for account in [ACME, TEA] {
        bench.place(&account, "A00000001", &[]).await;
        bench.place(&account, "A00000002", &[]).await;
        bench.pay("A00000002", &Pay { merchant: Some(account.name.into()), ..Pay::default() }).await;
    }
    let url = format!("{}/_sandbox/ledger?merchant={}&out_trade_no=A00000002", bench.url, TEA.name);
    let ledger: Ledger = bench.http.get(url).send().await.unwrap().json().await.unwrap();
    assert_eq!((ledger.orders.len(), ledger.callbacks.len()), (1, 1));
    assert_eq!((ledger.orders[0].mch_id.as_str(), ledger.callbacks[0].merchant.as_str()), (TEA.mch_id, TEA.name));
}

#[tokio::test]
async fn a_login_code_is_made_for_known_apps_only() {
    let bench = Bench::start().await;
    let url = format!("{}/_sandbox/login_codes", bench.url);
    for (command, status) in [
        (json!({ "app_id": "wx0000000000000xxx" }), 404),
        (json!({ "app_id": ACME.app_id, "openid": "" }), 400),
        (json!({ "openid": "oUser1" }), 400),
    ] {
        assert_eq!(bench.http.post(&url).json(&command).send().await.unwrap().status(), status, "{command}");
    }
}

#[tokio::test]
async fn faults_are_listed_with_their_hits_until_they_are_cleared() {
    let bench = Bench::start().await;
    let url = format!("{}/_sandbox/faults", bench.url);
    bench
        .fault(rule("orderquery", "A00000001", json!({ "do": "error_code", "code": "SYSTEMERROR", "times": 5 })))
        .await;
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SYSTEMERROR");
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SYSTEMERROR");
    let listed: Faults = bench.http.get(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!((listed.faults.len(), listed.faults[0].hits, listed.faults[0].rule.times), (1, 2, 5));
    let cleared: Faults = bench.http.delete(&url).send().await.unwrap().json().await.unwrap();
    assert_eq!(cleared.faults, []);
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "ORDERNOTEXIST");
}

#[tokio::test]
async fn a_rule_that_makes_no_sense_is_refused_with_a_sentence() {
    let bench = Bench::start().await;
    let url = format!("{}/_sandbox/faults", bench.url);
    for rule in [
        json!({ "on": "callback", "do": "truncate" }),
        json!({ "on": "deposit", "do": "lost" }),
        json!({ "on": "refundcallback", "do": "other_sign_type" }),
        json!({ "on": "callback", "do": "explode" }),
        json!({ "on": "callback" }),
        json!({ "on": "callback", "do": "delay" }),
    ] {
        let response = bench.http.post(&url).json(&rule).send().await.unwrap();
        assert_eq!(response.status(), 400, "{rule}");
        assert!(!response.json::<Problem>().await.unwrap().error.is_empty());
    }
}
