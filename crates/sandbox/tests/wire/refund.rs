use std::time::Duration;

use money::Fen;
use sandbox::control::{Pay, RefundSource, RefundState};
use wechat_pay::v2::{Answer, Identity, OrderNumber, Refund, RefundAccepted, answer::judge, sign::verify_pinned, xml};

use crate::harness::{ACME, Account, Bench, TEA, outcome};

/// The fields of a refund.
fn fields<'a>(out_refund_no: &'a str, total_fee: &'a str, refund_fee: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("out_trade_no", "A00000001"),
        ("out_refund_no", out_refund_no),
        ("total_fee", total_fee),
        ("refund_fee", refund_fee),
    ]
}

async fn answered(bench: &Bench, out_refund_no: &str, total_fee: &str, refund_fee: &str) -> String {
    outcome(&bench.refund(&ACME, &fields(out_refund_no, total_fee, refund_fee)).await)
}

/// A bench with one order of ten yuan, paid.
async fn sold() -> Bench {
    let bench = Bench::start().await;
    bench.sell(&ACME, "A00000001", 1_000).await;
    bench
}

#[tokio::test]
async fn a_refund_is_accepted_in_a_signed_answer_and_is_on_its_way() {
    let bench = Bench::start().await;
    for account in [ACME, TEA] {
        let paid = bench.sell(&account, "A00000001", 1_000).await;
        let identity = Identity::direct(account.app_id, account.mch_id);
        for order in
            [OrderNumber::OutTradeNo("A00000001".into()), OrderNumber::TransactionId(paid.transaction_id.clone())]
        {
            let refund = Refund {
                identity: identity.clone(),
                order,
                out_refund_no: "R@1|*".into(),
                total_fee: Fen::new(1_000),
                refund_fee: Fen::new(300),
                refund_desc: Some("茶凉了".into()),
                notify_url: None,
                goods: Vec::new(),
            };
            let signed = refund.signed("5K8264ILTKCH16CQ", &account.api_key(), account.sign_type);
            let response = bench.send_refund(bench.https(&account), &signed).await.unwrap();
            let (status, body) = (response.status().as_u16(), response.bytes().await.unwrap());
            let answer = judge(status, &body, &identity, &account.api_key(), account.sign_type);
            let Answer::Success(answer) = answer else { panic!("{answer:?}") };
            let accepted = RefundAccepted::parse(&answer, &refund).unwrap();
            assert_eq!((accepted.transaction_id.as_str(), accepted.refund_id.len()), (&*paid.transaction_id, 29));
            assert_eq!(accepted.cash_refund_fee, Some(Fen::new(300)));
        }
        assert_eq!(bench.trade_state(&account, "A00000001").await, "REFUND");
    }
    let ledger = bench.ledger().await;
    for order in &ledger.orders {
        let [refund] = order.refunds.as_slice() else { panic!("{:?}", order.refunds) };
        assert_eq!((refund.amount_fen, refund.state, refund.requests), (300, RefundState::Processing, 2));
        assert_eq!((refund.source, refund.settled_at), (RefundSource::Api, None));
        assert!(refund.created_at <= ledger.clock.now);
    }
}

#[tokio::test]
async fn the_same_number_with_the_same_content_is_the_same_refund() {
    let bench = sold().await;
    let first = bench.refunded("A00000001", "R1", 1_000, 300).await;
    // Neither the minute between refunds nor the refund's end changes that.
    bench.settle("R1", RefundState::Success).await;
    let again = bench.refunded("A00000001", "R1", 1_000, 300).await;
    assert_eq!(first.text("refund_id"), again.text("refund_id"));
    assert_eq!(bench.ledger().await.orders[0].refunds.len(), 1);
}

