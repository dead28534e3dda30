use jiff::Timestamp;
use jiff::civil::date;
use money::Fen;
use wechat_pay::v2::{
    AccountType, BillType, CloseOrder, DigestUnreadable, DownloadBill, DownloadFundFlow, FieldProblem, Fields,
    FileDigest, Goods, GoodsItem, H5Scene, Identity, OpenId, OrderNumber, OrderQuery, OrderStatus, Particulars, Payer,
    Prepaid, Refund, RefundAccepted, RefundGoodsItem, RefundList, RefundNumber, RefundQuery, RefundStatus,
    RefundWithGoods, SignType, Store, TradeState, TradeType, UnifiedOrder, sign, xml,
};

use crate::{identity, key};

fn unified_order() -> UnifiedOrder {
    UnifiedOrder {
        identity: identity(),
        trade_type: TradeType::Jsapi(Payer::App(OpenId::new("oABC"))),
        out_trade_no: "T202001010001".to_owned(),
        body: "店铺-茶".to_owned(),
        total_fee: Fen::new(100),
        spbill_create_ip: "2001:db8::1".parse().expect("an address"),
        notify_url: "https://pay.example.com/n".to_owned(),
        time_start: None,
        time_expire: Some(Timestamp::from_second(1_490_840_662).expect("a time")),
        particulars: Particulars::default(),
    }
}

fn pairs(fields: &Fields) -> Vec<(&str, &str)> {
    fields.iter().filter(|(name, _)| *name != "sign").collect()
}

#[test]
fn an_order_says_everything_wechat_asks_for() {
    let fields = unified_order().signed("nonce", &key(), SignType::Md5);
    assert_eq!(
        pairs(&fields),
        [
            ("appid", "wx0000000000000001"),
            ("mch_id", "1900000001"),
            ("nonce_str", "nonce"),
            ("body", "店铺-茶"),
            ("out_trade_no", "T202001010001"),
            ("total_fee", "100"),
            ("spbill_create_ip", "2001:db8::1"),
            ("time_expire", "20170330102422"),
            ("notify_url", "https://pay.example.com/n"),
            ("trade_type", "JSAPI"),
            ("openid", "oABC"),
        ]
    );
    assert!(!format!("{:?}", unified_order()).contains("oABC"));
}

/// What `fields` say under these names.
fn told<'a>(fields: &'a Fields, names: &[&str]) -> Vec<Option<&'a str>> {
    names.iter().map(|name| fields.get(name)).collect()
}

#[test]
fn an_order_says_its_particulars_in_wechats_words() {
    let goods = Goods {
        cost_price: Some(Fen::new(1500)),
        receipt_id: Some("wx123".to_owned()),
        items: vec![
            GoodsItem {
                goods_id: "tea-1".to_owned(),
                wxpay_goods_id: Some("1001".to_owned()),
                name: Some("茶 \"红\"".to_owned()),
                quantity: 2,
                price: Fen::new(50),
            },
            GoodsItem { goods_id: "tea-2".to_owned(), quantity: 1, price: Fen::ZERO, ..GoodsItem::default() },
        ],
    };
    let store = Store {
        id: "SZTX001".to_owned(),
        name: Some("腾讯大厦".to_owned()),
        area_code: Some("440305".to_owned()),
        address: Some("科技中一路".to_owned()),
    };
    let particulars = Particulars {
        attach: Some("shop=1".to_owned()),
        goods: Some(goods),
        goods_tag: Some("SUMMER".to_owned()),
        no_credit: true,
        receipt: true,
        profit_sharing: true,
        device_info: Some("WEB".to_owned()),
        store: Some(store),
    };
    let order = UnifiedOrder { particulars, ..unified_order() };
    let fields = order.signed("n", &key(), SignType::Md5);
    assert_eq!(
        told(&fields, &["version", "device_info", "attach", "goods_tag", "limit_pay", "receipt", "profit_sharing"]),
        ["1.0", "WEB", "shop=1", "SUMMER", "no_credit", "Y", "Y"].map(Some)
    );
    let detail = r#"{"cost_price":1500,"receipt_id":"wx123","goods_detail":[{"goods_id":"tea-1","wxpay_goods_id":"1001","goods_name":"茶 \"红\"","quantity":2,"price":50},{"goods_id":"tea-2","quantity":1,"price":0}]}"#;
    assert_eq!(fields.get("detail"), Some(detail));
    let scene = r#"{"store_info":{"id":"SZTX001","name":"腾讯大厦","area_code":"440305","address":"科技中一路"}}"#;
    assert_eq!(fields.get("scene_info"), Some(scene));
    let received = xml::parse("xml", xml::write("xml", &fields).as_bytes()).unwrap();
    assert_eq!(received, fields, "JSON survives the trip byte for byte");
}

