use std::time::Duration;

use money::Fen;
use sandbox::control::{NewPayCode, Pay, PayBehaviour, PayCode, Problem};
use serde_json::json;
use wechat_pay::v2::{Answer, Identity, Payment, answer::judge, xml};

use crate::harness::{ACME, Bench, TEA, charge_fields, outcome};

const PATH: &str = "/pay/micropay";

#[tokio::test]
async fn a_charge_is_answered_with_the_payment_and_nobody_else_is_told() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    let mut fields = charge_fields("A00000001");
    fields.extend([("auth_code", &*code.auth_code), ("attach", "cart 7")]);
    let body = xml::write("xml", &ACME.signed(&fields)).into_bytes();
    let response = bench.send(PATH, body).await.unwrap();
    let (status, body) = (response.status().as_u16(), response.bytes().await.unwrap());
    let identity = Identity::direct(ACME.app_id, ACME.mch_id);
    let Answer::Success(answer) = judge(status, &body, &identity, &ACME.api_key(), ACME.sign_type) else {
        panic!("not a success")
    };
    let payment = Payment::parse(&answer).unwrap();
    assert_eq!((payment.total_fee, payment.openid.unwrap().as_str()), (Fen::new(100), &*code.openid));
    assert_eq!((answer.text("trade_type"), answer.text("attach")), (Some("MICROPAY"), Some("cart 7")));
    let order = bench.known_order("A00000001").await.unwrap();
    assert_eq!((order.trade_state.as_str(), order.trade_type.as_str(), order.prepays), ("SUCCESS", "MICROPAY", 0));
    assert_eq!(order.payment.unwrap().transaction_id, payment.transaction_id);
    assert_eq!(bench.ledger().await.callbacks, []);
}

#[tokio::test]
async fn the_query_of_a_charge_says_its_kind_and_whose_it_is() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    bench.micropay("A00000001", &code.auth_code).await;
    let answer = bench.post("/pay/orderquery", &ACME.signed(&[("out_trade_no", "A00000001")])).await;
    assert_eq!((answer.text("trade_type"), answer.text("trade_state")), (Some("MICROPAY"), Some("SUCCESS")));
    assert_eq!(answer.text("openid"), Some(&*code.openid));
}

#[tokio::test]
async fn each_user_is_answered_as_they_behave() {
    let bench = Bench::start().await;
    for (at, (behaviour, answer, state)) in [
        (PayBehaviour::Password, "USERPAYING", "USERPAYING"),
        (PayBehaviour::PaysLate, "USERPAYING", "USERPAYING"),
        (PayBehaviour::NoMoney, "NOTENOUGH", "PAYERROR"),
        (PayBehaviour::WrongCard, "NOTSUPORTCARD", "PAYERROR"),
        (PayBehaviour::BuyerMismatch, "BUYER_MISMATCH", "PAYERROR"),
        (PayBehaviour::SystemErrorPaid, "SYSTEMERROR", "SUCCESS"),
        (PayBehaviour::SystemErrorUnpaid, "SYSTEMERROR", "NOTPAY"),
        (PayBehaviour::BankError, "BANKERROR", "NOTPAY"),
    ]
    .into_iter()
    .enumerate()
    {
        let number = format!("A{at:08}");
        // Long enough that the answer is read before.
        let wanted = NewPayCode { behaviour, after_s: 3_600, ..NewPayCode::default() };
        let code: PayCode = bench.command("pay-codes", &wanted).await.json().await.unwrap();
        assert_eq!(outcome(&bench.micropay(&number, &code.auth_code).await), answer, "{behaviour:?}");
        assert_eq!(bench.trade_state(&ACME, &number).await, state, "{behaviour:?}");
    }
}

#[tokio::test]
async fn a_password_is_entered_by_command_and_tells_nobody() {
    let bench = Bench::start().await;
    assert_eq!(bench.charged("A00000001", PayBehaviour::Password).await, "USERPAYING");
    let paid = bench.pay("A00000001", &Pay::default()).await;
    assert_eq!((paid.amount_fen, paid.callback_id), (100, None));
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "SUCCESS");
    assert_eq!(bench.try_pay("A00000001", &Pay::default()).await.status(), 409);
    assert_eq!(bench.ledger().await.callbacks, []);
}

#[tokio::test]
async fn a_password_that_is_not_entered_ends_in_payerror() {
    let bench = Bench::start().await;
    bench.charged("A00000001", PayBehaviour::Password).await;
    assert_eq!(bench.command("payments/A00000001/cancel", &json!({})).await.status(), 200);
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "PAYERROR");
    let refused = bench.try_pay("A00000001", &Pay::default()).await;
    assert_eq!(refused.status(), 409);
    assert_eq!(refused.json::<Problem>().await.unwrap().error, "nobody is asked to pay this charge");
    assert_eq!(bench.command("payments/A00000001/cancel", &json!({})).await.status(), 409);
}

