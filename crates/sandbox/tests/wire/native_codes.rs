use std::time::Duration;

use jiff::Timestamp;
use sandbox::control::{Pay, Scan, Scanned, Shown};
use serde_json::json;
use wechat_pay::v2::{
    ApiKey, Fields, SignType,
    client::{native_1_fields, native_1_url},
    sign::{SIGN, sign, verify},
    xml,
};

use crate::harness::{
    ACME, Account, BREW, BREW_APP, BREW_NUMBER, Bench, PROVIDER_ACCOUNT as PROVIDER, PROVIDER_APP, Shop, TEA, outcome,
};

const PRODUCT: &str = "tea&7";
const NATIVE: [(&str, &str); 3] = [("trade_type", "NATIVE"), ("product_id", PRODUCT), ("openid", "")];

async fn bench() -> (Bench, Shop) {
    let shop = Shop::start().await;
    let url = shop.url.parse().unwrap();
    (Bench::with(|settings| settings.notify_url = Some(url)).await, shop)
}

/// The code of a product, as the merchant prints it.
fn code(account: &Account) -> String {
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let fields = native_1_fields(account.app_id, account.mch_id, PRODUCT, "5K8264ILTKCH16CQ", now);
    native_1_url(&fields, &account.api_key(), account.sign_type)
}

async fn scan(bench: &Bench, scan: &Scan) -> Scanned {
    let response = bench.http.post(format!("{}/_sandbox/scans", bench.url)).json(scan).send().await.unwrap();
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    response.json().await.unwrap()
}

fn of(code_url: impl Into<String>) -> Scan {
    Scan { code_url: code_url.into(), ..Scan::default() }
}

/// What a shop answers, signed with this key.
fn answer(fields: &[(&str, &str)], key: &ApiKey, sign_type: SignType) -> String {
    let mut answer: Fields = [
        ("return_code", "SUCCESS"),
        ("appid", ACME.app_id),
        ("mch_id", ACME.mch_id),
        ("nonce_str", "5K8264ILTKCH16CQ"),
        ("result_code", "SUCCESS"),
    ]
    .into_iter()
    .chain(fields.iter().copied())
    .collect();
    let signature = sign(&answer, key, sign_type);
    answer.insert(SIGN, signature);
    xml::write("xml", &answer)
}

/// A shop that answers with an order's prepay id, and these fields changed.
async fn shop_with_order(changes: &[(&str, &str)]) -> (Bench, Shop) {
    let (bench, shop) = bench().await;
    let prepay_id = bench.place(&ACME, "A00000001", &NATIVE).await.text("prepay_id").unwrap().to_owned();
    let reply = answer(&[&[("prepay_id", &*prepay_id)], changes].concat(), &ACME.api_key(), ACME.sign_type);
    shop.replies(move |_| reply.clone());
    (bench, shop)
}

fn why(scanned: &Scanned) -> &str {
    let Shown::Nothing { why } = &scanned.shown else { panic!("{:?}", scanned.shown) };
    why
}

#[tokio::test]
async fn a_scanned_product_makes_wechat_ask_the_merchant_and_opens_the_order_it_answers() {
    let (bench, shop) = shop_with_order(&[]).await;
    let scanned = scan(&bench, &Scan { openid: Some("oScanner1".into()), ..of(code(&ACME)) }).await;
    let Shown::Cashier(cashier) = &scanned.shown else { panic!("{scanned:?}") };
    assert_eq!((&*cashier.out_trade_no, cashier.amount_fen, &*cashier.trade_type), ("A00000001", 100, "NATIVE"));
    let asked = shop.asked();
    let (merchant, question) = &asked[0];
    assert_eq!((asked.len(), &**merchant), (1, ACME.name));
    verify(question, &ACME.api_key(), ACME.sign_type).unwrap();
    let names: Vec<&str> = question.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["appid", "mch_id", "product_id", "openid", "is_subscribe", "nonce_str", "sign"]);
    assert_eq!((question.text("product_id"), question.text("openid")), (Some(PRODUCT), Some("oScanner1")));
    assert_eq!((question.text("is_subscribe"), question.text("mch_id")), (Some("N"), Some(ACME.mch_id)));
    // Whoever scanned pays.
    bench.pay("A00000001", &Pay::default()).await;
    let paid = bench.post("/pay/orderquery", &ACME.signed(&[("out_trade_no", "A00000001")])).await;
    assert_eq!(paid.text("openid"), Some("oScanner1"));
}

