use jiff::SignedDuration;
use proto::gateway::v1;
use svc_kit::refusal::reason_of;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    fake::Fake,
    harness::{APP_ID, Gateway, MERCHANT, NATIVE, NO_SECRET, NUMBER, OFFICIAL, prepaid, query},
};

/// The fields that the refusal names.
fn fields(status: &Status) -> Vec<String> {
    let told = status.get_details_bad_request().expect("the fields are named").field_violations;
    told.into_iter().map(|violation| violation.field).collect()
}

async fn gateway() -> (Gateway, Fake) {
    let fake = Fake::always(prepaid()).await;
    (Gateway::before(&fake).await, fake)
}

async fn refused_prepay(gateway: &Gateway, request: v1::PrepayRequest) -> Status {
    gateway.client.clone().prepay(request).await.expect_err("it is refused")
}

#[tokio::test]
async fn every_wrong_field_of_a_prepay_is_named_at_once_and_nothing_is_sent() {
    let (gateway, fake) = gateway().await;
    let all = [
        "merchant",
        "mch_id",
        "app_id",
        "out_trade_no",
        "amount_fen",
        "description",
        "expire_time",
        "payer_ip",
        "openid",
    ];
    let status = refused_prepay(&gateway, v1::PrepayRequest::default()).await;
    assert_eq!(status.code(), Code::InvalidArgument);
    assert_eq!(reason_of(&status).as_deref(), Some("INVALID_ARGUMENT"));
    assert_eq!(fields(&status), all);
    let status = refused_prepay(
        &gateway,
        v1::PrepayRequest {
            merchant: "Acme Mini".into(),
            mch_id: String::new(),
            app_id: "wx-1".into(),
            out_trade_no: NUMBER.to_uppercase(),
            amount_fen: 100_000_001,
            description: "果".repeat(43),
            expire_time: Some(pbjson_types::Timestamp { seconds: 0, nanos: -1 }),
            payer_ip: "localhost".into(),
            openid: "with space".into(),
            ..Default::default()
        },
    )
    .await;
    assert_eq!(fields(&status), all);
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn one_wrong_field_is_enough() {
    let (gateway, fake) = gateway().await;
    let good = gateway.prepay();
    let soon = proto::time::to_wire(gateway.ahead(SignedDuration::from_secs(59)));
    let past = proto::time::to_wire(gateway.ahead(SignedDuration::from_secs(-1)));
    for (field, request) in [
        ("mch_id", v1::PrepayRequest { mch_id: "1900000999".into(), ..good.clone() }),
        ("app_id", v1::PrepayRequest { app_id: "wx0000000000000999".into(), ..good.clone() }),
        ("out_trade_no", v1::PrepayRequest { out_trade_no: NUMBER[1..].into(), ..good.clone() }),
        ("amount_fen", v1::PrepayRequest { amount_fen: 0, ..good.clone() }),
        ("amount_fen", v1::PrepayRequest { amount_fen: i64::MIN, ..good.clone() }),
        ("description", v1::PrepayRequest { description: "emoji 🍎".into(), ..good.clone() }),
        ("description", v1::PrepayRequest { description: "line\nbreak".into(), ..good.clone() }),
        ("expire_time", v1::PrepayRequest { expire_time: Some(soon), ..good.clone() }),
        ("expire_time", v1::PrepayRequest { expire_time: Some(past), ..good.clone() }),
        ("payer_ip", v1::PrepayRequest { payer_ip: "203.0.113.7:80".into(), ..good.clone() }),
        ("openid", v1::PrepayRequest { openid: "o".repeat(129), ..good.clone() }),
    ] {
        let status = refused_prepay(&gateway, request).await;
        assert_eq!(fields(&status), [field], "{}", status.message());
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_merchant_whose_account_was_changed_is_refused_with_clear_words() {
    let (gateway, fake) = gateway().await;
    let mut client = gateway.client.clone();
    let other = || "1900000999".to_owned();
    let refusals = [
        refused_prepay(&gateway, v1::PrepayRequest { mch_id: other(), ..gateway.prepay() }).await,
        client.query_payment(v1::QueryPaymentRequest { mch_id: other(), ..query() }).await.expect_err("refused"),
        client
            .close_payment(v1::ClosePaymentRequest {
                merchant: MERCHANT.into(),
                mch_id: other(),
                app_id: APP_ID.into(),
                out_trade_no: NUMBER.into(),
                ..Default::default()
            })
            .await
            .expect_err("refused"),
    ];
    for status in refusals {
        assert_eq!((status.code(), fields(&status)), (Code::InvalidArgument, vec!["mch_id".to_owned()]));
        assert!(status.message().contains("nothing was sent"), "{}", status.message());
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn a_merchant_that_is_not_configured_is_not_found() {
    let (gateway, fake) = gateway().await;
    let mut client = gateway.client.clone();
    let nobody = || "nobody".to_owned();
    let refusals = [
        refused_prepay(&gateway, v1::PrepayRequest { merchant: nobody(), ..gateway.prepay() }).await,
        client.query_payment(v1::QueryPaymentRequest { merchant: nobody(), ..query() }).await.expect_err("refused"),
        client
            .resolve_openid(v1::ResolveOpenidRequest {
                merchant: nobody(),
                app_id: APP_ID.into(),
                login_code: "code".into(),
            })
            .await
            .expect_err("refused"),
        client
            .download_bill(v1::DownloadBillRequest {
                merchant: nobody(),
                bill_date: "2026-11-20".into(),
                ..Default::default()
            })
            .await
            .expect_err("refused"),
    ];
    for status in refusals {
        assert_eq!((status.code(), reason_of(&status).as_deref()), (Code::NotFound, Some("MERCHANT_NOT_FOUND")));
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn every_wrong_field_of_the_other_calls_is_named_too() {
    let (gateway, fake) = gateway().await;
    let mut client = gateway.client.clone();
    let three = ["merchant", "mch_id", "app_id", "out_trade_no"];
    let status = client.query_payment(v1::QueryPaymentRequest::default()).await.expect_err("refused");
    assert_eq!(fields(&status), three);
    let status = client.close_payment(v1::ClosePaymentRequest::default()).await.expect_err("refused");
    assert_eq!(fields(&status), three);
    let status = client.resolve_openid(v1::ResolveOpenidRequest::default()).await.expect_err("refused");
    assert_eq!(fields(&status), ["merchant", "app_id", "login_code"]);
    for code in ["c".repeat(129), "with space".into(), "登录".into()] {
        let request = v1::ResolveOpenidRequest { merchant: MERCHANT.into(), app_id: APP_ID.into(), login_code: code };
        let status = client.resolve_openid(request).await.expect_err("refused");
        assert_eq!(fields(&status), ["login_code"]);
    }
    let status = client.download_bill(v1::DownloadBillRequest::default()).await.expect_err("refused");
    assert_eq!(fields(&status), ["merchant", "bill_date"]);
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn an_app_that_cannot_do_it_is_told_so() {
    let (gateway, fake) = gateway().await;
    let mut client = gateway.client.clone();
    for app_id in [NO_SECRET, OFFICIAL, NATIVE] {
        let request =
            v1::ResolveOpenidRequest { merchant: MERCHANT.into(), app_id: app_id.into(), login_code: "code".into() };
        let status = client.resolve_openid(request).await.expect_err("refused");
        assert_eq!(
            (status.code(), reason_of(&status).as_deref()),
            (Code::FailedPrecondition, Some("METHOD_NOT_AVAILABLE"))
        );
    }
    let status = refused_prepay(&gateway, v1::PrepayRequest { app_id: NATIVE.into(), ..gateway.prepay() }).await;
    assert_eq!(
        (status.code(), reason_of(&status).as_deref()),
        (Code::FailedPrecondition, Some("METHOD_NOT_AVAILABLE"))
    );
    assert!(fake.received().is_empty());
}
