use wechat_pay::v2::{Fields, limits};

use super::{
    Refusal, Request,
    micropay::{Said, Shown, Wanted, charge},
    order_query::{named_order, state},
    unified_order::{malformed, required},
};
use crate::platform::Platform;

/// WeChat's word for what this call charges.
const TRADE_TYPE: &str = "FACEPAY";

/// Charges a face by WeChat's older face API, which names the user beside the code and wants its sign type said.
pub(super) fn execute(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let fields = &request.fields;
    let wanted = Wanted::read(fields, "face_code", platform.clock.now())?;
    // Under a service provider the sub-merchant's app may know the user instead.
    let (said, openid) = match fields.text("sub_openid") {
        Some(openid) => (Said::SubPayer(openid), openid),
        None => required(fields, "openid").map(|openid| (Said::Payer(openid), openid))?,
    };
    limits::check_openid(openid).map_err(|_| malformed("openid"))?;
    required(fields, "sign_type")?;
    let code = required(fields, "face_code")?;
    charge(platform, request, wanted, &Shown { code, said, trade_type: TRADE_TYPE })
}

/// Tells the state of an order that was charged by the older face API; it knows no others.
pub(super) fn query(platform: &Platform, request: &Request) -> Result<Fields, Refusal> {
    let ledger = platform.ledger();
    let id = named_order(&ledger, request)?;
    let order = id.map(|id| ledger.order(id)).filter(|order| order.trade_type == TRADE_TYPE);
    order.map(state).ok_or_else(|| Refusal::named("ORDERNOTEXIST"))
}
