//! Money that an order cannot keep goes back by itself, or waits for a person when it must not or cannot.

mod crash;
mod held;
mod returned;

use std::time::Duration;

use e2e::{
    World, eventually,
    sandbox_client::Pay,
    selling::{Order, PaymentState, State},
};
use proto::order::v1;

/// How long an order of these stories can be paid.
const LIFE_S: i64 = 600;
/// When such an order is over, and its attempts are due to be asked about.
const PAST_LIFE: Duration = Duration::from_mins(15);

/// An order of 100 fen that was closed, and whose payer paid all the same.
pub(crate) async fn paid_after_the_close(world: &World) -> (Order, v1::Payment) {
    let order = closed(world).await;
    pay_late(world, &order).await;
    let payment = surplus_of(&order).await;
    (order, payment)
}

/// An order of 100 fen that was closed while its cashier was open.
async fn closed(world: &World) -> Order {
    let order = world.create_order(100).expires_in_s(LIFE_S).await;
    order.pay_by_openid().await;
    world.pass(PAST_LIFE).await;
    order.becomes(State::Closed).await;
    order
}

/// The payer, whose cashier is still open, pays.
async fn pay_late(world: &World, order: &Order) {
    let in_cashier = Pay { in_cashier: true, ..Pay::default() };
    let number = &order.now().await.payments[0].out_trade_no;
    world.sandbox.pay_as(number, &in_cashier).await.expect("WeChat lets them");
}

/// Waits for the surplus payment of an order.
async fn surplus_of(order: &Order) -> v1::Payment {
    let payment = eventually("a payment is a surplus", async || {
        order.now().await.payments.into_iter().find(|payment| payment.surplus)
    });
    let payment = payment.await;
    assert_eq!(payment.state(), PaymentState::Succeeded);
    payment
}
