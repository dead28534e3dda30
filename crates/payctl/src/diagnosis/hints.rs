//! What looks odd about a message whose signature nothing explains.

use wechat_pay::v2::SignType;

use super::{Case, KeyText};

/// Digits of SHA-1, of an interface that ended in 2014.
const SHA1_DIGITS: usize = 40;

/// Digits that some programs cut from the middle of an MD5.
const SHORT_MD5_DIGITS: usize = 16;

/// What looks odd, one sentence each.
pub(super) fn of(case: &Case<'_>, given: &str) -> Vec<String> {
    let mut hints = Vec::new();
    let given = given.trim();
    signature(given, &mut hints);
    hints.extend(case.keys.iter().filter_map(KeyText::complaint));
    let named = case.message.text("appId").is_some();
    if case.message.kind.lacks_app_id() && case.app_ids.is_empty() && !named {
        let kind = case.message.kind.words();
        hints
            .push(format!("a {kind} does not say its app, which is signed: name it with --app-id, or give --merchant"));
    }
    let said = case.message.text(case.message.kind.sign_type_name());
    if let Some(said) = said
        && let Ok(sign_type) = said.parse::<SignType>()
        && sign_type.hex_len() != given.len()
        && SignType::ALL.iter().any(|known| known.hex_len() == given.len())
    {
        let name = case.message.kind.sign_type_name();
        hints.push(format!("{name} says {said}, but the signature is not {} digits long", sign_type.hex_len()));
    }
    for (name, value) in &case.message.fields {
        if value.trim() != value {
            hints.push(format!(
                "{name} has blanks around its value: some programs sign them and some do not; send none"
            ));
        }
        if value.contains('\u{fffd}') || value.contains("锟斤拷") || value.contains("Ã") {
            hints.push(format!("{name} was broken by a wrong encoding before it got here: read and write UTF-8"));
        }
    }
    hints
}

fn signature(given: &str, hints: &mut Vec<String>) {
    if !given.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        hints.push("the signature has other characters than hex digits: WeChat's are hex, not base64".to_owned());
        return;
    }
    match given.len() {
        SHA1_DIGITS => hints.push(
            "the signature has 40 digits, which is SHA-1 of an interface that ended in 2014: use MD5 or HMAC-SHA256"
                .to_owned(),
        ),
        SHORT_MD5_DIGITS => {
            hints.push("the signature has 16 digits, the middle of an MD5: take all 32 digits".to_owned());
        }
        length if SignType::ALL.iter().any(|sign_type| sign_type.hex_len() == length) => {}
        length => hints
            .push(format!("the signature has {length} digits; MD5 has 32 and HMAC-SHA256 64: it is cut or not one")),
    }
}
