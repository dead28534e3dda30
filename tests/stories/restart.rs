//! Each service is killed and stopped in the middle of the main job, at each step that matters: nothing is lost, nothing
//! happens twice.

mod notify_svc;
mod order_svc;
mod pay_gateway;
mod reconcile_svc;

use std::time::Duration;

use e2e::{
    World, eventually,
    sandbox_client::{Callback, CallbackState},
    selling::{Cashier, State},
};
use proto::order::v1;

/// Attempts of one callback that are waited for; WeChat makes more.
const ATTEMPTS: usize = 6;

/// Waits until the order is paid by this attempt, and the teams have heard of it once.
pub(crate) async fn is_paid_once(world: &World, cashier: &Cashier) -> v1::Order {
    let order = cashier.order().becomes(State::Paid).await;
    assert_eq!(order.paid_payment, cashier.payment().name);
    let told = eventually("the teams hear of it", async || {
        let mut told = world.facts("order.v1.order.paid.>").await;
        told.retain(|fact| fact.text("order") == order.name);
        if told.is_empty() { Err("no event yet") } else { Ok(told) }
    })
    .await;
    assert_eq!(told.len(), 1, "the teams heard of {} more than once", order.name);
    order
}

/// Waits until WeChat has read success, and lets time pass from attempt to attempt when the first was refused.
pub(crate) async fn is_told(world: &World, out_trade_no: &str) -> Callback {
    let mut callback = world.sandbox.attempted(out_trade_no, 1).await;
    while callback.state != CallbackState::Delivered && callback.attempts.len() < ATTEMPTS {
        let next = callback.next_attempt_at.expect("WeChat comes again until it reads success");
        let wait = next.duration_since(world.sandbox.clock().await.now);
        // It is negative when time has passed for another callback already.
        world.pass(Duration::try_from(wait).unwrap_or_default()).await;
        callback = world.sandbox.attempted(out_trade_no, callback.attempts.len() + 1).await;
    }
    assert_eq!(callback.state, CallbackState::Delivered, "{callback:?}");
    callback
}
