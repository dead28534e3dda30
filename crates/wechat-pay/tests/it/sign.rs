use proptest::prelude::*;
use wechat_pay::v2::sign::{KeyError, SignError, sign, text_to_sign, verify, verify_pinned};
use wechat_pay::v2::{ApiKey, Fields, SignType};

use crate::{KEY, key, other_key, signed};

fn message() -> Fields {
    Fields::from_iter([("appid", "wx1"), ("total_fee", "0"), ("attach", ""), ("body", "测试 & more")])
}

#[test]
fn empty_values_and_the_signature_itself_are_not_signed_but_zero_is() {
    let fields = signed(message(), SignType::Md5);
    assert_eq!(text_to_sign(&fields), "appid=wx1&body=测试 & more&total_fee=0");
}

#[test]
fn a_key_that_is_not_32_printable_characters_is_refused() {
    assert_eq!(ApiKey::parse("").unwrap_err(), KeyError::Empty);
    assert_eq!(ApiKey::parse(&KEY[1..]).unwrap_err(), KeyError::Length { bytes: 31 });
    assert_eq!(ApiKey::parse(&format!("{KEY}0")).unwrap_err(), KeyError::Length { bytes: 33 });
    assert_eq!(ApiKey::parse(&format!("{} ", &KEY[1..])).unwrap_err(), KeyError::Characters);
    assert_eq!(ApiKey::parse(&format!("{}\n", &KEY[1..])).unwrap_err(), KeyError::Characters);
    assert_eq!(ApiKey::parse(&format!("{}é", &KEY[2..])).unwrap_err(), KeyError::Characters);
    assert_eq!(ApiKey::of_sample("").unwrap_err(), KeyError::Empty);
}

#[test]
fn keys_and_values_never_show_in_debug() {
    let shown = format!("{:?} {:?}", key(), signed(message(), SignType::Md5));
    assert!(!shown.contains(&KEY[..8]), "{shown}");
    assert!(!shown.contains("wx1") && !shown.contains("测试"), "{shown}");
    assert!(shown.contains("appid") && shown.contains("sign"), "{shown}");
}

#[test]
fn missing_empty_short_and_lower_case_signatures_are_refused() {
    for sign_type in SignType::ALL {
        let good = signed(message(), sign_type);
        assert_eq!(verify(&good, &key(), sign_type), Ok(()));
        let with = |signature: &str| {
            let mut fields = good.clone();
            fields.insert("sign", signature);
            verify(&fields, &key(), sign_type)
        };
        let signature = good.get("sign").unwrap();
        assert_eq!(verify(&message(), &key(), sign_type), Err(SignError::Missing));
        assert_eq!(with(""), Err(SignError::Empty));
        assert_eq!(with(&signature[1..]), Err(SignError::Length { bytes: sign_type.hex_len() - 1 }));
        assert_eq!(with(&format!("{signature} ")), Err(SignError::Length { bytes: sign_type.hex_len() + 1 }));
        assert_eq!(with(&signature.to_lowercase()), Err(SignError::Mismatch));
        assert_eq!(verify(&good, &other_key(), sign_type), Err(SignError::Mismatch));
    }
}

#[test]
fn a_downgrade_to_md5_is_refused_even_when_the_message_names_md5() {
    let mut fields = message();
    fields.insert("sign_type", "MD5");
    let fields = signed(fields, SignType::Md5);
    assert_eq!(verify(&fields, &key(), SignType::HmacSha256), Err(SignError::Length { bytes: 32 }));
    assert_eq!(
        verify_pinned(&fields, &key(), &[SignType::HmacSha256]),
        Err(SignError::NotPinned { sign_type: SignType::Md5 })
    );
    assert_eq!(verify_pinned(&fields, &key(), &SignType::ALL), Ok(SignType::Md5));
}

#[test]
fn a_forgery_is_never_taken_for_genuine_of_the_other_type() {
    let mut fields = signed(message(), SignType::Md5);
    fields.insert("total_fee", "1");
    assert_eq!(verify_pinned(&fields, &key(), &[SignType::Md5]), Err(SignError::Mismatch));
    assert_eq!(verify_pinned(&fields, &key(), &[SignType::HmacSha256]), Err(SignError::Length { bytes: 32 }));
    assert_eq!(verify_pinned(&fields, &key(), &SignType::ALL), Err(SignError::Mismatch));
    assert_eq!(verify_pinned(&fields, &key(), &[]), Err(SignError::Mismatch));
    assert_eq!(verify_pinned(&message(), &key(), &SignType::ALL), Err(SignError::Missing));
}

#[test]
fn names_are_sorted_and_not_the_joined_pairs() {
    // As joined pairs "a1=…" would sort before "a=…".
    let fields = Fields::from_iter([("a1", "x"), ("a", "y"), ("A", "z"), ("a_", "w")]);
    assert_eq!(text_to_sign(&fields), "A=z&a=y&a1=x&a_=w");
}

fn sign_types() -> impl Strategy<Value = SignType> {
    prop_oneof![Just(SignType::Md5), Just(SignType::HmacSha256)]
}

fn some_fields() -> impl Strategy<Value = Fields> {
    prop::collection::btree_map("[a-z_]{1,12}", "\\PC{1,20}", 1..12).prop_map(|mut pairs| {
        pairs.remove("sign");
        pairs.into_iter().collect()
    })
}

proptest! {
    #[test]
    fn every_changed_deleted_or_added_field_is_refused(fields in some_fields(), sign_type in sign_types()) {
        let good = signed(fields, sign_type);
        prop_assert_eq!(verify(&good, &key(), sign_type), Ok(()));
        let names: Vec<String> = good.iter().map(|(name, _)| name.to_owned()).collect();
        for name in &names {
            let mut deleted = good.clone();
            deleted.remove(name);
            prop_assert!(verify(&deleted, &key(), sign_type).is_err());
            let mut changed = good.clone();
            let value = format!("{}x", good.get(name).unwrap_or_default());
            changed.insert(name.as_str(), value);
            prop_assert!(verify(&changed, &key(), sign_type).is_err());
        }
        let mut added = good.clone();
        added.insert("~added", "1");
        prop_assert!(verify(&added, &key(), sign_type).is_err());
    }

    #[test]
    fn the_order_of_fields_does_not_matter(fields in some_fields(), sign_type in sign_types()) {
        let mut reversed: Vec<(String, String)> =
            fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        reversed.reverse();
        let reversed: Fields = reversed.into_iter().collect();
        prop_assert_eq!(sign(&fields, &key(), sign_type), sign(&reversed, &key(), sign_type));
    }
}
