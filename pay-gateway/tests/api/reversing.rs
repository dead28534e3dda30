use proto::gateway::v1::{
    self, PaymentMethod, not_done::Kind, payment_status::State, query_payment_response::Outcome as Queried,
    reverse_payment_response::Outcome,
};

use crate::{
    counter::{certified, named, reversal, unsigned},
    fake::{Fake, Reply, signed, text},
    harness::{APP_ID, Gateway, KEY, MCH_ID, NUMBER, SIGN_TYPE, answered, is_signed, query, refusal, success},
};

async fn outcome(reply: Reply) -> Outcome {
    let fake = Fake::always(reply).await;
    let gateway = certified(&fake).await;
    let outcome = gateway.reverse(reversal()).await;
    assert_eq!(fake.received().len(), 1);
    outcome
}

async fn unknown(reply: Reply) -> (String, String) {
    match outcome(reply).await {
        Outcome::Unknown(unknown) => (unknown.why, unknown.provider_code),
        other => panic!("unknown was expected: {other:?}"),
    }
}

#[tokio::test]
async fn each_method_is_reversed_where_it_was_charged() {
    for (method, path) in [
        (PaymentMethod::PayCode, "/secapi/pay/reverse"),
        (PaymentMethod::Face, "/secapi/pay/reverse"),
        (PaymentMethod::Facepay, "/secapi/pay/facepayreverse"),
    ] {
        let fake = Fake::always(success(&[("recall", "N")])).await;
        let gateway = certified(&fake).await;
        let request = v1::ReversePaymentRequest { method: method.into(), ..reversal() };
        assert!(matches!(gateway.reverse(request).await, Outcome::Done(_)));
        let received = fake.only();
        assert!(is_signed(&received) && received.line().starts_with(&format!("POST {path} HTTP/1.1")));
        for (name, value) in [("appid", APP_ID), ("mch_id", MCH_ID), ("out_trade_no", NUMBER)] {
            assert_eq!(received.fields.get(name), Some(value), "{name}");
        }
        assert_eq!(received.fields.get("transaction_id"), None);
    }
}

#[tokio::test]
async fn an_answer_that_does_not_say_recall_is_done() {
    assert!(matches!(outcome(success(&[])).await, Outcome::Done(_)));
    assert!(matches!(outcome(success(&[("out_trade_no", NUMBER)])).await, Outcome::Done(_)));
}

#[tokio::test]
async fn recall_in_any_answer_means_nothing_is_decided() {
    assert_eq!(unknown(success(&[("recall", "Y")])).await, ("recall".to_owned(), String::new()));
    for code in ["SYSTEMERROR", "REVERSE_EXPIRE", "TRADE_ERROR", "SIGNERROR", "A_NEW_CODE"] {
        let fields = answered(&[("result_code", "FAIL"), ("err_code", code), ("recall", "Y")]);
        let reply = Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)));
        assert_eq!(unknown(reply).await, ("recall".to_owned(), code.to_owned()));
    }
}

#[tokio::test]
async fn every_verified_no_is_told_with_what_to_do_about_it() {
    for (code, kind) in [
        ("REVERSE_EXPIRE", Kind::TooLate),
        ("INVALID_TRANSACTIONID", Kind::Configuration),
        ("PARAM_ERROR", Kind::Configuration),
        ("REQUIRE_POST_METHOD", Kind::Configuration),
        ("SIGNERROR", Kind::Configuration),
        ("FREQUENCY_LIMITED", Kind::RateLimited),
    ] {
        let Outcome::NotDone(no) = outcome(refusal(code, "说明")).await else { panic!("{code} is a no") };
        assert_eq!((no.kind(), no.provider_code.as_str()), (kind, code));
    }
}

#[tokio::test]
async fn what_a_code_leaves_open_is_unknown() {
    for (code, why) in [
        ("SYSTEMERROR", "system_error"),
        ("TRADE_ERROR", "unlisted_code"),
        ("INVALID_REQUEST", "unlisted_code"),
        ("ORDERNOTEXIST", "unlisted_code"),
        ("A_NEW_CODE", "unlisted_code"),
    ] {
        assert_eq!(unknown(refusal(code, "")).await, (why.to_owned(), code.to_owned()));
    }
}

#[tokio::test]
async fn an_answer_that_proves_nothing_is_unknown() {
    for words in ["签名错误", "REVERSE_EXPIRE", "参数错误", ""] {
        assert_eq!(unknown(unsigned(words)).await.0, "unsigned_failure", "{words}");
    }
    for (reply, why) in [
        (Reply::HangUp, "transport"),
        (Reply::status("502 Bad Gateway", "", ""), "http_status"),
        (Reply::status("400 Bad Request", "", "<html>No required SSL certificate was sent</html>"), "http_status"),
        (success(&[("out_trade_no", "ffffffffffffffffffffffffffffffff")]), "bad_answer"),
        (success(&[("mch_id", "1900000999")]), "wrong_identity"),
    ] {
        assert_eq!(unknown(reply).await.0, why);
    }
}

#[tokio::test]
async fn without_a_client_certificate_nothing_is_sent() {
    let fake = Fake::always(success(&[])).await;
    let gateway = Gateway::before(&fake).await;
    let Outcome::NotDone(no) = gateway.reverse(reversal()).await else { panic!("it is a no") };
    assert_eq!(no.kind(), Kind::Configuration);
    assert!(no.provider_message.contains("client certificate") && fake.received().is_empty());
}

#[tokio::test]
async fn every_wrong_field_is_named_and_nothing_is_sent() {
    let fake = Fake::always(success(&[])).await;
    let gateway = certified(&fake).await;
    let refused = async |request: v1::ReversePaymentRequest| {
        named(&gateway.client.clone().reverse_payment(request).await.expect_err("refused"))
    };
    let all = ["merchant", "mch_id", "app_id", "out_trade_no", "method"];
    assert_eq!(refused(v1::ReversePaymentRequest::default()).await, all);
    let other = v1::ReversePaymentRequest { sub_mch_id: "1900000999".into(), ..reversal() };
    assert_eq!(refused(other).await, ["sub_mch_id"]);
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_payment_of_the_older_face_api_is_queried_there() {
    let fake = Fake::always(success(&[("out_trade_no", NUMBER), ("trade_state", "REVOKED")])).await;
    let gateway = certified(&fake).await;
    for (method, path) in [
        (PaymentMethod::Facepay, "/pay/facepayquery"),
        (PaymentMethod::Face, "/pay/orderquery"),
        (PaymentMethod::PayCode, "/pay/orderquery"),
    ] {
        let request = v1::QueryPaymentRequest { method: method.into(), ..query() };
        let response = gateway.client.clone().query_payment(request).await.expect("an outcome").into_inner();
        let Some(Queried::Done(status)) = response.outcome else { panic!("it is an answer") };
        assert_eq!((status.state(), status.provider_state.as_str()), (State::Reversed, "REVOKED"));
        let last = fake.received().pop().expect("it came");
        assert!(is_signed(&last) && last.line().starts_with(&format!("POST {path} HTTP/1.1")), "{}", last.line());
    }
}