#[tokio::test]
async fn who_pays_late_pays_by_themselves_at_that_instant() {
    let bench = Bench::start().await;
    let wanted = NewPayCode { behaviour: PayBehaviour::PaysLate, after_s: 600, ..NewPayCode::default() };
    let code: PayCode = bench.command("pay-codes", &wanted).await.json().await.unwrap();
    assert_eq!(outcome(&bench.micropay("A00000001", &code.auth_code).await), "USERPAYING");
    let charged_at = bench.known_order("A00000001").await.unwrap().created_at;
    bench.advance(Duration::from_hours(1)).await;
    let order = bench.known_order("A00000001").await.unwrap();
    let took = order.payment.unwrap().paid_at.duration_since(charged_at);
    // Payments are dated in whole seconds.
    assert!((599..=600).contains(&took.as_secs()), "{took}");
    assert_eq!(order.trade_state, "SUCCESS");
}

#[tokio::test]
async fn who_would_pay_after_the_expiry_does_not_pay() {
    let bench = Bench::start().await;
    let wanted = NewPayCode { behaviour: PayBehaviour::PaysLate, after_s: 600, ..NewPayCode::default() };
    let code: PayCode = bench.command("pay-codes", &wanted).await.json().await.unwrap();
    let expires = wechat_pay::time::print_14(bench.clock().await.now + jiff::SignedDuration::from_mins(5));
    bench.micropay_with(&ACME, "A00000001", &code.auth_code, &[("time_expire", &expires)]).await;
    bench.advance(Duration::from_hours(1)).await;
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "PAYERROR");
}

#[tokio::test]
async fn a_number_is_charged_once_whatever_came_of_it() {
    let bench = Bench::start().await;
    let again = async |number: &str| bench.charged(number, PayBehaviour::Pays).await;
    bench.charged("A00000001", PayBehaviour::Pays).await;
    bench.charged("A00000002", PayBehaviour::NoMoney).await;
    bench.charged("A00000003", PayBehaviour::Password).await;
    bench.place(&ACME, "A00000004", &[]).await;
    bench.place(&ACME, "A00000005", &[]).await;
    bench.advance(Duration::from_mins(5)).await;
    bench.close(&ACME, "A00000005").await;
    bench.reverse("A00000003").await;
    for (number, code) in [
        ("A00000001", "ORDERPAID"),
        ("A00000002", "OUT_TRADE_NO_USED"),
        ("A00000003", "ORDERREVERSED"),
        ("A00000004", "OUT_TRADE_NO_USED"),
        ("A00000005", "ORDERCLOSED"),
    ] {
        assert_eq!(again(number).await, code, "{number}");
    }
}

#[tokio::test]
async fn a_refused_charge_leaves_the_code_for_another_number() {
    let bench = Bench::start().await;
    bench.charged("A00000001", PayBehaviour::Pays).await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    assert_eq!(outcome(&bench.micropay("A00000001", &code.auth_code).await), "ORDERPAID");
    assert_eq!(outcome(&bench.micropay("A00000002", &code.auth_code).await), "SUCCESS");
}

#[tokio::test]
async fn a_number_that_was_charged_cannot_be_ordered() {
    let bench = Bench::start().await;
    let order = async |number: &str| outcome(&bench.post("/pay/unifiedorder", &ACME.order(number, &[])).await);
    bench.charged("A00000001", PayBehaviour::Pays).await;
    bench.charged("A00000002", PayBehaviour::Password).await;
    assert_eq!(order("A00000001").await, "ORDERPAID");
    assert_eq!(order("A00000002").await, "INVALID_REQUEST");
    bench.advance(Duration::from_secs(15)).await;
    bench.reverse("A00000001").await;
    assert_eq!(order("A00000001").await, "ORDERCLOSED");
}

#[tokio::test]
async fn a_code_that_is_spent_old_or_unknown_has_a_code_of_its_own() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    bench.micropay("A00000001", &code.auth_code).await;
    assert_eq!(outcome(&bench.micropay("A00000002", &code.auth_code).await), "AUTH_CODE_ERROR");
    let old = bench.pay_code(PayBehaviour::Pays).await;
    bench.advance(Duration::from_mins(1)).await;
    assert_eq!(outcome(&bench.micropay("A00000002", &old.auth_code).await), "AUTHCODEEXPIRE");
    for unknown in ["134567890123456789", "12345678", "28763443825664394", "1345678901234567x9"] {
        assert_eq!(outcome(&bench.micropay("A00000002", unknown).await), "AUTH_CODE_INVALID", "{unknown}");
    }
    assert_eq!(bench.trade_state(&ACME, "A00000002").await, "ORDERNOTEXIST");
}

