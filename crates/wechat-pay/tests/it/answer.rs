use proptest::prelude::*;
use wechat_pay::v2::answer::judge;
use wechat_pay::v2::sign::SignError;
use wechat_pay::v2::{Answer, Fields, Identity, SignType, Unknown};

use crate::{body, identity, key, other_key};

fn success() -> Fields {
    Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("return_msg", "OK"),
        ("appid", "wx0000000000000001"),
        ("mch_id", "1900000001"),
        ("nonce_str", "0123456789abcdef"),
        ("result_code", "SUCCESS"),
        ("prepay_id", "wx201410272009395522657a690389285100"),
    ])
}

fn refusal() -> Fields {
    let mut fields = success();
    fields.remove("prepay_id");
    fields.insert("result_code", "FAIL");
    fields.insert("err_code", "ORDERPAID");
    fields.insert("err_code_des", "paid");
    fields
}

fn judged(body: &[u8]) -> Answer {
    judge(200, body, &identity(), &key(), SignType::HmacSha256)
}

#[test]
fn a_verified_success_is_a_success() {
    let answer = judged(&body(success(), SignType::HmacSha256)).success().unwrap();
    assert_eq!(answer.get("prepay_id"), Some("wx201410272009395522657a690389285100"));
}

#[test]
fn a_verified_refusal_is_a_refusal() {
    match judged(&body(refusal(), SignType::HmacSha256)) {
        Answer::Refused { err_code, err_code_des, .. } => {
            assert_eq!((err_code.as_str(), err_code_des.as_str()), ("ORDERPAID", "paid"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_err_code_beside_a_success_is_no_refusal() {
    let mut fields = success();
    fields.insert("err_code", "SUCCESS");
    assert!(matches!(judged(&body(fields, SignType::HmacSha256)), Answer::Success(_)));
}

#[test]
fn an_unsigned_or_badly_signed_answer_proves_nothing() {
    for fields in [success(), refusal()] {
        let unsigned = wechat_pay::v2::xml::write("xml", &fields);
        assert_eq!(judged(unsigned.as_bytes()), Answer::Unknown(Unknown::BadSign(SignError::Missing)));
        let signed = body(fields.clone(), SignType::HmacSha256);
        let answer = judge(200, &signed, &identity(), &other_key(), SignType::HmacSha256);
        assert_eq!(answer, Answer::Unknown(Unknown::BadSign(SignError::Mismatch)));
        let downgraded = judged(&body(fields, SignType::Md5));
        assert_eq!(downgraded, Answer::Unknown(Unknown::BadSign(SignError::Length { bytes: 32 })));
    }
}

#[test]
fn a_failed_communication_proves_nothing() {
    let failed = b"<xml><return_code>FAIL</return_code><return_msg>sign\nerror</return_msg></xml>";
    let expected = Unknown::NotSigned { return_msg: "signerror".to_owned(), err_code: None };
    assert_eq!(judged(failed), Answer::Unknown(expected));
    assert!(matches!(judged(b"<xml></xml>"), Answer::Unknown(Unknown::NotSigned { .. })));
}

#[test]
fn http_errors_pages_and_garbage_prove_nothing() {
    let good = body(success(), SignType::HmacSha256);
    let answer = judge(502, &good, &identity(), &key(), SignType::HmacSha256);
    assert_eq!(answer, Answer::Unknown(Unknown::HttpStatus(502)));
    for bytes in [b"<html><body>502</body></html>".as_slice(), b"", b"ok", b"{}", &good[..good.len() - 1]] {
        assert!(matches!(judged(bytes), Answer::Unknown(Unknown::Unreadable(_))));
    }
}

#[test]
fn an_answer_about_somebody_else_proves_nothing() {
    for (name, field) in [("mch_id", "mch_id"), ("appid", "appid")] {
        let mut fields = success();
        fields.insert(name, "another");
        let answer = judged(&body(fields, SignType::HmacSha256));
        assert_eq!(answer, Answer::Unknown(Unknown::Foreign { field }));
    }
    let provider = Identity { sub_mch_id: Some("1900000098".to_owned()), ..identity() };
    let mut fields = success();
    fields.insert("sub_mch_id", "1900000099");
    let answer = judge(200, &body(fields, SignType::Md5), &provider, &key(), SignType::Md5);
    assert_eq!(answer, Answer::Unknown(Unknown::Foreign { field: "sub_mch_id" }));
}

#[test]
fn a_system_error_without_identity_is_still_a_refusal() {
    let mut fields = refusal();
    fields.remove("appid");
    fields.remove("mch_id");
    fields.insert("err_code", "SYSTEMERROR");
    assert!(matches!(judged(&body(fields, SignType::HmacSha256)), Answer::Refused { .. }));
}

#[test]
fn an_answer_without_result_proves_nothing() {
    let mut fields = success();
    fields.remove("result_code");
    assert_eq!(judged(&body(fields, SignType::HmacSha256)), Answer::Unknown(Unknown::NoResult));
}

proptest! {
    #[test]
    fn no_damage_to_an_answer_is_believed(at: prop::sample::Index, byte: u8) {
        for fields in [success(), refusal()] {
            let good = body(fields, SignType::HmacSha256);
            let mut bad = good.clone();
            let at = at.index(bad.len());
            bad[at] = byte;
            match (judged(&bad), judged(&good)) {
                (Answer::Unknown(_), _) => {}
                // Damage that XML does not see, such as another quote, leaves the same fields.
                (found, expected) => prop_assert_eq!(found, expected),
            }
        }
    }
}
