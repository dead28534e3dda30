//! Every published vector, and that the runner itself can fail.

#[path = "../examples/conformance/check/mod.rs"]
mod check;

use check::{Vector, VectorFile};

const FILE: &[u8] = include_bytes!("../vectors/wechat-v2.json");

#[test]
fn every_published_vector_passes() {
    let file = VectorFile::parse(FILE).expect("the file is readable");
    assert!(80 <= file.vectors.len());
    let failures: Vec<String> = file
        .vectors
        .iter()
        .filter_map(|vector| check::check(vector).err().map(|why| format!("{}: {why:#}", vector.id)))
        .collect();
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn an_unknown_kind_and_a_wrong_expectation_fail() {
    for text in [
        r#"{"id":"a","kind":"unheard_of","input":{},"expect":{}}"#,
        r#"{"id":"b","kind":"time","input":{"unix":1490840662},"expect":{"beijing14":"20170330102423"}}"#,
        r#"{"id":"c","kind":"yuan_to_fen","input":{"yuan":"0.001"},"expect":{"fen":0}}"#,
        r#"{"id":"d","kind":"trade_state","input":{"trade_state":"NOTPAY"},"expect":{"local":"closed"}}"#,
    ] {
        let vector: Vector = serde_json::from_str(text).unwrap();
        assert!(check::check(&vector).is_err(), "{}", vector.id);
    }
}
