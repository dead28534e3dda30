use jiff::Timestamp;
use wechat_pay::v2::limits;
use wechat_pay::v2::{
    Answer, FaceCredential, FaceCredentialRequest, Fields, Identity, ShortUrl, SignType, Unknown, answer, sign,
};

use crate::{body, identity, key, other_key};

fn credential_request(identity: Identity) -> FaceCredentialRequest {
    FaceCredentialRequest {
        identity,
        store_id: "S1".to_owned(),
        store_name: "茶店".to_owned(),
        device_id: "D1".to_owned(),
        rawdata: "cmF3".to_owned(),
        attach: None,
    }
}

#[test]
fn a_credential_is_asked_for_in_the_order_of_wechats_table() {
    let identity =
        Identity { sub_appid: Some("wxsub".to_owned()), sub_mch_id: Some("1900000098".to_owned()), ..identity() };
    let request = FaceCredentialRequest { attach: Some("{}".to_owned()), ..credential_request(identity) };
    let now = Timestamp::from_second(1_490_840_662).expect("a time");
    for sign_type in SignType::ALL {
        let fields = request.signed("n", now, &key(), sign_type);
        let names: Vec<_> = fields.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "store_id",
                "store_name",
                "device_id",
                "rawdata",
                "attach",
                "appid",
                "mch_id",
                "sub_appid",
                "sub_mch_id",
                "now",
                "version",
                "sign_type",
                "nonce_str",
                "sign",
            ]
        );
        assert_eq!((fields.get("now"), fields.get("version")), (Some("1490840662"), Some("1")));
        assert_eq!(fields.get("sign_type"), Some(sign_type.as_str()), "this call wants to see even MD5 named");
        assert_eq!(sign::verify(&fields, &key(), sign_type), Ok(()));
    }
}

#[test]
fn a_credential_may_come_without_a_result_code_but_never_without_a_signature() {
    let told = || Fields::from_iter([("return_code", "SUCCESS"), ("authinfo", "q+LK"), ("expires_in", "7200")]);
    let judged = |body: &[u8]| answer::judge_credential(200, body, &identity(), &key(), SignType::Md5);
    let Answer::Success(fields) = judged(&body(told(), SignType::Md5)) else { panic!("it is a success") };
    let credential = FaceCredential::parse(&fields).expect("it is whole");
    assert_eq!((credential.authinfo.as_str(), credential.expires_in), ("q+LK", 7200));
    assert!(matches!(
        answer::judge(200, &body(told(), SignType::Md5), &identity(), &key(), SignType::Md5),
        Answer::Unknown(Unknown::NoResult)
    ));
    let unsigned = wechat_pay::v2::xml::write("xml", &told());
    assert!(matches!(judged(unsigned.as_bytes()), Answer::Unknown(Unknown::BadSign(_))));
    let foreign = answer::judge_credential(200, &body(told(), SignType::Md5), &identity(), &other_key(), SignType::Md5);
    assert!(matches!(foreign, Answer::Unknown(Unknown::BadSign(_))));
    let mut refused = told();
    refused.insert("result_code", "FAIL");
    refused.insert("err_code", "PARAM_ERROR");
    assert!(matches!(judged(&body(refused, SignType::Md5)), Answer::Refused { .. }));
}

#[test]
fn a_credential_has_its_text_and_its_life() {
    for missing in ["authinfo", "expires_in"] {
        let mut fields = Fields::from_iter([("authinfo", "q"), ("expires_in", "1")]);
        fields.remove(missing);
        assert_eq!(FaceCredential::parse(&fields).unwrap_err().field, missing);
    }
    let fields = Fields::from_iter([("authinfo", "q"), ("expires_in", "soon")]);
    assert!(FaceCredential::parse(&fields).is_err());
}

#[test]
fn a_long_url_is_signed_raw_and_travels_encoded() {
    let long_url = "weixin://wxpay/bizpayurl?sign=A&appid=wx1&product_id=茶";
    let request = ShortUrl { identity: identity(), long_url: long_url.to_owned() };
    for sign_type in SignType::ALL {
        let mut fields = request.signed("n", &key(), sign_type);
        let encoded = "weixin%3A%2F%2Fwxpay%2Fbizpayurl%3Fsign%3DA%26appid%3Dwx1%26product_id%3D%E8%8C%B6";
        assert_eq!(fields.get("long_url"), Some(encoded));
        assert!(sign::verify(&fields, &key(), sign_type).is_err());
        fields.insert("long_url", long_url);
        assert_eq!(sign::verify(&fields, &key(), sign_type), Ok(()));
    }
    let answered = Fields::from_iter([("short_url", "weixin://wxpay/s/XxYyZz")]);
    assert_eq!(ShortUrl::short_url(&answered).expect("it is told"), "weixin://wxpay/s/XxYyZz");
    assert!(ShortUrl::short_url(&Fields::new()).is_err());
}

#[test]
fn what_devices_and_codes_say_has_its_limits() {
    assert!(limits::check_device_number(&"店".repeat(32)).is_ok());
    assert!(limits::check_device_number(&"店".repeat(33)).is_err());
    assert!(limits::check_store_name(&"店".repeat(128)).is_ok());
    assert!(limits::check_store_name(&"店".repeat(129)).is_err());
    assert!(limits::check_rawdata(&"r".repeat(2048)).is_ok());
    assert!(limits::check_rawdata(&"r".repeat(2049)).is_err());
    assert!(limits::check_long_url(&"u".repeat(512)).is_ok());
    for url in ["", "a b", "weixin://茶", &"u".repeat(513)] {
        assert!(limits::check_long_url(url).is_err(), "{url}");
    }
}
