use money::Fen;
use proptest::prelude::*;
use wechat_pay::v2::refund_notice::{RefundNoticeError, SealError, SealKey, open, read, seal};
use wechat_pay::v2::xml::{self, XmlError};
use wechat_pay::v2::{Fields, RefundStatus};

use crate::{key, other_key};

fn inner() -> Fields {
    Fields::from_iter([
        ("transaction_id", "4200000000202001010000000001"),
        ("out_trade_no", "T202001010001"),
        ("refund_id", "50000000002020010100000000001"),
        ("out_refund_no", "R1"),
        ("total_fee", "100"),
        ("refund_fee", "30"),
        ("refund_status", "CHANGE"),
        ("success_time", ""),
        ("refund_request_source", "VENDOR_PLATFORM"),
    ])
}

fn notice(req_info: &str) -> Vec<u8> {
    let outer = Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("appid", "wx0000000000000001"),
        ("mch_id", "1900000001"),
        ("nonce_str", "x"),
        ("req_info", req_info),
    ]);
    xml::write("xml", &outer).into_bytes()
}

#[test]
fn a_refund_notice_is_read_as_a_hint() {
    let hint = read(&notice(&seal(&inner(), &SealKey::of(&key()))), &key()).unwrap();
    assert_eq!(hint.status, RefundStatus::Abnormal);
    assert_eq!((hint.total_fee, hint.refund_fee), (Fen::new(100), Fen::new(30)));
    assert_eq!(hint.success_time, None);
    assert_eq!(hint.identity.mch_id, "1900000001");
    assert_eq!(hint.request_source.as_deref(), Some("VENDOR_PLATFORM"));
}

#[test]
fn what_does_not_decrypt_is_refused() {
    let sealed = seal(&inner(), &SealKey::of(&key()));
    assert!(read(&notice(&sealed), &other_key()).is_err());
    assert_eq!(read(&notice("not base64!"), &key()), Err(RefundNoticeError::Base64));
    assert_eq!(read(&notice("AAAA"), &key()), Err(RefundNoticeError::Sealed(SealError::Length)));
    let blocks = "AAAAAAAAAAAAAAAAAAAAAA==";
    assert_eq!(read(&notice(blocks), &key()), Err(RefundNoticeError::Sealed(SealError::Padding)));
    assert!(matches!(read(&notice(""), &key()), Err(RefundNoticeError::Field(_))));
}

#[test]
fn a_doctype_or_foreign_root_inside_is_refused_too() {
    use base64::Engine as _;
    let seal_text =
        |text: &str| base64::engine::general_purpose::STANDARD.encode(SealKey::of(&key()).encrypt(text.as_bytes()));
    let doctype = seal_text("<!DOCTYPE root [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><root><a>&x;</a></root>");
    assert_eq!(read(&notice(&doctype), &key()), Err(RefundNoticeError::Inner(XmlError::Doctype)));
    let foreign = seal_text("<xml><refund_fee>30</refund_fee></xml>");
    assert_eq!(read(&notice(&foreign), &key()), Err(RefundNoticeError::Inner(XmlError::Root)));
}

#[test]
fn an_error_says_which_of_the_two_parts_it_is_about() {
    let sealed = seal(&inner(), &SealKey::of(&key()));
    let twice = String::from_utf8(notice(&sealed)).unwrap().replace("</xml>", "<mch_id>1</mch_id></xml>");
    assert_eq!(read(twice.as_bytes(), &key()), Err(RefundNoticeError::Unreadable(XmlError::Duplicate)));
}

proptest! {
    #[test]
    fn encrypted_then_decrypted_is_identity(plain in prop::collection::vec(any::<u8>(), 0..100)) {
        let key = SealKey::of(&key());
        prop_assert_eq!(key.decrypt(&key.encrypt(&plain)), Ok(plain));
    }

    #[test]
    fn no_req_info_makes_the_reader_panic(sealed in prop::collection::vec(any::<u8>(), 0..64), text in "\\PC{0,40}") {
        let key = SealKey::of(&key());
        if let Ok(plain) = key.decrypt(&sealed) {
            prop_assert!(plain.len() < sealed.len());
        }
        if let Ok(plain) = open(&text, &key) {
            prop_assert!(plain.len() < text.len());
        }
    }
}
