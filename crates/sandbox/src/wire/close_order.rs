use wechat_pay::v2::Fields;

use super::{Refusal, Request, unified_order::check_out_trade_no};
use crate::{ledger::CloseRefused, platform::Platform};

/// Closes an unpaid order.
///
/// A number that was never used is closed successfully, as WeChat does. Earlier than five minutes after the order was
/// created, WeChat's tables name no code of their own; `TRADE_STATE_ERROR` is the one whose remedy fits: look again
/// later.
///
/// Nor do they name one for a charge by pay code or face, which is reversed instead: `INVALID_REQUEST`, because no
/// repetition helps.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let number = check_out_trade_no(&request.fields)?;
    let now = platform.clock.now();
    let mut ledger = platform.ledger();
    let done = || [("result_msg", "OK")].into_iter().collect();
    let found = ledger.find(request.mch_id(), number).filter(|id| request.may_see(ledger.order(*id)));
    let Some(id) = found else {
        return Ok(done());
    };
    match ledger.order_mut(id).close(now) {
        Ok(()) => Ok(done()),
        Err(CloseRefused::Paid) => Err(Refusal::named("ORDERPAID")),
        Err(CloseRefused::Closed) => Err(Refusal::named("ORDERCLOSED")),
        Err(CloseRefused::Charged) => Err(Refusal::new("INVALID_REQUEST", "付款码支付订单请调用撤销接口")),
        Err(CloseRefused::TooEarly) => Err(Refusal::new("TRADE_STATE_ERROR", "订单生成后5分钟内不能关闭")),
    }
}
