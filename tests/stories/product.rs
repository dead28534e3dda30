//! Every way to pay, from `PayOrder` to the money and back; the unhappy ones first in each file.

mod app;
mod goods;
mod h5;
mod oauth;
mod particulars;
mod qr;
mod scan;
mod service_provider;
mod taken_back;
mod till;

use e2e::{
    World,
    selling::{Cashier, PaymentState, RefundState, State},
};
use proto::order::v1::Payment;

use crate::refund::arrives;

/// The order of a cashier that somebody has paid becomes PAID, by that attempt and under that method's name.
async fn is_paid(cashier: &Cashier, method: &str) -> Payment {
    let order = cashier.order().becomes(State::Paid).await;
    assert_eq!(order.paid_payment, cashier.payment().name);
    let payment =
        order.payments.into_iter().find(|payment| payment.name == order.paid_payment).expect("it names one of its own");
    assert_eq!((payment.state(), payment.method.as_str()), (PaymentState::Succeeded, method));
    payment
}

/// All of its money goes back, and is back.
async fn goes_back(world: &World, cashier: &Cashier) {
    world.sandbox.set_settle_delay(None).await;
    let refund = cashier.order().refund(cashier.payment().amount_fen).await;
    refund.becomes(RefundState::Processing).await;
    arrives(world, &refund).await;
    cashier.order().becomes(State::Refunded).await;
}