#[test]
fn a_store_without_more_says_only_its_id() {
    assert_eq!(Store { id: "1".to_owned(), ..Store::default() }.scene_info(), r#"{"store_info":{"id":"1"}}"#);
}

#[test]
fn each_way_to_pay_says_what_only_it_needs() {
    let signed = |trade_type| UnifiedOrder { trade_type, ..unified_order() }.signed("n", &key(), SignType::Md5);
    let names = ["trade_type", "product_id", "openid", "sub_openid", "scene_info"];
    let native = |payer| TradeType::Native { product_id: "tea-1".to_owned(), payer };
    assert_eq!(told(&signed(native(None)), &names), [Some("NATIVE"), Some("tea-1"), None, None, None]);
    let scanned = native(Some(Payer::App(OpenId::new("oABC"))));
    assert_eq!(told(&signed(scanned), &names), [Some("NATIVE"), Some("tea-1"), Some("oABC"), None, None]);
    assert_eq!(told(&signed(TradeType::App), &names), [Some("APP"), None, None, None, None]);
    let of_sub_app = TradeType::Jsapi(Payer::SubApp(OpenId::new("oSUB")));
    assert_eq!(told(&signed(of_sub_app), &names), [Some("JSAPI"), None, None, Some("oSUB"), None]);
    for (scene, text) in [
        (
            H5Scene::Page { url: "https://shop.example/?a=1&b=2".to_owned(), name: "小店".to_owned() },
            r#"{"h5_info":{"type":"Wap","wap_url":"https://shop.example/?a=1&b=2","wap_name":"小店"}}"#,
        ),
        (
            H5Scene::IosApp { name: "小店".to_owned(), bundle_id: "example.shop".to_owned() },
            r#"{"h5_info":{"type":"IOS","app_name":"小店","bundle_id":"example.shop"}}"#,
        ),
        (
            H5Scene::AndroidApp { name: "小店".to_owned(), package_name: "example.shop".to_owned() },
            r#"{"h5_info":{"type":"Android","app_name":"小店","package_name":"example.shop"}}"#,
        ),
    ] {
        assert_eq!(told(&signed(TradeType::H5 { scene }), &names), [Some("MWEB"), None, None, None, Some(text)]);
    }
}

#[test]
fn the_scene_of_h5_leaves_no_place_for_a_store() {
    let scene = H5Scene::IosApp { name: "s".to_owned(), bundle_id: "b".to_owned() };
    let order = UnifiedOrder {
        trade_type: TradeType::H5 { scene },
        particulars: Particulars {
            store: Some(Store { id: "1".to_owned(), ..Store::default() }),
            ..Particulars::default()
        },
        ..unified_order()
    };
    let fields = order.signed("n", &key(), SignType::Md5);
    assert!(fields.get("scene_info").is_some_and(|text| text.contains("h5_info") && !text.contains("store_info")));
}

#[test]
fn the_payer_is_known_under_the_app_that_opens_the_cashier() {
    let provider = Identity { sub_mch_id: Some("1900000098".to_owned()), ..identity() };
    let of_sub = Identity { sub_appid: Some("wxsub".to_owned()), ..provider.clone() };
    assert_eq!(Payer::of(&provider, OpenId::new("o")), Payer::App(OpenId::new("o")));
    assert_eq!(Payer::of(&of_sub, OpenId::new("o")), Payer::SubApp(OpenId::new("o")));
}

#[test]
fn every_request_verifies_after_its_trip_and_names_only_hmac() {
    let order = OrderNumber::OutTradeNo("T202001010001".to_owned());
    for sign_type in SignType::ALL {
        let requests = [
            unified_order().signed("n", &key(), sign_type),
            OrderQuery { identity: identity(), order: order.clone() }.signed("n", &key(), sign_type),
            CloseOrder { identity: identity(), out_trade_no: "T202001010001".to_owned() }.signed(
                "n",
                &key(),
                sign_type,
            ),
            refund().signed("n", &key(), sign_type),
            RefundQuery { identity: identity(), refund: RefundNumber::OfOrder(order.clone()), offset: Some(10) }
                .signed("n", &key(), sign_type),
            DownloadBill { identity: identity(), bill_date: date(2020, 1, 2), bill_type: BillType::All, gzip: true }
                .signed("n", &key(), sign_type),
            Refund { goods: vec![goods_back()], ..refund() }.signed("n", &key(), sign_type),
        ];
        for request in requests {
            let received = xml::parse("xml", xml::write("xml", &request).as_bytes()).unwrap();
            assert_eq!(sign::verify(&received, &key(), sign_type), Ok(()));
            let named = (sign_type == SignType::HmacSha256).then_some("HMAC-SHA256");
            assert_eq!(received.get("sign_type"), named);
        }
    }
}

#[test]
fn what_opens_native_and_h5_must_be_in_the_answer() {
    let native = TradeType::Native { product_id: "1".to_owned(), payer: None };
    let h5 = TradeType::H5 { scene: H5Scene::IosApp { name: "s".to_owned(), bundle_id: "b".to_owned() } };
    for (trade_type, name) in [(native, "code_url"), (h5, "mweb_url")] {
        let mut fields = Fields::from_iter([("prepay_id", "wx1")]);
        let error = Prepaid::parse(&fields, &trade_type).unwrap_err();
        assert_eq!((error.field.as_str(), error.problem), (name, FieldProblem::Missing));
        fields.insert(name, "x://y");
        let prepaid = Prepaid::parse(&fields, &trade_type).unwrap();
        assert_eq!(prepaid.code_url.or(prepaid.mweb_url).as_deref(), Some("x://y"));
    }
    assert!(Prepaid::parse(&Fields::from_iter([("prepay_id", "wx1")]), &TradeType::App).is_ok());
}

#[test]
fn a_fund_flow_is_asked_with_hmac_whatever_else_the_merchant_signs_with() {
    for account_type in AccountType::ALL {
        let call = DownloadFundFlow { identity: identity(), bill_date: date(2020, 1, 2), account_type, gzip: true };
        let fields = call.signed("n", &key());
        assert_eq!(
            told(&fields, &["bill_date", "account_type", "tar_type", "sign_type"]),
            [Some("20200102"), Some(account_type.as_str()), Some("GZIP"), Some("HMAC-SHA256")]
        );
        assert_eq!(sign::verify(&fields, &key(), SignType::HmacSha256), Ok(()));
    }
}

/// SHA-1 of `abc`, as every table of test vectors has it.
const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

#[test]
fn a_digest_is_read_in_hex_and_in_base64_and_holds_for_the_file_as_served_or_as_read() {
    for header in [
        format!("SHA={ABC}"),
        format!("sha={}", ABC.to_uppercase()),
        "SHA=qZk+NkcGgWq6PiVxeFDCbJzQ2J0=".to_owned(),
        format!("unixsum=30637, SHA={ABC}"),
    ] {
        let digest = FileDigest::promised(&header).unwrap().expect("a SHA is promised");
        let after = |served: &[&[u8]], plain: &[&[u8]]| {
            let mut digest = digest.clone();
            for bytes in served {
                digest.served(bytes);
            }
            for bytes in plain {
                digest.plain(bytes);
            }
            digest.holds()
        };
        assert!(after(&[b"a", b"bc"], &[b"x"]), "{header}");
        assert!(after(&[b"x"], &[b"ab", b"c"]), "{header}");
        assert!(!after(&[b"ab"], &[b"x"]) && !after(&[], &[]), "{header}");
    }
}

#[test]
fn a_digest_that_cannot_be_read_is_no_digest_that_was_not_promised() {
    for header in ["", "MD5=HUXZLQLMuI/KZ5KDcJPcOA==", "unixsum=30637", "SHA-256=x"] {
        assert!(FileDigest::promised(header).unwrap().is_none(), "{header}");
    }
    for header in ["SHA=", "SHA=abc", &format!("SHA={}", "+1".repeat(20)), &format!("SHA={}", "é".repeat(20))] {
        assert_eq!(FileDigest::promised(header).unwrap_err(), DigestUnreadable, "{header}");
    }
}

#[test]
fn a_prepaid_answer_must_have_its_id_and_trade_type() {
    let trade_type = unified_order().trade_type;
    let fields = Fields::from_iter([("prepay_id", "wx1"), ("trade_type", "JSAPI")]);
    assert_eq!(Prepaid::parse(&fields, &trade_type).unwrap().prepay_id, "wx1");
    let other = Fields::from_iter([("prepay_id", "wx1"), ("trade_type", "NATIVE")]);
    assert_eq!(Prepaid::parse(&other, &trade_type).unwrap_err().problem, FieldProblem::Mismatch);
    assert_eq!(Prepaid::parse(&Fields::new(), &trade_type).unwrap_err().problem, FieldProblem::Missing);
}

#[test]
fn an_unpaid_order_has_no_payment_and_a_paid_one_has_a_whole_one() {
    let order = OrderNumber::OutTradeNo("T202001010001".to_owned());
    let mut fields = Fields::from_iter([("out_trade_no", "T202001010001"), ("trade_state", "NOTPAY")]);
    let status = OrderStatus::parse(&fields, &order).unwrap();
    assert_eq!((status.trade_state, status.payment), (TradeState::NotPay, None));

    fields.insert("trade_state", "SUCCESS");
    assert_eq!(OrderStatus::parse(&fields, &order).unwrap_err().field, "transaction_id");
    fields.insert("transaction_id", "4200000000202001010000000001");
    fields.insert("total_fee", "100");
    fields.insert("time_end", "20200101120000");
    let payment = OrderStatus::parse(&fields, &order).unwrap().payment.unwrap();
    assert_eq!(payment.total_fee, Fen::new(100));

    fields.insert("out_trade_no", "T202001010002");
    assert_eq!(OrderStatus::parse(&fields, &order).unwrap_err().problem, FieldProblem::Mismatch);
    fields.insert("out_trade_no", "T202001010001");
    fields.insert("trade_state", "BRAND_NEW");
    let status = OrderStatus::parse(&fields, &order).unwrap();
    assert_eq!(status.trade_state, TradeState::Other("BRAND_NEW".to_owned()));
}

fn refund() -> Refund {
    Refund {
        identity: identity(),
        order: OrderNumber::TransactionId("4200000000202001010000000001".to_owned()),
        out_refund_no: "R1".to_owned(),
        total_fee: Fen::new(100),
        refund_fee: Fen::new(30),
        refund_desc: None,
        notify_url: None,
        goods: Vec::new(),
    }
}

fn goods_back() -> RefundGoodsItem {
    RefundGoodsItem {
        goods_id: "tea-1".to_owned(),
        wxpay_goods_id: Some("1001".to_owned()),
        name: Some("茶".to_owned()),
        refund: Fen::new(30),
        quantity: 1,
        price: Fen::new(50),
    }
}

#[test]
fn a_refund_names_its_goods_in_wechats_words() {
    let plain = goods_back();
    let bare = RefundGoodsItem { wxpay_goods_id: None, name: None, ..plain.clone() };
    let fields = Refund { goods: vec![plain, bare], ..refund() }.signed("n", &key(), SignType::Md5);
    let detail = r#"{"goods_detail":[{"goods_id":"tea-1","wxpay_goods_id":"1001","goods_name":"茶","refund_amount":30,"refund_quantity":1,"price":50},{"goods_id":"tea-1","refund_amount":30,"refund_quantity":1,"price":50}]}"#;
    assert_eq!(fields.get("detail"), Some(detail));
    assert_eq!(refund().signed("n", &key(), SignType::Md5).get("detail"), None);
}

#[test]
fn a_refund_with_goods_is_read_with_and_without_numbers_behind_the_names() {
    let told = [("out_refund_no", "R1"), ("refund_id", "5"), ("refund_fee", "30"), ("refund_status", "SUCCESS")];
    let payment = [("transaction_id", "4"), ("out_trade_no", "T")];
    let plain = Fields::from_iter([&told[..], &payment].concat());
    let read = RefundWithGoods::parse(&plain, "R1").unwrap();
    assert_eq!((read.refund.refund_fee, read.refund.status), (Fen::new(30), RefundStatus::Success));

    let mut fields: Fields = told.iter().map(|(name, value)| (format!("{name}_0"), *value)).collect();
    for (name, value) in payment {
        fields.insert(name, value);
    }
    // Production answers of the older call carry such fields; they are no refund.
    fields.insert("refund_fee", "99");
    assert_eq!(RefundWithGoods::parse(&fields, "R1").unwrap().refund.refund_fee, Fen::new(30));

    for fields in [&plain, &fields] {
        assert_eq!(RefundWithGoods::parse(fields, "R2").unwrap_err().problem, FieldProblem::Mismatch);
    }
    for (name, _) in [&told[..], &payment].concat() {
        let mut fields = plain.clone();
        fields.remove(name);
        assert_eq!(RefundWithGoods::parse(&fields, "R1").unwrap_err().field, name);
    }
}

#[test]
fn an_accepted_refund_must_be_the_one_that_was_asked_for() {
    let fields = Fields::from_iter([
        ("transaction_id", "4200000000202001010000000001"),
        ("out_trade_no", "T202001010001"),
        ("out_refund_no", "R1"),
        ("refund_id", "50000000002020010100000000001"),
        ("refund_fee", "30"),
        ("refund_channel", ""),
        ("coupon_refund_id_0", "c0"),
        ("coupon_refund_fee_0", "10"),
    ]);
    let accepted = RefundAccepted::parse(&fields, &refund()).unwrap();
    assert_eq!((accepted.refund_fee, accepted.coupons.len()), (Fen::new(30), 1));
    for (name, value) in [("out_refund_no", "R2"), ("refund_fee", "31"), ("transaction_id", "4")] {
        let mut other = fields.clone();
        other.insert(name, value);
        assert_eq!(RefundAccepted::parse(&other, &refund()).unwrap_err().problem, FieldProblem::Mismatch, "{name}");
    }
}

#[test]
fn refunds_are_read_by_number_and_not_by_text() {
    let mut fields = Fields::from_iter([
        ("transaction_id", "4"),
        ("out_trade_no", "T"),
        ("total_fee", "100"),
        ("total_refund_count", "35"),
        // Production answers carry these without a number; they belong to no refund.
        ("refund_fee", "99"),
        ("coupon_refund_fee", "99"),
    ]);
    for n in [10, 9, 0] {
        fields.insert(format!("out_refund_no_{n}"), format!("R{n}"));
        fields.insert(format!("refund_id_{n}"), format!("5{n}"));
        fields.insert(format!("refund_fee_{n}"), "3");
        fields.insert(format!("refund_status_{n}"), "SUCCESS");
    }
    fields.insert("refund_success_time_9", "2020-01-01 12:00:00");
    fields.insert("refund_status_10", "REFUNDCLOSE");
    fields.insert("coupon_refund_fee_9", "2");
    fields.insert("coupon_refund_id_9_0", "c");
    fields.insert("coupon_refund_fee_9_0", "2");
    let list = RefundList::parse(&fields).unwrap();
    let numbers: Vec<&str> = list.refunds.iter().map(|refund| refund.out_refund_no.as_str()).collect();
    assert_eq!(numbers, ["R0", "R9", "R10"]);
    assert_eq!(list.total_refund_count, Some(35));
    assert_eq!(list.refunds[1].coupons.len(), 1);
    assert_eq!(list.refunds[1].coupon_refund_fee, Some(Fen::new(2)));
    assert!(list.refunds[0].coupons.is_empty() && list.refunds[1].succeeded_at.is_some());
    assert_eq!(list.refunds[2].status, RefundStatus::Closed);
    assert_eq!(list.only("R10"), Ok(&list.refunds[2]));
    assert!(list.only("R1").is_err(), "a number that only begins alike is another");
    fields.insert("out_refund_no_9", "R10");
    assert!(RefundList::parse(&fields).unwrap().only("R10").is_err(), "two of one number contradict each other");
}
