use jiff::Timestamp;
use money::Fen;
use wechat_pay::v2::limits::{self, LimitError};
use wechat_pay::v2::{
    AuthCodeToOpenid, Facepay, FacepayQuery, FacepayReverse, FieldProblem, Fields, Goods, GoodsItem, Identity,
    Micropay, OpenId, OrderNumber, Particulars, PayCode, Payer, Reverse, Sale, SignType, Store, asks_again,
    payment_at_counter, sign, xml,
};

use crate::{identity, key, published};

const CODE: &str = "134567890123456789";

fn sale() -> Sale {
    Sale {
        out_trade_no: "T202001010001".to_owned(),
        body: "店铺-茶".to_owned(),
        total_fee: Fen::new(100),
        fee_type: None,
        spbill_create_ip: "203.0.113.9".parse().expect("an address"),
        time_start: None,
        time_expire: Some(Timestamp::from_second(1_490_840_662).expect("a time")),
        particulars: Particulars::default(),
        deposit: false,
    }
}

fn micropay() -> Micropay {
    Micropay { identity: identity(), sale: sale(), auth_code: PayCode::new(CODE) }
}

fn facepay() -> Facepay {
    let payer = Payer::App(OpenId::new("oABC"));
    Facepay { identity: identity(), sale: sale(), face_code: PayCode::new("f4ce-c0de"), payer }
}

fn of_sub_merchant() -> Identity {
    Identity { sub_appid: Some("wxsub".to_owned()), sub_mch_id: Some("1900000098".to_owned()), ..identity() }
}

fn everything() -> Particulars {
    Particulars {
        attach: Some("till 7".to_owned()),
        goods: Some(Goods {
            items: vec![GoodsItem {
                goods_id: "g1".to_owned(),
                quantity: 2,
                price: Fen::new(50),
                ..Default::default()
            }],
            ..Goods::default()
        }),
        goods_tag: Some("WXG".to_owned()),
        no_credit: true,
        receipt: true,
        profit_sharing: true,
        device_info: Some("013467007045764".to_owned()),
        store: Some(Store { id: "SZTX001".to_owned(), ..Store::default() }),
    }
}

#[test]
fn a_pay_code_payment_says_what_wechat_asks_for_and_nothing_more() {
    let fields = micropay().signed("nonce", &key(), SignType::Md5);
    let pairs: Vec<_> = fields.iter().filter(|(name, _)| *name != "sign").collect();
    assert_eq!(
        pairs,
        [
            ("appid", "wx0000000000000001"),
            ("mch_id", "1900000001"),
            ("nonce_str", "nonce"),
            ("body", "店铺-茶"),
            ("out_trade_no", "T202001010001"),
            ("total_fee", "100"),
            ("spbill_create_ip", "203.0.113.9"),
            ("time_expire", "20170330102422"),
            ("auth_code", CODE),
        ]
    );
}

