//! An account that a service provider runs for a sub-merchant.

use jiff::ToSpan as _;
use proto::gateway::v1::{
    self, PaymentMethod, create_refund_response, payment_status::State, query_payment_response::Outcome,
    query_refund_response,
};
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use wechat_pay::v2::{ApiKey, Fields, sign};

use crate::{
    fake::{Fake, Received, Reply, signed, text},
    harness::{
        ACCEPTED, APP_ID, Gateway, KEY, MCH_ID, MERCHANT, NATIVE, NUMBER, OPENID, REFUND, SIGN_TYPE, TRANSACTION,
        is_signed, not_paid, query, refund, refund_query, refunding,
    },
};

/// The service provider's official account.
pub(crate) const PROVIDER_APP: &str = "wx00000000000000c0";
pub(crate) const SUB_MCH_ID: &str = "1900000110";

/// The usual merchant as a sub-merchant: its apps are its own, and one more is the service provider's.
pub(crate) fn sub_merchant() -> TempDir {
    let dir = refunding();
    let file = dir.path().join("acme-mini.toml");
    let text = std::fs::read_to_string(&file).expect("the file is there");
    let whom = format!("sub_mch_id = \"{SUB_MCH_ID}\"\nservice_provider_app_id = \"{PROVIDER_APP}\"\n");
    let app = format!("[[apps]]\napp_id = \"{PROVIDER_APP}\"\nkind = \"official-account\"\n");
    std::fs::write(&file, format!("{whom}{text}{app}")).expect("the file can be written");
    dir
}

async fn gateway(fake: &Fake) -> Gateway {
    Gateway::of(sub_merchant(), &fake.url, &[]).await
}

/// A genuine answer about the sub-merchant, whose app `sub_app` opened the cashier.
fn success(sub_app: Option<&'static str>, more: &[(&'static str, &'static str)]) -> Reply {
    let mut fields = vec![("return_code", "SUCCESS"), ("appid", PROVIDER_APP), ("mch_id", MCH_ID)];
    fields.extend(sub_app.map(|sub_app| ("sub_appid", sub_app)));
    fields.extend([("sub_mch_id", SUB_MCH_ID), ("nonce_str", "n0nce"), ("result_code", "SUCCESS")]);
    fields.extend(more);
    Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))
}

/// What a request says about whom it is for.
fn identity(received: &Received) -> [Option<&str>; 4] {
    assert!(is_signed(received));
    ["appid", "mch_id", "sub_appid", "sub_mch_id"].map(|name| received.fields.get(name))
}

const OF_SUB_APP: [Option<&str>; 4] = [Some(PROVIDER_APP), Some(MCH_ID), Some(APP_ID), Some(SUB_MCH_ID)];

fn of(request: v1::PrepayRequest) -> v1::PrepayRequest {
    v1::PrepayRequest { sub_mch_id: SUB_MCH_ID.into(), ..request }
}

#[tokio::test]
async fn a_cashier_of_the_sub_merchants_app_is_signed_under_that_app() {
    let fake = Fake::always(success(Some(APP_ID), &[("trade_type", "JSAPI"), ("prepay_id", "wx1")])).await;
    let gateway = gateway(&fake).await;
    let done = gateway.accepted(of(gateway.prepay())).await;
    assert_eq!(done.app_id, APP_ID);
    let fields = Fields::from_iter([
        ("appId", APP_ID),
        ("timeStamp", &done.time_stamp),
        ("nonceStr", &done.nonce_str),
        ("package", "prepay_id=wx1"),
        ("signType", "HMAC-SHA256"),
    ]);
    assert_eq!(done.pay_sign, sign::sign(&fields, &ApiKey::parse(KEY).expect("a key"), SIGN_TYPE));
    let received = fake.only();
    assert_eq!(identity(&received), OF_SUB_APP);
    assert_eq!((received.fields.get("sub_openid"), received.fields.get("openid")), (Some(OPENID), None));
}

#[tokio::test]
async fn a_cashier_of_the_service_providers_app_knows_the_payer_under_it() {
    let fake = Fake::always(success(None, &[("trade_type", "JSAPI"), ("prepay_id", "wx1")])).await;
    let gateway = gateway(&fake).await;
    let request =
        v1::PrepayRequest { app_id: PROVIDER_APP.into(), method: PaymentMethod::Jsapi.into(), ..of(gateway.prepay()) };
    assert_eq!(gateway.accepted(request).await.app_id, PROVIDER_APP);
    let received = fake.only();
    assert_eq!(identity(&received), [Some(PROVIDER_APP), Some(MCH_ID), None, Some(SUB_MCH_ID)]);
    assert_eq!((received.fields.get("openid"), received.fields.get("sub_openid")), (Some(OPENID), None));
}

