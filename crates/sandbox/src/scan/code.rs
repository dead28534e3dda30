use percent_encoding::percent_decode_str;
use url::Url;
use wechat_pay::v2::Fields;

use crate::{ledger::CODE_URL, wire::H5_PATH};

/// What the code of a product begins with.
const PRODUCT_URL: &str = "weixin://wxpay/bizpayurl?";

/// Longest text of a QR code that is read.
const MAX_BYTES: usize = 2048;

/// What a scanned text means.
pub(super) enum Code<'a> {
    /// An order of the trade type `NATIVE`, by its `code_url`.
    Order(&'a str),
    /// A product, whose signed fields the merchant wrote.
    Product(Fields),
    /// The link of an H5 payment, by its prepay id.
    Link(String),
    /// A prepay id, bare or as a client gets it.
    Prepaid(String),
}

impl Code<'_> {
    /// Reads the text of a code.
    pub(super) fn read(text: &str) -> Option<Code<'_>> {
        let text = text.trim();
        if MAX_BYTES < text.len() {
            return None;
        }
        if text.starts_with(CODE_URL) {
            return Some(Code::Order(text));
        }
        if let Some(query) = text.strip_prefix(PRODUCT_URL) {
            return fields(query).map(Code::Product);
        }
        if let Some(link) = Url::parse(text).ok().filter(|link| link.path() == H5_PATH) {
            let prepay_id = link.query_pairs().find(|(name, _)| name == "prepay_id")?.1;
            return Some(Code::Link(prepay_id.into_owned()));
        }
        let prepay_id = text.strip_prefix("prepay_id=").unwrap_or(text);
        let is_id = prepay_id.starts_with("wx") && prepay_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
        is_id.then(|| Code::Prepaid(prepay_id.to_owned()))
    }
}

/// The fields of a query. A plus sign is a plus sign: the values are percent-encoded and nothing else.
fn fields(query: &str) -> Option<Fields> {
    let mut fields = Fields::new();
    for pair in query.split('&') {
        let (name, value) = pair.split_once('=')?;
        let value = percent_decode_str(value).decode_utf8().ok()?;
        // What stands there twice has no one meaning.
        if fields.insert(name, value).is_some() {
            return None;
        }
    }
    Some(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_percent_decoded_and_a_plus_stays_a_plus() {
        let Some(Code::Product(fields)) = Code::read("weixin://wxpay/bizpayurl?sign=A&product_id=a%26b+c") else {
            panic!("not a product")
        };
        assert_eq!(fields.text("product_id"), Some("a&b+c"));
    }

    #[test]
    fn what_is_ambiguous_or_no_code_is_not_read() {
        for text in
            ["weixin://wxpay/bizpayurl?sign=A&sign=B", "weixin://wxpay/bizpayurl?sign", "https://example.com/", ""]
        {
            assert!(Code::read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_prepay_id_is_read_bare_and_as_a_client_gets_it() {
        for text in ["wx20141027", "prepay_id=wx20141027", " wx20141027\n"] {
            assert!(matches!(Code::read(text), Some(Code::Prepaid(id)) if id == "wx20141027"), "{text}");
        }
    }
}