#[tokio::test]
async fn the_question_is_signed_as_the_code_was() {
    let (bench, shop) = bench().await;
    for (account, sign_type) in [(ACME, SignType::HmacSha256), (ACME, SignType::Md5), (TEA, SignType::Md5)] {
        scan(&bench, &of(code(&Account { sign_type, ..account }))).await;
        let (_, question) = shop.asked().pop().unwrap();
        verify(&question, &account.api_key(), sign_type).unwrap();
    }
}

#[tokio::test]
async fn each_scan_has_its_own_nonce_and_the_owner_of_the_phone_one_openid() {
    let (bench, shop) = bench().await;
    scan(&bench, &of(code(&ACME))).await;
    scan(&bench, &of(code(&ACME))).await;
    let asked: Vec<Fields> = shop.asked().into_iter().map(|(_, question)| question).collect();
    assert_ne!(asked[0].text("nonce_str"), asked[1].text("nonce_str"));
    assert_eq!(asked[0].text("openid"), asked[1].text("openid"));
}

#[tokio::test]
async fn a_repeated_question_is_the_same_question_and_every_answer_is_told() {
    let (bench, shop) = shop_with_order(&[]).await;
    let scanned = scan(&bench, &Scan { duplicate: 2, ..of(code(&ACME)) }).await;
    assert_eq!(scanned.answers.len(), 3);
    assert!(scanned.answers.iter().all(|shown| matches!(shown, Shown::Cashier(_))), "{scanned:?}");
    let asked = shop.asked();
    assert!(asked.len() == 3 && asked.iter().all(|question| *question == asked[0]));
}

#[tokio::test]
async fn a_corrupted_question_reaches_the_merchant_with_a_signature_that_does_not_match() {
    let (bench, shop) = shop_with_order(&[]).await;
    for field in ["sign", "product_id", "openid", "nonce_str"] {
        scan(&bench, &Scan { corrupt: Some(field.into()), ..of(code(&ACME)) }).await;
        let (_, question) = shop.asked().pop().unwrap();
        assert!(verify(&question, &ACME.api_key(), ACME.sign_type).is_err(), "{field}");
    }
}

#[tokio::test]
async fn the_merchants_words_are_shown_when_it_refuses() {
    let (bench, shop) = bench().await;
    let refusal = [("result_code", "FAIL"), ("err_code_des", "今天卖完了")];
    let reply = answer(&refusal, &ACME.api_key(), ACME.sign_type);
    shop.replies(move |_| reply.clone());
    let scanned = scan(&bench, &of(code(&ACME))).await;
    assert_eq!(scanned.shown, Shown::Refusal { refusal: "今天卖完了".into() });
}