#[tokio::test]
async fn a_native_code_is_placed_for_the_sub_merchant() {
    let more = [("trade_type", "NATIVE"), ("prepay_id", "wx1"), ("code_url", "weixin://wxpay/s/1")];
    let fake = Fake::always(success(Some(APP_ID), &more)).await;
    let gateway = gateway(&fake).await;
    let request = v1::PrepayRequest { openid: OPENID.into(), ..of(gateway.prepay_by(PaymentMethod::Native)) };
    assert_eq!(gateway.accepted(request).await.code_url, "weixin://wxpay/s/1");
    let received = fake.only();
    assert_eq!(identity(&received), OF_SUB_APP);
    assert_eq!((received.fields.get("sub_openid"), received.fields.get("openid")), (Some(OPENID), None));
}

#[tokio::test]
async fn an_app_pays_the_sub_merchant_as_its_partner() {
    let fake = Fake::always(success(Some(NATIVE), &[("trade_type", "APP"), ("prepay_id", "wx1")])).await;
    let gateway = gateway(&fake).await;
    let app = gateway.accepted(of(gateway.prepay_by(PaymentMethod::App))).await.app.expect("it is for an app");
    assert_eq!((app.appid.as_str(), app.partnerid.as_str()), (NATIVE, SUB_MCH_ID));
    assert_eq!(identity(&fake.only()), [Some(PROVIDER_APP), Some(MCH_ID), Some(NATIVE), Some(SUB_MCH_ID)]);
}

const PAID: [(&str, &str); 7] = [
    ("out_trade_no", NUMBER),
    ("trade_state", "SUCCESS"),
    ("transaction_id", TRANSACTION),
    ("total_fee", "4599"),
    ("trade_type", "JSAPI"),
    ("bank_type", "OTHERS"),
    ("time_end", "20261121100000"),
];

fn query_of_sub() -> v1::QueryPaymentRequest {
    v1::QueryPaymentRequest { sub_mch_id: SUB_MCH_ID.into(), ..query() }
}

async fn asked(gateway: &Gateway) -> Outcome {
    let response = gateway.client.clone().query_payment(query_of_sub()).await.expect("an outcome");
    response.into_inner().outcome.expect("an outcome is set")
}

#[tokio::test]
async fn a_payment_is_told_under_the_app_that_opened_the_cashier_and_with_its_sub_merchant() {
    for (sub_app, told) in [(Some(APP_ID), APP_ID), (None, PROVIDER_APP)] {
        let fake = Fake::always(success(sub_app, &PAID)).await;
        let gateway = gateway(&fake).await;
        let Outcome::Done(status) = asked(&gateway).await else { panic!("it is an answer") };
        assert_eq!(status.state(), State::Paid);
        let paid = status.paid.expect("it is paid");
        assert_eq!((paid.mch_id.as_str(), paid.sub_mch_id.as_str(), paid.app_id.as_str()), (MCH_ID, SUB_MCH_ID, told));
        assert_eq!(identity(&fake.only()), OF_SUB_APP);
    }
}

#[tokio::test]
async fn a_payment_under_the_providers_app_is_told_with_that_app_whatever_app_of_the_sub_merchant_is_named() {
    let request = v1::QueryPaymentRequest { app_id: PROVIDER_APP.into(), ..query_of_sub() };
    for sub_app in [None, Some(APP_ID)] {
        let fake = Fake::always(success(sub_app, &PAID)).await;
        let gateway = gateway(&fake).await;
        let response = gateway.client.clone().query_payment(request.clone()).await.expect("an outcome");
        let Some(Outcome::Done(status)) = response.into_inner().outcome else { panic!("it is an answer") };
        let paid = status.paid.expect("it is paid");
        assert_eq!(
            (paid.app_id.as_str(), &*paid.service_provider_app_id),
            (sub_app.unwrap_or(PROVIDER_APP), PROVIDER_APP)
        );
    }
}

#[tokio::test]
async fn a_payment_of_another_sub_merchant_or_of_none_proves_nothing() {
    let whom = |sub: &[(&'static str, &'static str)]| {
        let mut fields = vec![("return_code", "SUCCESS"), ("appid", PROVIDER_APP), ("mch_id", MCH_ID)];
        fields.extend(sub);
        fields.push(("result_code", "SUCCESS"));
        fields.extend(PAID);
        Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))
    };
    for (sub, why) in [
        (&[("sub_mch_id", "1900000999")][..], "wrong_identity"),
        (&[("sub_appid", "wx0000000000000999"), ("sub_mch_id", SUB_MCH_ID)], "wrong_identity"),
        (&[("sub_mch_id", "")], "bad_answer"),
        (&[], "bad_answer"),
    ] {
        let fake = Fake::always(whom(sub)).await;
        let gateway = gateway(&fake).await;
        let Outcome::Unknown(unknown) = asked(&gateway).await else { panic!("it proves nothing") };
        assert_eq!(unknown.why, why, "{sub:?}");
    }
}

