use wechat_pay::v2::Fields;

use super::{
    Refusal, Request,
    unified_order::{malformed, required},
};
use crate::{ids, platform::Platform};

/// The texts that must be there, with their longest form in bytes.
const TEXTS: [(&str, usize); 4] = [("store_id", 32), ("store_name", 128), ("device_id", 32), ("rawdata", 2048)];

/// How long a credential is good, in seconds.
const EXPIRES_IN: &str = "3600";

/// Gives a face device's SDK what it starts with.
pub(super) fn execute(_: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let fields = &request.fields;
    for field in TEXTS.iter().map(|(field, _)| *field).chain(["now", "version"]) {
        required(fields, field)?;
    }
    for (field, max) in TEXTS {
        if max < required(fields, field)?.len() {
            return Err(malformed(field));
        }
    }
    let now = required(fields, "now")?;
    if now.len() != 10 || !now.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed("now"));
    }
    if required(fields, "version")? != "1" {
        return Err(malformed("version"));
    }
    let is_json = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok_and(|value| value.is_object());
    if fields.text("attach").is_some_and(|attach| !is_json(attach)) {
        return Err(malformed("attach"));
    }
    let credential = ids::face_credential();
    Ok([("authinfo", credential.as_str()), ("expires_in", EXPIRES_IN)].into_iter().collect())
}
