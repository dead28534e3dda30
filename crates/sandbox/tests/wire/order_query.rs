use sandbox::control::Pay;
use wechat_pay::v2::{OrderNumber, OrderStatus, TradeState};

use crate::harness::{ACME, Bench, TEA, outcome};

const PATH: &str = "/pay/orderquery";

#[tokio::test]
async fn an_unpaid_order_has_a_state_and_no_payment() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[("attach", "cart 7")]).await;
    let answer = bench.post(PATH, &ACME.signed(&[("out_trade_no", "A00000001")])).await;
    let status = OrderStatus::parse(&answer, &OrderNumber::OutTradeNo("A00000001".into())).unwrap();
    assert_eq!((status.trade_state, status.payment), (TradeState::NotPay, None));
    assert_eq!(answer.text("attach"), Some("cart 7"));
}

#[tokio::test]
async fn a_paid_order_is_found_by_either_number_with_its_payment() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[("attach", "cart 7")]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    for (name, number) in [("out_trade_no", "A00000001"), ("transaction_id", &paid.transaction_id)] {
        let answer = bench.post(PATH, &ACME.signed(&[(name, number)])).await;
        let status = OrderStatus::parse(&answer, &OrderNumber::OutTradeNo("A00000001".into())).unwrap();
        let payment = status.payment.unwrap();
        assert_eq!(status.trade_state, TradeState::Success);
        assert_eq!((payment.total_fee.get(), payment.time_end), (100, paid.paid_at));
        assert_eq!((payment.transaction_id, payment.attach.as_deref()), (paid.transaction_id.clone(), Some("cart 7")));
    }
    assert_eq!(paid.transaction_id.len(), 28);
}

#[tokio::test]
async fn a_payment_that_differs_from_its_order_is_told_as_it_was() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    let wanted = Pay {
        amount_fen: Some(1),
        fee_type: Some("USD".into()),
        app_id: Some(TEA.app_id.into()),
        transaction_id: Some("4200000000202611210000000001".into()),
        ..Pay::default()
    };
    bench.pay("A00000001", &wanted).await;
    let answer = bench.post(PATH, &ACME.signed(&[("out_trade_no", "A00000001")])).await;
    assert_eq!(answer.text("total_fee"), Some("1"));
    assert_eq!(answer.text("fee_type"), Some("USD"));
    assert_eq!(answer.text("appid"), Some(TEA.app_id));
    assert_eq!(answer.text("transaction_id"), Some("4200000000202611210000000001"));
}

#[tokio::test]
async fn an_order_is_found_by_its_own_merchant_only() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    let paid = bench.pay("A00000001", &Pay::default()).await;
    assert_eq!(bench.trade_state(&TEA, "A00000001").await, "ORDERNOTEXIST");
    let answer = bench.post(PATH, &TEA.signed(&[("transaction_id", &paid.transaction_id)])).await;
    assert_eq!(outcome(&answer), "ORDERNOTEXIST");
}

#[tokio::test]
async fn a_query_without_a_number_or_with_a_malformed_one_is_refused() {
    let bench = Bench::start().await;
    for (fields, code) in [
        (&[][..], "LACK_PARAMS"),
        (&[("out_trade_no", "short")][..], "PARAM_ERROR"),
        (&[("transaction_id", "42x")][..], "PARAM_ERROR"),
        (&[("out_trade_no", "A00000001")][..], "ORDERNOTEXIST"),
    ] {
        assert_eq!(outcome(&bench.post(PATH, &ACME.signed(fields)).await), code);
    }
}

#[tokio::test]
async fn a_query_with_a_wrong_signature_learns_nothing() {
    let bench = Bench::start().await;
    bench.place(&ACME, "A00000001", &[]).await;
    let mut query = TEA.signed(&[("out_trade_no", "A00000001")]);
    query.insert("mch_id", ACME.mch_id);
    assert_eq!(outcome(&bench.post(PATH, &query).await), "签名错误");
}