#[tokio::test]
async fn an_answer_that_proves_nothing_opens_nothing() {
    let (bench, shop) = bench().await;
    let placed = bench.place(&ACME, "A00000001", &NATIVE).await;
    let other = bench.place(&ACME, "A00000002", &[&NATIVE[..], &[("product_id", "coffee")]].concat()).await;
    let jsapi = bench.place(&ACME, "A00000003", &[("product_id", PRODUCT)]).await;
    let foreign = bench.place(&TEA, "A00000001", &NATIVE).await;
    let id = |fields: &Fields| fields.text("prepay_id").unwrap().to_owned();
    let (right, other, jsapi, foreign) = (id(&placed), id(&other), id(&jsapi), id(&foreign));
    let (key, kind) = (ACME.api_key(), ACME.sign_type);
    for (reply, reason) in [
        (answer(&[("prepay_id", &right)], &TEA.api_key(), kind), "not signed by the merchant"),
        (answer(&[("prepay_id", &right)], &key, SignType::Md5), "not signed by the merchant"),
        (answer(&[("prepay_id", &right), ("mch_id", TEA.mch_id)], &key, kind), "another account"),
        (answer(&[("prepay_id", &right), ("appid", "")], &key, kind), "another account"),
        (answer(&[("prepay_id", &right), ("nonce_str", "")], &key, kind), "lacks nonce_str"),
        (answer(&[("prepay_id", &right), ("result_code", "")], &key, kind), "lacks result_code"),
        (answer(&[], &key, kind), "lacks prepay_id"),
        (answer(&[("prepay_id", "wx1")], &key, kind), "does not know the prepay id"),
        (answer(&[("prepay_id", &other)], &key, kind), "sells something else"),
        (answer(&[("prepay_id", &jsapi)], &key, kind), "sells something else"),
        (answer(&[("prepay_id", &foreign)], &key, kind), "sells something else"),
        (answer(&[("return_code", "FAIL")], &key, kind), "did not understand"),
        (String::new(), "no XML"),
    ] {
        shop.replies(move |_| reply.clone());
        let scanned = scan(&bench, &of(code(&ACME))).await;
        assert!(why(&scanned).contains(reason), "{reason}: {scanned:?}");
    }
}

#[tokio::test]
async fn a_paid_order_in_the_answer_opens_nothing() {
    let (bench, _shop) = shop_with_order(&[]).await;
    bench.pay("A00000001", &Pay::default()).await;
    assert_eq!(why(&scan(&bench, &of(code(&ACME))).await), "the order is paid");
}

#[tokio::test]
async fn a_merchant_that_does_not_answer_in_time_is_not_waited_for() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let bench = Bench::with(|settings| {
        settings.notify_url = Some(url);
        settings.callback_timeout_ms = 100;
    })
    .await;
    // Nobody accepts, so nobody answers.
    assert!(why(&scan(&bench, &of(code(&ACME))).await).contains("within five seconds"));
    drop(listener);
}

#[tokio::test]
async fn a_code_that_the_merchant_did_not_sign_asks_nobody() {
    let (bench, shop) = bench().await;
    let right = code(&ACME);
    let with = |from: &str, to: &str| {
        assert!(right.contains(from), "{from}");
        right.replacen(from, to, 1)
    };
    for code in [
        code(&Account { key: TEA.key, ..ACME }),
        with("tea%267", "coffee"),
        with(ACME.app_id, TEA.app_id),
        with(ACME.mch_id, TEA.mch_id),
        with("1800000000", "1800000001"),
        with(ACME.mch_id, "1900000999"),
        with("&product_id=tea%267", ""),
        with("?sign=", "?signature="),
    ] {
        assert!(matches!(scan(&bench, &of(&*code)).await.shown, Shown::Nothing { .. }), "{code}");
    }
    // Rightly signed, but with an app of somebody else.
    let strange = code(&Account { app_id: TEA.app_id, ..ACME });
    assert!(why(&scan(&bench, &of(strange)).await).contains("do not belong together"));
    assert_eq!(shop.asked(), []);
}

