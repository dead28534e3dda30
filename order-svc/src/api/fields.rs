//! Checks of fields that several requests share. Each names the field and what would be right.

use svc_kit::refusal::Violations;
use uuid::Uuid;

use crate::domain::{
    OrderId, PaymentId, RefundId,
    ids::{below_order, hyphenated},
};

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
