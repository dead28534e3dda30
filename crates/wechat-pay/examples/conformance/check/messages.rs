//! Signatures, XML, encryption.

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;
use wechat_pay::v2::client::{self, AppInvocation, Invocation};
use wechat_pay::v2::refund_notice::{self, SealKey};
use wechat_pay::v2::{Fields, Identity, RedpackInvocation, SignType, sign, xml};

use super::{fields, integer, key, object, optional, same, same_fields, sign_type, text};

pub(super) fn sign(input: &Value, expect: &Value) -> anyhow::Result<()> {
    signature(&fields(object(input, "params")?), input, sign_type(input)?, expect)
}

pub(super) fn client_sign(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let (key, sign_type) = (key(input)?, sign_type(input)?);
    let (nonce, now) = (text(input, "nonce")?, Timestamp::from_second(integer(input, "timestamp")?)?);
    let identity = Identity {
        appid: text(input, "appid")?.to_owned(),
        mch_id: optional(input, "mch_id").unwrap_or_default().to_owned(),
        sub_appid: optional(input, "sub_appid").map(str::to_owned),
        sub_mch_id: optional(input, "sub_mch_id").map(str::to_owned),
    };
    let package = optional(input, "package_raw").unwrap_or_default();
    let prepay_id = optional(input, "prepay_id").or_else(|| package.strip_prefix("prepay_id=")).unwrap_or_default();
    let (signed, output) = match text(input, "product")? {
        product @ ("jsapi" | "miniprogram") => {
            let invocation = Invocation::new(&identity, prepay_id, nonce, now, &key, sign_type);
            let mut output = serde_json::to_value(&invocation)?;
            if product == "miniprogram" {
                // The mini program knows its own id, and its call has no such argument.
                output.as_object_mut().context("an invocation is an object")?.remove("appId");
            }
            (invocation.signed_fields(), output)
        }
        "app" => {
            let invocation = AppInvocation::new(&identity, prepay_id, nonce, now, &key, sign_type);
            (invocation.signed_fields(), serde_json::to_value(&invocation)?)
        }
        "miniprogram_redpack" => {
            let appid = identity.launching_appid();
            let invocation = RedpackInvocation::new(appid, package, nonce, now, &key);
            (invocation.signed_fields(appid), serde_json::to_value(&invocation)?)
        }
        other => bail!("unknown product {other}"),
    };
    if let Ok(expected) = object(expect, "signed_params") {
        same_fields(&signed, expected)?;
    }
    string_to_sign(&signed, input, expect)?;
    same("output", &output, expect.get("output").context("vector has no output")?)
}

pub(super) fn native_1_url(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let now = Timestamp::from_second(integer(input, "time_stamp")?)?;
    let (appid, mch_id) = (text(input, "appid")?, text(input, "mch_id")?);
    let fields = client::native_1_fields(appid, mch_id, text(input, "product_id")?, text(input, "nonce_str")?, now);
    signature(&fields, input, sign_type(input)?, expect)?;
    let url = client::native_1_url(&fields, &key(input)?, sign_type(input)?);
    same("url", &url.as_str(), &text(expect, "url")?)
}

pub(super) fn verify_xml(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let valid = expect.get("valid").and_then(Value::as_bool).context("vector has no valid")?;
    let verified = verified(input);
    match (&verified, valid) {
        (Ok(fields), true) => object(expect, "fields").map_or(Ok(()), |expected| same_fields(fields, expected)),
        (Err(_), false) => Ok(()),
        (Err(error), true) => bail!("refused: {error:#}"),
        (Ok(_), false) => bail!("accepted, but must be refused: {}", optional(expect, "reason").unwrap_or("no reason")),
    }
}

fn verified(input: &Value) -> anyhow::Result<Fields> {
    let key = key(input)?;
    let pinned = match optional(input, "sign_type") {
        Some(name) => vec![name.parse()?],
        None => SignType::ALL.to_vec(),
    };
    let fields = xml::parse("xml", text(input, "xml")?.as_bytes())?;
    sign::verify_pinned(&fields, &key, &pinned)?;
    Ok(fields)
}

pub(super) fn xml_roundtrip(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let fields = Fields::from_iter([("a", text(input, "value")?)]);
    let read = xml::parse("xml", xml::write("xml", &fields).as_bytes())?;
    ensure!(read == fields, "value did not survive");
    let expected = text(expect, "sign_of_a")?;
    same("sign_of_a", &sign::sign(&read, &key(input)?, SignType::Md5).as_str(), &expected)
}

pub(super) fn refund_key(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let found = SealKey::of(&key(input)?);
    same("aes_key_ascii", &found.as_bytes().as_slice(), &text(expect, "aes_key_ascii")?.as_bytes())
}

pub(super) fn aes_256_ecb(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let key: [u8; 32] = text(input, "aes_key_ascii")?.as_bytes().try_into().context("key has not 32 bytes")?;
    let key = SealKey::from_bytes(key);
    let sealed = STANDARD.decode(text(input, "ciphertext_b64")?)?;
    let opened = key.decrypt(&sealed)?;
    same("plaintext", &opened.as_slice(), &text(expect, "plaintext")?.as_bytes())?;
    same("encrypted again", &key.encrypt(&opened), &sealed)
}

pub(super) fn refund_req_info(input: &Value, expect: &Value) -> anyhow::Result<()> {
    let ok = expect.get("ok").and_then(Value::as_bool).context("vector has no ok")?;
    let root = optional(expect, "root").unwrap_or("root");
    let opened = key(input).and_then(|key| {
        let plain = refund_notice::open(text(input, "req_info")?, &SealKey::of(&key))?;
        let fields = xml::parse(root, &plain)?;
        Ok((plain, fields))
    });
    match (opened, ok) {
        (Ok((plain, fields)), true) => {
            if let Some(expected) = optional(expect, "plaintext") {
                same("plaintext", &plain.as_slice(), &expected.as_bytes())?;
            }
            object(expect, "fields").map_or(Ok(()), |expected| same_fields(&fields, expected))
        }
        (Err(_), false) => Ok(()),
        (Err(error), true) => bail!("refused: {error:#}"),
        (Ok(_), false) => bail!("accepted, but must be refused: {}", optional(expect, "reason").unwrap_or("no reason")),
    }
}

fn signature(fields: &Fields, input: &Value, sign_type: SignType, expect: &Value) -> anyhow::Result<()> {
    string_to_sign(fields, input, expect)?;
    same("sign", &sign::sign(fields, &key(input)?, sign_type).as_str(), &text(expect, "sign")?)
}

fn string_to_sign(fields: &Fields, input: &Value, expect: &Value) -> anyhow::Result<()> {
    let found = format!("{}&key={}", sign::text_to_sign(fields), text(input, "key")?);
    optional(expect, "string_to_sign").map_or(Ok(()), |expected| same("string_to_sign", &found.as_str(), &expected))
}
