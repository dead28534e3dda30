use jiff::{SignedDuration, Timestamp};
use money::Fen;
use wechat_pay::v2::limits::{self, LimitError};

#[test]
fn a_body_has_at_most_127_bytes_of_plain_text() {
    assert_eq!(limits::check_body("腾讯充值中心-QQ会员充值"), Ok(()));
    assert_eq!(limits::check_body(&"x".repeat(127)), Ok(()));
    assert_eq!(limits::check_body(&"x".repeat(128)), Err(LimitError::TooLong { max: 127 }));
    assert_eq!(limits::check_body(&"茶".repeat(43)), Err(LimitError::TooLong { max: 127 }));
    assert_eq!(limits::check_body(""), Err(LimitError::Empty));
    assert_eq!(limits::check_body(" tea"), Err(LimitError::Padded));
    for body in ["a\nb", "a\0b", "a\u{7f}b", "a\u{fffe}b", "tea 🍵"] {
        assert!(matches!(limits::check_body(body), Err(LimitError::Characters { .. })), "{body:?}");
    }
}

#[test]
fn a_refund_desc_has_at_most_80_bytes_of_plain_text() {
    assert_eq!(limits::check_refund_desc("尺码不合适"), Ok(()));
    assert_eq!(limits::check_refund_desc(&"x".repeat(80)), Ok(()));
    assert_eq!(limits::check_refund_desc(&"茶".repeat(27)), Err(LimitError::TooLong { max: 80 }));
    for desc in ["", " tea", "a\nb", "tea 🍵"] {
        assert!(limits::check_refund_desc(desc).is_err(), "{desc:?}");
    }
}

#[test]
fn an_attach_cannot_pose_as_another_field() {
    assert_eq!(limits::check_attach("shop=1"), Ok(()));
    assert!(limits::check_attach("1&total_fee=1").is_err());
}

#[test]
fn numbers_have_their_alphabet_and_length() {
    assert_eq!(limits::check_out_trade_no("0198f0c2a4b17c3e9d5f6a7b8c9d0e1f"), Ok(()));
    assert_eq!(limits::check_out_trade_no("a_-|*9"), Ok(()));
    assert_eq!(limits::check_out_trade_no("12345"), Err(LimitError::TooShort { min: 6 }));
    assert_eq!(limits::check_out_trade_no(&"1".repeat(33)), Err(LimitError::TooLong { max: 32 }));
    assert_eq!(limits::check_out_trade_no(""), Err(LimitError::Empty));
    for number in ["12345@", "12345 ", "12345&", "12345茶"] {
        assert!(matches!(limits::check_out_trade_no(number), Err(LimitError::Characters { .. })), "{number}");
    }
    assert_eq!(limits::check_out_refund_no("r@1"), Ok(()));
    assert!(limits::check_nonce(&"n".repeat(33)).is_err());
    assert!(limits::check_openid("o A").is_err());
}

#[test]
fn amounts_are_between_one_fen_and_int32() {
    assert_eq!(limits::check_total_fee(Fen::new(1)), Ok(()));
    assert_eq!(limits::check_total_fee(limits::TOTAL_FEE_MAX), Ok(()));
    for fen in [0, -1, i64::from(i32::MAX) + 1] {
        assert_eq!(limits::check_total_fee(Fen::new(fen)), Err(LimitError::Amount));
    }
}

#[test]
fn an_order_expires_more_than_a_minute_ahead() {
    let now = Timestamp::from_second(1_577_851_200).unwrap();
    assert_eq!(limits::check_time_expire(now, now + SignedDuration::from_secs(61)), Ok(()));
    assert_eq!(limits::check_time_expire(now, now + SignedDuration::from_secs(60)), Err(LimitError::Expiry));
    assert_eq!(limits::check_time_expire(now, now - SignedDuration::from_secs(1)), Err(LimitError::Expiry));
}

#[test]
fn a_notify_url_is_absolute_and_has_no_query() {
    for url in ["https://pay.example.com/notify/wechat-v2/acme/payment", "http://127.0.0.1:8080/notify"] {
        assert_eq!(limits::check_notify_url(url), Ok(()), "{url}");
    }
    for url in [
        "",
        "/notify",
        "ftp://x/",
        "https://",
        "https:///x",
        "https://x/?a=1",
        "https://x/#a",
        "https://u@x/",
        "https://x/ y",
    ] {
        assert_eq!(limits::check_notify_url(url), Err(LimitError::Url), "{url}");
    }
    assert!(limits::check_notify_url(&format!("https://x/{}", "y".repeat(256))).is_err());
}
