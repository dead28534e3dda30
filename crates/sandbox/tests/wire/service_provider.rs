use std::time::Duration;

use jiff::SignedDuration;
use sandbox::control::{CallbackState, Pay, RefundState};
use wechat_pay::{
    bill::{Expected, TradeBillReader},
    time,
    v2::{
        Answer, Fields, Identity, SignType,
        answer::judge,
        notice::{self, Notice},
        refund_notice, xml,
    },
};

use crate::harness::{
    ACME, BREW, BREW_APP, BREW_NUMBER, Bench, LEAF, LEAF_APP, LEAF_NUMBER, PROVIDER_ACCOUNT as PROVIDER, PROVIDER_APP,
    REFUND, Receiver, TEA, client, outcome,
};

const ORDER: &str = "/pay/unifiedorder";

/// A mini program of the first sub-merchant orders for one of its own users.
const BREW_MINI: [(&str, &str); 4] =
    [("sub_mch_id", BREW_NUMBER), ("sub_appid", BREW_APP), ("openid", ""), ("sub_openid", "oSubUser1")];

async fn ordered(bench: &Bench, fields: &[(&str, &str)]) -> (String, String) {
    let answer = bench.post(ORDER, &PROVIDER.order("A00000001", fields)).await;
    (outcome(&answer), answer.text("err_code_des").unwrap_or_default().to_owned())
}

async fn asked(bench: &Bench, path: &str, number: &str, sub_merchant: &[(&str, &str)]) -> Fields {
    let fields = [&[("out_trade_no", number)], sub_merchant].concat();
    bench.post(path, &PROVIDER.signed(&fields)).await
}

async fn refunded(bench: &Bench, sub_merchant: &[(&str, &str)], number: &str, notify_url: &str) -> Fields {
    let certificate = bench.authority.issue_for_merchant(PROVIDER.mch_id).unwrap();
    let fields = [
        &[
            ("out_trade_no", number),
            ("out_refund_no", "R1"),
            ("total_fee", "100"),
            ("refund_fee", "40"),
            ("notify_url", notify_url),
        ],
        sub_merchant,
    ]
    .concat();
    let body = xml::write("xml", &PROVIDER.signed(&fields));
    let request = client(&bench.authority, Some(certificate)).post(format!("{}{REFUND}", bench.tls_url)).body(body);
    xml::parse("xml", &request.send().await.unwrap().bytes().await.unwrap()).unwrap()
}

#[tokio::test]
async fn a_service_provider_orders_for_a_user_of_its_own_app_or_of_the_sub_merchants() {
    let bench = Bench::start().await;
    for (number, fields, sub_appid) in
        [("A00000001", &BREW[..], None), ("A00000002", &BREW_MINI[..], Some(BREW_APP.to_owned()))]
    {
        let body = xml::write("xml", &PROVIDER.order(number, fields));
        let response = bench.send(ORDER, body.into_bytes()).await.unwrap();
        let identity = Identity {
            appid: PROVIDER_APP.into(),
            mch_id: PROVIDER.mch_id.into(),
            sub_appid: sub_appid.clone(),
            sub_mch_id: Some(BREW_NUMBER.into()),
        };
        let body = response.bytes().await.unwrap();
        let Answer::Success(fields) = judge(200, &body, &identity, &PROVIDER.api_key(), SignType::HmacSha256) else {
            panic!("not a verified success")
        };
        assert_eq!(fields.text("sub_mch_id"), Some(BREW_NUMBER));
        assert_eq!(fields.text("sub_appid"), sub_appid.as_deref());
    }
    let orders = bench.ledger().await.orders;
    let shown = orders.iter().map(|order| (&*order.merchant, &*order.app_id, order.sub_mch_id.as_deref()));
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [("brew-bar", PROVIDER_APP, Some(BREW_NUMBER)), ("brew-bar", BREW_APP, Some(BREW_NUMBER))]
    );
    assert!(orders.iter().all(|order| order.service_provider_app_id.as_deref() == Some(PROVIDER_APP)));
}

#[tokio::test]
async fn what_does_not_belong_together_is_refused_in_wechats_words() {
    let bench = Bench::start().await;
    for (fields, code, sentence) in [
        (&[][..], "LACK_PARAMS", "受理机构必须传入sub_mch_id"),
        (&[("sub_mch_id", "1900000399")], "MCHID_NOT_EXIST", "MCHID不存在"),
        (&[("sub_mch_id", ACME.mch_id)], "NOAUTH", "受理关系不存在"),
        (&[BREW[0], ("appid", BREW_APP)], "APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配"),
        (&[BREW[0], ("appid", "wx0000000000000xxx")], "APPID_NOT_EXIST", "APPID不存在"),
        (&[BREW[0], ("sub_appid", LEAF_APP)], "PARAM_ERROR", "sub_mch_id与sub_appid不匹配"),
        (&[BREW[0], ("sub_appid", PROVIDER_APP)], "PARAM_ERROR", "sub_mch_id与sub_appid不匹配"),
        (&[BREW[0], ("openid", ""), ("sub_openid", "oSubUser1")], "LACK_PARAMS", "缺少参数sub_appid"),
        (&[BREW[0], ("openid", "")], "LACK_PARAMS", "缺少参数openid或sub_openid"),
    ] {
        assert_eq!(ordered(&bench, fields).await, (code.into(), sentence.into()), "{fields:?}");
    }
    assert_eq!(bench.ledger().await.orders, []);
}