#[tokio::test]
async fn the_same_number_with_other_content_is_an_error_and_changes_nothing() {
    let bench = sold().await;
    bench.sell(&ACME, "A00000002", 1_000).await;
    bench.refunded("A00000001", "R1", 1_000, 300).await;
    assert_eq!(answered(&bench, "R1", "1000", "301").await, "ERROR");
    assert_eq!(answered(&bench, "R1", "999", "300").await, "ERROR");
    for change in [
        ("out_trade_no", "A00000002"),
        ("refund_desc", "for another reason"),
        ("notify_url", "http://127.0.0.1:1/notify/wechat-v2/acme-mini/other"),
    ] {
        let mut changed = fields("R1", "1000", "300");
        changed.push(change);
        assert_eq!(outcome(&bench.refund(&ACME, &changed).await), "INVALID_REQUEST", "{change:?}");
    }
    assert_eq!(bench.known_refund("R1").await.unwrap().requests, 1);
    assert_eq!(bench.ledger().await.orders[1].refunds, []);
}

#[tokio::test]
async fn an_order_that_is_unknown_unpaid_or_another_merchants_cannot_be_refunded() {
    let bench = Bench::start().await;
    assert_eq!(answered(&bench, "R1", "100", "100").await, "ORDERNOTEXIST");
    bench.place(&ACME, "A00000001", &[]).await;
    assert_eq!(answered(&bench, "R1", "100", "100").await, "ORDERNOTEXIST");
    let paid = bench.pay("A00000001", &Pay::default()).await;
    let theirs = [
        ("transaction_id", paid.transaction_id.as_str()),
        ("out_refund_no", "R1"),
        ("total_fee", "100"),
        ("refund_fee", "100"),
    ];
    assert_eq!(outcome(&bench.refund(&TEA, &theirs).await), "ORDERNOTEXIST");
    assert_eq!(answered(&bench, "R1", "100", "100").await, "SUCCESS");
}

#[tokio::test]
async fn no_more_goes_back_than_was_paid() {
    let bench = sold().await;
    assert_eq!(answered(&bench, "R1", "999", "300").await, "ERROR");
    assert_eq!(answered(&bench, "R1", "1000", "1001").await, "ERROR");
    bench.refunded("A00000001", "R1", 1_000, 600).await;
    bench.advance(Duration::from_mins(1)).await;
    let answer = bench.refund(&ACME, &fields("R2", "1000", "401")).await;
    assert_eq!(outcome(&answer), "ERROR");
    assert!(answer.text("err_code_des").unwrap().contains("退款金额大于支付金额"));
    assert!(verify_pinned(&answer, &ACME.api_key(), &[ACME.sign_type]).is_ok());
    bench.refunded("A00000001", "R2", 1_000, 400).await;
    bench.advance(Duration::from_mins(1)).await;
    assert_eq!(answered(&bench, "R3", "1000", "1").await, "ERROR");
}

#[tokio::test]
async fn refunds_of_one_order_are_a_minute_apart_and_others_do_not_wait() {
    let bench = sold().await;
    bench.sell(&ACME, "A00000002", 1_000).await;
    bench.refunded("A00000001", "R1", 1_000, 1).await;
    bench.advance(Duration::from_secs(30)).await;
    assert_eq!(answered(&bench, "R2", "1000", "1").await, "FREQUENCY_LIMITED");
    bench.refunded("A00000002", "R3", 1_000, 1).await;
    bench.advance(Duration::from_secs(30)).await;
    bench.refunded("A00000001", "R2", 1_000, 1).await;
}

#[tokio::test]
async fn an_order_has_fifty_refunds_at_most() {
    let bench = sold().await;
    for _ in 0..49 {
        bench.refunded_at_platform("A00000001", 1).await;
    }
    bench.advance(Duration::from_mins(1)).await;
    bench.refunded("A00000001", "R1", 1_000, 1).await;
    bench.advance(Duration::from_mins(1)).await;
    assert_eq!(answered(&bench, "R2", "1000", "1").await, "ERROR");
    assert_eq!(bench.ledger().await.orders[0].refunds.len(), 50);
    bench.refunded("A00000001", "R1", 1_000, 1).await;
}

