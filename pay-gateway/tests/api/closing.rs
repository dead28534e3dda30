use proto::gateway::v1::{self, close_payment_response::Outcome, not_done::Kind};

use crate::{
    fake::{Fake, Reply},
    harness::{APP_ID, Gateway, MCH_ID, MERCHANT, NUMBER, is_signed, refusal, success},
};

async fn close(reply: Reply) -> (Outcome, Fake) {
    let fake = Fake::always(reply).await;
    let gateway = Gateway::before(&fake).await;
    let request = v1::ClosePaymentRequest {
        merchant: MERCHANT.into(),
        mch_id: MCH_ID.into(),
        app_id: APP_ID.into(),
        out_trade_no: NUMBER.into(),
        ..Default::default()
    };
    let response = gateway.client.clone().close_payment(request).await.expect("an outcome").into_inner();
    (response.outcome.expect("an outcome is set"), fake)
}

#[tokio::test]
async fn a_closed_attempt_is_done_however_often_it_is_closed() {
    for reply in [success(&[("result_msg", "OK")]), success(&[]), refusal("ORDERCLOSED", "订单已关闭")] {
        let (outcome, fake) = close(reply).await;
        assert_eq!(outcome, Outcome::Done(v1::Closed {}));
        let received = fake.only();
        assert!(is_signed(&received));
        assert!(received.line().starts_with("POST /pay/closeorder HTTP/1.1"));
        assert_eq!(received.fields.get("out_trade_no"), Some(NUMBER));
    }
}

#[tokio::test]
async fn a_verified_no_is_told_with_what_to_do_about_it() {
    for (code, words, kind) in [
        ("ORDERPAID", "商户订单已支付", Kind::AlreadyPaid),
        ("TRADE_STATE_ERROR", "订单生成后5分钟内不能关闭", Kind::TooEarly),
        ("SIGNERROR", "签名错误", Kind::Configuration),
        ("FREQUENCY_LIMITED", "频率限制", Kind::RateLimited),
    ] {
        let Outcome::NotDone(no) = close(refusal(code, words)).await.0 else { panic!("{code} is a no") };
        assert_eq!((no.kind(), no.provider_code.as_str()), (kind, code));
    }
}

#[tokio::test]
async fn what_a_code_leaves_open_is_unknown() {
    for (code, why) in [
        ("SYSTEMERROR", "system_error"),
        ("ORDERNOTEXIST", "unlisted_code"),
        ("TRADE_STATE_ERROR", "unlisted_code"),
        ("A_NEW_CODE", "unlisted_code"),
    ] {
        let Outcome::Unknown(unknown) = close(refusal(code, "")).await.0 else { panic!("{code} is unknown") };
        assert_eq!((unknown.why.as_str(), unknown.provider_code.as_str()), (why, code));
    }
    let Outcome::Unknown(unknown) = close(Reply::HangUp).await.0 else { panic!("no answer is unknown") };
    assert_eq!(unknown.why, "transport");
}
