use wechat_pay::v2::Fields;

use super::{Refusal, Request, order_query::named_order};
use crate::{
    control::Fault,
    ledger::{Order, ReverseRefused},
    platform::Platform,
};

/// Takes a charge back: unpaid it is closed, paid its money goes back in full.
///
/// WeChat only asks for 15 s of patience and names no code for impatience. Here it is refused with `recall` Y, because
/// nothing was done and the same call helps later.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    reverse(platform, request, |_| true)
}

/// The same for what the older face API charged, and for nothing else.
pub(super) fn execute_face(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    reverse(platform, request, |order| order.trade_type == "FACEPAY")
}

fn reverse(platform: &Platform, request: &Request, is_mine: fn(&Order) -> bool) -> Result<Fields, Refusal> {
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let id = named_order(&ledger, request).map_err(|refusal| refusal.with("recall", "N"))?;
    let id = id.ok_or_else(|| Refusal::named("ORDERNOTEXIST").with("recall", "N"))?;
    if !is_mine(ledger.order(id)) {
        return Err(Refusal::new("TRADE_ERROR", "非刷脸支付订单").with("recall", "N"));
    }
    ledger.reverse(id, now).map_err(|refused| match refused {
        ReverseRefused::TooSoon => Refusal::new("INVALID_REQUEST", "支付后15秒内不能撤销").with("recall", "Y"),
        ReverseRefused::NotCharged { paid: true } => {
            Refusal::new("TRADE_ERROR", "非付款码支付订单，请使用退款").with("recall", "N")
        }
        ReverseRefused::NotCharged { paid: false } => {
            Refusal::new("INVALID_REQUEST", "非付款码支付订单，请使用关单").with("recall", "N")
        }
        ReverseRefused::Expired => Refusal::named("REVERSE_EXPIRE").with("recall", "N"),
        ReverseRefused::Refunded => Refusal::new("TRADE_ERROR", "订单发生过退款，不能撤销").with("recall", "N"),
        ReverseRefused::NotEnough => Refusal::new("TRADE_ERROR", "商户余额不足").with("recall", "N"),
    })?;
    Ok([("recall", "N")].into_iter().collect())
}

/// Carries a call out, unless the fault wants it to be asked for again.
pub(super) fn recalled(
    fault: Option<&Fault>,
    execute: impl FnOnce() -> Result<Fields, Refusal>,
) -> Result<Fields, Refusal> {
    let Some(Fault::Recall { executed, success }) = fault else { return execute() };
    if *executed {
        drop(execute());
    }
    if *success {
        Ok([("recall", "Y")].into_iter().collect())
    } else {
        Err(Refusal::named("SYSTEMERROR").with("recall", "Y"))
    }
}
