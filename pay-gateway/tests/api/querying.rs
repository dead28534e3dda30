use proto::gateway::v1::{self, not_done::Kind, payment_status::State, query_payment_response::Outcome};

use crate::{
    fake::{Fake, Reply, signed, text},
    harness::{APP_ID, Gateway, KEY, MCH_ID, NUMBER, SIGN_TYPE, answered, is_signed, query, refusal, success},
};

const PAID: [(&str, &str); 9] = [
    ("out_trade_no", NUMBER),
    ("trade_state", "SUCCESS"),
    ("transaction_id", "4200002026112100000000000001"),
    ("total_fee", "4599"),
    ("cash_fee", "4000"),
    ("fee_type", "CNY"),
    ("trade_type", "JSAPI"),
    ("bank_type", "OTHERS"),
    ("time_end", "20261121100000"),
];

async fn status(fields: &[(&str, &str)]) -> v1::PaymentStatus {
    let gateway = Gateway::before(&Fake::always(success(fields)).await).await;
    match gateway.query().await {
        Outcome::Done(status) => status,
        other => panic!("a status was expected: {other:?}"),
    }
}

#[tokio::test]
async fn a_paid_attempt_is_told_with_everything_that_proves_it() {
    let status = status(&PAID).await;
    assert_eq!((status.state(), status.provider_state.as_str()), (State::Paid, "SUCCESS"));
    let paid_time = "2026-11-21T02:00:00Z".parse().expect("an instant");
    let expected = v1::PaidStatus {
        transaction_id: "4200002026112100000000000001".into(),
        amount_fen: 4599,
        payer_amount_fen: 4000,
        currency: "CNY".into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        out_trade_no: NUMBER.into(),
        paid_time: Some(proto::time::to_wire(paid_time)),
        trade_type: "JSAPI".into(),
        bank_type: "OTHERS".into(),
        ..Default::default()
    };
    assert_eq!(status.paid, Some(expected));
}

#[tokio::test]
async fn another_currency_and_amount_are_told_as_they_are() {
    let mut fields = PAID;
    fields[3] = ("total_fee", "1");
    fields[5] = ("fee_type", "USD");
    let paid = status(&fields).await.paid.expect("it is paid");
    assert_eq!((paid.amount_fen, paid.currency.as_str()), (1, "USD"));
}

#[tokio::test]
async fn an_unreadable_amount_that_only_explains_the_total_does_not_hide_the_payment() {
    for (cash_fee, coupon_fee, payer) in [("40.00", "599", 4000), ("x", "y", 4599), ("", "4600", 4599)] {
        let mut fields = PAID.to_vec();
        fields[4] = ("cash_fee", cash_fee);
        fields.extend([("coupon_fee", coupon_fee), ("settlement_total_fee", "-1")]);
        let paid = status(&fields).await.paid.expect("it is paid");
        assert_eq!((paid.amount_fen, paid.payer_amount_fen), (4599, payer), "{cash_fee:?} {coupon_fee:?}");
    }
}

#[tokio::test]
async fn every_trade_state_has_its_meaning() {
    for (word, state) in [
        ("NOTPAY", State::NotPaid),
        ("USERPAYING", State::Paying),
        ("ACCEPT", State::Paying),
        ("CLOSED", State::Closed),
        ("REVOKED", State::Reversed),
        ("PAYERROR", State::Failed),
        ("SOMETHING_NEW", State::Other),
    ] {
        let status = status(&[("out_trade_no", NUMBER), ("trade_state", word)]).await;
        assert_eq!((status.state(), status.provider_state.as_str(), status.paid), (state, word, None));
    }
    let mut refunded = PAID;
    refunded[1] = ("trade_state", "REFUND");
    let status = status(&refunded).await;
    assert_eq!((status.state(), status.paid.is_some()), (State::Paid, true));
}

#[tokio::test]
async fn a_number_that_wechat_does_not_know_is_an_answer() {
    let fake = Fake::always(refusal("ORDERNOTEXIST", "此交易订单号不存在")).await;
    let gateway = Gateway::before(&fake).await;
    let Outcome::Done(status) = gateway.query().await else { panic!("it is an answer") };
    assert_eq!((status.state(), status.provider_state.as_str()), (State::NotFound, "ORDERNOTEXIST"));
    let received = fake.only();
    assert!(is_signed(&received));
    assert!(received.line().starts_with("POST /pay/orderquery HTTP/1.1"));
    assert_eq!(received.fields.get("out_trade_no"), Some(NUMBER));
}

#[tokio::test]
async fn a_refused_question_says_nothing_about_the_payment() {
    for (code, why) in
        [("SYSTEMERROR", "system_error"), ("INVALID_REQUEST", "unlisted_code"), ("A_NEW_CODE", "unlisted_code")]
    {
        let gateway = Gateway::before(&Fake::always(refusal(code, "")).await).await;
        let unknown = gateway.unknown().await;
        assert_eq!((unknown.why.as_str(), unknown.provider_code.as_str()), (why, code));
    }
    for (code, kind) in [("FREQUENCY_LIMITED", Kind::RateLimited), ("APPID_NOT_EXIST", Kind::Configuration)] {
        let gateway = Gateway::before(&Fake::always(refusal(code, "")).await).await;
        let Outcome::NotDone(no) = gateway.query().await else { panic!("{code} is a no") };
        assert_eq!(no.kind(), kind);
    }
}

#[tokio::test]
async fn paid_without_proof_or_about_another_number_is_unknown() {
    for missing in ["transaction_id", "total_fee", "time_end", "out_trade_no", "trade_state"] {
        let fields: Vec<_> = PAID.into_iter().filter(|(name, _)| *name != missing).collect();
        let gateway = Gateway::before(&Fake::always(success(&fields)).await).await;
        assert_eq!(gateway.unknown().await.why, "bad_answer", "without {missing}");
    }
    for (index, name, value) in [
        (0, "out_trade_no", "ffffffffffffffffffffffffffffffff"),
        (3, "total_fee", "-1"),
        (3, "total_fee", "45.99"),
        (8, "time_end", "2026-11-21"),
    ] {
        let mut fields = PAID;
        fields[index] = (name, value);
        let gateway = Gateway::before(&Fake::always(success(&fields)).await).await;
        assert_eq!(gateway.unknown().await.why, "bad_answer", "{name} {value}");
    }
}

#[tokio::test]
async fn an_attempt_can_be_asked_about_after_its_app_was_taken_out_of_the_file() {
    let gone = "wx0000000000000099";
    let mut fields = answered(&[("result_code", "SUCCESS"), ("out_trade_no", NUMBER), ("trade_state", "CLOSED")]);
    fields.retain(|(name, _)| *name != "appid");
    fields.push(("appid", gone));
    let gateway = Gateway::before(&Fake::always(Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))).await).await;
    let request = v1::QueryPaymentRequest { app_id: gone.into(), ..query() };
    let response = gateway.client.clone().query_payment(request).await.expect("an outcome").into_inner();
    let Some(Outcome::Done(status)) = response.outcome else { panic!("it is an answer") };
    assert_eq!(status.state(), State::Closed);
}