#[tokio::test]
async fn a_sub_merchants_code_names_it_and_so_does_the_question() {
    let (bench, shop) = bench().await;
    let now = Timestamp::from_second(1_800_000_000).unwrap();
    let mut fields = native_1_fields(PROVIDER_APP, PROVIDER.mch_id, PRODUCT, "5K8264ILTKCH16CQ", now);
    let url = |fields: &Fields| native_1_url(fields, &PROVIDER.api_key(), PROVIDER.sign_type);
    assert!(why(&scan(&bench, &of(url(&fields))).await).contains("do not belong together"));
    fields.insert("sub_mch_id", BREW_NUMBER);
    fields.insert("sub_appid", BREW_APP);
    scan(&bench, &of(url(&fields))).await;
    let asked = shop.asked();
    assert_eq!((asked.len(), &*asked[0].0), (1, PROVIDER.name));
    let question = &asked[0].1;
    verify(question, &PROVIDER.api_key(), PROVIDER.sign_type).unwrap();
    assert_eq!((question.text("sub_mch_id"), question.text("sub_appid")), (Some(BREW_NUMBER), Some(BREW_APP)));
    // The user of the sub-merchant's app is known as that from now on.
    let order = [&BREW[..], &[("sub_appid", BREW_APP), ("openid", question.text("sub_openid").unwrap())]].concat();
    let refused = bench.post("/pay/unifiedorder", &PROVIDER.order("A00000009", &order)).await;
    assert_eq!((&*outcome(&refused), refused.text("err_code_des")), ("PARAM_ERROR", Some("appid和openid不匹配")));
}

#[tokio::test]
async fn the_code_of_one_order_opens_it_without_asking_anybody() {
    let (bench, shop) = bench().await;
    let placed = bench.place(&ACME, "A00000001", &NATIVE).await;
    let code_url = placed.text("code_url").unwrap();
    let scanned = scan(&bench, &of(code_url)).await;
    let Shown::Cashier(cashier) = &scanned.shown else { panic!("{scanned:?}") };
    assert_eq!((&*cashier.out_trade_no, Some(&*cashier.prepay_id)), ("A00000001", placed.text("prepay_id")));
    assert_eq!((scanned.answers, shop.asked()), (vec![], vec![]));
    bench.advance(Duration::from_hours(2)).await;
    assert!(why(&scan(&bench, &of(code_url)).await).contains("two hours"));
    for unknown in ["weixin://wxpay/bizpayurl?pr=AAAAAAA", "https://example.com/", "weixin://wxpay/s/AAAA", "tea"] {
        assert!(matches!(scan(&bench, &of(unknown)).await.shown, Shown::Nothing { .. }), "{unknown}");
    }
}

#[tokio::test]
async fn the_code_url_of_an_order_that_is_paid_inside_wechat_is_no_code() {
    let (bench, _shop) = bench().await;
    let jsapi = bench.place(&ACME, "A00000001", &[]).await;
    assert_eq!(jsapi.text("code_url"), None);
    let by_id = scan(&bench, &of(format!("prepay_id={}", jsapi.text("prepay_id").unwrap()))).await;
    assert!(matches!(by_id.shown, Shown::Cashier(_)), "{by_id:?}");
}

#[tokio::test]
async fn a_scan_that_makes_no_sense_is_refused_with_a_sentence() {
    let (bench, _shop) = bench().await;
    for scan in [
        json!({}),
        json!({ "code_url": "x", "openid": "o o" }),
        json!({ "code_url": "x", "duplicate": 21 }),
        json!({ "code_url": "x", "corrupt": "total_fee" }),
        json!({ "code_url": "x", "colour": "red" }),
    ] {
        let response = bench.http.post(format!("{}/_sandbox/scans", bench.url)).json(&scan).send().await.unwrap();
        assert_eq!(response.status(), 400, "{scan}");
    }
}

#[tokio::test]
async fn a_scan_reads_as_it_is_documented() {
    let (bench, _shop) = shop_with_order(&[]).await;
    let url = format!("{}/_sandbox/scans", bench.url);
    let answer: serde_json::Value =
        bench.http.post(url).json(&json!({ "code_url": code(&ACME) })).send().await.unwrap().json().await.unwrap();
    assert_eq!((&answer["shows"], &answer["out_trade_no"]), (&json!("cashier"), &json!("A00000001")));
}
