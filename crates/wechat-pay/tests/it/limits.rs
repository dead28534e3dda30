use jiff::{SignedDuration, Timestamp};
use money::Fen;
use wechat_pay::v2::limits::{self, LimitError, Violation};
use wechat_pay::v2::{Goods, GoodsItem, H5Scene, Particulars, RefundGoodsItem, Store};

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

fn fields(violations: &[Violation]) -> Vec<(&str, LimitError)> {
    violations.iter().map(|violation| (violation.field.as_str(), violation.error)).collect()
}

fn item(goods_id: &str) -> GoodsItem {
    GoodsItem { goods_id: goods_id.to_owned(), quantity: 1, ..GoodsItem::default() }
}

fn of_goods(goods: Goods) -> Particulars {
    Particulars { goods: Some(goods), ..Particulars::default() }
}

#[test]
fn an_order_without_particulars_breaks_nothing() {
    assert!(limits::check_particulars(&Particulars::default()).is_empty());
}

#[test]
fn every_mistake_in_the_particulars_is_told_with_its_path() {
    let particulars = Particulars {
        attach: Some("茶".repeat(43)),
        goods: Some(Goods {
            cost_price: Some(Fen::new(0)),
            receipt_id: Some("r".repeat(33)),
            items: vec![
                item("a"),
                GoodsItem {
                    goods_id: String::new(),
                    wxpay_goods_id: Some("1".repeat(33)),
                    name: Some("茶".repeat(257)),
                    quantity: 0,
                    price: Fen::new(-1),
                },
            ],
        }),
        goods_tag: Some("t".repeat(33)),
        device_info: Some("POS\n1".to_owned()),
        store: Some(Store {
            id: String::new(),
            name: Some("茶".repeat(65)),
            area_code: Some("44030".to_owned()),
            address: Some(" a".to_owned()),
        }),
        ..Particulars::default()
    };
    let too_many = |max| LimitError::TooManyCharacters { max };
    let most = i64::from(i32::MAX);
    assert_eq!(
        fields(&limits::check_particulars(&particulars)),
        [
            ("attach", LimitError::TooLong { max: 127 }),
            ("goods_tag", too_many(32)),
            ("device_info", LimitError::Characters { what: "control characters" }),
            ("goods.cost_price_fen", LimitError::Range { min: 1, max: most }),
            ("goods.receipt_id", too_many(32)),
            ("goods.items[1].goods_id", LimitError::Empty),
            ("goods.items[1].wxpay_goods_id", too_many(32)),
            ("goods.items[1].name", too_many(256)),
            ("goods.items[1].quantity", LimitError::Range { min: 1, max: most }),
            ("goods.items[1].price_fen", LimitError::Range { min: 0, max: most }),
            ("store.id", LimitError::Empty),
            ("store.name", too_many(64)),
            ("store.area_code", LimitError::AreaCode),
            ("store.address", LimitError::Padded),
        ]
    );
}

#[test]
fn goods_and_store_must_also_fit_as_a_whole() {
    assert_eq!(fields(&limits::check_particulars(&of_goods(Goods::default()))), [("goods.items", LimitError::Empty)]);
    let bytes = |items: usize| {
        let goods = Goods { items: vec![item(&"g".repeat(32)); items], ..Goods::default() };
        (goods.detail().len(), fields(&limits::check_particulars(&of_goods(goods))).len())
    };
    // 19 bytes around the items, 71 for each with its comma, and no comma after the last.
    assert_eq!(bytes(84), (5982, 0));
    assert_eq!(bytes(85), (6053, 1));

    // Each part is short enough, and in bytes they are too much together.
    let store = |characters: usize| Store {
        id: "1".to_owned(),
        name: Some("店".repeat(64)),
        area_code: None,
        address: Some("a".repeat(characters)),
    };
    let told = |store: Store| limits::check_particulars(&Particulars { store: Some(store), ..Particulars::default() });
    let left = limits::SCENE_INFO_BYTES - store(0).scene_info().len();
    assert!(told(store(left)).is_empty(), "{:?}", told(store(left)));
    assert_eq!(fields(&told(store(left + 1))), [("store", LimitError::TooLongAsJson { max: 256 })]);
}

#[test]
fn the_goods_of_a_refund_are_checked_one_by_one_and_as_a_whole() {
    let good =
        RefundGoodsItem { goods_id: "a".to_owned(), refund: Fen::new(1), quantity: 1, ..RefundGoodsItem::default() };
    assert!(limits::check_refund_goods(std::slice::from_ref(&good)).is_empty());
    let wrong = RefundGoodsItem { goods_id: String::new(), refund: Fen::ZERO, quantity: 0, ..good.clone() };
    let found = limits::check_refund_goods(&[good.clone(), wrong]);
    let named: Vec<&str> = found.iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(named, ["[1].goods_id", "[1].refund_fen", "[1].quantity"]);
    let many = vec![good; 100];
    assert_eq!(fields(&limits::check_refund_goods(&many)), [("", LimitError::TooLongAsJson { max: 6000 })]);
}

#[test]
fn a_scene_says_from_where_the_payer_comes() {
    let page = |url: &str, name: &str| H5Scene::Page { url: url.to_owned(), name: name.to_owned() };
    assert!(limits::check_h5_scene(&page("https://shop.example/buy?a=1", "小店")).is_empty());
    assert!(limits::check_h5_scene(&page("http://shop.example", "s")).is_empty());
    for url in ["shop.example", "ftp://shop.example", "https://", "https://u@shop.example", "https://shop example/"] {
        assert_eq!(fields(&limits::check_h5_scene(&page(url, "s"))), [("page.url", LimitError::WebUrl)], "{url}");
    }
    let long = format!("https://shop.example/{}", "a".repeat(230));
    assert_eq!(
        fields(&limits::check_h5_scene(&page(&long, "s"))),
        [("", LimitError::TooLongAsJson { max: limits::SCENE_INFO_BYTES })]
    );
    let ios = H5Scene::IosApp { name: String::new(), bundle_id: String::new() };
    assert_eq!(
        fields(&limits::check_h5_scene(&ios)),
        [("ios_app.name", LimitError::Empty), ("ios_app.bundle_id", LimitError::Empty)]
    );
    let android = H5Scene::AndroidApp { name: "s".to_owned(), package_name: "a\nb".to_owned() };
    assert_eq!(limits::check_h5_scene(&android)[0].field, "android_app.package_name");
}

#[test]
fn the_browser_returns_to_an_https_page() {
    assert_eq!(limits::check_redirect_url("https://shop.example/done?order=1#x"), Ok(()));
    for url in ["http://shop.example", "//shop.example", "https://", "https://:443/", "javascript:alert(1)"] {
        assert_eq!(limits::check_redirect_url(url), Err(LimitError::HttpsUrl), "{url}");
    }
    let long = |bytes: usize| format!("https://s/{}", "a".repeat(bytes - 10));
    assert_eq!(limits::check_redirect_url(&long(512)), Ok(()));
    assert_eq!(limits::check_redirect_url(&long(513)), Err(LimitError::TooLong { max: 512 }));
}

#[test]
fn a_product_has_a_short_plain_number() {
    assert_eq!(limits::check_product_id("tea-Red_2"), Ok(()));
    assert_eq!(limits::check_product_id(""), Err(LimitError::Empty));
    assert_eq!(limits::check_product_id(&"1".repeat(33)), Err(LimitError::TooLong { max: 32 }));
    assert!(limits::check_product_id("红茶").is_err() && limits::check_product_id("a&b").is_err());
}
