use proptest::prelude::*;
use wechat_pay::v2::Fields;
use wechat_pay::v2::sign::text_to_sign;

/// What is done to a message: `None` takes the field out.
fn changes() -> impl Strategy<Value = Vec<(String, Option<String>)>> {
    prop::collection::vec(("[a-c]{0,2}", prop::option::weighted(0.7, "[é0-9]{0,3}")), 0..24)
}

/// Names that begin alike, also where one ends in the other's eighth byte.
fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("(return_|abcdefg|abcdefgh)?[A-Za-z0-9_.-]{0,3}", 0..12)
}

proptest! {
    #[test]
    fn a_field_that_is_replaced_keeps_its_place_and_one_that_is_taken_out_leaves_the_others(changes in changes()) {
        let (mut fields, mut expected) = (Fields::new(), Vec::<(String, String)>::new());
        for (name, value) in changes {
            let at = expected.iter().position(|(known, _)| *known == name);
            let old = at.map(|at| expected[at].1.clone());
            match (&value, at) {
                (Some(value), Some(at)) => expected[at].1.clone_from(value),
                (Some(value), None) => expected.push((name.clone(), value.clone())),
                (None, Some(at)) => drop(expected.remove(at)),
                (None, None) => {}
            }
            let told = match &value {
                Some(value) => fields.insert(&name, value),
                None => fields.remove(&name),
            };
            prop_assert_eq!(told, old);
            prop_assert_eq!(fields.len(), expected.len());
            prop_assert!(fields.iter().eq(expected.iter().map(|(name, value)| (name.as_str(), value.as_str()))));
        }
        prop_assert_eq!(fields, expected.into_iter().collect::<Fields>());
    }

    #[test]
    fn the_text_to_sign_has_the_names_in_the_order_of_their_bytes(names in names()) {
        let fields: Fields = names.iter().map(|name| (name, "1")).collect();
        let mut sorted: Vec<&[u8]> = names.iter().map(String::as_bytes).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let expected: Vec<String> = sorted.iter().map(|name| format!("{}=1", String::from_utf8_lossy(name))).collect();
        prop_assert_eq!(text_to_sign(&fields), expected.join("&"));
    }
}
