use proptest::prelude::*;
use wechat_pay::v2::SignType::{HmacSha256, Md5};
use wechat_pay::v2::native_scan::{MAX_REFUSAL_BYTES, NativeScanAnswer, NativeScanError, answer, read};
use wechat_pay::v2::sign::{SignError, verify};
use wechat_pay::v2::xml::{self, XmlError};
use wechat_pay::v2::{Fields, Identity};

use crate::{body, identity, key, other_key, signed};

const NONCE: &str = "5K8264ILTKCH16CQ2502SI8ZNMTM67VS";

fn scan() -> Fields {
    Fields::from_iter([
        ("appid", "wx0000000000000001"),
        ("openid", "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"),
        ("mch_id", "1900000001"),
        ("is_subscribe", "Y"),
        ("nonce_str", NONCE),
        ("product_id", "01981b6e6f3c7a01b2c3d4e5f6a7b8c9"),
    ])
}

fn answered(said: NativeScanAnswer<'_>) -> Fields {
    let text = answer(&identity(), "abc", said, &key(), HmacSha256);
    xml::parse("xml", text.as_bytes()).expect("an answer is a message")
}

#[test]
fn a_genuine_question_is_read() {
    for sign_type in [Md5, HmacSha256] {
        let read = read(&body(scan(), sign_type), &key(), &[sign_type]).expect("it is genuine");
        assert_eq!(read.identity, identity());
        assert_eq!(read.openid.as_str(), "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o");
        assert_eq!(read.product_id, "01981b6e6f3c7a01b2c3d4e5f6a7b8c9");
        assert_eq!((read.nonce.as_str(), read.sign_type), (NONCE, sign_type));
    }
}

#[test]
fn a_question_that_is_not_signed_with_the_key_and_a_pinned_type_is_refused() {
    let genuine = body(scan(), HmacSha256);
    let wrong_key = read(&genuine, &other_key(), &[HmacSha256]);
    assert_eq!(wrong_key, Err(NativeScanError::BadSign(SignError::Mismatch)));
    let downgraded = read(&body(scan(), Md5), &key(), &[HmacSha256]);
    assert_eq!(downgraded, Err(NativeScanError::BadSign(SignError::NotPinned { sign_type: Md5 })));
    let unsigned = read(xml::write("xml", &scan()).as_bytes(), &key(), &[HmacSha256]);
    assert_eq!(unsigned, Err(NativeScanError::BadSign(SignError::Missing)));
    let names: Vec<String> = scan().iter().map(|(name, _)| name.to_owned()).collect();
    for name in names {
        let mut changed = signed(scan(), HmacSha256);
        changed.insert(name.as_str(), "1");
        let read = read(xml::write("xml", &changed).as_bytes(), &key(), &[HmacSha256]);
        assert_eq!(read, Err(NativeScanError::BadSign(SignError::Mismatch)), "{name}");
    }
}

#[test]
fn a_signed_question_that_lacks_a_field_is_refused() {
    for name in ["appid", "mch_id", "openid", "product_id", "nonce_str"] {
        let mut fields = scan();
        fields.remove(name).expect("it was there");
        let read = read(&body(fields, HmacSha256), &key(), &[HmacSha256]);
        assert!(matches!(&read, Err(NativeScanError::Field(error)) if error.field == name), "{name}: {read:?}");
    }
}

#[test]
fn what_is_not_one_flat_message_is_refused() {
    let genuine = String::from_utf8(body(scan(), HmacSha256)).expect("text");
    let twice = genuine.replace("</xml>", "<product_id>2</product_id></xml>");
    let nested = genuine.replace("</xml>", "<a><b>1</b></a></xml>");
    let doctype = format!("<!DOCTYPE xml [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>{genuine}");
    for (text, expected) in [(twice, XmlError::Duplicate), (nested, XmlError::Nested), (doctype, XmlError::Doctype)] {
        assert_eq!(read(text.as_bytes(), &key(), &[HmacSha256]), Err(NativeScanError::Unreadable(expected)));
    }
    let large = format!("{genuine}{}", " ".repeat(64 * 1024));
    assert_eq!(read(large.as_bytes(), &key(), &[HmacSha256]), Err(NativeScanError::TooLarge));
}

#[test]
fn a_prepaid_order_is_answered_with_its_number_and_a_signature() {
    let fields = answered(NativeScanAnswer::Prepaid("wx201410272009395522657a690389285100"));
    verify(&fields, &key(), HmacSha256).expect("it is signed");
    let told: Vec<_> = fields.iter().filter(|(name, _)| *name != "sign").collect();
    assert_eq!(
        told,
        [
            ("return_code", "SUCCESS"),
            ("appid", "wx0000000000000001"),
            ("mch_id", "1900000001"),
            ("nonce_str", "abc"),
            ("prepay_id", "wx201410272009395522657a690389285100"),
            ("result_code", "SUCCESS"),
        ]
    );
}

#[test]
fn a_refusal_is_answered_with_its_words_and_a_signature() {
    let fields = answered(NativeScanAnswer::Refused("商品已下架"));
    verify(&fields, &key(), HmacSha256).expect("it is signed");
    assert_eq!((fields.get("return_code"), fields.get("result_code")), (Some("SUCCESS"), Some("FAIL")));
    assert_eq!((fields.get("err_code_des"), fields.get("prepay_id")), (Some("商品已下架"), None));
}

#[test]
fn the_answer_of_a_merchant_with_md5_is_signed_with_md5() {
    let said = NativeScanAnswer::Prepaid("wx1");
    let text = answer(&Identity::direct("wx1", "19"), "abc", said, &key(), Md5);
    let fields = xml::parse("xml", text.as_bytes()).expect("a message");
    assert_eq!(verify(&fields, &key(), Md5), Ok(()));
}

proptest! {
    #[test]
    fn no_words_break_the_answer(words in any::<String>()) {
        let fields = answered(NativeScanAnswer::Refused(&words));
        prop_assert_eq!(verify(&fields, &key(), HmacSha256), Ok(()));
        let told = fields.get("err_code_des").expect("it is told");
        prop_assert!(told.len() <= MAX_REFUSAL_BYTES);
        prop_assert!(!told.chars().any(char::is_control));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(read(&bytes, &key(), &[Md5, HmacSha256]).is_err());
    }
}