#[tokio::test]
async fn a_direct_merchant_has_nobody_below_it() {
    let bench = Bench::start().await;
    for field in ["sub_mch_id", "sub_appid", "sub_openid"] {
        for path in [ORDER, "/pay/orderquery", "/pay/closeorder", "/pay/refundquery"] {
            let answer = bench.post(path, &ACME.order("A00000001", &[(field, BREW_NUMBER)])).await;
            assert_eq!(outcome(&answer), "PARAM_ERROR", "{path} {field}");
        }
    }
}

#[tokio::test]
async fn a_user_of_the_sub_merchants_app_is_no_user_of_another() {
    let bench = Bench::start().await;
    let login = bench.login_code(LEAF_APP, None).await;
    let of = |openid, sub_openid| [BREW[0], ("sub_appid", BREW_APP), ("openid", openid), ("sub_openid", sub_openid)];
    let refused = ordered(&bench, &of("", &login.openid)).await;
    assert_eq!(refused, ("PARAM_ERROR".into(), "sub_appid和sub_openid不匹配".into()));
    let refused = ordered(&bench, &of(&login.openid, "")).await;
    assert_eq!(refused, ("PARAM_ERROR".into(), "appid和openid不匹配".into()));
    let own = bench.login_code(BREW_APP, None).await;
    assert_eq!(ordered(&bench, &of("", &own.openid)).await.0, "SUCCESS");
}

#[tokio::test]
async fn sub_merchants_share_the_numbers_of_their_provider_but_not_the_orders() {
    let bench = Bench::start().await;
    assert_eq!(ordered(&bench, &BREW).await.0, "SUCCESS");
    let taken = ordered(&bench, &LEAF).await;
    assert_eq!(taken, ("INVALID_REQUEST".into(), "201 商户订单号重复".into()));
    bench.advance(Duration::from_mins(6)).await;
    assert_eq!(outcome(&asked(&bench, "/pay/orderquery", "A00000001", &LEAF).await), "ORDERNOTEXIST");
    // As any number that was never used.
    assert_eq!(outcome(&asked(&bench, "/pay/closeorder", "A00000001", &LEAF).await), "SUCCESS");
    assert_eq!(asked(&bench, "/pay/orderquery", "A00000001", &BREW).await.text("trade_state"), Some("NOTPAY"));
    assert_eq!(outcome(&asked(&bench, "/pay/closeorder", "A00000001", &BREW).await), "SUCCESS");
    assert_eq!(asked(&bench, "/pay/orderquery", "A00000001", &BREW).await.text("trade_state"), Some("CLOSED"));
    // A dead number of one tells another nothing.
    assert_eq!(ordered(&bench, &LEAF).await.0, "INVALID_REQUEST");
    assert_eq!(ordered(&bench, &BREW).await.0, "ORDERCLOSED");
}

#[tokio::test]
async fn every_call_names_the_sub_merchant() {
    let bench = Bench::start().await;
    assert_eq!(ordered(&bench, &BREW).await.0, "SUCCESS");
    for path in ["/pay/orderquery", "/pay/closeorder", "/pay/refundquery"] {
        assert_eq!(outcome(&asked(&bench, path, "A00000001", &[]).await), "LACK_PARAMS", "{path}");
    }
    assert_eq!(outcome(&refunded(&bench, &[], "A00000001", "").await), "LACK_PARAMS");
}

#[tokio::test]
async fn a_payment_is_told_and_answered_with_the_sub_merchant_and_its_user() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    let fields = [&BREW_MINI[..], &[("notify_url", &receiver.url)]].concat();
    assert_eq!(ordered(&bench, &fields).await.0, "SUCCESS");
    let paid = bench.pay("A00000001", &Pay::default()).await;
    bench.callback(paid.callback_id, |callback| callback.state == CallbackState::Delivered).await;
    let told = receiver.received().remove(0);
    let body = xml::write("xml", &told);
    let Ok(Notice::Paid(read)) = notice::read(body.as_bytes(), &PROVIDER.api_key(), &[SignType::HmacSha256]) else {
        panic!("not a genuine notice")
    };
    let identity = Identity {
        appid: PROVIDER_APP.into(),
        mch_id: PROVIDER.mch_id.into(),
        sub_appid: Some(BREW_APP.into()),
        sub_mch_id: Some(BREW_NUMBER.into()),
    };
    assert_eq!(read.identity, identity);
    assert_eq!(told.text("sub_openid"), Some("oSubUser1"));
    assert_eq!(told.text("sub_is_subscribe"), Some("N"));
    let openid = told.text("openid").unwrap();
    assert_ne!(openid, "oSubUser1");
    let answer = asked(&bench, "/pay/orderquery", "A00000001", &BREW).await;
    for field in ["appid", "mch_id", "sub_appid", "sub_mch_id", "openid", "sub_openid", "transaction_id"] {
        assert_eq!(answer.text(field), told.text(field), "{field}");
    }
    assert_eq!(bench.ledger().await.orders[0].payment.as_ref().unwrap().app_id, BREW_APP);
}

