//! The XML between us and WeChat.

use anyhow::anyhow;
use encoding_rs::GBK;
use wechat_pay::v2::{
    Fields,
    sign::SIGN,
    xml::{self, XmlError},
};

use super::{Kind, Message};

/// Root of a message, and of the decrypted part of a refund notice.
const ROOTS: [&str; 2] = ["xml", "root"];

pub(super) fn read(text: &[u8]) -> anyhow::Result<Message> {
    let read = ROOTS.iter().map(|root| xml::parse(root, text)).find(|read| *read != Err(XmlError::Root));
    let fields = read.unwrap_or(Err(XmlError::Root)).map_err(|error| anyhow!("{error}: {}", fix(error, text)))?;
    let kind = kind(&fields);
    let sign = fields.get(SIGN).map(str::to_owned);
    let fields =
        fields.iter().filter(|(name, _)| *name != SIGN).map(|(name, value)| (name.to_owned(), value.to_owned()));
    Ok(Message { kind, fields: fields.collect(), sign, notes: Vec::new() })
}

/// Told by the fields that only one kind has.
fn kind(fields: &Fields) -> Kind {
    let has = |name: &str| fields.text(name).is_some();
    if has("req_info") {
        Kind::RefundNotice
    } else if !has("return_code") {
        let scan = has("product_id") && has("openid") && has("is_subscribe") && !has("out_trade_no");
        if scan { Kind::Scan } else { Kind::Request }
    } else if has("transaction_id")
        && has("time_end")
        && !has("trade_state")
        && fields.text("trade_type") != Some("MICROPAY")
    {
        Kind::Notice
    } else {
        Kind::Answer
    }
}

/// What to do about a text that is no message.
fn fix(error: XmlError, text: &[u8]) -> &'static str {
    match error {
        XmlError::Encoding if std::str::from_utf8(text).is_err() && !GBK.decode(text).2 => {
            "it is GBK; WeChat reads and writes UTF-8 alone, so save and sign it as UTF-8"
        }
        XmlError::Encoding => "declare and write UTF-8, the only encoding that WeChat reads and signs",
        XmlError::Doctype => "leave the DOCTYPE out: WeChat sends none, and entities are how keys are stolen",
        XmlError::Root => "the root element is <xml>, or <root> inside a refund notice",
        XmlError::Nested => "every value is text; JSON goes into one element as text",
        XmlError::Duplicate => "keep each name once: which of the two is signed, nobody can tell",
        XmlError::Malformed => {
            "write & as &amp; and < as &lt;, or put values into CDATA; check that the text is whole and that no log has changed it"
        }
        XmlError::TooLarge | XmlError::TooManyFields => "this is no message of WeChat Pay",
    }
}
