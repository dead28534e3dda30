use money::Fen;
use wechat_pay::v2::notice::{
    Decision, ExpectedOrder, MAX_BYTES, MAX_FIELDS, Mismatch, Notice, NoticeError, PaidBy, PaymentNotice,
    RETRY_SCHEDULE, SUCCESS, decide, fail, read,
};
use wechat_pay::v2::sign::SignError;
use wechat_pay::v2::xml::XmlError;
use wechat_pay::v2::{FieldProblem, Fields, OpenId, Payment, SignType, xml};

use crate::{KEY, body, identity, key, other_key};

const OPENID: &str = "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o";

fn fields() -> Fields {
    Fields::from_iter([
        ("return_code", "SUCCESS"),
        ("appid", "wx0000000000000001"),
        ("mch_id", "1900000001"),
        ("nonce_str", "5d2b6c2a8db53831f7eda20af46e531c"),
        ("result_code", "SUCCESS"),
        ("openid", OPENID),
        ("is_subscribe", "N"),
        ("trade_type", "JSAPI"),
        ("bank_type", "OTHERS"),
        ("total_fee", "100"),
        ("settlement_total_fee", "70"),
        ("cash_fee", "60"),
        ("transaction_id", "4200000000202001010000000001"),
        ("out_trade_no", "T202001010001"),
        ("time_end", "20200101120000"),
    ])
}

fn with(name: &str, value: &str) -> Fields {
    let mut fields = fields();
    fields.insert(name, value);
    fields
}

fn paid(fields: Fields) -> PaymentNotice {
    match read(&body(fields, SignType::HmacSha256), &key(), &[SignType::HmacSha256]).expect("genuine") {
        Notice::Paid(notice) => *notice,
        Notice::NotPaid => panic!("not paid"),
    }
}

fn order() -> ExpectedOrder {
    ExpectedOrder::unpaid(identity(), "T202001010001", Fen::new(100))
}

#[test]
fn a_genuine_notice_marks_its_order_paid() {
    let notice = paid(fields());
    assert_eq!(notice.payment.total_fee, Fen::new(100));
    assert_eq!(notice.payment.cash_fee, Some(Fen::new(60)));
    assert_eq!(notice.payment.fee_type, "CNY");
    assert_eq!(notice.payment.time_end.to_string(), "2020-01-01T04:00:00Z");
    assert_eq!(notice.payment.openid.as_ref().map(OpenId::as_str), Some(OPENID));
    assert_eq!(decide(&notice, Some(&order())), Decision::MarkPaid);
}

#[test]
fn the_same_payment_again_is_known_and_another_one_is_refused() {
    let by = |transaction_id: &str| ExpectedOrder {
        paid_by: Some(PaidBy { transaction_id: transaction_id.to_owned() }),
        ..order()
    };
    let notice = paid(fields());
    assert_eq!(decide(&notice, Some(&by("4200000000202001010000000001"))), Decision::AlreadyPaid);
    assert_eq!(
        decide(&notice, Some(&by("4200000000202001010000000002"))),
        Decision::Reject(Mismatch::OtherTransaction)
    );
}

#[test]
fn every_difference_from_the_order_is_refused() {
    let rejected = |fields: Fields| match decide(&paid(fields), Some(&order())) {
        Decision::Reject(mismatch) => mismatch,
        other => panic!("{other:?}"),
    };
    assert_eq!(rejected(with("total_fee", "1")), Mismatch::Amount);
    assert_eq!(rejected(with("total_fee", "60")), Mismatch::Amount);
    assert_eq!(rejected(with("fee_type", "USD")), Mismatch::Currency);
    assert_eq!(rejected(with("appid", "wx2")), Mismatch::Identity { field: "appid" });
    assert_eq!(rejected(with("mch_id", "1900000002")), Mismatch::Identity { field: "mch_id" });
    assert_eq!(rejected(with("out_trade_no", "T202001010002")), Mismatch::UnknownOrder);
    assert_eq!(decide(&paid(fields()), None), Decision::Reject(Mismatch::UnknownOrder));
}

#[test]
fn an_absent_sub_merchant_is_a_difference_when_the_order_has_one() {
    let mut order = order();
    order.identity.sub_mch_id = Some("1900000098".to_owned());
    let mismatch = Decision::Reject(Mismatch::Identity { field: "sub_mch_id" });
    assert_eq!(decide(&paid(fields()), Some(&order)), mismatch);
    assert_eq!(decide(&paid(with("sub_mch_id", "1900000099")), Some(&order)), mismatch);
    assert_eq!(decide(&paid(with("sub_mch_id", "1900000098")), Some(&order)), Decision::MarkPaid);
}

#[test]
fn every_field_deleted_or_changed_in_turn_is_refused() {
    for sign_type in SignType::ALL {
        let signed = crate::signed(fields(), sign_type);
        for (name, value) in signed.iter() {
            let mut deleted = signed.clone();
            deleted.remove(name);
            let mut changed = signed.clone();
            changed.insert(name, format!("{value}0"));
            for forged in [deleted, changed] {
                let result = read(xml::write("xml", &forged).as_bytes(), &key(), &SignType::ALL);
                assert!(matches!(result, Err(NoticeError::BadSign { query: None, .. })), "{name}: {result:?}");
            }
        }
    }
}