#[tokio::test]
async fn a_year_after_its_payment_an_order_cannot_be_refunded() {
    let bench = sold().await;
    bench.advance(Duration::from_hours(364 * 24)).await;
    bench.refunded("A00000001", "R1", 1_000, 1).await;
    bench.advance(Duration::from_hours(24)).await;
    assert_eq!(answered(&bench, "R2", "1000", "1").await, "TRADE_OVERDUE");
    // What was accepted in time is still the answer.
    assert_eq!(answered(&bench, "R1", "1000", "1").await, "SUCCESS");
}

#[tokio::test]
async fn a_merchant_without_money_refunds_with_the_same_number_once_it_has_some() {
    let bench = sold().await;
    bench.set_balance(&ACME, Some(299)).await;
    assert_eq!(answered(&bench, "R1", "1000", "300").await, "NOTENOUGH");
    assert_eq!((bench.known_refund("R1").await, bench.balance(&ACME).await), (None, Some(299)));
    bench.set_balance(&ACME, Some(300)).await;
    bench.refunded("A00000001", "R1", 1_000, 300).await;
    bench.refunded("A00000001", "R1", 1_000, 300).await;
    assert_eq!((bench.balance(&ACME).await, bench.balance(&TEA).await), (Some(0), None));
    bench.settle("R1", RefundState::RefundClose).await;
    assert_eq!(bench.balance(&ACME).await, Some(300));
    bench.set_balance(&ACME, None).await;
    bench.advance(Duration::from_mins(1)).await;
    bench.refunded("A00000001", "R2", 1_000, 1_000).await;
    assert_eq!(bench.balance(&ACME).await, None);
}

#[tokio::test]
async fn what_a_refund_must_have_and_may_not_have_is_checked() {
    let bench = sold().await;
    let long = "x".repeat(81);
    for (change, code) in [
        (("out_refund_no", ""), "LACK_PARAMS"),
        (("total_fee", ""), "LACK_PARAMS"),
        (("refund_fee", ""), "LACK_PARAMS"),
        (("out_trade_no", ""), "LACK_PARAMS"),
        (("appid", ""), "LACK_PARAMS"),
        (("appid", TEA.app_id), "APPID_MCHID_NOT_MATCH"),
        (("out_refund_no", "R 1"), "PARAM_ERROR"),
        (("refund_fee", "0"), "PARAM_ERROR"),
        (("refund_fee", "-1"), "PARAM_ERROR"),
        (("refund_fee", "1.0"), "PARAM_ERROR"),
        (("total_fee", "2147483648"), "PARAM_ERROR"),
        (("transaction_id", "42x"), "PARAM_ERROR"),
        (("refund_desc", &*long), "PARAM_ERROR"),
        (("notify_url", "https://pay.example.com/?a=b"), "PARAM_ERROR"),
        (("refund_fee_type", "USD"), "PARAM_ERROR"),
        (("refund_account", "MY_POCKET"), "PARAM_ERROR"),
        (("sub_mch_id", "1900000999"), "PARAM_ERROR"),
    ] {
        let mut changed = fields("R1", "1000", "300");
        changed.push(change);
        assert_eq!(outcome(&bench.refund(&ACME, &changed).await), code, "{change:?}");
        // Whoever is wrong too often in a second is shut out.
        bench.advance(Duration::from_secs(1)).await;
    }
    let mut forged = ACME.signed(&fields("R1", "1000", "300"));
    forged.insert("refund_fee", "1000");
    let response = bench.send_refund(bench.https(&ACME), &forged).await.unwrap();
    assert_eq!(outcome(&xml::parse("xml", &response.bytes().await.unwrap()).unwrap()), "签名错误");
    assert_eq!(bench.known_refund("R1").await, None);
}

#[tokio::test]
async fn two_merchants_may_use_the_same_number_of_a_refund() {
    let bench = Bench::start().await;
    let mut ids = Vec::new();
    for account in [ACME, TEA] {
        let account: Account = account;
        bench.sell(&account, "A00000001", 1_000).await;
        let answer = bench.refund(&account, &fields("R1", "1000", "300")).await;
        ids.push(answer.text("refund_id").unwrap().to_owned());
    }
    assert_ne!(ids[0], ids[1]);
}