#[test]
fn a_pay_code_payment_can_say_everything_that_an_order_may() {
    let sale = Sale {
        fee_type: Some("CNY".to_owned()),
        time_start: Some(Timestamp::from_second(1_490_840_000).expect("a time")),
        particulars: everything(),
        deposit: true,
        ..sale()
    };
    let fields = Micropay { sale, ..micropay() }.signed("nonce", &key(), SignType::HmacSha256);
    for (name, value) in [
        ("version", "1.0"),
        ("device_info", "013467007045764"),
        ("detail", r#"{"goods_detail":[{"goods_id":"g1","quantity":2,"price":50}]}"#),
        ("attach", "till 7"),
        ("fee_type", "CNY"),
        ("goods_tag", "WXG"),
        ("limit_pay", "no_credit"),
        ("time_start", "20170330101320"),
        ("receipt", "Y"),
        ("scene_info", r#"{"store_info":{"id":"SZTX001"}}"#),
        ("profit_sharing", "Y"),
        ("deposit", "Y"),
        ("sign_type", "HMAC-SHA256"),
    ] {
        assert_eq!(fields.get(name), Some(value), "{name}");
    }
    assert_eq!(fields.get("notify_url"), None);
}

#[test]
fn the_published_pay_code_payment_signs_as_published() {
    let (told, key, signature) = published("sign-micropay");
    let text = |name: &str| told.required(name).expect("it is told").to_owned();
    let micropay = Micropay {
        identity: Identity::direct(text("appid"), text("mch_id")),
        sale: Sale {
            out_trade_no: text("out_trade_no"),
            body: text("body"),
            total_fee: told.required_fen("total_fee").expect("an amount"),
            fee_type: Some(text("fee_type")),
            spbill_create_ip: text("spbill_create_ip").parse().expect("an address"),
            time_start: None,
            time_expire: None,
            particulars: Particulars {
                attach: Some(text("attach")),
                device_info: Some(text("device_info")),
                ..Particulars::default()
            },
            deposit: false,
        },
        auth_code: PayCode::new(text("auth_code")),
    };
    let fields = micropay.signed(&text("nonce_str"), &key, SignType::Md5);
    assert_eq!(fields.get("sign"), Some(signature.as_str()));
    assert_eq!(fields.len(), told.len() + 1);
}

#[test]
fn the_published_small_pay_code_payment_signs_as_published() {
    let (told, key, signature) = published("sign-jasl-md5");
    let text = |name: &str| told.required(name).expect("it is told").to_owned();
    let sale = Sale {
        out_trade_no: text("out_trade_no"),
        body: text("body"),
        total_fee: Fen::new(1),
        spbill_create_ip: text("spbill_create_ip").parse().expect("an address"),
        time_expire: None,
        particulars: Particulars { device_info: Some(text("device_info")), ..Particulars::default() },
        ..sale()
    };
    let identity = Identity::direct(text("appid"), text("mch_id"));
    let micropay = Micropay { identity, sale, auth_code: PayCode::new(text("auth_code")) };
    let fields = micropay.signed(&text("nonce_str"), &key, SignType::Md5);
    assert_eq!(fields.get("sign"), Some(signature.as_str()));
}

#[test]
fn the_published_reversal_and_question_who_pays_sign_as_published() {
    let (told, key, signature) = published("sign-reverse-txn");
    let text = |name: &str| told.required(name).expect("it is told").to_owned();
    let reverse = Reverse {
        identity: Identity::direct(text("appid"), text("mch_id")),
        order: OrderNumber::TransactionId(text("transaction_id")),
    };
    let fields = reverse.signed(&text("nonce_str"), &key, SignType::Md5);
    assert_eq!(fields.get("sign"), Some(signature.as_str()));

    let (told, key, signature) = published("sign-authcodetoopenid");
    let text = |name: &str| told.required(name).expect("it is told").to_owned();
    let asked = AuthCodeToOpenid {
        identity: Identity::direct(text("appid"), text("mch_id")),
        auth_code: PayCode::new(text("auth_code")),
    };
    let fields = asked.signed(&text("nonce_str"), &key);
    assert_eq!(fields.get("sign"), Some(signature.as_str()));
    assert_eq!(fields.get("sign_type"), None, "WeChat's schema has no room for one");
}

#[test]
fn a_face_payment_is_signed_with_hmac_and_says_so() {
    let fields = Facepay { sale: Sale { particulars: everything(), ..sale() }, ..facepay() }.signed("n", &key());
    let received = xml::parse("xml", xml::write("xml", &fields).as_bytes()).expect("it can be read");
    assert_eq!(sign::verify(&received, &key(), SignType::HmacSha256), Ok(()));
    for (name, value) in [
        ("face_code", "f4ce-c0de"),
        ("openid", "oABC"),
        ("sign_type", "HMAC-SHA256"),
        ("detail", r#"{"goods_detail":[{"goods_id":"g1","goods_num":2,"price":50}]}"#),
    ] {
        assert_eq!(fields.get(name), Some(value), "{name}");
    }
    assert_eq!(fields.get("auth_code"), None);
}

#[test]
fn a_sub_merchants_face_is_known_under_its_own_app() {
    let identity = of_sub_merchant();
    let payer = Payer::of(&identity, OpenId::new("oSUB"));
    let fields = Facepay { identity, payer, ..facepay() }.signed("n", &key());
    assert_eq!((fields.get("openid"), fields.get("sub_openid")), (None, Some("oSUB")));
    assert_eq!((fields.get("sub_appid"), fields.get("sub_mch_id")), (Some("wxsub"), Some("1900000098")));
}

#[test]
fn face_payments_are_queried_and_reversed_by_one_number() {
    let order = OrderNumber::OutTradeNo("T202001010001".to_owned());
    for sign_type in SignType::ALL {
        let query = FacepayQuery { identity: identity(), order: order.clone() }.signed("n", &key(), sign_type);
        let reverse = FacepayReverse { identity: identity(), order: order.clone() }.signed("n", &key(), sign_type);
        for fields in [query, reverse] {
            assert_eq!(sign::verify(&fields, &key(), sign_type), Ok(()));
            assert_eq!((fields.get("out_trade_no"), fields.get("transaction_id")), (Some("T202001010001"), None));
        }
    }
}

#[test]
fn nothing_that_is_printed_holds_a_code_or_an_openid() {
    let told = format!("{:?} {:?}", micropay(), facepay());
    for secret in [CODE, "f4ce-c0de", "oABC"] {
        assert!(!told.contains(secret), "{told}");
    }
}

#[test]
fn a_payment_at_the_counter_is_whole_and_the_one_that_was_asked_for() {
    let fields = Fields::from_iter([
        ("out_trade_no", "T202001010001"),
        ("transaction_id", "4200000000202001010000000001"),
        ("total_fee", "99"),
        ("time_end", "20200101120000"),
        ("trade_type", "MICROPAY"),
    ]);
    let payment = payment_at_counter(&fields, "T202001010001").expect("it is whole");
    assert_eq!(payment.total_fee, Fen::new(99), "the amount is told as it is");
    assert_eq!(payment_at_counter(&fields, "T2").unwrap_err().problem, FieldProblem::Mismatch);
    for missing in ["out_trade_no", "transaction_id", "total_fee", "time_end"] {
        let mut less = fields.clone();
        less.remove(missing);
        assert_eq!(payment_at_counter(&less, "T202001010001").unwrap_err().field, missing);
    }
}

#[test]
fn only_a_capital_y_asks_to_be_called_again() {
    assert!(asks_again(&Fields::from_iter([("recall", "Y")])));
    for recall in ["N", "y", ""] {
        assert!(!asks_again(&Fields::from_iter([("recall", recall)])), "{recall}");
    }
    assert!(!asks_again(&Fields::new()));
}

#[test]
fn who_shows_a_pay_code_is_told_under_the_app_that_was_named() {
    let answer = Fields::from_iter([("openid", "oABC"), ("sub_openid", "oSUB")]);
    let asked = |identity| AuthCodeToOpenid { identity, auth_code: PayCode::new(CODE) };
    assert_eq!(asked(identity()).payer(&answer).expect("it is told").as_str(), "oABC");
    assert_eq!(asked(of_sub_merchant()).payer(&answer).expect("it is told").as_str(), "oSUB");
    let without = Fields::from_iter([("openid", "oABC")]);
    assert_eq!(asked(of_sub_merchant()).payer(&without).unwrap_err().field, "sub_openid");
}

#[test]
fn codes_and_numbers_of_the_counter_have_their_shapes() {
    for code in ["100000000000000000", CODE, "159999999999999999"] {
        assert_eq!(limits::check_auth_code(code), Ok(()), "{code}");
    }
    for code in
        ["160000000000000000", "090000000000000000", "13456789012345678", "1345678901234567890", "13456789012345678x"]
    {
        assert_eq!(limits::check_auth_code(code), Err(LimitError::AuthCode), "{code}");
    }
    assert_eq!(limits::check_auth_code(""), Err(LimitError::Empty));
    assert_eq!(limits::check_face_pay_code("990000000000000000"), Ok(()), "a face code may begin otherwise");
    assert_eq!(limits::check_face_pay_code("99000000000000000"), Err(LimitError::AuthCode));
    assert_eq!(limits::check_face_code(&"f".repeat(128)), Ok(()));
    assert_eq!(limits::check_face_code(&"f".repeat(129)), Err(LimitError::TooLong { max: 128 }));
    for code in ["", "f c", "脸"] {
        assert!(limits::check_face_code(code).is_err(), "{code}");
    }
}