#[test]
fn a_genuine_notice_of_another_sign_type_is_refused_but_names_the_order_to_query() {
    match read(&body(fields(), SignType::Md5), &key(), &[SignType::HmacSha256]).unwrap_err() {
        NoticeError::BadSign { error, query } => {
            assert_eq!(error, SignError::NotPinned { sign_type: SignType::Md5 });
            assert_eq!(query.map(|query| query.out_trade_no).as_deref(), Some("T202001010001"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn another_merchants_key_is_refused() {
    let result = read(&body(fields(), SignType::Md5), &other_key(), &SignType::ALL);
    assert_eq!(result, Err(NoticeError::BadSign { error: SignError::Mismatch, query: None }));
}

#[test]
fn a_notice_of_a_failed_payment_changes_nothing() {
    let failed = body(with("result_code", "FAIL"), SignType::Md5);
    assert_eq!(read(&failed, &key(), &SignType::ALL), Ok(Notice::NotPaid));
    let forged = b"<xml><return_code>FAIL</return_code><out_trade_no>T202001010001</out_trade_no></xml>";
    assert!(matches!(read(forged, &key(), &SignType::ALL), Err(NoticeError::BadSign { .. })));
    let signed = body(with("return_code", "FAIL"), SignType::Md5);
    assert_eq!(read(&signed, &key(), &SignType::ALL), Err(NoticeError::ReturnCode));
}

#[test]
fn a_notice_without_a_clear_result_is_refused_so_that_it_comes_again() {
    for (result, problem) in
        [("", FieldProblem::Missing), ("success", FieldProblem::NotResult), ("UNKNOWN", FieldProblem::NotResult)]
    {
        match read(&body(with("result_code", result), SignType::Md5), &key(), &SignType::ALL) {
            Err(NoticeError::Field(error)) => {
                assert_eq!((error.field.as_str(), error.problem), ("result_code", problem));
            }
            other => panic!("{result}: {other:?}"),
        }
    }
}

#[test]
fn a_malformed_amount_that_only_explains_the_total_is_no_reason_to_refuse() {
    for name in ["settlement_total_fee", "cash_fee", "coupon_fee"] {
        for value in ["", "1.00", "-1", " 60", "10000000000", "六十"] {
            let payment = paid(with(name, value)).payment;
            let told = match name {
                "settlement_total_fee" => payment.settlement_total_fee,
                "cash_fee" => payment.cash_fee,
                _ => payment.coupon_fee,
            };
            assert_eq!((payment.total_fee, told), (Fen::new(100), None), "{name}={value}");
        }
    }
}

#[test]
fn the_payer_paid_the_cash_fee_or_what_coupons_leave_or_the_total() {
    for (cash_fee, coupon_fee, expected) in [
        ("60", "30", 60),
        ("0", "100", 0),
        ("", "30", 70),
        ("x", "30", 70),
        ("", "100", 0),
        ("", "101", 100),
        ("", "x", 100),
        ("", "", 100),
    ] {
        let mut fields = with("cash_fee", cash_fee);
        fields.insert("coupon_fee", coupon_fee);
        let payment = Payment::parse(&fields).expect("the total is there");
        assert_eq!(payment.payer_amount(), Fen::new(expected), "{cash_fee:?} {coupon_fee:?}");
    }
}

#[test]
fn a_notice_with_more_fields_than_any_real_one_is_refused_before_its_signature_is_looked_at() {
    let with_fields = |count: usize| {
        let mut fields = fields();
        (fields.len()..count - 1).for_each(|n| drop(fields.insert(format!("f{n}"), "1")));
        body(fields, SignType::Md5)
    };
    let most = with_fields(MAX_FIELDS);
    assert!(matches!(read(&most, &key(), &SignType::ALL), Ok(Notice::Paid(_))));
    let more = with_fields(MAX_FIELDS + 1);
    assert_eq!(read(&more, &key(), &SignType::ALL), Err(NoticeError::Unreadable(XmlError::TooManyFields)));
}

#[test]
fn an_incomplete_or_malformed_payment_is_refused() {
    for (name, value) in [
        ("transaction_id", ""),
        ("out_trade_no", ""),
        ("appid", ""),
        ("mch_id", ""),
        ("time_end", "2020-01-01"),
        ("time_end", "20200230120000"),
        ("total_fee", ""),
        ("total_fee", "1.00"),
        ("total_fee", "-100"),
        ("total_fee", "+100"),
        ("total_fee", " 100"),
        ("total_fee", "1e2"),
        ("total_fee", "10000000000"),
    ] {
        let result = read(&body(with(name, value), SignType::Md5), &key(), &[SignType::Md5]);
        assert!(matches!(result, Err(NoticeError::Field(_))), "{name}={value}: {result:?}");
    }
}

#[test]
fn a_notice_is_refused_by_size_before_it_is_read() {
    let large = vec![b'x'; MAX_BYTES + 1];
    assert_eq!(read(&large, &key(), &SignType::ALL), Err(NoticeError::TooLarge));
}

#[test]
fn nothing_personal_or_secret_shows_in_debug_or_in_errors() {
    let notice = paid(fields());
    let error = read(&body(with("total_fee", OPENID), SignType::Md5), &key(), &SignType::ALL).unwrap_err();
    let shown = format!("{notice:?} {error:?} {error}");
    assert!(!shown.contains(OPENID) && !shown.contains(KEY), "{shown}");
}

#[test]
fn answers_are_the_xml_that_wechat_reads() {
    let success = xml::parse("xml", SUCCESS.as_bytes()).unwrap();
    assert_eq!(success.get("return_code"), Some("SUCCESS"));
    let failed = xml::parse("xml", fail("bad sign").as_bytes()).unwrap();
    assert_eq!((failed.get("return_code"), failed.get("return_msg")), (Some("FAIL"), Some("bad sign")));
}

#[test]
fn deliveries_are_repeated_for_24_hours_and_4_minutes() {
    let total: u64 = RETRY_SCHEDULE.iter().map(std::time::Duration::as_secs).sum();
    assert_eq!(total, 24 * 3600 + 4 * 60);
}
