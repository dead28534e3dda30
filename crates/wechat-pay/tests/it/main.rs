//! What the crate promises, by example and by property.

mod action;
mod answer;
mod bill;
mod bill_files;
mod client;
mod indexed;
mod limits;
mod login;
mod notice;
mod refund_notice;
mod requests;
mod sign;
mod time;
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
