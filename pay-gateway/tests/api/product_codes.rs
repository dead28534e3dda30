use proto::gateway::v1;
use svc_kit::refusal::reason_of;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use url::Url;
use wechat_pay::v2::{ApiKey, Fields, SignType, sign};

use crate::{
    fake::Fake,
    harness::{APP_ID, Gateway, KEY, MCH_ID, MERCHANT, OFFICIAL, not_paid},
    service_provider::{PROVIDER_APP, sub_merchant},
};

fn request() -> v1::SignProductCodeRequest {
    v1::SignProductCodeRequest { merchant: MERCHANT.into(), app_id: OFFICIAL.into(), product_id: "tea_Red-1".into() }
}

async fn sign(gateway: &Gateway, request: v1::SignProductCodeRequest) -> Result<String, Status> {
    Ok(gateway.client.clone().sign_product_code(request).await?.into_inner().code_url)
}

#[tokio::test]
async fn the_code_of_a_product_is_signed_and_nothing_is_sent() {
    let fake = Fake::always(not_paid()).await;
    let gateway = Gateway::before(&fake).await;
    for app_id in [OFFICIAL, APP_ID] {
        let before = gateway.clock.now().as_second();
        let text =
            sign(&gateway, v1::SignProductCodeRequest { app_id: app_id.into(), ..request() }).await.expect("a code");
        assert!(text.starts_with("weixin://wxpay/bizpayurl?sign="), "{text}");
        let fields: Fields = Url::parse(&text).expect("a URL").query_pairs().collect();
        assert_eq!((fields.get("appid"), fields.get("mch_id")), (Some(app_id), Some(MCH_ID)));
        assert_eq!(fields.get("product_id"), Some("tea_Red-1"));
        let signed_at: i64 = fields.get("time_stamp").and_then(|text| text.parse().ok()).expect("seconds");
        assert!((before..=gateway.clock.now().as_second()).contains(&signed_at), "{signed_at}");
        assert_eq!((fields.len(), fields.get("nonce_str").map(str::len)), (6, Some(32)));
        // It names no sign type, so it has the one that is meant without a name.
        let key = ApiKey::parse(KEY).expect("a key");
        assert_eq!(sign::verify(&fields, &key, SignType::Md5), Ok(()));
    }
    assert!(fake.received().is_empty());
}

#[tokio::test]
async fn every_wrong_field_of_a_product_code_is_named() {
    let gateway = Gateway::before(&Fake::always(not_paid()).await).await;
    for (fields, request) in [
        (&["merchant", "app_id", "product_id"][..], v1::SignProductCodeRequest::default()),
        (&["app_id"], v1::SignProductCodeRequest { app_id: "wx0000000000000099".into(), ..request() }),
        (&["product_id"], v1::SignProductCodeRequest { product_id: "1".repeat(33), ..request() }),
        (&["product_id"], v1::SignProductCodeRequest { product_id: "a&b".into(), ..request() }),
    ] {
        let status = sign(&gateway, request).await.expect_err("refused");
        let told = status.get_details_bad_request().expect("the fields are named").field_violations;
        let told: Vec<_> = told.iter().map(|violation| violation.field.as_str()).collect();
        assert_eq!((status.code(), told.as_slice()), (Code::InvalidArgument, fields));
    }
    let nobody = v1::SignProductCodeRequest { merchant: "nobody".into(), ..request() };
    assert_eq!(sign(&gateway, nobody).await.expect_err("refused").code(), Code::NotFound);
}

#[tokio::test]
async fn a_service_providers_sub_merchant_has_no_product_codes() {
    let gateway = Gateway::of(sub_merchant(), &Fake::always(not_paid()).await.url, &[]).await;
    let request = v1::SignProductCodeRequest { app_id: PROVIDER_APP.into(), ..request() };
    let status = sign(&gateway, request).await.expect_err("refused");
    assert_eq!(
        (status.code(), reason_of(&status).as_deref()),
        (Code::FailedPrecondition, Some("METHOD_NOT_AVAILABLE"))
    );
}
