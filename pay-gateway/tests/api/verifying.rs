use proto::gateway::v1::{payment_status::State, query_payment_response::Outcome};
use wechat_pay::v2::SignType;

use crate::{
    fake::{Fake, Reply, signed, text},
    harness::{APP_ID, Gateway, KEY, MCH_ID, NUMBER, OLD_KEY, SIGN_TYPE, answered},
};

const CLOSED: [(&str, &str); 3] = [("result_code", "SUCCESS"), ("out_trade_no", NUMBER), ("trade_state", "CLOSED")];

async fn why(reply: Reply) -> String {
    Gateway::before(&Fake::always(reply).await).await.unknown().await.why
}

#[tokio::test]
async fn an_answer_is_believed_only_with_the_merchants_signature() {
    let genuine = signed(&answered(&CLOSED), KEY, SIGN_TYPE);
    let changed = |name: &str, value: &str| {
        let mut fields = genuine.clone();
        fields.insert(name, value);
        Reply::ok(text(&fields))
    };
    let lower = genuine.get("sign").expect("it is signed").to_lowercase();
    for (reply, how) in [
        (changed("sign", ""), "an empty signature"),
        (changed("sign", &lower), "in lower case"),
        (changed("sign", &"0".repeat(64)), "another signature"),
        (changed("trade_state", "SUCCESS"), "a changed field"),
        (changed("attach", "new"), "an added field"),
        (Reply::ok(text(&answered(&CLOSED).into_iter().collect())), "no signature"),
        (Reply::ok(text(&signed(&answered(&CLOSED), &"x".repeat(32), SIGN_TYPE))), "a stranger's key"),
        (Reply::ok(text(&signed(&answered(&CLOSED), KEY, SignType::Md5))), "a weaker type"),
    ] {
        assert_eq!(why(reply).await, "bad_signature", "{how}");
    }
}

#[tokio::test]
async fn an_answer_about_another_merchant_or_app_proves_nothing() {
    for (name, value) in [("mch_id", "1900000999"), ("appid", "wx0000000000000999")] {
        let fields: Vec<_> =
            answered(&CLOSED).into_iter().map(|pair| if pair.0 == name { (name, value) } else { pair }).collect();
        assert_eq!(why(Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))).await, "wrong_identity", "{name}");
    }
}

#[tokio::test]
async fn while_keys_are_changed_the_old_one_is_believed_too() {
    let reply = Reply::ok(text(&signed(&answered(&CLOSED), OLD_KEY, SIGN_TYPE)));
    let gateway = Gateway::before(&Fake::always(reply).await).await;
    let Outcome::Done(status) = gateway.query().await else { panic!("it is genuine") };
    assert_eq!(status.state(), State::Closed);
}

#[tokio::test]
async fn a_field_that_wechat_adds_tomorrow_is_part_of_the_signature() {
    let mut fields = answered(&CLOSED);
    fields.push(("something_new", "值"));
    let reply = Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)));
    let gateway = Gateway::before(&Fake::always(reply).await).await;
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
}

#[tokio::test]
async fn identity_fields_may_be_left_out_but_not_of_a_payment() {
    let without = |fields: &[(&'static str, &'static str)]| {
        let fields: Vec<_> =
            answered(fields).into_iter().filter(|(name, _)| !matches!(*name, "appid" | "mch_id")).collect();
        Reply::ok(text(&signed(&fields, KEY, SIGN_TYPE)))
    };
    let gateway = Gateway::before(&Fake::always(without(&CLOSED)).await).await;
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
    let paid = [
        ("result_code", "SUCCESS"),
        ("out_trade_no", NUMBER),
        ("trade_state", "SUCCESS"),
        ("transaction_id", "4200"),
        ("total_fee", "1"),
        ("time_end", "20261121100000"),
    ];
    assert_eq!(why(without(&paid)).await, "bad_answer");
}

#[tokio::test]
async fn a_merchant_that_signs_with_md5_is_answered_with_md5() {
    let reply = Reply::ok(text(&signed(&answered(&CLOSED), KEY, SignType::Md5)));
    let fake = Fake::always(reply).await;
    let gateway = Gateway::before(&fake).await;
    let file = gateway.merchants.path().join("acme-mini.toml");
    let mut md5 = std::fs::read_to_string(&file).expect("the file is there").replace("HMAC-SHA256", "MD5");
    md5.push_str("[[apps]]\napp_id = \"wx0000000000000005\"\nkind = \"web\"\n");
    std::fs::write(&file, md5).expect("the file can be written");
    // The new app shows that the change is in force.
    gateway.lists(|merchants| merchants.iter().any(|merchant| merchant.apps.len() == 5)).await;
    assert!(matches!(gateway.query().await, Outcome::Done(_)));
    let sent = fake.only().fields;
    assert_eq!((sent.get("sign_type"), sent.get("sign").map(str::len)), (None, Some(32)));
    assert_eq!((sent.get("appid"), sent.get("mch_id")), (Some(APP_ID), Some(MCH_ID)));
}
