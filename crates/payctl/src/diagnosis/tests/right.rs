use wechat_pay::v2::{
    Identity,
    client::{AppInvocation, Invocation, native_1_fields, native_1_url},
    sign::ApiKey,
};

use super::*;

fn is_right(message: &Message, sign_type: SignType) -> bool {
    matches!(judged(message, &[sign_type]), Verdict::Right { sign_type: found, .. } if found == sign_type)
}

fn read(text: &str) -> Message {
    Message::read(text.as_bytes(), None).unwrap()
}

#[test]
fn a_right_signature_of_either_type_is_right() {
    let signed = with_key(&text(&NOTICE));
    assert!(is_right(&message(Kind::Notice, &NOTICE, &md5(&signed)), SignType::Md5));
    assert!(is_right(&message(Kind::Notice, &NOTICE, &hmac(&signed, KEY)), SignType::HmacSha256));
}

#[test]
fn what_our_own_services_make_is_right() {
    let (identity, key) = (Identity::direct("wx0000000000000002", "1900000109"), ApiKey::parse(KEY).unwrap());
    let now = "2026-11-21T02:00:00Z".parse().unwrap();
    for sign_type in SignType::ALL {
        let jsapi = Invocation::new(&identity, "wx2", "nonce", now, &key, sign_type);
        let mut json = serde_json::to_value(&jsapi).unwrap();
        assert!(is_right(&read(&json.to_string()), sign_type));
        // A mini program does not pass the app on: it is found among those of the merchant.
        json.as_object_mut().unwrap().remove("appId");
        assert!(is_right(&read(&json.to_string()), sign_type));
        let app = AppInvocation::new(&identity, "wx2", "nonce", now, &key, sign_type);
        assert!(is_right(&read(&serde_json::to_string(&app).unwrap()), sign_type));
        let url = native_1_url(&native_1_fields("wx1", "1900000109", "a&b 茶", "nonce", now), &key, sign_type);
        assert!(is_right(&read(&url), sign_type));
    }
}

#[test]
fn the_key_before_this_one_counts_and_is_named() {
    let message = message(Kind::Notice, &NOTICE, &md5(format!("{}&key={OTHER}", text(&NOTICE))));
    let keys = [key(KEY), key(OTHER)];
    let case = Case { message: &message, keys: &keys, sign_types: &[SignType::Md5], others: &[], app_ids: &[] };
    assert!(matches!(judge(&case), Verdict::Right { key, .. } if key == "the key an"));
}

#[test]
fn without_a_signature_there_is_nothing_to_judge() {
    let mut unsigned = message(Kind::Answer, &NOTICE, "");
    assert!(matches!(judged(&unsigned, &[SignType::Md5]), Verdict::Unsigned));
    unsigned.sign = None;
    assert!(matches!(judged(&unsigned, &[SignType::Md5]), Verdict::Unsigned));
}

#[test]
fn what_was_signed_is_shown_without_the_key() {
    let mut pairs = NOTICE.to_vec();
    pairs.push(("leaked", KEY));
    let signed = with_key(&text(&pairs));
    let Verdict::Right { string, .. } = judged(&message(Kind::Notice, &pairs, &md5(&signed)), &[SignType::Md5]) else {
        panic!("it is right")
    };
    assert!(string.ends_with("&key=********"), "{string}");
    assert!(string.contains("龙井") && !string.contains(KEY), "{string}");
    let wrong = format!("{:?}", wrong(&message(Kind::Notice, &pairs, &"A".repeat(32)), SignType::Md5));
    assert!(!wrong.contains(KEY) && !wrong.contains(OTHER), "{wrong}");
}
