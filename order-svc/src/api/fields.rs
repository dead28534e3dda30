//! Checks of fields that several requests share. Each names the field and what would be right.

use std::sync::Arc;

use svc_kit::refusal::Violations;
use tonic::Status;
use uuid::Uuid;
use wechat_pay::v2::limits;

use super::{Api, refuse};
use crate::{
    domain::{
        OrderId, PaymentId, ProductCodeId, RefundId,
        ids::{below_order, hyphenated},
    },
    gateway::Merchant,
};

/// 1,000,000 yuan: WeChat names no maximum, but nobody sells for more by mistake-free typing.
const MAX_AMOUNT_FEN: i64 = 100_000_000;

pub(super) fn request_id(text: &str, violations: &mut Violations) -> Option<Uuid> {
    let id = hyphenated(&text.to_ascii_lowercase()).filter(|id| !id.is_nil());
    violations.check(
        id.is_some(),
        "request_id",
        "must be a UUID of your choice, such as 0198c5f2-…; the same for a retry",
    );
    id
}

pub(super) fn order_name(text: &str, violations: &mut Violations) -> Option<OrderId> {
    let id = text.parse().ok();
    violations.check(id.is_some(), "name", "must look like orders/{uuid}, as CreateOrder returned it");
    id
}

pub(super) fn product_code_name(text: &str, violations: &mut Violations) -> Option<ProductCodeId> {
    let id = text.parse().ok();
    violations.check(id.is_some(), "name", "must look like productCodes/{uuid}, as CreateProductCode returned it");
    id
}

pub(super) fn check_price(amount_fen: i64, violations: &mut Violations) {
    violations.check(
        (1..=MAX_AMOUNT_FEN).contains(&amount_fen),
        "amount_fen",
        format!("must be 1 to {MAX_AMOUNT_FEN} (fen, 1/100 yuan)"),
    );
}

pub(super) fn check_description(description: &str, violations: &mut Violations) {
    if let Err(wrong) = limits::check_body(description) {
        violations.push("description", wrong.to_string());
    }
}

pub(super) fn check_app_id(app_id: &str, field: &str, violations: &mut Violations) {
    let good = app_id.len() <= 32 && app_id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    violations.check(good, field, "must be an app id of the merchant, at most 32 letters and digits, or absent");
}

/// The merchant of that name. Fails only when nobody knows yet which merchants there are.
pub(super) async fn merchant(
    api: &Api,
    name: &str,
    violations: &mut Violations,
) -> Result<Option<Arc<Merchant>>, Status> {
    let words = "must be the name of a merchant account, [a-z0-9-]{1,32}";
    if !violations.check(is_merchant_name(name), "merchant", words) {
        return Ok(None);
    }
    let known = api.merchants.get(name).await;
    let known = known.map_err(|_| refuse::try_again("the list of merchants is not known yet; retry"))?;
    violations.check(known.is_some(), "merchant", "no merchant account of this name is configured");
    Ok(known)
}

/// `orders/{uuid}/refunds/{uuid}`.
pub(super) fn refund_name(text: &str) -> Option<(OrderId, RefundId)> {
    below_order(text, "refunds").map(|(order, id)| (order, RefundId(id)))
}

/// `orders/{uuid}/payments/{uuid}`.
pub(super) fn payment_name(text: &str) -> Option<(OrderId, PaymentId)> {
    below_order(text, "payments").map(|(order, id)| (order, PaymentId(id)))
}

pub(super) fn is_merchant_name(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
}

pub(super) fn is_order_no(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b':' | b'-'))
}

pub(super) fn is_openid(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::{is_openid, is_order_no};

    #[test]
    fn numbers_of_teams_are_short_and_printable() {
        for good in ["S-1", "2026:11.21_7", &"x".repeat(64)] {
            assert!(is_order_no(good), "{good}");
        }
        for bad in ["", "a b", "茶", "a/b", &"x".repeat(65)] {
            assert!(!is_order_no(bad), "{bad}");
        }
    }

    #[test]
    fn an_openid_cannot_smuggle_anything() {
        assert!(is_openid("oUpF8uMuAJO_M2pxb1Q9zNjWeS6o"));
        for bad in ["", "a&b", "a<b", "a\n", &"x".repeat(129)] {
            assert!(!is_openid(bad), "{bad}");
        }
    }
}
