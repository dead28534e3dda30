use wechat_pay::v2::SignType::{HmacSha256, Md5};

use crate::harness::{KEY, Notice, OTHER_KEY, PATH, PREVIOUS_KEY, World, post, raw};

const TRANSACTION: &str = "4200002026081400000000000001";

#[tokio::test]
async fn a_notice_changed_in_any_field_after_signing_is_refused() {
    let world = World::start().await;
    let genuine = Notice::paid(TRANSACTION).signed();
    let fields: Vec<String> = genuine.0.iter().map(|(name, _)| name.to_owned()).filter(|name| name != "sign").collect();
    for field in &fields {
        let changed = genuine.clone().with(field, "1");
        world.notify(&changed.xml()).await.refuses("sign_wrong");
        let removed = genuine.clone().without(field);
        world.notify(&removed.xml()).await.refuses("sign_wrong");
    }
    world.notify(&genuine.clone().with("attach", "added").xml()).await.refuses("sign_wrong");
    assert!(world.nats.stored().await.is_empty());
    let refused = u64::try_from(2 * fields.len() + 1).expect("a small number");
    assert_eq!(world.service.ended("sign_wrong").await, refused);
}

#[tokio::test]
async fn a_notice_whose_sign_is_missing_empty_short_lower_case_or_anothers_is_refused() {
    let world = World::start().await;
    let genuine = Notice::paid(TRANSACTION).signed();
    let sign = genuine.0.get("sign").expect("it is signed").to_owned();
    world.notify(&genuine.clone().without("sign").xml()).await.refuses("unsigned");
    world.notify(&genuine.clone().with("sign", "").xml()).await.refuses("unsigned");
    for wrong in [&sign[..63], &sign[..32], &sign.to_lowercase(), &format!("{sign}0"), &"0".repeat(64)] {
        world.notify(&genuine.clone().with("sign", wrong).xml()).await.refuses("sign_wrong");
    }
    let with_others_key = Notice::paid(TRANSACTION).signed_with(OTHER_KEY, HmacSha256);
    world.notify(&with_others_key.xml()).await.refuses("sign_wrong");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn a_downgrade_to_md5_is_refused_and_a_genuine_one_is_counted_by_itself() {
    let world = World::start().await;
    for key in [KEY, PREVIOUS_KEY] {
        let genuine = Notice::paid(TRANSACTION).signed_with(key, Md5);
        world.notify(&genuine.xml()).await.refuses("sign_type_genuine");
    }
    let named = Notice::paid(TRANSACTION).with("sign_type", "MD5").signed_with(KEY, Md5);
    world.notify(&named.xml()).await.refuses("sign_type_genuine");
    let forged = Notice::paid(TRANSACTION).with("sign_type", "MD5").signed_with(OTHER_KEY, Md5);
    world.notify(&forged.xml()).await.refuses("sign_wrong");
    assert!(world.nats.stored().await.is_empty());
    assert_eq!((world.service.ended("sign_type_genuine").await, world.service.ended("sign_wrong").await), (3, 1));
}

#[tokio::test]
async fn a_genuine_notice_of_one_account_is_nothing_at_the_address_of_another() {
    let world = World::start().await;
    let elsewhere = "/notify/wechat-v2/other-shop/payment";
    let acme = Notice::paid(TRANSACTION).signed();
    post(world.service.http, elsewhere, acme.xml().as_bytes()).await.refuses("sign_wrong");
    // The same key would not help: the merchant number belongs to the address too.
    let shop = |notice: Notice| notice.signed_with(OTHER_KEY, Md5).xml();
    let about_acme = shop(Notice::paid(TRANSACTION));
    post(world.service.http, elsewhere, about_acme.as_bytes()).await.refuses("other_account");
    for field in ["sub_mch_id", "sub_appid"] {
        let of_sub = shop(Notice::paid(TRANSACTION).with("mch_id", "1900000222").with(field, "1900000444"));
        post(world.service.http, elsewhere, of_sub.as_bytes()).await.refuses("other_account");
    }
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn nothing_but_the_path_chooses_the_key() {
    let world = World::start().await;
    let body = Notice::paid(TRANSACTION).signed_with(OTHER_KEY, Md5).xml();
    let head = format!(
        "POST {PATH} HTTP/1.1\r\nHOST: other-shop\r\nx-original-url: /notify/wechat-v2/other-shop/payment\r\n\
         x-rewrite-url: /notify/wechat-v2/other-shop/payment\r\nx-forwarded-host: other-shop\r\n\
         x-http-method-override: GET\r\ncontent-type: application/json\r\nconnection: close\r\n\
         content-length: {}\r\n\r\n",
        body.len()
    );
    raw(world.service.http, &[head.as_bytes(), body.as_bytes()].concat()).await.refuses("sign_wrong");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn a_signed_notice_that_lacks_what_a_payment_has_is_refused() {
    let world = World::start().await;
    for field in ["transaction_id", "out_trade_no", "total_fee", "time_end", "mch_id", "appid", "result_code"] {
        world.notify(&Notice::paid(TRANSACTION).without(field).signed().xml()).await.refuses("field");
    }
    for amount in ["-1", "+1", "1.00", "0x10", "12345678901", "１００", " 1"] {
        world.notify(&Notice::paid(TRANSACTION).with("total_fee", amount).signed().xml()).await.refuses("field");
    }
    for number in ["4200\r\nNats-Msg-Id: x", "4200 1", &"4".repeat(33)] {
        world.notify(&Notice::paid(number).signed().xml()).await.refuses("field");
    }
    for app_id in ["wx 1", "wx-1", "微信", &"w".repeat(33)] {
        world.notify(&Notice::paid(TRANSACTION).with("appid", app_id).signed().xml()).await.refuses("field");
    }
    let failed = Notice::paid(TRANSACTION).with("return_code", "FAIL").signed();
    world.notify(&failed.xml()).await.refuses("return_code");
    assert!(world.nats.stored().await.is_empty());
}

#[tokio::test]
async fn what_is_refused_leaves_no_trace_of_its_content() {
    let world = World::start().await;
    let genuine = Notice::paid(TRANSACTION).signed();
    world.notify(&genuine.clone().with("openid", "o-someone-else").xml()).await.refuses("sign_wrong");
    assert!(world.notify(&genuine.xml()).await.is_success());
    let stored = world.nats.stored().await;
    world.service.logged("acme-mini: a callback was refused: sign_wrong").await;
    world.service.logged("acme-mini: 01981b6e6f3c7a01b2c3d4e5f6a7b8c9 was paid").await;
    let everything = format!("{}{}{stored:?}", world.service.log(), world.service.metrics().await);
    let sign = genuine.0.get("sign").expect("it is signed");
    for secret in ["oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "o-someone-else", KEY, PREVIOUS_KEY, OTHER_KEY, sign, "CDATA"] {
        assert!(!everything.contains(secret), "{secret} was told:\n{everything}");
    }
}
