//! What must never happen, whatever the message.

use std::collections::BTreeMap;

use proptest::prelude::*;
use wechat_pay::v2::{Fields, sign};

use super::*;

fn pairs() -> impl Strategy<Value = BTreeMap<String, String>> {
    let value = prop_oneof![
        "[ -~]{0,12}",
        "[0-9]{1,4}",
        "(茶|龙|&|<|%20|&amp;| ){0,4}",
        Just("0".to_owned()),
        Just(String::new()),
    ];
    prop::collection::btree_map("[a-zA-Z_]{1,6}[0-9]{0,2}", value, 1..12)
}

fn sign_type() -> impl Strategy<Value = SignType> {
    prop::sample::select(SignType::ALL.to_vec())
}

fn message_of(pairs: &BTreeMap<String, String>, sign: String) -> Message {
    let fields = pairs.iter().filter(|(name, _)| *name != "sign");
    let fields = fields.map(|(name, value)| (name.clone(), value.clone())).collect();
    Message { kind: Kind::Fields, fields, sign: Some(sign), notes: Vec::new() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_right_message_never_gets_a_cause(pairs in pairs(), sign_type in sign_type()) {
        let fields: Fields = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let right = sign::sign(&fields, &sign::ApiKey::parse(KEY).unwrap(), sign_type);
        let verdict = judged(&message_of(&pairs, right), &[sign_type]);
        prop_assert!(matches!(verdict, Verdict::Right { .. }), "{verdict:?}");
    }

    #[test]
    fn a_random_signature_is_never_explained(pairs in pairs(), sign in "[0-9A-F]{32}|[0-9A-F]{64}", sign_type in sign_type()) {
        let wrong = wrong(&message_of(&pairs, sign), sign_type);
        prop_assert!(wrong.causes.is_empty() && wrong.alternatives.is_empty(), "{wrong:?}");
        prop_assert!(wrong.signed.is_none());
    }

    #[test]
    fn what_is_expected_is_what_wechat_pay_signs(pairs in pairs(), sign_type in sign_type()) {
        let fields: Fields = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let right = sign::sign(&fields, &sign::ApiKey::parse(KEY).unwrap(), sign_type);
        let wrong = wrong(&message_of(&pairs, "A".repeat(32)), sign_type);
        prop_assert_eq!(wrong.expected, right);
    }
}

#[test]
fn a_changed_amount_is_not_explained() {
    let right = md5(with_key(&text(&NOTICE)));
    let mut tampered = NOTICE;
    tampered[9].1 = "1";
    let wrong = wrong(&message(Kind::Notice, &tampered, &right), SignType::Md5);
    assert!(wrong.causes.is_empty(), "{:?}", wrong.causes);
    assert!(1_000 < wrong.tries, "two mistakes at once were tried: {}", wrong.tries);
}

#[test]
fn the_work_is_bounded_whatever_the_message() {
    let names: Vec<String> = (0..2_000).map(|number| format!("a{number}")).collect();
    let pairs: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let wrong = wrong(&message(Kind::Fields, &pairs, &"A".repeat(32)), SignType::Md5);
    assert!(wrong.cut_short && wrong.tries < 5_000, "{}", wrong.tries);
}

#[test]
fn what_looks_odd_is_a_hint_and_no_cause() {
    let hints = |sign: &str, key: &str| {
        let message = message(Kind::Request, &[("a", "1"), ("sign_type", "HMAC-SHA256")], sign);
        let keys = [KeyText::new("the key", key.as_bytes().to_vec())];
        let case = Case { message: &message, keys: &keys, sign_types: &[SignType::Md5], others: &[], app_ids: &[] };
        let Verdict::Wrong(wrong) = judge(&case) else { panic!("nothing is right here") };
        assert!(wrong.causes.is_empty());
        wrong.hints.join("\n")
    };
    assert!(hints(&"A".repeat(40), KEY).contains("SHA-1"));
    assert!(hints(&"A".repeat(16), KEY).contains("the middle of an MD5"));
    assert!(hints(&"A".repeat(31), KEY).contains("31 digits"));
    assert!(hints("q83vEjRWeJCrze8SNFZ4kA==", KEY).contains("not base64"));
    assert!(hints(&"A".repeat(32), "short").contains("API key has 5 bytes instead of 32"));
    assert!(hints(&"A".repeat(32), KEY).contains("sign_type says HMAC-SHA256"));
}