#[tokio::test]
async fn what_a_charge_must_have_and_may_not_have_is_checked() {
    let bench = Bench::start().await;
    let code = bench.pay_code(PayBehaviour::Pays).await;
    let (long, long_code) = ("x".repeat(129), "1".repeat(129));
    for (change, answer) in [
        (("body", ""), "LACK_PARAMS"),
        (("out_trade_no", ""), "LACK_PARAMS"),
        (("total_fee", ""), "LACK_PARAMS"),
        (("spbill_create_ip", ""), "LACK_PARAMS"),
        (("auth_code", ""), "LACK_PARAMS"),
        (("appid", ""), "LACK_PARAMS"),
        (("appid", TEA.app_id), "APPID_MCHID_NOT_MATCH"),
        (("body", &*long), "PARAM_ERROR"),
        (("attach", "a&b"), "PARAM_ERROR"),
        (("out_trade_no", "A 1234567"), "PARAM_ERROR"),
        (("total_fee", "0"), "PARAM_ERROR"),
        (("total_fee", "1.00"), "PARAM_ERROR"),
        (("spbill_create_ip", "localhost"), "PARAM_ERROR"),
        (("auth_code", &*long_code), "PARAM_ERROR"),
        (("device_info", &*long), "PARAM_ERROR"),
        (("goods_tag", &*long), "PARAM_ERROR"),
        (("fee_type", "USD"), "PARAM_ERROR"),
        (("limit_pay", "no_debit"), "PARAM_ERROR"),
        (("receipt", "N"), "PARAM_ERROR"),
        (("version", "2.0"), "PARAM_ERROR"),
        (("scene_info", r#"{"h5_info":{}}"#), "PARAM_ERROR"),
        (("time_expire", "20200101000000"), "PARAM_ERROR"),
        (("time_start", "yesterday"), "PARAM_ERROR"),
        (("deposit", "Y"), "NOAUTH"),
    ] {
        let answered = bench.micropay_with(&ACME, "A00000001", &code.auth_code, &[change]).await;
        assert_eq!(outcome(&answered), answer, "{change:?}");
    }
    let goods = [("version", "1.0"), ("detail", r#"{"goods_detail":[]}"#)];
    let answered = bench.micropay_with(&ACME, "A00000001", &code.auth_code, &goods).await;
    assert_eq!(outcome(&answered), "PARAM_ERROR");
    assert_eq!(bench.ledger().await.orders, []);
    let all = [
        ("version", "1.0"),
        ("detail", r#"{"goods_detail":[{"goods_id":"g1","quantity":1,"price":100}]}"#),
        ("scene_info", r#"{"store_info":{"id":"SZ1"}}"#),
        ("device_info", "POS-1"),
        ("limit_pay", "no_credit"),
    ];
    let answered = bench.micropay_with(&ACME, "A00000001", &code.auth_code, &all).await;
    assert_eq!(outcome(&answered), "SUCCESS");
}

#[tokio::test]
async fn closeorder_is_no_way_to_end_a_charge() {
    let bench = Bench::start().await;
    bench.charged("A00000001", PayBehaviour::Password).await;
    bench.charged("A00000002", PayBehaviour::Pays).await;
    bench.advance(Duration::from_mins(5)).await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "INVALID_REQUEST");
    assert_eq!(bench.close(&ACME, "A00000002").await, "ORDERPAID");
    bench.reverse("A00000001").await;
    assert_eq!(bench.close(&ACME, "A00000001").await, "ORDERCLOSED");
}

#[tokio::test]
async fn a_charge_is_refunded_like_any_payment() {
    let bench = Bench::start().await;
    bench.charged("A00000001", PayBehaviour::Pays).await;
    bench.refunded("A00000001", "R1", 100, 40).await;
    assert_eq!(bench.trade_state(&ACME, "A00000001").await, "REFUND");
}

#[tokio::test]
async fn a_code_of_a_named_user_stands_for_that_user_and_nonsense_is_refused() {
    let bench = Bench::start().await;
    let wanted = NewPayCode { openid: Some("oUser1".into()), ..NewPayCode::default() };
    let code: PayCode = bench.command("pay-codes", &wanted).await.json().await.unwrap();
    assert_eq!(code.openid, "oUser1");
    let answer = bench.micropay("A00000001", &code.auth_code).await;
    assert_eq!(answer.text("openid"), Some("oUser1"));
    for nonsense in [json!({ "openid": "o 1" }), json!({ "after_s": 86_401 }), json!({ "behaviour": "sings" })] {
        assert_eq!(bench.command("pay-codes", &nonsense).await.status(), 400, "{nonsense}");
    }
    let empty = bench.http.post(format!("{}/_sandbox/pay-codes", bench.url)).send().await.unwrap();
    assert_eq!(empty.status(), 200);
}

#[tokio::test]
async fn the_phones_page_shows_a_code_that_can_be_charged() {
    let bench = Bench::start().await;
    let url = format!("{}/phone/pay-code", bench.url);
    let page = bench.http.get(&url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("<option>system_error_paid</option>"), "{page}");
    let form = [("behaviour", "password"), ("after_s", "5")];
    let shown = bench.http.post(&url).form(&form).send().await.unwrap();
    assert_eq!(shown.status(), 303);
    let location = format!("{}{}", bench.url, shown.headers()["location"].to_str().unwrap());
    let page = bench.http.get(location).send().await.unwrap().text().await.unwrap();
    let code = page.split("monospace\">").nth(1).unwrap().split('<').next().unwrap();
    assert!(page.contains("<option selected>password</option>"));
    assert_eq!(outcome(&bench.micropay("A00000001", code).await), "USERPAYING");
}
