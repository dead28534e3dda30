//! What a client hands to WeChat, as JSON.

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};

use super::{Field, Kind, Message};

/// Where `PayOrder` and `payctl order pay --json` have the invocation.
const WRAPPERS: [&str; 2] = ["jsapi", "app"];

/// The fields under `paySign`, by the names under which they are signed.
const JSAPI: [&str; 5] = ["appId", "timeStamp", "nonceStr", "package", "signType"];

/// The fields under the signature of a red packet.
const REDPACK: [&str; 4] = ["appId", "timeStamp", "nonceStr", "package"];

/// The fields under the signature of an app's invocation, all in small letters.
const APP: [&str; 6] = ["appid", "partnerid", "prepayid", "package", "noncestr", "timestamp"];

pub(super) fn read(text: &[u8]) -> anyhow::Result<Message> {
    let value: Value = serde_json::from_slice(text).context("the message is not JSON, although it begins like it")?;
    let Value::Object(mut object) = value else { bail!("the message is not one JSON object") };
    for wrapper in WRAPPERS {
        if let Some(Value::Object(inner)) = object.get_mut(wrapper) {
            object = std::mem::take(inner);
            break;
        }
    }
    let mut notes = Vec::new();
    let mut fields = texts(&object, &mut notes)?;
    let has = |name: &str| fields.iter().any(|(field, value)| field.eq_ignore_ascii_case(name) && !value.is_empty());
    let prepaid = fields.iter().any(|(name, value)| name == "package" && value.starts_with("prepay_id="));
    let kind = match (has("paySign"), has("appId")) {
        (true, true) => Kind::Jsapi,
        (true, false) if prepaid => Kind::MiniProgram,
        (true, false) => Kind::Redpack,
        (false, _) if has("partnerid") || has("prepayid") => Kind::App,
        (false, _) => Kind::Fields,
    };
    let at = fields.iter().position(|(name, _)| name.eq_ignore_ascii_case(kind.sign_name()));
    let sign = at.map(|at| fields.remove(at).1);
    let signed: &[&str] = match kind {
        Kind::App => &APP,
        Kind::Redpack => &REDPACK,
        Kind::Jsapi | Kind::MiniProgram => &JSAPI,
        _ => return Ok(Message { kind, fields, sign, notes }),
    };
    let fields = named(fields, signed, kind, &mut notes);
    Ok(Message { kind, fields, sign, notes })
}

/// Every value as the text that is signed.
fn texts(object: &Map<String, Value>, notes: &mut Vec<String>) -> anyhow::Result<Vec<Field>> {
    let mut fields = Vec::with_capacity(object.len());
    for (name, value) in object {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => {
                notes.push(format!("{name} is a JSON number; WeChat's clients expect a text: put it into quotes"));
                number.to_string()
            }
            Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
                bail!("{name} is no text: every value of an invocation is a JSON string")
            }
        };
        fields.push((name.clone(), text));
    }
    Ok(fields)
}

/// The fields that are signed, by the names under which they are, whatever the client calls them.
fn named(fields: Vec<Field>, signed: &[&str], kind: Kind, notes: &mut Vec<String>) -> Vec<Field> {
    let mut named = Vec::new();
    for (name, value) in fields {
        match signed.iter().find(|known| known.eq_ignore_ascii_case(&name)) {
            Some(known) => {
                if *known != name && kind != Kind::App {
                    let but =
                        if name == "timestamp" { " (wx.chooseWXPay takes timestamp, signed as timeStamp)" } else { "" };
                    notes.push(format!("the client expects the name {known}, the message has {name}{but}"));
                }
                named.push(((*known).to_owned(), value));
            }
            // A red packet hands over its sign type unsigned.
            None if name == "signType" && kind == Kind::Redpack => {}
            None => notes.push(format!("{name} is not signed in a {}: leave it out", kind.words())),
        }
    }
    // JSON has no order, so that of WeChat's tables stands in for the written one: who forgets to sort signs in it.
    named.sort_by_key(|(name, _)| signed.iter().position(|known| known == name));
    named
}