#[tokio::test]
async fn the_provider_refunds_with_its_own_certificate_and_is_told_with_the_sub_merchant() {
    let bench = Bench::start().await;
    let receiver = Receiver::start(&[]).await;
    assert_eq!(ordered(&bench, &BREW_MINI).await.0, "SUCCESS");
    bench.pay("A00000001", &Pay::default()).await;
    assert_eq!(outcome(&refunded(&bench, &LEAF, "A00000001", "").await), "ORDERNOTEXIST");
    let accepted = refunded(&bench, &BREW, "A00000001", &receiver.refund_url()).await;
    assert_eq!((&*outcome(&accepted), accepted.text("sub_mch_id")), ("SUCCESS", Some(BREW_NUMBER)));
    bench.settle("R1", RefundState::Success).await;
    bench.refund_callback("R1", RefundState::Success, |callback| callback.state == CallbackState::Delivered).await;
    let told = receiver.received().remove(0);
    assert_eq!((told.text("appid"), told.text("mch_id")), (Some(PROVIDER_APP), Some(PROVIDER.mch_id)));
    assert_eq!((told.text("sub_appid"), told.text("sub_mch_id")), (Some(BREW_APP), Some(BREW_NUMBER)));
    let body = xml::write("xml", &told);
    assert!(refund_notice::read(body.as_bytes(), &PROVIDER.api_key()).is_ok());
    for (number, sub_merchant, state) in [("R1", &BREW, "SUCCESS"), ("R1", &LEAF, "REFUNDNOTEXIST")] {
        let fields = [&[("out_refund_no", number)], &sub_merchant[..]].concat();
        assert_eq!(outcome(&bench.post("/pay/refundquery", &PROVIDER.signed(&fields)).await), state);
    }
}

#[tokio::test]
async fn sub_merchants_have_money_of_their_own() {
    let bench = Bench::start().await;
    assert_eq!(ordered(&bench, &BREW).await.0, "SUCCESS");
    bench.pay("A00000001", &Pay::default()).await;
    let leaf = crate::harness::Account { name: "leaf-bar", ..PROVIDER };
    bench.set_balance(&leaf, Some(0)).await;
    assert_eq!(outcome(&refunded(&bench, &BREW, "A00000001", "").await), "SUCCESS");
    bench.set_balance(&PROVIDER, Some(10)).await;
    assert_eq!((bench.balance(&PROVIDER).await, bench.balance(&leaf).await), (Some(10), Some(0)));
}

#[tokio::test]
async fn a_providers_bill_is_of_all_its_sub_merchants_or_of_one() {
    let bench = Bench::start().await;
    // Away from midnight, so that all payments are of one day.
    let day = time::bill_date(bench.clock().await.now).tomorrow().unwrap();
    bench.advance_to(time::day_start(day).unwrap() + SignedDuration::from_hours(8)).await;
    for (number, sub_merchant) in [("A00000001", &BREW), ("A00000002", &LEAF)] {
        let answer = bench.post(ORDER, &PROVIDER.order(number, sub_merchant)).await;
        assert_eq!(outcome(&answer), "SUCCESS");
        bench.pay(number, &Pay::default()).await;
    }
    bench.sell(&TEA, "A00000003", 100).await;
    bench.advance_to(time::day_start(day.tomorrow().unwrap()).unwrap() + SignedDuration::from_mins(605)).await;
    let bill = async |sub_merchant: &[(&str, &str)]| {
        let date = time::print_date(day);
        let fields = [&[("bill_date", &*date), ("bill_type", "ALL")], sub_merchant].concat();
        let request = xml::write("xml", &PROVIDER.signed(&fields)).into_bytes();
        bench.send("/pay/downloadbill", request).await.unwrap().bytes().await.unwrap()
    };
    let rows = async |sub_merchant: &[(&str, &str)]| -> Vec<(String, Option<String>)> {
        let bytes = bill(sub_merchant).await;
        let expected = Expected { mch_id: PROVIDER.mch_id.into(), bill_date: Some(day) };
        let reader = TradeBillReader::open(&bytes[..], expected).unwrap();
        reader.map(|row| row.unwrap()).map(|row| (row.out_trade_no, row.sub_mch_id)).collect()
    };
    let row = |number: &str, sub: &str| (number.to_owned(), Some(sub.to_owned()));
    let (brew, leaf) = (row("A00000001", BREW_NUMBER), row("A00000002", LEAF_NUMBER));
    assert_eq!(rows(&[]).await, [brew.clone(), leaf.clone()]);
    assert_eq!(rows(&BREW).await, [brew]);
    assert_eq!(rows(&LEAF).await, [leaf]);
    let unknown = xml::parse("xml", &bill(&[("sub_mch_id", "1900000399")]).await).unwrap();
    assert_eq!(unknown.text("return_msg"), Some("data format error"));
}
