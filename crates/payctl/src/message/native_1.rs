//! `weixin://wxpay/bizpayurl?…`: the text of a code that never changes.

use anyhow::bail;
use percent_encoding::percent_decode_str;

use super::{Kind, Message};

/// How such a text begins.
pub(super) const SCHEME: &str = "weixin://";

pub(super) fn read(text: &[u8]) -> anyhow::Result<Message> {
    let Ok(text) = std::str::from_utf8(text) else { bail!("the URL is not UTF-8") };
    let Some(query) = text.strip_prefix("weixin://wxpay/bizpayurl?") else {
        bail!(
            "only weixin://wxpay/bizpayurl?… (Native mode 1) carries a signature; a code_url (weixin://wxpay/bizpayurl/up?pr=… and \
             the like) has none"
        )
    };
    let mut message = Message { kind: Kind::Native1, fields: Vec::new(), sign: None, notes: Vec::new() };
    for pair in query.split('&') {
        let Some((name, value)) = pair.split_once('=') else { bail!("{pair:?} in the URL is not name=value") };
        let Ok(value) = percent_decode_str(value).decode_utf8() else { bail!("{name} in the URL is not UTF-8") };
        let value = value.into_owned();
        if name == Kind::Native1.sign_name() {
            message.sign = Some(value);
        } else if message.fields.iter().any(|(known, _)| known == name) {
            bail!("{name} is in the URL twice: keep each name once");
        } else {
            message.fields.push((name.to_owned(), value));
        }
    }
    if message.sign.is_none() && message.fields.iter().any(|(name, _)| name == "pr" || name == "sr") {
        bail!("this is the code_url of one order (Native mode 2): it carries no signature");
    }
    Ok(message)
}