#[tokio::test]
async fn a_refund_and_the_question_about_it_name_the_sub_merchant() {
    let told = [
        ("transaction_id", TRANSACTION),
        ("out_trade_no", NUMBER),
        ("total_fee", "4599"),
        ("refund_count", "1"),
        ("out_refund_no_0", REFUND),
        ("refund_id_0", "50300002026112100000000000001"),
        ("refund_fee_0", "1500"),
        ("refund_status_0", "PROCESSING"),
    ];
    let fake = Fake::start(move |received| {
        let more = if received.line().contains("refundquery") { &told[..] } else { &ACCEPTED };
        success(Some(APP_ID), more)
    })
    .await;
    let gateway = gateway(&fake).await;
    let mut client = gateway.client.clone();
    let request = v1::CreateRefundRequest { sub_mch_id: SUB_MCH_ID.into(), ..refund() };
    let response = client.create_refund(request).await.expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(create_refund_response::Outcome::Done(_))), "{response:?}");
    let request = v1::QueryRefundRequest { sub_mch_id: SUB_MCH_ID.into(), ..refund_query() };
    let response = client.query_refund(request).await.expect("an outcome").into_inner();
    assert!(matches!(response.outcome, Some(query_refund_response::Outcome::Done(_))), "{response:?}");
    for received in fake.received() {
        assert_eq!(identity(&received), OF_SUB_APP);
    }
}

#[tokio::test]
async fn bills_are_those_of_the_sub_merchant() {
    use v1::download_bill_request::Kind;
    let fake = Fake::always(Reply::ok("交易时间\r\n总交易单数\r\n`0\r\n")).await;
    let gateway = gateway(&fake).await;
    let day = wechat_pay::time::bill_date(gateway.clock.now()).checked_sub(3.days()).expect("inside the calendar");
    for kind in [Kind::TradeAll, Kind::FundBasic] {
        let request =
            v1::DownloadBillRequest { merchant: MERCHANT.into(), bill_date: day.to_string(), kind: kind.into() };
        let mut parts = gateway.client.clone().download_bill(request).await.expect("a bill").into_inner();
        while parts.message().await.expect("it is whole").is_some() {}
    }
    for received in fake.received() {
        assert_eq!(received.fields.get("sub_mch_id"), Some(SUB_MCH_ID));
        assert_eq!(received.fields.get("mch_id"), Some(MCH_ID));
    }
}

#[tokio::test]
async fn merchants_are_listed_with_their_sub_merchant() {
    let gateway = gateway(&Fake::always(not_paid()).await).await;
    let listed = gateway.client.clone().list_merchants(v1::ListMerchantsRequest {}).await.expect("a list").into_inner();
    let merchant = &listed.merchants[0];
    assert_eq!((merchant.mch_id.as_str(), merchant.sub_mch_id.as_str()), (MCH_ID, SUB_MCH_ID));
}

async fn every_refusal(gateway: &Gateway, sub_mch_id: &str) -> Vec<Status> {
    let mut client = gateway.client.clone();
    let sub_mch_id = || sub_mch_id.to_owned();
    vec![
        client.prepay(v1::PrepayRequest { sub_mch_id: sub_mch_id(), ..gateway.prepay() }).await.expect_err("refused"),
        client
            .query_payment(v1::QueryPaymentRequest { sub_mch_id: sub_mch_id(), ..query() })
            .await
            .expect_err("refused"),
        client
            .close_payment(v1::ClosePaymentRequest {
                merchant: MERCHANT.into(),
                mch_id: MCH_ID.into(),
                app_id: APP_ID.into(),
                out_trade_no: NUMBER.into(),
                sub_mch_id: sub_mch_id(),
            })
            .await
            .expect_err("refused"),
        client
            .create_refund(v1::CreateRefundRequest { sub_mch_id: sub_mch_id(), ..refund() })
            .await
            .expect_err("refused"),
        client
            .query_refund(v1::QueryRefundRequest { sub_mch_id: sub_mch_id(), ..refund_query() })
            .await
            .expect_err("refused"),
    ]
}

#[tokio::test]
async fn a_sub_merchant_that_was_changed_since_is_refused_in_every_direction() {
    let fake = Fake::always(not_paid()).await;
    let (of_sub, direct) = (gateway(&fake).await, Gateway::of(refunding(), &fake.url, &[]).await);
    for (gateway, sub_mch_id) in [(&of_sub, ""), (&of_sub, "1900000999"), (&direct, SUB_MCH_ID)] {
        for status in every_refusal(gateway, sub_mch_id).await {
            let told = status.get_details_bad_request().expect("the fields are named").field_violations;
            let told: Vec<_> = told.iter().map(|violation| violation.field.as_str()).collect();
            assert_eq!((status.code(), told.as_slice()), (Code::InvalidArgument, &["sub_mch_id"][..]));
            assert!(status.message().contains("nothing was sent"), "{}", status.message());
        }
    }
    assert!(fake.received().is_empty());
}
