//! What the crate promises, by example and by property.

mod action;
mod answer;
mod bill;
mod bill_files;
mod client;
mod comments;
mod counter;
mod fields;
mod fund_flow;
mod indexed;
mod limits;
mod login;
mod native_scan;
mod notice;
mod red_packets;
mod refund_notice;
mod reports;
mod requests;
mod sign;
mod time;
mod tools;
mod xml;

use wechat_pay::v2::{ApiKey, Fields, Identity, SignType, sign as signing, xml as writing};

/// A key of the right shape that guards nothing.
const KEY: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUV";

fn key() -> ApiKey {
    ApiKey::parse(KEY).expect("32 characters")
}

fn other_key() -> ApiKey {
    ApiKey::parse("VUTSRQPONMLKJIHGFEDCBA9876543210").expect("32 characters")
}

fn identity() -> Identity {
    Identity::direct("wx0000000000000001", "1900000001")
}

/// `fields` with their signature.
fn signed(mut fields: Fields, sign_type: SignType) -> Fields {
    let signature = signing::sign(&fields, &key(), sign_type);
    fields.insert("sign", signature);
    fields
}

/// The body of a signed message.
fn body(fields: Fields, sign_type: SignType) -> Vec<u8> {
    writing::write("xml", &signed(fields, sign_type)).into_bytes()
}

/// What a published vector of a signature holds: its parameters, its key and the signature.
fn published(id: &str) -> (Fields, ApiKey, String) {
    let file: serde_json::Value =
        serde_json::from_str(include_str!("../../vectors/wechat-v2.json")).expect("the file is JSON");
    let vectors = file["vectors"].as_array().expect("it has vectors");
    let vector = vectors.iter().find(|vector| vector["id"] == id).expect("there is such a vector");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let params = vector["input"]["params"].as_object().expect("parameters");
    let fields = params.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
    let key = ApiKey::of_sample(&text(&vector["input"]["key"])).expect("a key");
    (fields, key, text(&vector["expect"]["sign"]))
}
