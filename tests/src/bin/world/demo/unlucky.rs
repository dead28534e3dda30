use e2e::{
    World, eventually,
    sandbox_client::{Fault, FaultPoint, FaultRule, always, once},
    selling::{Cashier, State},
};

use jiff::civil::Date;
use wechat_pay::time::bill_date;

use super::PRICES_FEN;
use crate::telling::{Telling, say, yuan};

/// How long an order of the unlucky day lives: longer than the demo, so that nobody closes it.
const LIFE_S: i64 = 3 * 24 * 60 * 60;

/// How late the callback of that day would be: later than the demo.
const ASTRAY_MS: u64 = 30 * 24 * 60 * 60 * 1000;

/// A payment that nothing but the bill brings: the callback goes astray, every question stays without an answer. Returns its
/// cashier and its bill day.
pub(super) async fn tell(telling: &mut Telling, world: &World) -> (Cashier, Date) {
    telling.chapter("A day on which everything goes wrong");
    let order = world.create_order(PRICES_FEN[1]).order_no("S-1002").expires_in_s(LIFE_S).await;
    let cashier = order.pay_by_openid().await;
    let number = cashier.out_trade_no().to_owned();
    let of_this = |rule: FaultRule| FaultRule { out_trade_no: Some(number.clone()), ..rule };
    let astray = world.sandbox.fault(of_this(once(FaultPoint::Callback, Fault::Delay { delay_ms: ASTRAY_MS }))).await;
    let unanswered = Fault::Status { status: 502, executed: false };
    let unanswered = world.sandbox.fault(of_this(always(FaultPoint::OrderQuery, unanswered))).await;
    let paid = cashier.pay().await;
    say(format!("The user pays {} for {}.", yuan(paid.amount_fen), order.name()));
    eventually("the callback goes astray", async || world.sandbox.hits(&astray).await == 1).await;
    say("WeChat's callback goes astray on the way.");
    say(format!("The order is {}.", state(&order.now().await)));

    world.pass_to_next_day(10, 30).await;
    eventually("Tongbao has asked by itself", async || 1 <= world.sandbox.hits(&unanswered).await).await;
    say(format!(
        "A day passes. Tongbao asks WeChat by itself, and gets no answer but HTTP 502: the order is {}.",
        state(&order.now().await)
    ));
    say("No answer is no answer: Tongbao neither believes nor gives up.");
    (cashier, bill_date(paid.paid_at))
}

fn state(order: &proto::order::v1::Order) -> &'static str {
    match order.state() {
        State::Pending => "PENDING",
        State::Paid => "PAID",
        State::Closed => "CLOSED",
        State::PartiallyRefunded => "PARTIALLY_REFUNDED",
        State::Refunded => "REFUNDED",
        State::Unspecified => "in no state",
    }
}
