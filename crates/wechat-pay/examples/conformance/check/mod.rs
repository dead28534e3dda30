//! One vector against this crate.

mod bills;
mod messages;
mod rules;

use anyhow::{Context as _, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::{Map, Value};
use wechat_pay::v2::{ApiKey, Fields, SignType};

/// A file of vectors.
#[derive(Deserialize)]
pub(crate) struct VectorFile {
    /// The vectors.
    pub(crate) vectors: Vec<Vector>,
}

/// One vector: what goes in, and what must come out.
#[derive(Deserialize)]
pub(crate) struct Vector {
    /// Names it.
    pub(crate) id: String,
    /// Says what `input` and `expect` hold.
    pub(crate) kind: String,
    #[serde(default)]
    input: Value,
    #[serde(default)]
    expect: Value,
}

impl VectorFile {
    /// Reads the JSON of a file.
    pub(crate) fn parse(bytes: &[u8]) -> anyhow::Result<VectorFile> {
        serde_json::from_slice(bytes).context("not a file of vectors")
    }
}

/// Whether the crate does what the vector expects, and if not, why.
pub(crate) fn check(vector: &Vector) -> anyhow::Result<()> {
    let (input, expect) = (&vector.input, &vector.expect);
    match vector.kind.as_str() {
        "sign" => messages::sign(input, expect),
        "client_sign" => messages::client_sign(input, expect),
        "native1_url" => messages::native_1_url(input, expect),
        "verify_xml" => messages::verify_xml(input, expect),
        "xml_roundtrip" => messages::xml_roundtrip(input, expect),
        "refund_key" => messages::refund_key(input, expect),
        "aes256ecb" => messages::aes_256_ecb(input, expect),
        "refund_req_info" => messages::refund_req_info(input, expect),
        "notify_decision" => rules::notify_decision(input, expect),
        "next_action" => rules::next_action(input, expect),
        "trade_state" => rules::trade_state(input, expect),
        "notify_schedule" => rules::notify_schedule(input, expect),
        "indexed_fields" => rules::indexed_fields(input, expect),
        "jscode2session" => rules::jscode2session(input, expect),
        "time" => rules::time(input, expect),
        "bill" => bills::bill(input, expect),
        "yuan_to_fen" => bills::yuan_to_fen(input, expect),
        other => bail!("unknown kind {other}"),
    }
}

fn text<'a>(value: &'a Value, name: &str) -> anyhow::Result<&'a str> {
    optional(value, name).with_context(|| format!("vector has no {name}"))
}

fn optional<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// A number that may be written as text.
fn integer(value: &Value, name: &str) -> anyhow::Result<i64> {
    let found = value.get(name).with_context(|| format!("vector has no {name}"))?;
    found.as_i64().or_else(|| found.as_str()?.parse().ok()).with_context(|| format!("{name} is not a whole number"))
}

fn object<'a>(value: &'a Value, name: &str) -> anyhow::Result<&'a Map<String, Value>> {
    value.get(name).and_then(Value::as_object).with_context(|| format!("vector has no {name}"))
}

/// The plain text of a JSON string or number.
fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn fields(map: &Map<String, Value>) -> Fields {
    map.iter().map(|(name, value)| (name.as_str(), plain(value))).collect()
}

fn key(input: &Value) -> anyhow::Result<ApiKey> {
    Ok(ApiKey::of_sample(text(input, "key")?)?)
}

fn sign_type(input: &Value) -> anyhow::Result<SignType> {
    optional(input, "sign_type").map_or(Ok(SignType::Md5), |name| Ok(name.parse()?))
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> anyhow::Result<()> {
    ensure!(found == expected, "{what}: expected {expected:?}, found {found:?}");
    Ok(())
}

/// Fields without regard to their order.
fn same_fields(found: &Fields, expected: &Map<String, Value>) -> anyhow::Result<()> {
    for (name, value) in expected {
        let found = found.get(name).ok_or_else(|| anyhow!("field {name} is missing"))?;
        same(name, &found.to_owned(), &plain(value))?;
    }
    same("number of fields", &found.len(), &expected.len())
}
