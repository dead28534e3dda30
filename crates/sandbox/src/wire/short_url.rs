use wechat_pay::v2::Fields;

use super::{
    Refusal, Request,
    unified_order::{malformed, required},
};
use crate::platform::Platform;

/// Longest URL, in bytes before it is percent-encoded.
const MAX_LONG_URL: usize = 512;

/// What can be shortened: the text of a Native mode 1 code.
const LONG_URL: &str = "weixin://wxpay/bizpayurl?";

/// Shortens the text of a QR code. It is signed as it is and sent percent-encoded.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let long_url = required(&request.fields, "long_url")?;
    if MAX_LONG_URL < long_url.len() || !long_url.starts_with(LONG_URL) {
        return Err(malformed("long_url"));
    }
    let short_url = platform.ledger().desk.shorten(long_url).map_err(|_| Refusal::named("SYSTEMERROR"))?;
    Ok([("short_url", short_url)].into_iter().collect())
}
